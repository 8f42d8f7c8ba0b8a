"""``deepscan scan`` as people and programs meet it: exit codes, streams, refusals, settings, and what is kept."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.main import get_command
from typer.testing import Result

from deepscan.checks import catalogue, identity
from deepscan.cli import console, live
from deepscan.cli.app import app
from deepscan.config import ScanOptions
from deepscan.engine import pipeline, runner, session
from deepscan.engine import scan as scans
from deepscan.engine.casefile import CaseFile
from deepscan.engine.session import Session
from deepscan.errors import (
    EXIT_CLEAN,
    EXIT_FOUND,
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_PIPE,
    EXIT_USAGE,
    NothingToScanError,
)
from deepscan.models.calibration import Calibration
from deepscan.models.card import Threshold
from deepscan.reports.schema import published_schema
from deepscan.reports.words import ABSENCE
from deepscan.types import ItemReport, Level, MediaKind
from tests import fake_pack, media_factory, video_factory
from tests.cli.test_app import QUICK, invoke, refusal

NO_MODEL = ("--skip", "classifier")
TABLES = {"report.csv", "report.parts.csv", "report.frames.csv", "report.tracks.csv"}
REPORTS = {*TABLES, "report.json", "deepscan.case"}
SETTINGS = "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Model: x"


def scan(*arguments: object, given: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
    """``deepscan scan`` without worker processes."""
    return invoke("scan", *map(str, arguments), "--workers", "0", given=given, env=env)


def document(folder: Path) -> Any:
    """The report.json of a folder."""
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def names(result: Result) -> list[str]:
    """The files a scan with ``-o - --format csv`` examined, in its order."""
    return [row["path"] for row in table(result.stdout_bytes.decode()) if row["status"] == "examined"]


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack that looks at whole frames and gives all of them about one half."""
    made = fake_pack.make_pack(
        tmp_path_factory.mktemp("packs") / "even",
        subject="frame",
        calibration=Calibration("temperature", 1000.0, 0.0),
        thresholds=(Threshold(Level.WEAK, 0.9, 0.001, "500 made-up faces"),),
    )
    return made.folder


@pytest.fixture
def loud(pack: Path, tmp_path: Path) -> Path:
    """The same pack with a threshold for moderate evidence that every picture reaches."""
    folder = tmp_path / "loud"
    shutil.copytree(pack, folder)
    card = json.loads((folder / "card.json").read_text())
    card["thresholds"] = [{**card["thresholds"][0], "level": "moderate", "probability": 0.1}]
    (folder / "card.json").write_text(json.dumps(card))
    return folder


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    return folder


@pytest.fixture
def photo(evidence: Path) -> Path:
    return media_factory.write_jpeg(evidence, "photo.jpg")


def write_declared(folder: Path, name: str = "declared.png") -> Path:
    return media_factory.write_png(folder, name, text={"parameters": SETTINGS})


# Exit codes.


def test_0_when_all_was_examined_and_nothing_found(photo: Path, pack: Path) -> None:
    result = scan(photo, "--model", pack)
    assert result.exit_code == EXIT_CLEAN, result.output
    assert "No evidence found" in result.stdout


def test_1_when_something_was_found(photo: Path, evidence: Path) -> None:
    write_declared(evidence)
    assert scan(evidence, *NO_MODEL).exit_code == EXIT_FOUND


def test_2_when_it_cannot_start(evidence: Path) -> None:
    assert scan(evidence / "nowhere", *NO_MODEL).exit_code == EXIT_USAGE


@pytest.mark.parametrize("broken", ["truncated", "empty", "bomb", "bytes"])
def test_3_when_something_could_not_be_examined(broken: str, photo: Path, evidence: Path, pack: Path) -> None:
    if broken == "truncated":
        media_factory.write_truncated_jpeg(evidence)
    elif broken == "empty":
        media_factory.write_empty(evidence)
    elif broken == "bomb":
        media_factory.write_bomb_png(evidence)
    else:
        (evidence / "noise.jpg").write_bytes(b"\x00\x01\x02\x03" * 100)
    result = scan(evidence, "--model", pack)
    assert result.exit_code == EXIT_INCOMPLETE, result.output


def test_3_even_where_nothing_fails(evidence: Path) -> None:
    media_factory.write_truncated_jpeg(evidence)
    assert scan(evidence, *NO_MODEL, "--fail-on", "never").exit_code == EXIT_INCOMPLETE


def test_1_before_3(evidence: Path) -> None:
    media_factory.write_truncated_jpeg(evidence)
    write_declared(evidence)
    assert scan(evidence, *NO_MODEL).exit_code == EXIT_FOUND


