from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deepscan.errors import EXIT_CLEAN, EXIT_FOUND, EXIT_INCOMPLETE, EXIT_USAGE
from tests import media_factory
from tests.cli.test_app import invoke, refusal

ALL = "csv,json,jsonl,markdown,junit,sarif"


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        media_factory.write_png(folder, name)
    return folder


def keys(folder: Path, name: str = "key") -> tuple[Path, Path]:
    """A private and a public key, as PEM files."""
    key = Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    coded = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*coded))
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


def scanned(evidence: Path, *words: str) -> Path:
    out = evidence.parent / "out"
    done = invoke(
        "scan", str(evidence), "--checks", "identity", "--workers", "0", "-o", str(out), "--format", ALL, *words
    )
    assert "report.json" in {path.name for path in out.iterdir()}, done.output
    return out


def flip(path: Path, place: int = 40) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_what_was_written_is_as_written(evidence: Path) -> None:
    out = scanned(evidence, "--seal")
    for source in ("report.json", "report.jsonl", "report.csv", "report.md", "report.seal.json", "."):
        result = invoke("verify", str(out / source))
        assert result.exit_code == EXIT_CLEAN, result.output
    result = invoke("verify", str(out / "report.json"), "--against", str(evidence))
    assert (result.exit_code, result.stdout) == (EXIT_CLEAN, "Report and evidence are as written.\n")
    assert invoke("verify", str(out / "deepscan.case"), "--against", str(evidence)).exit_code == EXIT_CLEAN


@pytest.mark.parametrize("name", [*(f"report.{end}" for end in ("json", "jsonl", "csv", "md", "junit.xml", "sarif"))])
def test_a_flipped_byte_in_any_report_is_found_and_named(name: str, evidence: Path) -> None:
    out = scanned(evidence, "--seal")
    flip(out / name)
    for source in (out / name, out):
        result = invoke("verify", str(source))
        assert result.exit_code == EXIT_FOUND, result.output
    assert f"CHANGED  {name}: its SHA-256 is " in result.stdout


def test_a_flipped_byte_in_the_evidence_is_found_and_named(evidence: Path) -> None:
    out = scanned(evidence)
    flip(evidence / "b.png")
    result = invoke("verify", str(out / "report.json"), "--against", str(evidence))
    assert result.exit_code == EXIT_FOUND
    assert result.stdout.startswith("CHANGED  b.png: its SHA-256 is ")
    (evidence / "b.png").unlink()
    result = invoke("verify", str(out / "report.json"), "--against", str(evidence))
    assert (result.exit_code, result.stdout) == (EXIT_INCOMPLETE, "MISSING  b.png: it is not in the folder.\n")


def test_a_signature_says_who_sealed_it(evidence: Path, tmp_path: Path) -> None:
    private, public = keys(tmp_path)
    out = scanned(evidence, "--sign", str(private))
    result = invoke("verify", str(out), "--key", str(public))
    assert result.exit_code == EXIT_CLEAN, result.output
    assert "signed by" in result.stdout
    assert invoke("verify", str(out / "report.json"), "--key", str(public)).exit_code == EXIT_CLEAN
    _, other = keys(tmp_path, "other")
    assert invoke("verify", str(out), "--key", str(other)).exit_code == EXIT_FOUND


def test_a_report_that_was_sealed_anew_does_not_have_the_signature(evidence: Path, tmp_path: Path) -> None:
    private, public = keys(tmp_path)
    out = scanned(evidence, "--sign", str(private))
    (evidence / "b.png").unlink()
    scanned(evidence, "--seal")  # the seal is of other bytes now, and the signature still the old one
    assert invoke("verify", str(out)).exit_code == EXIT_CLEAN
    result = invoke("verify", str(out), "--key", str(public))
    assert result.exit_code == EXIT_FOUND
    assert "CHANGED  report.seal.sig" in result.stdout


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_accepts_the_signature_as_documented(evidence: Path, tmp_path: Path) -> None:
    private, public = keys(tmp_path)
    out = scanned(evidence, "--sign", str(private))
    raw = tmp_path / "raw.sig"
    raw.write_bytes(base64.b64decode((out / "report.seal.sig").read_text()))
    words = f"-verify -pubin -inkey {public} -rawin -in {out}/report.seal.json -sigfile {raw}"
    subprocess.run(["openssl", "pkeyutl", *words.split()], check=True, capture_output=True)


def test_keys_that_cannot_sign_are_a_sentence_before_anything_is_scanned(evidence: Path, tmp_path: Path) -> None:
    _, public = keys(tmp_path)
    curve = ec.generate_private_key(ec.SECP256R1())
    other = tmp_path / "curve.pem"
    coded = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    other.write_bytes(curve.private_bytes(*coded, serialization.NoEncryption()))
    locked = tmp_path / "locked.pem"
    locked.write_bytes(Ed25519PrivateKey.generate().private_bytes(*coded, serialization.BestAvailableEncryption(b"x")))
    for key, words in (
        (public, "no private key"),
        (other, "not an Ed25519 key"),
        (locked, "has a password"),
        (tmp_path / "none", "cannot be read"),
    ):
        result = invoke("scan", str(evidence), "-o", str(tmp_path / "out"), "--sign", str(key))
        assert words in " ".join(refusal(result))
        assert not (tmp_path / "out").exists()


def test_without_the_library_it_says_what_to_install(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, _ = keys(tmp_path)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    result = invoke("scan", str(evidence), "-o", str(tmp_path / "out"), "--sign", str(private))
    assert "deepscan[sign]" in " ".join(refusal(result))


def test_what_cannot_be_told_is_a_sentence(evidence: Path, tmp_path: Path) -> None:
    out = scanned(evidence)
    for words in (
        (str(tmp_path / "nothing.json"),),
        (str(out),),
        (str(out / "report.csv"),),
        (str(out / "deepscan.case"),),
        (str(out / "report.json"), "--against", str(tmp_path / "nowhere")),
        (str(out / "report.json"), "--key", str(out / "report.csv")),
    ):
        result = invoke("verify", *words)
        assert result.exit_code == EXIT_USAGE, words
        assert result.stderr.startswith("deepscan: ")
