"""Every verdict has words, they say no more than the verdict, and what it does not show stands beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deepscan.reports import words
from deepscan.types import (
    Basis,
    Call,
    CheckResult,
    Family,
    Finding,
    ItemReport,
    Level,
    Outcome,
    PointsTo,
    Verdict,
)
from tests.gold import sample

FINDING = Finding("DS-TEST-001", Level.WEAK, PointsTo.EDITED, "It was saved by an editor.")
FAILED = CheckResult("ela", "1", Outcome.FAILED, reason="The file is cut short.")
NOT_APPLICABLE = CheckResult("classifier", "1", Outcome.NOT_APPLICABLE, reason="No face was found.")


def answered(*results: CheckResult, verdict: Verdict | None = None) -> ItemReport:
    silent = Verdict(Call.UNDETERMINED, PointsTo.NEITHER, Basis.NO_USABLE_CHECK)
    return ItemReport(sample.DECLARED.item, results, verdict or silent)


@pytest.mark.parametrize("basis", list(Basis))
@pytest.mark.parametrize("call", list(Call))
def test_every_verdict_is_a_sentence(call: Call, basis: Basis) -> None:
    text = words.verdict(answered(verdict=Verdict(call, PointsTo.GENERATED, basis)))
    assert text.endswith(".")
    assert "  " not in text
    assert text[0].isupper()
    if call in (Call.UNDETERMINED, Call.NO_EVIDENCE):
        assert "vidence of" not in text


@pytest.mark.parametrize(
    ("points_to", "said"),
    [
        (PointsTo.GENERATED, "Moderate evidence of AI generation or manipulation: "),
        (PointsTo.EDITED, "Moderate evidence of editing: "),
    ],
)
def test_a_verdict_says_what_it_is_evidence_of(points_to: PointsTo, said: str) -> None:
    text = words.verdict(answered(verdict=Verdict(Call.MODERATE, points_to, Basis.OBSERVED)))
    assert text.startswith(said)


def test_no_verdict_calls_a_file_clean_fake_or_real() -> None:
    for call in Call:
        for basis in Basis:
            text = words.verdict(answered(verdict=Verdict(call, PointsTo.GENERATED, basis))).lower()
            assert not {"clean", "fake", "real", "authentic", "genuine"} & set(text.replace(".", " ").split())


def test_a_score_stands_beside_its_threshold_and_is_no_percentage() -> None:
    text = words.verdict(sample.CLASSIFIED)
    assert text.endswith("Model score 0.97, threshold 0.50.")
    assert "%" not in text
    without = Verdict(Call.UNDETERMINED, PointsTo.NEITHER, Basis.NO_USABLE_CHECK, 0.97)
    assert "0.97" not in words.verdict(answered(verdict=without))


def test_the_reason_of_a_call_is_the_findings_it_rests_on() -> None:
    other = replace(FINDING, code="DS-TEST-002", summary="Something else.")
    done = CheckResult("metadata", "1", Outcome.DONE, (other, FINDING))
    weak = Verdict(Call.WEAK, PointsTo.EDITED, Basis.DECLARED, because=("DS-TEST-001",))
    assert words.because(answered(done, verdict=weak)) == "It was saved by an editor."


def test_the_reason_of_no_call_is_what_went_wrong_before_what_did_not_apply() -> None:
    assert words.because(answered(FAILED, NOT_APPLICABLE)) == "ela: The file is cut short."
    assert words.because(answered(NOT_APPLICABLE)) == "classifier: No face was found."
    assert "no check that can tell" in words.because(answered())
    elsewhere = CheckResult("film_flow", "1", Outcome.NOT_APPLICABLE, reason="This check looks at videos only.")
    assert words.because(answered(NOT_APPLICABLE, elsewhere)) == "classifier: No face was found."
    assert "no check that can tell" in words.because(answered(elsewhere))


def test_the_reason_in_the_table_is_short() -> None:
    long = replace(FINDING, summary="Very much was found. " * 50)
    weak = Verdict(Call.WEAK, PointsTo.EDITED, Basis.DECLARED, because=("DS-TEST-001",))
    shown = words.because(answered(CheckResult("metadata", "1", Outcome.DONE, (long,)), verdict=weak))
    assert words.MAX_WHY - 20 < len(shown) <= words.MAX_WHY
    assert shown.endswith("Very much …"), "it ends after a whole word"
    assert words.cut("x" * 500) == "x" * (words.MAX_WHY - 2) + " …"


def test_a_low_score_is_never_said_to_clear_a_file() -> None:
    low = Verdict(Call.NO_EVIDENCE, PointsTo.NEITHER, Basis.BELOW_THRESHOLD, score=0.1, threshold=0.9)
    assert any("misses fakes of the kinds it was measured on" in s for s in words.does_not_show(low, ()))


def test_every_outcome_has_a_word_of_its_own() -> None:
    assert set(words.OUTCOMES) == set(Outcome)
    assert len(set(words.OUTCOMES.values())) == len(Outcome)


@pytest.mark.parametrize("basis", list(Basis))
def test_every_verdict_says_what_it_does_not_show_and_what_would_settle_it(basis: Basis) -> None:
    verdict = Verdict(Call.WEAK, PointsTo.EDITED, basis)
    limits, ways = words.does_not_show(verdict, {Family.MODEL}), words.would_settle(verdict, {Family.MODEL})
    assert limits[-1] == words.ABSENCE
    assert len(limits) > 1
    assert len(ways) > 1
    assert len(set(limits)) == len(limits)
    assert len(set(ways)) == len(ways)
    assert all(sentence.endswith(".") for sentence in (*limits, *ways))


def test_the_families_behind_a_verdict_are_those_of_its_findings() -> None:
    families = {check.id: check.family for check in sample.RUN.checks}
    assert words.families_behind(sample.CLASSIFIED, families) == {Family.MODEL}
    assert words.families_behind(sample.CONFLICT, families) == {Family.MODEL, Family.METADATA}
    assert words.families_behind(sample.NOT_UNICODE, families) == frozenset()
    assert words.families_behind(sample.CLASSIFIED, {}) == frozenset()  # a check that the run record does not name