def test_130_when_interrupted_and_the_same_command_goes_on(
    photo: Path, evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        media_factory.write_jpeg(evidence, f"{number}.jpg", seed=number)
    out, seen = tmp_path / "out", []

    def examined(self: object, report: object, *, reused: bool) -> None:
        seen.append(reused)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(console._Lines, "examined", examined)
        result = scan(evidence, *QUICK, "-o", out)
    assert result.exit_code == EXIT_INTERRUPTED
    assert "Interrupted: what was finished is kept." in result.stderr
    assert "the same command goes on" in result.stdout
    cut = document(out)
    assert not cut["finished"]
    assert len(cut["items"]) == 2
    monkeypatch.setattr(console._Lines, "examined", lambda self, report, *, reused: seen.append(reused))
    assert scan(evidence, *QUICK, "-o", out).exit_code == EXIT_CLEAN
    assert seen[2:] == [True, True, False, False, False]
    assert document(out)["finished"]


class Interrupted:
    """A connection to SQLite during which Ctrl-C is pressed, just when a transaction has begun."""

    def __init__(self, real: sqlite3.Connection, at: int) -> None:
        self._real, self._left = real, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        cursor = self._real.execute(statement, *values)
        self._left -= statement.startswith("BEGIN")
        if not self._left and statement.startswith("BEGIN"):
            raise KeyboardInterrupt
        return cursor


@pytest.mark.parametrize("at", [4, 5])
def test_130_when_interrupted_at_the_worst_moment(
    at: int, photo: Path, evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        media_factory.write_jpeg(evidence, f"{number}.jpg", seed=number)
    connect = sqlite3.connect
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *given, **named: Interrupted(connect(*given, **named), at))
        result = scan(evidence, *QUICK, "-o", tmp_path / "out")
    assert result.exit_code == EXIT_INTERRUPTED, result.output
    assert 0 < len(document(tmp_path / "out")["items"]) < 5
    assert scan(evidence, *QUICK, "-o", tmp_path / "out").exit_code == EXIT_CLEAN


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [("strong", EXIT_CLEAN), ("moderate", EXIT_FOUND), ("weak", EXIT_FOUND), ("never", EXIT_CLEAN)],
)
def test_fail_on_sets_the_level_that_fails(fail_on: str, code: int, photo: Path, loud: Path) -> None:
    result = scan(photo, "--model", loud, "--fail-on", fail_on)
    assert result.exit_code == code, result.output
    assert "Moderate evidence" in result.stdout


# Where reports go.


