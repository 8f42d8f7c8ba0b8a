"""``deepscan evaluate``: what the flags become, where the answer goes, and refusals before any work is done."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from deepscan import errors
from deepscan.cli.app import app
from deepscan.config import EvaluateOptions
from deepscan.errors import TrainingError
from deepscan.evaluation import run
from deepscan.evaluation.bootstrap import Difference, Intervals
from deepscan.evaluation.measures import decisions, ranking
from deepscan.evaluation.result import Comparison, Drawing, Evaluation, FormRow, LedgerRow, PackResult, Part
from tests.cli.test_app import invoke, refusal

FLAGS: dict[str, tuple[str, object]] = {
    "images": ("pictures", Path("pictures")),
    "split": ("val", "val"),
    "robustness": ("7", 7),
    "bootstrap": ("9", 9),
    "seed": ("3", 3),
    "workers": ("2", 2),
    "faces": ("yunet", "yunet"),
    "fake_label": ("Phony", "Phony"),
    "device": ("cpu", "cpu"),
    "precision": ("fp32", "fp32"),
}


def made() -> Evaluation:
    """A small answer with every kind of row, and names that terminals and pages must not obey."""
    import numpy as np

    scores, fake = np.array([-2.0, 0.5, -1.0, 2.0]), np.array([False, False, True, True])
    chances = 1 / (1 + np.exp(-scores))
    half, weak = (decisions(name, chances, fake, at) for name, at in (("half", 0.5), ("weak", 0.7)))
    intervals = Intervals((0.4, 0.9), (0.5, 1.5), (0.0, 1.0), None, None)
    whole = Part("all", 5, 4, ranking(scores, fake), weak, intervals)
    empty = Part("[bold]odd", 1, 0, ranking(scores[:0], fake[:0]), None, Intervals(*(None,) * 5))
    pack = PackResult(
        "builtin", "embedded", "faces", "ab" * 32, "face", "cpu", "fp32", "weak", 0.7, whole, (half, weak),
        {"No face was found.": 1}, (whole, empty), (),
        (FormRow("JPEG 50", 4, 1, 0.75, 0.8, 0.05, {"a": 0.1}, 0.1, 0.5, 0.25, 0.0, 0.25),),
        tuple(LedgerRow("a", 2, 2, "weak", 0.7, 1, 0.5, 0.9, 0.01, h, (("a.png", 0.8),)) for h in (True, False, None)),
        Drawing(((0.0, 0.0), (0.5, 0.5), (1.0, 1.0)), ((0.2, 0.5, 4),), (2, 0), (0, 2)),
    )  # fmt: skip
    gap = Comparison("builtin", "other", 4, (Difference("false_alarms", -0.25, (-0.5, 0.0), 0.1),))
    other = replace(pack, name="other", robustness=(), ledger=())
    return Evaluation(
        "deepscan-evaluation/1", "[red]set", "2026-01-01T00:00:00+00:00", "1", {}, 5, 2, 3, 4,
        (("bad\\x1b.png", "It is damaged."),), ("2 real pictures: too few.",), {"all": 0.6}, (pack, other), (gap,),
    )  # fmt: skip


class Recorded:
    """What ``evaluate`` was called with."""

    def __init__(self) -> None:
        self.options: EvaluateOptions | None = None
        self.models: list[str] = []
        self.answer = replace(made(), unreadable=())
        self.error: Exception | None = None

    def __call__(self, dataset: Path, models: list[str], options: EvaluateOptions, progress: Any) -> Evaluation:
        self.options, self.models = options, models
        progress("pictures", 1, 2)
        if self.error is not None:
            raise self.error
        return self.answer


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    record = Recorded()
    monkeypatch.setattr(run, "evaluate", record)
    return record


def test_without_flags_the_defaults_hold(recorded: Recorded) -> None:
    result = invoke("evaluate", "data")
    assert result.exit_code == errors.EXIT_CLEAN
    assert recorded.options == EvaluateOptions()
    assert recorded.models == ["builtin"]


def test_every_flag_reaches_the_run(recorded: Recorded) -> None:
    words = [part for name, (word, _) in FLAGS.items() for part in (f"--{name.replace('_', '-')}", word)]
    more = ("--reals", "a", "--reals", "b", "--as-crops", "--offline", "--model", "x", "--model", "y")
    assert invoke("evaluate", "data", *more, *words).exit_code == errors.EXIT_CLEAN
    values: dict[str, Any] = {name: value for name, (_, value) in FLAGS.items()}
    expected = EvaluateOptions(reals=(Path("a"), Path("b")), as_crops=True, offline=True, **values)
    assert recorded.options == expected
    assert recorded.models == ["x", "y"]
    assert all(value != getattr(EvaluateOptions(), name) for name, value in values.items())
    assert {*FLAGS, "reals", "as_crops", "offline"} == set(EvaluateOptions.__dataclass_fields__)
    command: Any = get_command(app)
    taken = {p.name for p in command.commands["evaluate"].params}
    assert set(EvaluateOptions.__dataclass_fields__) <= taken


def test_the_tables_hold_every_kind_of_row(recorded: Recorded) -> None:
    recorded.answer = made()
    result = invoke("evaluate", "data", "--no-color")
    assert result.exit_code == errors.EXIT_INCOMPLETE
    for words in (
        "[red]set: 2 real pictures and 3 fakes in 4 groups.", "2 real pictures: too few.", "Left out: bad\\x1b.png",
        "Not scored: 1 picture. No face was found.", "macro avg", "weighted avg", "Confusion: real called real",
        "[bold]odd", "JPEG 50", "cannot be told", "builtin minus other", "false alarms", "-0.2500", "0.600",
    ):  # fmt: skip
        assert words in result.stdout, words
    assert "pictures: 1 of 2" in result.stderr


@pytest.mark.parametrize("columns", ["60", "80"])
def test_a_narrow_terminal_loses_no_name_and_breaks_no_number(recorded: Recorded, columns: str) -> None:
    recorded.answer = made()
    out = invoke("evaluate", "data", "--no-color", env={"COLUMNS": columns}).stdout
    assert max(len(line.rstrip()) for line in out.splitlines() if "\u2500" in line) <= 80
    assert "not scored" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["JPEG", "50", "0.750", "0.050", "10.0%", "50.0%", "25.0%", "0.0%", "25.0%", "1"] in rows
    assert any(row[:1] == ["all"] and "0.400..0.900" in row for row in rows)
    assert any(row[:2] == ["a", "weak"] and "2/2" in row for row in rows)


def test_json_alone_goes_to_standard_output(recorded: Recorded) -> None:
    for words in (("--format", "json"), ("-o", "-"), ("-o", "-", "--format", "json")):
        result = invoke("evaluate", "data", *words)
        assert json.loads(result.stdout)["format"] == "deepscan-evaluation/1"
        assert "Confusion" in result.stderr
    assert invoke("evaluate", "data", "--format", "html", "-q").stdout.startswith("<!doctype html>")


def test_a_folder_gets_both_files(recorded: Recorded, tmp_path: Path) -> None:
    result = invoke("evaluate", "data", "-o", str(tmp_path / "out"))
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"evaluation.json", "evaluation.html"}
    assert "Wrote" in result.stdout
    quiet = invoke("evaluate", "data", "-q", "-o", str(tmp_path / "one"), "--format", "html")
    assert quiet.stdout == quiet.stderr == ""
    assert [p.name for p in (tmp_path / "one").iterdir()] == ["evaluation.html"]
    assert "[bold]odd" in (tmp_path / "one" / "evaluation.html").read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--format", "pdf"), "no format 'pdf'"),
        (("--format", "json,html"), "Only one format"),
        (("--split", "middle"), "split"),
        (("--robustness", "-1"), "robustness"),
        (("--bootstrap", "-1"), "bootstrap"),
        (("--workers", "many"), "Workers"),
        (("--precision", "fp8"), "precision"),
    ],
)
def test_what_is_refused(words: tuple[str, ...], says: str, recorded: Recorded) -> None:
    sentence, _ = refusal(invoke("evaluate", "data", *words))
    assert says in sentence
    assert recorded.options is None


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_measured(
    command: str, recorded: Recorded, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    sentence, hint = refusal(invoke(command, "data", "-o", str(tmp_path / "file" / "out")))
    assert "cannot be written" in sentence
    assert "file, not a folder" in hint
    assert recorded.options is None


def test_what_goes_wrong_is_a_sentence(recorded: Recorded) -> None:
    recorded.error = TrainingError("There is no data set at data.", "Give one.")
    result = invoke("evaluate", "data", "-q")
    assert result.exit_code == errors.EXIT_USAGE
    assert "There is no data set" in result.stderr
