"""deepscan in CI: settings from files, baselines, suppressions, what git says has changed, differences."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from deepscan.config import RunOptions, ScanOptions
from deepscan.errors import EXIT_CLEAN, EXIT_FOUND, EXIT_USAGE
from tests import media_factory
from tests.cli.test_app import invoke, refusal

QUICK = ("--checks", "marks", "--workers", "0")
SETTINGS = "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Model: x"


def declared(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return media_factory.write_png(folder, name, text={"parameters": SETTINGS + name})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a flagged picture in photos/."""
    work = tmp_path / "work"
    declared(work / "photos", "old.png")
    monkeypatch.chdir(work)
    return work


def git(folder: Path, *words: str) -> None:
    names = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(
        ["git", "-C", str(folder), *words], check=True, capture_output=True, env={**os.environ, **names, "HOME": "/"}
    )


# Settings.


def test_every_option_can_be_set_in_a_file_and_is_shown(folder: Path) -> None:
    shown = json.loads(invoke("config", "show", "--format", "json").stdout)
    names = [name.replace("_", "-") for kind in (ScanOptions, RunOptions) for name in kind.__dataclass_fields__]
    assert list(shown) == names
    assert {entry["from"] for entry in shown.values()} == {"default"}


def test_each_value_names_where_it_comes_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "pyproject.toml").write_text('[tool.deepscan]\nhidden = true\nformat = ["json", "sarif"]\nframes = 4\n')
    (folder / "deepscan.toml").write_text("frames = 8\n")
    monkeypatch.setenv("DEEPSCAN_FAIL_ON", "strong")
    shown = json.loads(invoke("config", "show", "--format", "json").stdout)
    assert shown["hidden"] == {"value": True, "from": "pyproject.toml"}
    assert shown["format"] == {"value": ["json", "sarif"], "from": "pyproject.toml"}
    assert shown["fail-on"] == {"value": "strong", "from": "the environment (DEEPSCAN_FAIL_ON)"}
    assert shown["model"] == {"value": "builtin", "from": "default"}
    text = invoke("config", "show").stdout
    lines = {line.split()[0]: line.split()[1:] for line in text.splitlines()}
    assert lines["frames"] == ["8", "deepscan.toml"]
    assert lines["hidden"] == ["true", "pyproject.toml"]
    assert lines["format"] == ["json,sarif", "pyproject.toml"]
    assert lines["max-size"] == ["8GiB", "default"]
    assert lines["every"] == ["unset", "default"]
    assert lines["include"] == ["nothing", "default"]


def test_a_value_that_is_not_allowed_is_refused_with_the_place_where_it_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSCAN_FRAMES", "x")
    for words in (("scan", "photos"), ("config", "show")):
        sentence, hint = refusal(invoke(*words))
        assert sentence == "Option frames is 'x', and must be auto or a whole number."
        assert hint == "It is set by the environment (DEEPSCAN_FRAMES)."
    monkeypatch.setenv("DEEPSCAN_FRAMES", "auto")
    (folder / "deepscan.toml").write_text('max-size = "big"\n')
    assert refusal(invoke("scan", "photos"))[1] == "It is set by deepscan.toml."
    sentence, hint = refusal(invoke("scan", "photos", "--max-size", "2GiB", "--frames", "y"))
    assert ("'y'" in sentence, hint) == (True, "")
    (folder / "deepscan.toml").write_text("hiden = true\n")
    assert "Did you mean hidden?" in refusal(invoke("scan", "photos"))[1]


def test_a_file_says_where_reports_go_and_a_flag_switches_off_what_it_switches_on(folder: Path) -> None:
    declared(folder / "photos", ".secret.png")
    (folder / "deepscan.toml").write_text('hidden = true\noutput = "out"\nformat = "json"\nquiet = true\n')
    result = invoke("scan", "photos", *QUICK)
    assert (result.exit_code, result.output) == (EXIT_FOUND, "")
    report = json.loads((folder / "out" / "report.json").read_text())
    assert [item["item"]["name"] for item in report["items"]] == [".secret.png", "old.png"]
    assert not (folder / "out" / "report.csv").exists()
    invoke("scan", "photos", *QUICK, "--no-hidden", "--no-quiet")
    report = json.loads((folder / "out" / "report.json").read_text())
    assert [item["item"]["name"] for item in report["items"]] == ["old.png"]


def test_an_unknown_setting_is_a_sentence(folder: Path) -> None:
    (folder / "deepscan.toml").write_text("outputs = 'x'\n")
    assert "no option 'outputs'" in refusal(invoke("config", "show"))[0]


# Baselines and suppressions.


def test_a_baseline_lets_only_new_findings_fail(folder: Path) -> None:
    assert invoke("scan", "photos", *QUICK, "-o", "out").exit_code == EXIT_FOUND
    done = invoke("baseline", "out/deepscan.case", "-o", "baseline.json")
    assert (done.exit_code, done.stderr) == (EXIT_CLEAN, "Wrote baseline.json: 1 file known.\n")
    assert invoke("scan", "photos", *QUICK, "--baseline", "baseline.json", "-o", "out").exit_code == EXIT_CLEAN
    report = json.loads((folder / "out" / "report.json").read_text())
    assert [known["source"] for known in report["known"]] == ["baseline"]
    declared(folder / "photos", "new.png")
    assert invoke("scan", "photos", *QUICK, "--baseline", "baseline.json").exit_code == EXIT_FOUND


