"""The values of the domain keep their promises, and know nothing of libraries."""

from __future__ import annotations

import dataclasses
import inspect
import math
import pickle
import subprocess
import sys
from enum import StrEnum
from pathlib import Path, PurePosixPath

import pytest

from deepscan import types
from deepscan.types import (
    Basis,
    Box,
    Call,
    CheckResult,
    Finding,
    ItemReport,
    Level,
    Meaning,
    MediaItem,
    MediaKind,
    Outcome,
    Part,
    PointsTo,
    Score,
    SkipCode,
    Verdict,
    Where,
)

DATACLASSES = [
    kind
    for _, kind in inspect.getmembers(types, dataclasses.is_dataclass)
    if isinstance(kind, type) and kind.__module__ == types.__name__
]
NOT_DONE = [outcome for outcome in Outcome if outcome is not Outcome.DONE]
FINDING = Finding("DS-TEST-001", Level.INFO, PointsTo.NEITHER, "Found.")
ITEM = MediaItem(Path("/evidence"), PurePosixPath("a/b\n\udcff.jpg"), MediaKind.IMAGE, "jpeg", 1, "0" * 64)
SCORE = Score(0.5, Meaning.PROBABILITY)
PART = Part("face", Where(box=Box(1, 2, 3, 4)), SCORE)


@pytest.mark.parametrize("kind", DATACLASSES, ids=lambda kind: kind.__name__)
def test_values_are_frozen_and_slotted(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__dict__" not in dir(kind)


@pytest.mark.parametrize("kind", DATACLASSES, ids=lambda kind: kind.__name__)
def test_collections_are_tuples_or_read_only(kind: type) -> None:
    for field in dataclasses.fields(kind):
        assert not str(field.type).startswith(("list", "dict", "set")), field.name


def test_importing_them_loads_the_standard_library_only() -> None:
    script = (
        "import sys; before = set(sys.modules); import deepscan.types\n"
        "new = {m.partition('.')[0] for m in set(sys.modules) - before}\n"
        "print(sorted(new - sys.stdlib_module_names - {'deepscan'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("outcome", NOT_DONE)
def test_what_is_not_done_has_a_reason_and_nothing_else(outcome: Outcome) -> None:
    assert CheckResult("ela", "1", outcome, reason="Because.").reason == "Because."
    for reason in (None, ""):
        with pytest.raises(ValueError, match="ela: a reason exists exactly when"):
            CheckResult("ela", "1", outcome, reason=reason)
    with pytest.raises(ValueError, match="exist only when the outcome is done"):
        CheckResult("ela", "1", outcome, (FINDING,), reason="Because.")
    with pytest.raises(ValueError, match="exist only when the outcome is done"):
        CheckResult("ela", "1", outcome, score=SCORE, reason="Because.")
    with pytest.raises(ValueError, match="exist only when the outcome is done"):
        CheckResult("ela", "1", outcome, parts=(PART,), reason="Because.")


def test_a_score_of_nothing_is_a_score_too() -> None:
    zero = Score(0.0, Meaning.INTENSITY)
    assert CheckResult("ela", "1", Outcome.DONE, score=zero).score is zero
    with pytest.raises(ValueError, match="exist only when the outcome is done"):
        CheckResult("ela", "1", Outcome.FAILED, score=zero, reason="Because.")


def test_what_is_done_has_no_reason() -> None:
    result = CheckResult("ela", "1", Outcome.DONE, (FINDING,), SCORE, (PART,))
    assert (result.findings, result.score, result.parts, result.reason) == ((FINDING,), SCORE, (PART,), None)
    with pytest.raises(ValueError, match="a reason exists exactly when"):
        CheckResult("ela", "1", Outcome.DONE, reason="Because.")
    with pytest.raises(ValueError, match="a reason exists exactly when"):
        dataclasses.replace(result, reason="Because.")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_what_looked_can_have_seen_a_part(outcome: Outcome) -> None:
    reason = None if outcome is Outcome.DONE else "Because."
    if outcome in (Outcome.DONE, Outcome.NOT_APPLICABLE):
        assert CheckResult("ela", "1", outcome, reason=reason, partial="Cut short.").partial == "Cut short."
    else:
        with pytest.raises(ValueError, match="is not partial"):
            CheckResult("ela", "1", outcome, reason=reason, partial="Cut short.")


@pytest.mark.parametrize(
    ("result", "incomplete"),
    [
        (CheckResult("ela", "1", Outcome.DONE), False),
        (CheckResult("ela", "1", Outcome.NOT_APPLICABLE, reason="No JPEG."), False),
        (CheckResult("ela", "1", Outcome.FAILED, reason="Broken."), True),
        (CheckResult("ela", "1", Outcome.TIMED_OUT, reason="Too slow."), True),
        (CheckResult("ela", "1", Outcome.DONE, partial="Cut short."), True),
        (CheckResult("ela", "1", Outcome.NOT_APPLICABLE, reason="No face.", partial="Cut short."), True),
    ],
)
def test_a_file_is_incomplete_when_a_check_could_not_see_all_of_it(result: CheckResult, *, incomplete: bool) -> None:
    verdict = Verdict(Call.UNDETERMINED, PointsTo.NEITHER, Basis.NO_USABLE_CHECK)
    fine = CheckResult("identity", "1", Outcome.DONE)
    assert ItemReport(ITEM, (fine, result), verdict).incomplete is incomplete


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5, 5e-324])
def test_a_score_lies_between_nought_and_one(value: float) -> None:
    assert Score(value, Meaning.PROBABILITY).value == value


@pytest.mark.parametrize("value", [-1e-9, 1.0000001, 87, -0.5, math.inf, -math.inf, math.nan])
def test_another_number_is_no_score(value: float) -> None:
    with pytest.raises(ValueError, match=r"lies in \[0, 1\]"):
        Score(value, Meaning.PROBABILITY)


def test_levels_rise() -> None:
    assert [level.rank for level in (Level.INFO, Level.WEAK, Level.MODERATE, Level.STRONG)] == [0, 1, 2, 3]
    assert max(Level, key=lambda level: level.rank) is Level.STRONG


def test_the_words_of_the_reports_stay() -> None:
    """Stored cases and the published schema hold these words: a change needs an upgrade."""
    assert [str(c) for c in Call] == ["no-evidence", "weak", "moderate", "strong", "undetermined"]
    assert [str(o) for o in Outcome] == ["done", "not_applicable", "failed", "timed_out"]
    assert [str(p) for p in PointsTo] == ["generated", "edited", "authentic", "neither"]
    assert [str(m) for m in Meaning] == ["probability", "intensity"]
    assert [str(k) for k in MediaKind] == ["image", "video"]


@pytest.mark.parametrize(
    "kind", [kind for _, kind in inspect.getmembers(types, inspect.isclass) if issubclass(kind, StrEnum)]
)
def test_no_two_words_of_a_kind_are_alike(kind: type[StrEnum]) -> None:
    assert len({word.casefold() for word in kind}) == len(list(kind)) == len(kind.__members__)


def test_only_what_nobody_asked_for_is_harmlessly_skipped() -> None:
    harmless = {code for code in SkipCode if not code.incomplete}
    assert harmless == {SkipCode.EXCLUDED, SkipCode.HIDDEN, SkipCode.SYMLINK, SkipCode.NOT_MEDIA}


def test_an_item_knows_where_its_file_lies_and_crosses_processes() -> None:
    assert ITEM.path == Path("/evidence/a/b\n\udcff.jpg")
    assert pickle.loads(pickle.dumps(ITEM)) == ITEM
