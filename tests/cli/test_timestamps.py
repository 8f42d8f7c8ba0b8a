"""Time stamps from an authority that the test makes: openssl answers, behind a server of this machine."""

from __future__ import annotations

import contextlib
import http.server
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deepscan.custody import authority, timestamps
from deepscan.custody.faults import Fault
from deepscan.errors import EXIT_CLEAN, EXIT_FOUND, EXIT_USAGE
from tests import media_factory
from tests.cli.test_app import invoke, refusal
from tests.cli.test_verify_command import flip

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl, which plays the authority, is absent")

SETTINGS = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:true
[stamper]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
tsa_name = no
ess_cert_id_chain = no
"""

ONE_AT_A_TIME = threading.Lock()
"""openssl counts in a file. A test that waits for no answer leaves its question to be answered beside the next one."""


@dataclass(frozen=True)
class Authority:
    """The folder with the keys and certificates of an authority."""

    folder: Path

    @property
    def roots(self) -> Path:
        return self.folder / "root.pem"

    def openssl(self, words: str, *more: str) -> None:
        subprocess.run(["openssl", *words.format(d=self.folder).split(), *more], check=True, capture_output=True)

    def answer(self, request: bytes) -> bytes:
        with ONE_AT_A_TIME:
            (self.folder / "asked.tsq").write_bytes(request)
            self.openssl("ts -reply -config {d}/settings -section tsa -queryfile {d}/asked.tsq -out {d}/answer.tsr")
            return (self.folder / "answer.tsr").read_bytes()


def make_authority(folder: Path) -> Authority:
    made = Authority(folder)
    folder.mkdir()
    (folder / "settings").write_text(SETTINGS.format(folder=folder))
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config {d}/settings -days 2"
    made.openssl(f"req -x509 {key} -extensions root -keyout {{d}}/root.key -out {{d}}/root.pem", "-subj", "/CN=Root")
    made.openssl(
        f"req -x509 {key} -extensions stamper -keyout {{d}}/tsa.key -out {{d}}/tsa.pem -CA {{d}}/root.pem"
        " -CAkey {d}/root.key",
        "-subj",
        "/O=House of Clocks/CN=Stamper",
    )
    return made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tsa") / "house")


class Server(http.server.ThreadingHTTPServer):
    """Answers as ``mode`` says, and keeps what it was asked."""

    daemon_threads = True
    mode = "stamps"
    house: Authority
    asked: list[tuple[str, bytes]]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        with contextlib.suppress(ConnectionError):  # whoever asked does not wait for ever
            self.reply()

    def reply(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        request = self.rfile.read(int(self.headers["Content-Length"]))
        server.asked.append((self.headers["Content-Type"], request))
        if server.mode == "slow":
            time.sleep(0.6)
        status = {"error": 503, "moved": 302}.get(server.mode, 200)
        self.send_response(status)
        if server.mode == "moved":
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        if status != 200:
            return
        if server.mode == "drips":
            for _ in range(20):
                self.wfile.write(b"x")
                time.sleep(0.05)
            return
        self.wfile.write(self.content(server, request))

    def content(self, server: Server, request: bytes) -> bytes:
        match server.mode:
            case "other":
                digest = request.index(b"\x04\x20") + 2  # an octet string of 32 bytes
                return server.house.answer(request[:digest] + bytes(32) + request[digest + 32 :])
            case "refuses":
                return bytes.fromhex("30073005020102") + bytes.fromhex("3000")
            case "garbage":
                return b"<html>Sign in to continue</html>"
            case "empty":
                return b""
            case "large":
                return b"\x30" * (authority.MAX_BYTES + 1)
        return server.house.answer(request)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server(house: Authority) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as made:
        made.house, made.asked = house, []
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/tsr"


def scan(folder: Path, *words: str) -> tuple[Path, list[str]]:
    evidence = folder / "evidence"
    evidence.mkdir(exist_ok=True)
    media_factory.write_png(evidence, "a.png")
    return folder / "out", ["scan", str(evidence), "--checks", "identity", "--workers", "0", "-o", str(folder / "out")]


@pytest.fixture
def stamped(tmp_path: Path, server: Server) -> Path:
    out, words = scan(tmp_path)
    result = invoke(*words, "--timestamp", url(server))
    assert result.exit_code in (EXIT_CLEAN, 3), result.output
    return out


def test_a_seal_is_stamped_and_time_and_authority_are_told(stamped: Path, server: Server, house: Authority) -> None:
    ((kind, request),) = server.asked
    assert kind == "application/timestamp-query"
    assert len(request) < 100
    for source in (stamped, stamped / "report.json", stamped / "report.csv"):
        result = invoke("verify", str(source), "--tsa-certs", str(house.roots))
        assert result.exit_code == EXIT_CLEAN, result.output
        assert "The seal was stamped on 20" in result.stdout
        assert " UTC by CN=Stamper,O=House of Clocks.\n" in result.stdout
    house.openssl(f"ts -verify -in {stamped}/report.seal.tsr -data {stamped}/report.seal.json -CAfile {{d}}/root.pem")


def test_without_roots_it_says_that_the_token_was_not_checked(stamped: Path) -> None:
    result = invoke("verify", str(stamped))
    assert result.exit_code == EXIT_CLEAN
    assert "report.seal.tsr was not checked: --tsa-certs" in result.stdout


def test_roots_of_another_authority_do_not_vouch_for_it(stamped: Path, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other")
    result = invoke("verify", str(stamped), "--tsa-certs", str(other.roots))
    assert result.exit_code == EXIT_FOUND
    assert "CHANGED  report.seal.tsr: it does not hold with the roots in" in result.stdout
    assert "stamped on" not in result.stdout


def test_a_seal_that_was_changed_does_not_have_the_stamp(stamped: Path, house: Authority) -> None:
    path = stamped / "report.seal.json"
    path.write_bytes(path.read_bytes() + b"\n")
    result = invoke("verify", str(stamped), "--tsa-certs", str(house.roots))
    assert result.exit_code == EXIT_FOUND
    assert "CHANGED  report.seal.tsr: it is over other bytes than report.seal.json has now" in result.stdout


def test_no_changed_byte_of_a_token_is_anything_but_a_fault_or_the_same_stamp(stamped: Path, house: Authority) -> None:
    token = stamped / "report.seal.tsr"
    whole, chance = token.read_bytes(), random.Random(7)
    first = timestamps.check_stamp(stamped, house.roots)
    assert not isinstance(first, Fault)
    faults = 0
    for _ in range(300):
        token.write_bytes(whole)
        flip(token, chance.randrange(len(whole)))
        found = timestamps.check_stamp(stamped, house.roots)
        # Not all bytes are signed: those of the answer's status, and of lists in the envelope, are not.
        assert isinstance(found, Fault) or found == first
        faults += isinstance(found, Fault)
    assert faults > 250
    for size in (0, 1, 50, len(whole) - 1):
        token.write_bytes(whole[:size])
        assert isinstance(timestamps.check_stamp(stamped, house.roots), Fault)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("error", "answered with the HTTP status 503"),
        ("moved", "answered with the HTTP status 302"),
        ("other", "over something else than this seal"),
        ("refuses", "gave no time stamp: status 2"),
        ("garbage", "answered is no time stamp"),
        ("empty", "answered is no time stamp"),
        ("large", "is larger than 256 KiB"),
        ("slow", "did not answer within 0.3 seconds"),
        ("drips", "did not answer within 0.3 seconds"),
    ],
)
def test_a_bad_answer_is_a_sentence_and_leaves_a_whole_report_without_a_token(
    mode: str, words: str, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, command = scan(tmp_path)
    server.mode = mode
    if "0.3" in words:
        monkeypatch.setattr(authority, "SECONDS", 0.3)
    result = invoke(*command, "--timestamp", url(server))
    assert result.exit_code == EXIT_USAGE
    assert words in " ".join(refusal(result))
    assert not (out / "report.seal.tsr").exists()
    assert invoke("verify", str(out)).exit_code == EXIT_CLEAN
    server.mode = "stamps"
    monkeypatch.undo()
    again = invoke("report", str(out / "deepscan.case"), "-o", str(out), "--timestamp", url(server))
    assert again.exit_code == EXIT_CLEAN, again.output
    assert (out / "report.seal.tsr").exists()


def test_an_authority_that_is_not_there_is_a_sentence(tmp_path: Path, server: Server) -> None:
    gone = url(server)
    server.shutdown()
    server.server_close()
    out, command = scan(tmp_path)
    result = invoke(*command, "--timestamp", gone)
    assert result.exit_code == EXIT_USAGE
    assert "cannot be reached: " in " ".join(refusal(result))
    assert (out / "report.seal.json").exists()


def test_what_cannot_be_stamped_is_refused_before_anything_is_scanned(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, command = scan(tmp_path)
    for words, why in (
        ([*command, "--timestamp", url(server), "--offline"], "needs the network"),
        ([*command, "--timestamp", "file:///etc/passwd"], "not the address"),
        ([*command, "--timestamp", "http://"], "not the address"),
        ([*command, "--timestamp", "http://a\n/"], "not the address"),
        ([*command, "--timestamp", "http://a:99999/"], "not the address"),
        ([*command[:-2], "-o", "-", "--timestamp", url(server)], "Only what goes into a folder"),
    ):
        assert why in " ".join(refusal(invoke(*words)))
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    assert "deepscan[timestamp]" in " ".join(refusal(invoke(*command, "--timestamp", url(server))))
    assert not out.exists()
    assert server.asked == []


def test_roots_and_tokens_that_cannot_be_read_are_a_sentence(stamped: Path, tmp_path: Path, house: Authority) -> None:
    (tmp_path / "none.pem").write_text("no certificate")
    for roots, why in ((tmp_path / "gone.pem", "cannot be read"), (tmp_path / "none.pem", "holds no certificates")):
        assert why in " ".join(refusal(invoke("verify", str(stamped), "--tsa-certs", str(roots))))
    (stamped / "report.seal.tsr").write_bytes(b"\x30" * (authority.MAX_BYTES + 1))
    assert "larger than" in " ".join(refusal(invoke("verify", str(stamped), "--tsa-certs", str(house.roots))))
    (stamped / "report.seal.tsr").unlink()
    found = refusal(invoke("verify", str(stamped), "--tsa-certs", str(house.roots)))
    assert "--timestamp" in " ".join(found)
    case = invoke("verify", str(stamped / "deepscan.case"), "--against", str(tmp_path), "--tsa-certs", str(house.roots))
    assert "no seal" in " ".join(refusal(case))