def test_a_baseline_is_never_written_into_the_evidence(folder: Path) -> None:
    invoke("scan", "photos", *QUICK, "-o", "out")
    assert "evidence" in refusal(invoke("baseline", "out/report.json", "-o", "photos/baseline.json"))[1]
    assert "evidence" in refusal(invoke("report", "out/report.json", "-o", "photos"))[1]
    assert [path.name for path in (folder / "photos").iterdir()] == ["old.png"]


def test_a_suppression_is_in_the_report_and_an_expired_one_is_a_sentence(folder: Path) -> None:
    entry = '[[suppress]]\npath = "old.png"\nreason = "Ours."\nauthor = "j.doe"\nexpires = {}\n'
    (folder / "suppress.toml").write_text(entry.format("2999-01-01"))
    words = ("scan", "photos", *QUICK, "--suppressions", "suppress.toml", "-o", "out", "--format", "json,markdown")
    assert invoke(*words).exit_code == EXIT_CLEAN
    (known,) = json.loads((folder / "out" / "report.json").read_text())["known"]
    assert (known["reason"], known["author"], known["expires"]) == ("Ours.", "j.doe", "2999-01-01")
    media_factory.write_jpeg(folder / "photos", "other.jpg")
    for many in ("photos", "photos/old.png"):
        said = invoke("scan", many, *QUICK, "--suppressions", "suppress.toml").stdout
        assert "ccepted by j.doe until 2999-01-01: Ours." in " ".join(said.split()), "beside the file that it is about"
    (folder / "suppress.toml").write_text(entry.format("2020-01-01"))
    result = invoke(*words)
    assert result.exit_code == EXIT_FOUND
    assert "deepscan: Suppression 1 (old.png) expired on 2020-01-01" in result.stderr


# What git says.


@pytest.fixture
def repository(folder: Path) -> Path:
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def names(result_stdout: str) -> list[str]:
    return [json.loads(line)["item"]["name"] for line in result_stdout.splitlines() if '"item"' in line]


def test_only_what_changed_since_a_commit_is_scanned(repository: Path) -> None:
    words = ("scan", "photos", *QUICK, "-o", "-", "--format", "jsonl", "--changed-since", "main")
    result = invoke(*words)
    assert result.exit_code == EXIT_CLEAN
    assert "Nothing has changed since main" in result.stderr
    declared(repository / "photos" / "deep", "n\u00e9w.png")  # not committed yet
    git(repository, "checkout", "-q", "-b", "work")
    declared(repository / "photos", "committed.png")
    git(repository, "add", "photos/committed.png")
    git(repository, "commit", "-q", "-m", "second")
    declared(repository, "outside.png")
    result = invoke(*words)
    assert result.exit_code == EXIT_FOUND
    assert names(result.stdout) == ["committed.png", "n\u00e9w.png"]
    # What is named is evidence, whatever part of it is scanned.
    sentence, _ = refusal(invoke("scan", "photos", *QUICK, "-o", "photos/report", "--changed-since", "main"))
    assert "lies inside photos" in sentence


def test_what_main_did_meanwhile_is_not_ours(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "work")
    git(repository, "checkout", "-q", "main")
    declared(repository / "photos", "theirs.png")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "theirs")
    git(repository, "checkout", "-q", "work")
    assert "Nothing has changed" in invoke("scan", "photos", *QUICK, "--changed-since", "main").stderr


def test_a_commit_that_is_not_there_and_a_folder_without_git(repository: Path, tmp_path: Path) -> None:
    assert "no commit 'nowhere'" in refusal(invoke("scan", "photos", *QUICK, "--changed-since", "nowhere"))[0]
    assert "no commit '--help'" in refusal(invoke("scan", "photos", *QUICK, "--changed-since=--help"))[0]
    alone = declared(tmp_path / "alone", "a.png").parent
    assert invoke("scan", str(alone), *QUICK, "--changed-since", "main").exit_code == EXIT_USAGE


# Differences.


def test_diff_names_the_verdicts_that_changed(folder: Path) -> None:
    invoke("scan", "photos", *QUICK, "-o", "one")
    same = invoke("diff", "one/deepscan.case", "one/report.json")
    assert (same.exit_code, same.stdout) == (EXIT_CLEAN, "")
    media_factory.write_png(folder / "photos", "old.png")
    declared(folder / "photos", "new.png")
    invoke("scan", "photos", *QUICK, "-o", "two")
    result = invoke("diff", "one/report.json", "two/report.json")
    assert result.exit_code == EXIT_FOUND
    assert "ADDED     new.png" in result.stdout
    assert "VERDICT   old.png" in result.stdout
    assert "because: the file has other bytes" in result.stdout
    lines = [json.loads(line) for line in invoke("diff", "one", "two").stdout.splitlines()]
    assert lines == []
    found = invoke("diff", "one/report.json", "two/report.json", "--format", "json").stdout
    assert [json.loads(line)["change"] for line in found.splitlines()] == ["verdict", "added"]