def test_reports_go_into_a_folder_that_is_made(photo: Path, evidence: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    result = scan(evidence, *NO_MODEL, "-o", out)
    assert {path.name for path in out.iterdir()} == REPORTS
    for name in REPORTS - {"deepscan.case"}:
        assert f"Wrote {out / name}" in result.stdout.replace("\n", "")
    jsonschema.validate(document(out), published_schema())
    (row,) = table((out / "report.csv").read_text(encoding="utf-8"))
    (entry,) = document(out)["items"]
    assert row["path"] == entry["item"]["name"] == "photo.jpg"
    assert row["sha256"] == entry["item"]["sha256"]


def test_one_format_alone_and_a_case_file_elsewhere(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert scan(photo, *QUICK, "-o", out, "--format", "json", "--case", tmp_path / "my.case").exit_code == EXIT_CLEAN
    assert [path.name for path in out.iterdir()] == ["report.json"]
    assert (tmp_path / "my.case").is_file()
    assert scan(photo, *QUICK, "-o", out, "--format", " csv , csv ").exit_code == EXIT_CLEAN
    assert (out / "report.csv").is_file()


def test_without_an_output_nothing_is_written(
    photo: Path, evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert scan(evidence, *QUICK).exit_code == EXIT_CLEAN
    assert [path.name for path in tmp_path.iterdir()] == ["evidence"]
    assert [path.name for path in evidence.iterdir()] == ["photo.jpg"]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_standard_output_is_exactly_the_data_and_words_go_to_the_other(
    form: str, photo: Path, evidence: Path, tmp_path: Path
) -> None:
    (evidence / "nämé\n.jpg").write_bytes(photo.read_bytes())
    case = ("--case", tmp_path / "a.case")
    scan(evidence, *NO_MODEL, *case, "-o", tmp_path / "out")
    result = scan(evidence, *NO_MODEL, *case, "-o", "-", "--format", form)
    assert result.exit_code == EXIT_CLEAN
    data = result.stdout_bytes
    if form == "csv":
        assert data == (tmp_path / "out" / "report.csv").read_bytes()
        assert len(table(data.decode())) == 2
    else:
        jsonschema.validate(json.loads(data), published_schema())
        assert json.loads(data)["items"] == document(tmp_path / "out")["items"]
    assert ABSENCE in result.stderr
    assert "2 examined" in result.stderr


def test_json_is_what_standard_output_gets_by_default(photo: Path) -> None:
    assert json.loads(scan(photo, *QUICK, "-o", "-").stdout)["finished"] is True


@pytest.mark.parametrize("output", ["out", "-", None])
def test_quiet_says_nothing(output: str | None, photo: Path, evidence: Path, tmp_path: Path) -> None:
    write_declared(evidence)
    media_factory.write_truncated_jpeg(evidence)
    media_factory.write_empty(evidence)
    target = [] if output is None else ["-o", output if output == "-" else tmp_path / output]
    result = scan(evidence, *NO_MODEL, *target, "--quiet")
    assert result.exit_code == EXIT_FOUND
    assert result.stderr == ""
    if output == "-":
        assert len(json.loads(result.stdout)["items"]) == 3
    else:
        assert result.stdout == ""


def test_quiet_still_says_what_went_wrong(evidence: Path) -> None:
    sentence, _ = refusal(scan(evidence, *QUICK, "-q"))
    assert "no files" in sentence


COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])(?:;\d+)*m")


@pytest.mark.parametrize(
    ("flags", "environment", "coloured"),
    [
        ((), {}, True),
        (("--no-color",), {}, False),
        (("--no-colour",), {}, False),
        ((), {"NO_COLOR": "1"}, False),
        ((), {"NO_COLOR": ""}, True),
    ],
)
def test_colours_can_be_turned_off(
    flags: tuple[str, ...],
    environment: dict[str, str],
    coloured: bool,
    evidence: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    write_declared(evidence)
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color", **environment}
    result = scan(evidence, *NO_MODEL, *flags, env=terminal)
    assert result.exit_code == EXIT_FOUND
    assert bool(COLOUR.search(result.stdout)) is coloured
    assert coloured or not COLOUR.search(result.stderr)


def test_what_is_no_terminal_gets_no_escape_codes(photo: Path, evidence: Path) -> None:
    write_declared(evidence)
    assert "\x1b" not in scan(evidence, *NO_MODEL).output


# Refusals: one sentence, exit code 2, nothing written.

REFUSALS: list[tuple[list[str], str]] = [
    (["--format", "csv"], "Nothing says where to write to."),
    (["--exhibits"], "Nothing says where to write to."),
    (["--exhibits", "-o", "-"], "Exhibits cannot go to standard output."),
    (["-o", "-", "--format", "csv,json"], "Only one report can go to standard output."),
    (["-o", "OUT", "--format", "pdf"], "There is no report format 'pdf'."),
    (["-o", "OUT", "--format", "json,\x1b[31m"], "There is no report format '\\x1b[31m'."),
    (["-o", "-", "--format", "JSON"], "There is no report format 'JSON'."),
    (["--checks", "elephant"], "There is no check 'elephant'."),
    (["--skip", "elephant"], "There is no check 'elephant'."),
    (["--checks", " , "], "No check is left to run."),
    (["--checks", "ela,classifier", "--skip", "all"], "No check is left to run."),
    (["--fail-on", "info"], "Option fail-on is 'info', and must be one of strong, moderate, weak, never."),
    (["--kinds", "audio"], "Option kinds is 'audio', and must be one of image, video."),
    (["--kinds", ""], "Option kinds is '', and must be image, video, or both."),
    (["--max-size", "big"], "Option max-size is 'big', and must be a size such as 500MB or 2GiB."),
    (["--max-size", "0"], "Option max-size is '0', and must be above 0 bytes."),
    (["--frames", "0"], "Option frames is '0', and must be auto or at least 1."),
    (["--every", "0"], "Option every is '0.0', and must be a number of seconds above 0."),
    (["--every", "nan"], "Option every is 'nan', and must be a number of seconds above 0."),
    (["--file-seconds", "0"], "Option file-seconds is '0.0', and must be a number of seconds above 0."),
    (["--batch-size", "0"], "Option batch-size is '0', and must be auto or at least 1."),
    (["--workers", "-1"], "Option workers is '-1', and must be 0 (in this process) or more."),
    (["--device", "tpu"], "Option device is 'tpu', and must be auto, cpu, openvino, cuda, cuda:N or mps."),
    (["--precision", "fp8"], "Option precision is 'fp8', and must be one of auto, fp32, bf16, fp16, int8."),
]


@pytest.mark.parametrize(("flags", "words"), REFUSALS, ids=lambda value: " ".join(value)[:40])
def test_what_cannot_be_done_is_refused_before_anything_is_done(
    flags: list[str], words: str, photo: Path, evidence: Path, tmp_path: Path
) -> None:
    flags = [str(tmp_path / "out") if flag == "OUT" else flag for flag in flags]
    sentence, _ = refusal(invoke("scan", str(evidence), *flags))
    assert sentence == words
    assert not (tmp_path / "out").exists()


def test_a_misspelt_check_is_guessed(evidence: Path) -> None:
    _, hint = refusal(scan(evidence, "--checks", "metdata"))
    assert hint.startswith("Did you mean metadata? Checks are: ")


def test_missing_paths_and_empty_folders_are_refused(photo: Path, evidence: Path, tmp_path: Path) -> None:
    sentence, hint = refusal(scan(photo, tmp_path / "nowhere", *QUICK))
    assert sentence == f"There is no file or folder {tmp_path / 'nowhere'}."
    assert hint
    (tmp_path / "link").symlink_to("gone")
    sentence, _ = refusal(scan(tmp_path / "link", *QUICK))
    assert "a link to something that is not there" in sentence
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    sentence, hint = refusal(scan(tmp_path / "empty", *QUICK, "-o", tmp_path / "out"))
    assert sentence == f"There are no files in {tmp_path / 'empty'}."
    assert hint
    assert not (tmp_path / "out").exists()


def test_output_inside_the_evidence_is_refused(photo: Path, evidence: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(evidence)
    for flags in (
        ("-o", evidence),
        ("-o", evidence / "out"),
        ("-o", tmp_path / "link" / "out"),
        ("-o", evidence / "x" / ".." / "out"),
        ("--case", evidence / "a.case"),
        ("-o", tmp_path / "out", "--case", evidence / "a.case"),
    ):
        sentence, hint = refusal(scan(evidence, *QUICK, *flags))
        assert "lies inside" in sentence
        assert "never writes into evidence" in hint
    assert [path.name for path in evidence.iterdir()] == ["photo.jpg"]
    assert not (tmp_path / "out").exists()


def test_output_beside_a_file_named_alone_is_refused(photo: Path, evidence: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(evidence)
    (tmp_path / "photo.jpg").symlink_to(photo)
    for file, *flags in (
        (photo, "-o", evidence),
        (photo, "-o", tmp_path / "link"),
        (photo, "--case", evidence / "a.case"),
        (tmp_path / "photo.jpg", "-o", evidence),
        (tmp_path / "photo.jpg", "-o", tmp_path),
    ):
        sentence, hint = refusal(scan(file, *QUICK, *flags))
        assert "would lie beside" in sentence
        assert "never writes into a folder of evidence" in hint
    assert [path.name for path in evidence.iterdir()] == ["photo.jpg"]
    assert scan(photo, *QUICK, "-o", evidence / "report").exit_code == EXIT_CLEAN  # a new folder is not evidence
    assert (evidence / "report" / "report.json").is_file()
    again = invoke("report", str(evidence / "report" / "deepscan.case"), "-o", str(evidence))
    assert "would lie beside" in refusal(again)[0]


def test_a_scanned_file_is_never_taken_for_the_case_file(photo: Path, evidence: Path) -> None:
    before = photo.read_bytes()
    empty = media_factory.write_empty(evidence)
    for file in (photo, empty):
        refusal(scan(file, *QUICK, "--case", file))
    assert photo.read_bytes() == before
    assert empty.read_bytes() == b""
    assert {path.name for path in evidence.iterdir()} == {"photo.jpg", "empty.jpg"}


def test_a_scanned_file_is_never_replaced_by_a_report(evidence: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    picture = media_factory.write_jpeg(out, "report.json")
    before = picture.read_bytes()
    refusal(scan(picture, *QUICK, "-o", out))
    assert picture.read_bytes() == before


def test_a_case_file_in_use_is_refused(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with CaseFile.open(out / "deepscan.case"):
        sentence, hint = refusal(scan(photo, *QUICK, "-o", out))
    assert "in use by another deepscan" in sentence
    assert "--case" in hint
    assert scan(photo, *QUICK, "-o", out).exit_code == EXIT_CLEAN


def test_another_file_is_not_taken_for_a_case_file(photo: Path, tmp_path: Path) -> None:
    letter = media_factory.write_text(tmp_path, "letter.txt")
    sentence, _ = refusal(scan(photo, *QUICK, "--case", letter))
    assert "is not a deepscan case file" in sentence
    assert letter.read_text() == "Nothing to see here.\n"


def test_a_file_in_the_place_of_the_output_folder_is_refused(photo: Path, tmp_path: Path) -> None:
    letter = media_factory.write_text(tmp_path, "letter.txt")
    case = tmp_path / "a.case"
    for flags in ((), ("--case", case)):
        sentence, hint = refusal(scan(photo, *QUICK, "-o", letter, *flags))
        assert "cannot be written" in sentence
        assert "file, not a folder" in hint
    assert not case.exists()  # nothing was begun


# Models and devices.


def test_a_missing_model_is_refused(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    for model, words in (
        (str(tmp_path / "nowhere"), "There is no model folder"),
        ("nowhere", "is no folder, and no id"),
        (str(photo), "is a file, not a model"),
        (str(tmp_path), "holds no model"),
    ):
        sentence, hint = refusal(scan(photo, "--model", model, "-o", tmp_path / "out"))
        assert words in sentence
        assert hint
    sentence, hint = refusal(scan(photo, "--model", "owner/name", "--offline", "-o", tmp_path / "out"))
    assert "owner/name" in sentence
    assert "deepscan models pull owner/name" in hint
    assert not (tmp_path / "out").exists()


def test_a_pack_with_one_changed_byte_is_refused(photo: Path, loud: Path) -> None:
    weights = loud / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    sentence, hint = refusal(scan(photo, "--model", loud))
    assert "are not those its card describes" in sentence
    assert hint
    result = scan(photo, "--model", loud, "--debug")
    assert result.exit_code == EXIT_USAGE
    assert "Traceback" in result.stderr
    assert "CorruptPackError" in result.stderr


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b"\xff", b'{"format": "deepscan-pack/1"}', b"[" * 5000])
def test_a_damaged_card_is_refused(damage: bytes, photo: Path, loud: Path) -> None:
    (loud / "card.json").write_bytes(damage)
    sentence, _ = refusal(scan(photo, "--model", loud))
    assert "card" in sentence


@pytest.mark.parametrize("device", ["cuda", "cuda:7"])
def test_a_device_that_is_not_there_is_refused(device: str, photo: Path, pack: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    sentence, hint = refusal(scan(photo, "--model", pack, "--device", device))
    assert f"There is no device {device} here" in sentence
    assert "This machine has" in hint
    debug = scan(photo, "--model", pack, "--device", device, "--debug")
    assert debug.exit_code == EXIT_USAGE
    assert "Traceback" in debug.stderr


def test_a_wrong_fake_label_is_refused(photo: Path, pack: Path) -> None:
    sentence, hint = refusal(scan(photo, "--model", pack, "--fake-label", "Real"))
    assert "--fake-label" in sentence
    assert hint


# Faults.


def test_a_fault_in_a_check_is_a_reason_and_the_scan_goes_on(
    photo: Path, evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(self: object, subject: object) -> Any:
        raise ZeroDivisionError("over \x1b[31m")

    monkeypatch.setattr(identity.Identity, "run", run)
    result = scan(evidence, "--checks", "identity,metadata", "-o", tmp_path / "out")
    assert result.exit_code == EXIT_INCOMPLETE
    assert "Traceback" not in result.output
    broken, fine = document(tmp_path / "out")["items"][0]["results"]
    assert broken["outcome"] == "failed"
    assert broken["reason"] == "Unexpected ZeroDivisionError: over \\x1b[31m."
    assert fine["outcome"] == "done"
    debug = scan(evidence, "--checks", "identity,metadata", "--debug")
    assert debug.exit_code == EXIT_INCOMPLETE
    assert "Traceback" in debug.stderr


def test_a_check_that_ends_the_program_is_a_reason_too(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: object, subject: object) -> Any:
        raise SystemExit(1)

    monkeypatch.setattr(identity.Identity, "run", run)
    assert scan(photo, *QUICK).exit_code == EXIT_INCOMPLETE


def test_a_fault_in_the_engine_is_2_and_never_looks_like_a_finding(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> Any:
        raise RuntimeError("the engine broke")

    monkeypatch.setattr(pipeline.Pipeline, "run", run)
    result = scan(photo, *QUICK, "-o", tmp_path / "out")
    assert result.exit_code == EXIT_USAGE
    assert "deepscan: Unexpected RuntimeError: the engine broke" in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out" / "report.csv").exists()
    assert "Traceback" in scan(photo, *QUICK, "--debug").stderr


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_full_disk_leaves_old_reports_whole_and_keeps_what_was_found(
    step: str, photo: Path, evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert scan(evidence, *QUICK, "-o", out).exit_code == EXIT_CLEAN
    before = {name: (out / name).read_bytes() for name in REPORTS - {"deepscan.case"}}
    media_factory.write_jpeg(evidence, "new.jpg", seed=5)

    def refuse(*_: object) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(step, refuse)
        result = scan(evidence, *QUICK, "-o", out)
    assert result.exit_code == EXIT_USAGE
    assert "report.csv cannot be written: No space left on device." in result.stderr
    assert "Free some space" in result.stderr
    assert "Wrote" not in result.output
    assert {path.name for path in out.iterdir()} == REPORTS
    assert {name: (out / name).read_bytes() for name in before} == before
    again = invoke("report", str(out / "deepscan.case"), "-o", str(tmp_path / "again"))
    assert again.exit_code == EXIT_CLEAN
    assert [entry["item"]["name"] for entry in document(tmp_path / "again")["items"]] == ["new.jpg", "photo.jpg"]


def test_on_a_disk_that_was_full_from_the_start_no_report_appears(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    assert scan(photo, *QUICK, "-o", tmp_path / "out").exit_code == EXIT_USAGE
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["deepscan.case"]


# Which files.


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\0"])
@pytest.mark.parametrize("last", [True, False])
def test_a_list_on_standard_input(separator: str, last: bool, evidence: Path) -> None:
    files = [media_factory.write_jpeg(evidence, name) for name in ("b.jpg", "a b.jpg", "c.jpg")]
    text = separator.join(map(str, files)) + (separator if last else "")
    result = scan("-", *QUICK, "-o", "-", "--format", "csv", given=text)
    assert result.exit_code == EXIT_CLEAN
    assert names(result) == ["b.jpg", "a b.jpg", "c.jpg"]


def test_names_that_no_text_can_hold_come_through_a_list(evidence: Path) -> None:
    odd = os.fsencode(evidence) + b"/\xff\n.jpg"
    with open(odd, "wb") as file:  # noqa: PTH123 - a name that is no text
        file.write(media_factory.write_jpeg(evidence, "a.jpg").read_bytes())
    result = scan("-", *QUICK, "-o", "-", given=odd + b"\0")
    assert result.exit_code == EXIT_CLEAN, result.output
    (entry,) = json.loads(result.stdout)["items"]
    assert "\n.jpg" in entry["item"]["name"]


def test_a_list_may_hold_folders_repetitions_and_empty_lines_beside_other_arguments(
    photo: Path, evidence: Path, tmp_path: Path
) -> None:
    other = media_factory.write_jpeg(tmp_path, "other.jpg")
    text = f"\n\n{evidence}\n{photo}\n\n{photo}\n"
    result = scan(other, "-", *QUICK, "-o", "-", "--format", "csv", given=text)
    assert names(result) == ["other.jpg", "photo.jpg"]


@pytest.mark.parametrize("text", ["", "\n\n", "\0"])
def test_an_empty_list_is_refused(text: str) -> None:
    sentence, hint = refusal(scan("-", *QUICK, given=text))
    assert sentence == "There are no files in the list."
    assert hint


def test_what_a_list_names_and_is_gone_is_counted_with_its_reason(photo: Path, evidence: Path, tmp_path: Path) -> None:
    text = f"{photo}\n{evidence / 'gone.jpg'}\n"
    result = scan("-", *QUICK, "-o", tmp_path / "out", given=text)
    assert result.exit_code == EXIT_INCOMPLETE
    (skipped,) = document(tmp_path / "out")["skipped"]
    assert skipped["code"] == "vanished"
    assert "gone.jpg" in result.stdout


@pytest.fixture
def tree(evidence: Path) -> Path:
    """Pictures and a video in folders, some of them hidden or linked."""
    for folder in ("sub", ".hidden", "raw"):
        (evidence / folder).mkdir()
    media_factory.write_jpeg(evidence, "a.jpg")
    media_factory.write_png(evidence, "b.png", size=(200, 200))
    media_factory.write_jpeg(evidence / "sub", "c.jpg")
    media_factory.write_jpeg(evidence / ".hidden", "d.jpg")
    media_factory.write_jpeg(evidence / "raw", "e.jpg")
    video_factory.make(evidence / "f.mp4", video_factory.times_of(6))
    outside = evidence.parent / "outside"
    outside.mkdir()
    media_factory.write_jpeg(outside, "g.jpg")
    (evidence / "link").symlink_to(outside)
    return evidence


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ((), ["a.jpg", "b.png", "f.mp4", "raw/e.jpg", "sub/c.jpg"]),
        (("--include", "*.jpg"), ["a.jpg", "raw/e.jpg", "sub/c.jpg"]),
        (("--include", "*.png", "--include", "sub/*"), ["b.png", "sub/c.jpg"]),
        (("--exclude", "raw", "--exclude", "*.png"), ["a.jpg", "f.mp4", "sub/c.jpg"]),
        (("--include", "*.jpg", "--exclude", "raw/**"), ["a.jpg", "sub/c.jpg"]),
        (("--kinds", "video"), ["f.mp4"]),
        (("--kinds", "image"), ["a.jpg", "b.png", "raw/e.jpg", "sub/c.jpg"]),
        (("--hidden",), [".hidden/d.jpg", "a.jpg", "b.png", "f.mp4", "raw/e.jpg", "sub/c.jpg"]),
        (("--follow-symlinks",), ["a.jpg", "b.png", "f.mp4", "link/g.jpg", "raw/e.jpg", "sub/c.jpg"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_what_is_looked_at_can_be_chosen(flags: tuple[str, ...], found: list[str], tree: Path) -> None:
    result = scan(tree, *QUICK, *flags, "-o", "-", "--format", "csv")
    assert names(result) == found
    # Leaving out what nobody asked for is no incomplete scan.
    assert result.exit_code == EXIT_CLEAN


def test_what_is_too_large_was_not_examined(tree: Path) -> None:
    result = scan(tree, *QUICK, "--max-size", "20k", "-o", "-", "--format", "csv")
    (large,) = [row for row in table(result.stdout_bytes.decode()) if row["reason"].startswith("too-large")]
    assert large["path"].endswith("b.png")
    assert result.exit_code == EXIT_INCOMPLETE


@pytest.mark.parametrize(
    ("flags", "count"),
    [(("--frames", "3"), 3), (("--every", "0.1"), 3), (("--keyframes",), 1), (("--all-frames",), 7), ((), 7)],
)
def test_frames_of_a_video_are_parts_of_its_answer(
    flags: tuple[str, ...], count: int, evidence: Path, tmp_path: Path, pack: Path
) -> None:
    video_factory.make(evidence / "f.mp4", video_factory.times_of(7))
    result = scan(evidence, "--checks", "classifier", "--model", pack, *flags, "-o", tmp_path / "out")
    assert result.exit_code == EXIT_CLEAN, result.output
    rows = table((tmp_path / "out" / "report.parts.csv").read_text(encoding="utf-8"))
    assert len(rows) == count
    assert all(0.4 < float(row["score"]) < 0.6 for row in rows)
    assert sorted(float(row["seconds"]) for row in rows) == [float(row["seconds"]) for row in rows]


# The case file.


def timeless(folder: Path) -> Any:
    found = document(folder)
    for name in ("started", "finished", "argv"):
        del found["run"][name]
    for name in ("sha256", "head"):  # they seal the times too; the links of the entries do not
        del found["seal"][name]
    assert len(found["seal"]["links"]) == len(found["items"]) + len(found["skipped"])
    return found


def test_a_second_run_is_answered_from_the_case_file(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_factory.write_truncated_jpeg(tree)
    write_declared(tree)
    out = tmp_path / "out"
    first = scan(tree, *NO_MODEL, "-o", out)
    table_before, json_before = (out / "report.csv").read_bytes(), timeless(out)

    def never(*_: object) -> Any:
        raise AssertionError("everything is answered already")

    monkeypatch.setattr(runner, "examine", never)
    monkeypatch.setattr(session, "examine", never)
    second = scan(tree, *NO_MODEL, "-o", out)
    assert second.exit_code == first.exit_code == EXIT_FOUND, second.output
    assert second.stdout == first.stdout
    assert (out / "report.csv").read_bytes() == table_before
    assert timeless(out) == json_before


def test_a_second_run_loads_no_model(photo: Path, pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, loaded, load = tmp_path / "out", [], Session._load

    def recorded(self: Any) -> Any:
        loaded.append(self.pack.folder)
        return load(self)

    monkeypatch.setattr(Session, "_load", recorded)
    for _ in range(2):
        assert scan(photo, "--model", pack, "-o", out).exit_code == EXIT_CLEAN
        (entry,) = document(out)["items"]
        assert entry["verdict"]["basis"] == "below-threshold"
    assert loaded == [pack]
    assert scan(photo, "--model", pack, "-o", out, "--precision", "fp32").exit_code == EXIT_CLEAN
    assert loaded == [pack, pack]


# The account and the summary.


def test_a_single_file_has_an_account_of_every_check(photo: Path, pack: Path) -> None:
    result = scan(photo, "--model", pack, "--verbose")
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert lines[0] == "photo.jpg"
    assert lines[-1] == ABSENCE
    codes = {code: spec.id for spec in catalogue.SPECS for code in spec.codes}
    found = {codes[word] for word in result.stdout.split() if word in codes}
    text = " ".join(result.stdout.split())
    named = {spec.id for spec in catalogue.SPECS if re.search(rf"\b{spec.id}[,:] ", text)}
    silent = set(text.partition("Nothing found: ")[2].partition(".")[0].split(", "))
    by_default = {spec.id for spec in catalogue.SPECS if spec.default}
    assert found | named | silent >= by_default - {"sequence"}  # which runs with a pack that has a head for it
    assert "probability" in result.stdout
    assert "SHA-256" in result.stdout
    assert "%" not in result.stdout


def test_a_check_that_did_not_apply_or_failed_gives_its_reason_in_the_account(evidence: Path) -> None:
    media_factory.write_png(evidence)
    shown = scan(evidence, *NO_MODEL).stdout
    assert "Not applicable: " in shown
    assert "Nothing found: " in shown
    assert "JPEG pictures" not in shown
    assert "JPEG pictures" in " ".join(scan(evidence, *NO_MODEL, "--verbose").stdout.split())
    (evidence / "picture.png").unlink()
    media_factory.write_truncated_jpeg(evidence)
    shown = " ".join(scan(evidence, "--checks", "ela").stdout.split())
    assert "Could not be examined: ela: cut.jpg is truncated" in shown


def test_a_single_file_that_was_not_examined_gives_its_reason(evidence: Path) -> None:
    result = scan(media_factory.write_empty(evidence), *QUICK)
    assert result.exit_code == EXIT_INCOMPLETE
    assert "It is empty: zero bytes." in result.stdout
    assert result.stdout.splitlines()[-1] == ABSENCE


def test_the_summary_names_the_worst_first_and_ends_with_what_it_does_not_show(photo: Path, evidence: Path) -> None:
    media_factory.write_truncated_jpeg(evidence, "0.jpg")
    write_declared(evidence, "z.png")
    result = scan(evidence, *NO_MODEL)
    shown = result.stdout
    assert shown.index("z.png") < shown.index("0.jpg")
    assert "3 files: 3 examined." in shown
    assert shown.splitlines()[-1] == ABSENCE
    assert "3 of 3 files" in result.stderr


HOSTILE = [
    "[red]x[bold].jpg",
    "[link=http:example]a.jpg",
    "\x1b[2J\x1b]0;owned\x07.jpg",
    "two\nlines\r.jpg",
    "\u202egpj.jpg",
    "-q",
    ":smile:.jpg",
]


def test_hostile_names_do_nothing_to_the_terminal(evidence: Path) -> None:
    picture = write_declared(evidence).read_bytes()
    for name in HOSTILE:
        (evidence / name).write_bytes(picture)
    (evidence / "\x1b[31mempty\n.jpg").write_bytes(b"")
    result = scan(evidence, *NO_MODEL)
    for line in result.output.splitlines():
        assert line.isprintable()
    for shown in (
        "[red]x[bold].jpg",
        "[link=http:example]a.jpg",
        "\\x1b[2J\\x1b]0;owned\\x07.jpg",
        "two\\x0alines\\x0d.jpg",
        "\\u202egpj.jpg",
        "-q",
        ":smile:.jpg",
        "\\x1b[31mempty\\x0a.jpg",
    ):
        assert shown in result.stdout
    for name in HOSTILE:
        single = scan(evidence / name, *NO_MODEL)
        assert single.exit_code == EXIT_FOUND
        assert all(line.isprintable() for line in single.output.splitlines())


def test_hostile_names_do_nothing_to_a_coloured_terminal_either(evidence: Path) -> None:
    (evidence / "\x1b[41m[red]x.jpg").write_bytes(write_declared(evidence).read_bytes())
    (evidence / "declared.png").unlink()
    for flags in (("-o", "-"), ()):
        result = scan(evidence, *NO_MODEL, *flags, env={"FORCE_COLOR": "1", "TERM": "xterm-256color"})
        assert "\x1b[41m" not in result.output
        assert "\\x1b[41m[red]x.jpg" in result.output


# Settings.

FLAGS: dict[str, tuple[tuple[str, ...], object]] = {
    "include": (("--include", "*.jpg", "--include", "a,b"), ("*.jpg", "a,b")),
    "exclude": (("--exclude", "*.png"), ("*.png",)),
    "hidden": (("--hidden",), True),
    "follow_symlinks": (("--follow-symlinks",), True),
    "max_size": (("--max-size", "2GiB"), 2 * 1024**3),
    "kinds": (("--kinds", "video"), (MediaKind.VIDEO,)),
    "frames": (("--frames", "3"), 3),
    "every": (("--every", "0.5"), 0.5),
    "keyframes": (("--keyframes",), True),
    "all_frames": (("--all-frames",), True),
    "device": (("--device", "cuda:1"), "cuda:1"),
    "precision": (("--precision", "bf16"), "bf16"),
    "batch_size": (("--batch-size", "7"), 7),
    "model": (("--model", "owner/name"), "owner/name"),
    "fake_label": (("--fake-label", "AI"), "AI"),
    "offline": (("--offline",), True),
    "checks": (("--checks", "ela, identity"), ("ela", "identity")),
    "skip": (("--skip", "metadata"), ("metadata",)),
    "thorough": (("--thorough",), True),
    "fail_on": (("--fail-on", "weak"), "weak"),
    "faces": (("--faces", "yunet"), "yunet"),
    "stability": (("--stability",), True),
    "exhibits": (("--exhibits", "-o", "out"), True),
    "workers": (("--workers", "3"), 3),
    "file_seconds": (("--file-seconds", "9"), 9.0),
    "max_memory": (("--max-memory", "2GiB"), 2 * 1024**3),
    "verify_unchanged": (("--verify-unchanged",), True),
    "trust_mtime": (("--trust-mtime",), True),
    "trust_list": (("--trust-list", "roots.pem"), "roots.pem"),
    "fetch_remote": (("--fetch-remote",), True),
    "exiftool": (("--exiftool",), True),
    "redact_location": (("--redact-location",), True),
    "style": (("--style", "brief"), "brief"),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[ScanOptions]:
    """The options that the engine is called with; nothing is scanned."""
    found: list[ScanOptions] = []

    def record(paths: object, options: ScanOptions, **_: object) -> Any:
        found.append(options)
        raise NothingToScanError("Nothing was scanned.")

    monkeypatch.setattr(scans, "scan", record)
    monkeypatch.chdir(tmp_path)
    return found


@pytest.mark.parametrize("name", sorted(FLAGS))
def test_every_flag_reaches_the_engine(name: str, asked: list[ScanOptions]) -> None:
    flags, value = FLAGS[name]
    invoke("scan", "x", *flags)
    assert getattr(asked[0], name) == value
    assert value != getattr(ScanOptions(), name)


def test_every_option_has_a_flag() -> None:
    command: Any = get_command(app)
    flags = {parameter.name for parameter in command.commands["scan"].params}
    assert set(FLAGS) == set(ScanOptions.__dataclass_fields__) <= flags


def test_the_defaults_hold(asked: list[ScanOptions]) -> None:
    invoke("scan", "x")
    assert asked == [ScanOptions()]


def test_automatic_is_a_word_too(asked: list[ScanOptions], tmp_path: Path) -> None:
    (tmp_path / "deepscan.toml").write_text("workers = 3\nbatch-size = 5\n")
    invoke("scan", "x")
    invoke("scan", "x", "--workers", "auto", "--batch-size", "auto")
    assert [(options.workers, options.batch_size) for options in asked] == [(3, 5), (None, None)]


def test_flags_win_over_the_environment_over_the_file_over_the_defaults(
    asked: list[ScanOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("scan", "x")
    (tmp_path / "deepscan.toml").write_text('frames = 2\nskip = ["ela"]\nhidden = true\nmax-size = "1MB"\n')
    invoke("scan", "x")
    monkeypatch.setenv("DEEPSCAN_FRAMES", "3")
    monkeypatch.setenv("DEEPSCAN_SKIP", "identity,metadata")
    monkeypatch.setenv("DEEPSCAN_HIDDEN", "no")
    invoke("scan", "x")
    invoke("scan", "x", "--frames", "4", "--skip", "classifier", "--hidden", "--max-size", "2MB")
    assert [(o.frames, o.skip, o.hidden, o.max_size) for o in asked] == [
        (None, (), False, ScanOptions().max_size),
        (2, ("ela",), True, 1_000_000),
        (3, ("identity", "metadata"), False, 1_000_000),
        (4, ("classifier",), True, 2_000_000),
    ]


def test_settings_are_in_the_record_and_do_their_work(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.deepscan]\nchecks = ["identity"]\nkinds = "video"\nworkers = 0\n')
    assert invoke("scan", str(tree), "-o", "out").exit_code == EXIT_CLEAN
    found = document(tmp_path / "out")
    assert found["run"]["options"]["kinds"] == ["video"]
    assert [check["id"] for check in found["run"]["checks"]] == ["identity"]
    assert [entry["item"]["name"] for entry in found["items"]] == ["f.mp4"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frmes = 3", "There is no option 'frmes'"),
        ("frames = ", "cannot be read"),
        ("frames = 0", "Option frames is '0'"),
        ('fail-on = "info"', "Option fail-on is 'info'"),
        ("[tool.deepscan]\nframes = 3", "There is no option 'tool'"),
    ],
)
def test_a_wrong_setting_is_refused(
    text: str, words: str, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deepscan.toml").write_text(text)
    sentence, _ = refusal(scan(photo, *QUICK))
    assert sentence.startswith((words, "The configuration file"))
    assert words in sentence


def test_an_unknown_variable_is_refused(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSCAN_FRMES", "3")
    sentence, hint = refusal(scan(photo, *QUICK))
    assert "DEEPSCAN_FRMES" in sentence
    assert "frames" in hint


def test_exhibits_lie_beside_the_report(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert scan(photo, "--checks", "ela", "--exhibits", "-o", out).exit_code == EXIT_CLEAN
    exhibits = re.findall(r'"exhibit": "([^"]+)"', (out / "report.json").read_text(encoding="utf-8"))
    assert exhibits
    assert all((out / exhibit).read_bytes().startswith(b"\x89PNG") for exhibit in exhibits)
    assert {path.name for path in out.iterdir()} == {*REPORTS, "exhibits"}


# The real program.


@pytest.mark.slow
def test_with_worker_processes_the_answers_are_the_same(tree: Path, tmp_path: Path, pack: Path) -> None:
    for number in range(3):
        media_factory.write_jpeg(tree, f"more{number}.jpg", seed=number)
    program = [sys.executable, "-m", "deepscan", "scan", str(tree), "--model", str(pack), "--precision", "fp32"]
    done = subprocess.run(
        [*program, "--workers", "2", "-o", "-", "--format", "csv"], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == EXIT_CLEAN, done.stderr
    assert b"Traceback" not in done.stderr
    alone = scan(tree, "--model", pack, "--precision", "fp32", "-o", "-", "--format", "csv")
    assert done.stdout == alone.stdout_bytes
    assert len(names(alone)) == 8


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_real_interruption_keeps_what_was_finished(
    stop: signal.Signals, workers: str, photo: Path, evidence: Path, tmp_path: Path
) -> None:
    count = 3000
    for number in range(1, count):
        os.link(photo, evidence / f"{number}.jpg")
    out = tmp_path / "out"
    program = [sys.executable, "-m", "deepscan", "scan", str(evidence), *NO_MODEL, "--workers", workers, "-o", str(out)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        log = out / "deepscan.case-wal"
        deadline = time.monotonic() + 60
        while not (log.exists() and log.stat().st_size > 200_000) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(stop)
        _, words = process.communicate(timeout=60)
    assert process.returncode == EXIT_INTERRUPTED, words
    assert "Interrupted: what was finished is kept." in words
    assert "Traceback" not in words
    assert "leaked" not in words
    found = document(out)
    assert not found["finished"]
    assert 0 < len(found["items"]) < count
    assert {path.name for path in out.iterdir()} == REPORTS


def test_json_lines_come_while_the_scan_runs(evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard output each line is there before the next file is answered; in a folder are the same lines."""
    for number in range(3):
        write_declared(evidence, f"{number}.png")
    (evidence / "notes.txt").write_text("no picture")
    real, seen = live.Tee.examined, list[int]()

    def watched(tee: live.Tee, report: ItemReport, *, reused: bool) -> None:
        real(tee, report, reused=reused)
        below: Any = sys.stdout.buffer
        seen.append(below.getvalue().count(b"\n"))

    monkeypatch.setattr(live.Tee, "examined", watched)
    result = scan(evidence, *NO_MODEL, "-o", "-", "--format", "jsonl")
    assert result.exit_code == EXIT_FOUND, result.output
    assert seen == [2, 3, 4]
    lines = [json.loads(line) for line in result.stdout_bytes.splitlines()]
    assert [line["item"]["name"] for line in lines[1:4]] == ["0.png", "1.png", "2.png"]
    assert lines[4]["code"] == "not-media"
    assert (lines[5]["examined"], lines[5]["skipped"], lines[5]["finished"]) == (3, 1, True)
    scan(evidence, *NO_MODEL, "-o", tmp_path / "out", "--format", "jsonl")
    again = [json.loads(line) for line in (tmp_path / "out" / "report.jsonl").read_bytes().splitlines()]
    assert [line.get("item") for line in again] == [line.get("item") for line in lines]


def test_json_lines_into_a_closed_pipe_end_quietly(evidence: Path) -> None:
    for number in range(3):
        write_declared(evidence, f"{number}.png")
    words = ["scan", str(evidence), *NO_MODEL, "--workers", "0", "-o", "-", "--format", "jsonl"]
    program = subprocess.Popen(
        [sys.executable, "-m", "deepscan", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    program.stdout.close()
    assert program.stderr is not None
    complaint = program.stderr.read()
    program.stderr.close()
    assert program.wait(timeout=120) == EXIT_PIPE
    assert "Traceback" not in complaint
