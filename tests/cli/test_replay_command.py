from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepscan.errors import EXIT_CLEAN, EXIT_FOUND, EXIT_USAGE
from tests import media_factory
from tests.cli.test_app import invoke, refusal

QUICK = ("--checks", "marks,identity,ela,view", "--workers", "0")
SETTINGS = "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Model: x"


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    photos = tmp_path / "photos"
    (photos / "deep").mkdir(parents=True)
    media_factory.write_png(photos / "deep", "a.png", text={"parameters": SETTINGS})
    media_factory.write_jpeg(photos, "b.jpg")
    (photos / "notes.txt").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    invoke("scan", "photos", *QUICK, "--exhibits", "-o", "out", "--format", "json")
    return tmp_path / "out" / "report.json"


def replay(*words: object) -> tuple[int, str, str]:
    result = invoke("replay", *map(str, words), "--workers", "0", "--quiet")
    return result.exit_code, result.stdout, result.stderr


def test_the_same_files_give_the_same_answers(report: Path) -> None:
    assert replay(report) == (EXIT_CLEAN, "", "Differences: none.\n")
    assert replay(report.with_name("deepscan.case"))[0] == EXIT_CLEAN


def test_a_changed_a_new_and_a_moved_file_are_named(report: Path, tmp_path: Path) -> None:
    media_factory.write_png(tmp_path / "photos" / "deep", "a.png")
    media_factory.write_jpeg(tmp_path / "photos", "c.jpg")
    code, out, _ = replay(report)
    assert code == EXIT_FOUND
    assert "VERDICT   deep/a.png" in out
    assert "because: the file has other bytes" in out
    assert "ADDED     c.jpg" in out
    (tmp_path / "photos").rename(tmp_path / "moved")
    assert "VERDICT   deep/a.png" in replay(report, "--folder", tmp_path / "moved")[1]
    assert replay(report)[0] == EXIT_USAGE


def test_other_options_are_those_of_the_report(report: Path, tmp_path: Path) -> None:
    (tmp_path / "deepscan.toml").write_text('checks = "metadata"\n')
    assert replay(report)[0] == EXIT_CLEAN


def edited(report: Path, **run: object) -> Path:
    document = json.loads(report.read_text(encoding="utf-8"))
    document["run"].update(run)
    path = report.with_name("edited.json")
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_other_weights_are_refused(report: Path) -> None:
    path = edited(report, model={"name": "x", "weights_sha256": "ab" * 32})
    message, hint = refusal(invoke("replay", str(path)))
    assert "has the weights" in message
    assert "--model" in hint


def test_an_option_of_another_version_is_a_sentence(report: Path) -> None:
    path = edited(report, options={"surprise": 1})
    assert "the option 'surprise'" in refusal(invoke("replay", str(path)))[0]
