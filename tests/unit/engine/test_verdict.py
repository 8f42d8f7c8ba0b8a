from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deepscan.engine.verdict import DEFAULT_POLICY, Cap, decide
from deepscan.types import (
    Basis,
    Call,
    CheckResult,
    Family,
    Finding,
    Level,
    Meaning,
    Outcome,
    PointsTo,
    Score,
    Verdict,
)

FAMILIES = {str(family): family for family in Family} | {"structure-2": Family.STRUCTURE, "model-2": Family.MODEL}
THRESHOLD = 0.5

NOTHING = "undetermined neither no-usable-check"
BELOW = "no-evidence neither below-threshold"


def finding(words: str) -> Finding:
    """``"CODE level points_to"``."""
    code, level, points_to = words.split()
    return Finding(code, Level(level), PointsTo(points_to), "Something was found.")


def done(check: str, *findings: str, score: float | None = None, meaning: Meaning = Meaning.PROBABILITY) -> CheckResult:
    kept = None if score is None else Score(score, meaning)
    return CheckResult(check, "1", Outcome.DONE, tuple(finding(f) for f in findings), kept)


def ended(check: str, outcome: str) -> CheckResult:
    return CheckResult(check, "1", Outcome(outcome), reason="A reason.")


def model(score: float, *findings: str) -> CheckResult:
    return done("model", *findings, score=score)


QUIET = model(0.1)

TABLE: list[tuple[str, Sequence[CheckResult], str, str]] = [
    # Silence: only a model below its threshold may say it; the rest is no answer.
    ("no check at all", [], NOTHING, ""),
    ("model below", [QUIET], BELOW, ""),
    ("model below, metadata silent", [QUIET, done("metadata")], BELOW, ""),
    ("metadata alone is silent", [done("metadata")], NOTHING, ""),
    ("all but the model are silent", [done(str(f)) for f in Family if f is not Family.MODEL], NOTHING, ""),
    ("no face", [done("metadata"), ended("model", "not_applicable")], NOTHING, ""),
    ("model failed", [done("metadata"), ended("model", "failed")], NOTHING, ""),
    ("model timed out", [ended("model", "timed_out")], NOTHING, ""),
    ("everything failed", [ended(str(f), "failed") for f in Family], NOTHING, ""),
    ("model done without a score", [done("model")], NOTHING, ""),
    ("an intensity is no probability", [done("model", score=0.1, meaning=Meaning.INTENSITY)], NOTHING, ""),
    ("a probability of another family", [done("pixels", score=0.1)], NOTHING, ""),
    ("one of two models failed", [QUIET, ended("model-2", "failed")], BELOW, ""),
    ("info only", [QUIET, done("metadata", "M info generated", "N info edited")], BELOW, ""),
    ("info only, no model", [done("metadata", "M info generated")], NOTHING, ""),
    ("a score at the threshold without a finding", [model(0.5)], NOTHING, ""),
    # Facts about a file raise nothing.
    ("neither, weak", [QUIET, done("structure", "S weak neither")], BELOW, ""),
    ("neither, strong", [QUIET, done("provenance", "P strong neither")], BELOW, ""),
    ("neither twice", [done("structure", "S strong neither"), done("pixels", "X strong neither")], NOTHING, ""),
    # Declarations.
    ("a generator's mark", [done("metadata", "M strong generated")], "strong generated declared", "M"),
    ("the same with a silent model", [QUIET, done("metadata", "M strong generated")], "strong generated declared", "M"),
    ("a manifest that says AI", [done("provenance", "P strong generated")], "strong generated declared", "P"),
    ("a manifest that says edited", [done("provenance", "P strong edited")], "strong edited declared", "P"),
    ("both declare", [done("metadata", "M strong generated"), done("provenance", "P strong generated")],
     "strong generated declared", "P M"),
    ("they declare different things", [done("metadata", "M strong generated"), done("provenance", "P strong edited")],
     "strong generated declared", "M"),
    ("a declaration before an agreement",
     [done("metadata", "M strong generated"), done("structure", "S strong edited"), done("pixels", "X strong edited")],
     "strong generated declared", "M"),
    ("a declaration beside a strong model", [done("metadata", "M strong generated"), model(0.99, "C strong generated")],
     "strong generated declared", "M"),
    ("a provenance finding of moderate level", [done("provenance", "P moderate generated")],
     "moderate generated declared", "P"),
    # Caps.
    ("editor traces are weak", [done("metadata", "M strong edited")], "weak edited declared", "M"),
    ("a label that says possibly", [done("metadata", "M moderate generated")], "moderate generated declared", "M"),
    ("an observation of metadata is weak", [done("metadata", "DS-META-006 strong generated")],
     "weak generated observed", "DS-META-006"),
    ("an observation declares nothing", [done("provenance", "DS-META-006 strong edited")],
     "strong edited observed", "DS-META-006"),
    ("a file changed after signing", [done("provenance", "DS-PROV-004 moderate edited")],
     "moderate edited observed", "DS-PROV-004"),
    ("a weak mark is weak", [done("metadata", "M weak generated")], "weak generated declared", "M"),
    ("structure is at most moderate", [done("structure", "S strong edited")], "moderate edited observed", "S"),
    ("pixels are at most moderate", [done("pixels", "X strong edited")], "moderate edited observed", "X"),
    ("time is at most moderate", [done("temporal", "T strong generated")], "moderate generated observed", "T"),
    ("the model is as strong as its card says", [model(0.99, "C strong generated")], "strong generated model", "C"),
    ("moderate model", [model(0.9, "C moderate generated")], "moderate generated model", "C"),
    ("weak model", [model(0.6, "C weak generated")], "weak generated model", "C"),
    # Agreement.
    ("two families agree", [done("structure", "S moderate edited"), done("pixels", "X strong edited")],
     "strong edited corroborated", "S X"),
    ("model and pixels agree", [model(0.9, "C moderate generated"), done("pixels", "X moderate generated")],
     "strong generated corroborated", "X C"),
    ("a strong model and another", [model(0.9, "C strong generated"), done("temporal", "T moderate generated")],
     "strong generated corroborated", "C T"),
    ("one family twice is one", [done("structure", "S strong edited"), done("structure-2", "R strong edited")],
     "moderate edited observed", "R S"),
    ("two models are one family", [model(0.9, "C moderate generated"), done("model-2", "D moderate generated")],
     "moderate generated model", "C D"),
    ("weak does not corroborate", [model(0.9, "C moderate generated"), done("pixels", "X weak generated")],
     "moderate generated model", "C"),
    ("editor traces do not corroborate", [done("metadata", "M strong edited"), done("pixels", "X moderate edited")],
     "moderate edited observed", "X"),
    ("two that disagree do not", [model(0.9, "C moderate generated"), done("pixels", "X moderate edited")],
     "moderate generated model", "C"),
    ("two pairs", [
        done("structure", "S moderate generated", "E moderate edited"),
        done("pixels", "X moderate generated", "F moderate edited"),
    ], "strong generated corroborated", "S X"),
    # The highest level, whoever has it.
    ("edited above generated", [model(0.6, "C weak generated"), done("pixels", "X moderate edited")],
     "moderate edited observed", "X"),
    ("two weak ones", [model(0.6, "C weak generated"), done("pixels", "X weak generated")],
     "weak generated model", "X C"),
    ("a weak declaration among weak ones", [done("metadata", "M weak generated"), done("pixels", "X weak generated")],
     "weak generated declared", "M X"),
    ("a code named twice is listed once", [done("pixels", "X weak edited", "X weak edited")],
     "weak edited observed", "X"),
    # Authentic: raises nothing, contradicts, and is never a reason for an alarm.
    ("a camera's manifest alone", [done("provenance", "P strong authentic")], "no-evidence neither declared", "P"),
    ("with a silent model", [QUIET, done("provenance", "P strong authentic")], "no-evidence neither declared", "P"),
    ("moderate authentic alone", [done("provenance", "P moderate authentic")], NOTHING, ""),
    ("moderate authentic, silent model", [QUIET, done("provenance", "P moderate authentic")], BELOW, ""),
    ("metadata cannot vouch", [done("metadata", "M strong authentic")], NOTHING, ""),
    ("two families vouch", [done("structure", "S moderate authentic"), done("pixels", "X moderate authentic")],
     NOTHING, ""),
    ("conflict with the model", [done("provenance", "P strong authentic"), model(0.9, "C moderate generated")],
     "undetermined neither conflict", "P C"),
    ("conflict with a mark", [done("provenance", "P strong authentic"), done("metadata", "M strong generated")],
     "undetermined neither conflict", "P M"),
    ("conflict before agreement", [
        done("provenance", "P moderate authentic"),
        model(0.9, "C strong generated"),
        done("pixels", "X strong generated"),
    ], "undetermined neither conflict", "P X C"),
    ("no conflict with a weak one", [done("provenance", "P strong authentic"), model(0.6, "C weak generated")],
     "weak generated model", "C"),
    ("no conflict from a weak one", [done("metadata", "M strong authentic"), model(0.9, "C moderate generated")],
     "moderate generated model", "C"),
    ("edited is no conflict", [done("provenance", "P strong authentic"), done("pixels", "X moderate edited")],
     "moderate edited observed", "X"),
]  # fmt: skip


@pytest.mark.parametrize(("results", "expected", "because"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table(results: Sequence[CheckResult], expected: str, because: str) -> None:
    verdict = decide(results, FAMILIES, threshold=THRESHOLD)
    assert f"{verdict.call} {verdict.points_to} {verdict.basis}" == expected
    assert verdict.because == tuple(because.split())


@pytest.mark.parametrize(
    ("results", "threshold", "score", "shown"),
    [
        ([QUIET], 0.5, 0.1, 0.5),
        ([model(0.9, "C moderate generated")], 0.5, 0.9, 0.5),
        ([model(0.2), done("model-2", score=0.3)], 0.5, 0.3, 0.5),
        ([done("pixels", score=0.9, meaning=Meaning.INTENSITY)], 0.5, None, None),
        ([done("model", score=0.9, meaning=Meaning.INTENSITY)], 0.5, None, None),
        ([ended("model", "failed")], 0.5, None, None),
        ([done("metadata", "M strong generated"), QUIET], 0.5, 0.1, 0.5),
        ([done("provenance", "P strong authentic"), model(0.9, "C moderate generated")], 0.5, 0.9, 0.5),
        ([QUIET], None, 0.1, None),
    ],
)
def test_the_models_score_and_threshold_stand_in_the_verdict_when_it_ran(
    results: Sequence[CheckResult], threshold: float | None, score: float | None, shown: float | None
) -> None:
    verdict = decide(results, FAMILIES, threshold=threshold)
    assert (verdict.score, verdict.threshold) == (score, shown)


def test_without_a_threshold_nothing_is_below_it() -> None:
    assert decide([model(0.0)], FAMILIES, threshold=None).basis is Basis.NO_USABLE_CHECK


def test_what_a_policy_caps_to_info_counts_for_nothing_and_does_not_look_clean() -> None:
    caps = {**DEFAULT_POLICY.caps, Family.MODEL: Cap(Level.INFO, Level.INFO)}
    policy = replace(DEFAULT_POLICY, caps=MappingProxyType(caps))
    verdict = decide([model(0.9, "C weak generated")], FAMILIES, policy=policy, threshold=THRESHOLD)
    assert (verdict.call, verdict.basis, verdict.because) == (Call.UNDETERMINED, Basis.NO_USABLE_CHECK, ())


def test_a_check_without_a_family_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        decide([done("unknown", "U weak edited")], FAMILIES)


def test_the_policy_speaks_of_every_family() -> None:
    assert set(DEFAULT_POLICY.caps) == set(Family)


FINDINGS = st.builds(
    Finding, st.sampled_from("ABCDEF"), st.sampled_from(Level), st.sampled_from(PointsTo), st.just("Found.")
)
RESULTS = st.lists(
    st.builds(
        CheckResult,
        st.sampled_from(sorted(FAMILIES)),
        st.just("1"),
        st.just(Outcome.DONE),
        st.lists(FINDINGS, max_size=3).map(tuple),
        st.none() | st.builds(Score, st.sampled_from([0.0, 0.4, 0.5, 1.0]), st.sampled_from(Meaning)),
    )
    | st.builds(ended, st.sampled_from(sorted(FAMILIES)), st.sampled_from(["failed", "timed_out", "not_applicable"])),
    max_size=5,
)
LOUDNESS = {Call.UNDETERMINED: 0, Call.NO_EVIDENCE: 0, Call.WEAK: 1, Call.MODERATE: 2, Call.STRONG: 3}


def _decide(results: Sequence[CheckResult]) -> Verdict:
    return decide(results, FAMILIES, threshold=THRESHOLD)


@settings(deadline=None, max_examples=150)
@given(RESULTS, st.sampled_from(sorted(FAMILIES)), st.sampled_from(PointsTo), st.integers(0, 5))
def test_a_finding_of_level_info_changes_nothing(
    results: list[CheckResult], check: str, points_to: PointsTo, at: int
) -> None:
    extra = CheckResult(check, "1", Outcome.DONE, (Finding("I", Level.INFO, points_to, "Found."),))
    assert _decide([*results[:at], extra, *results[at:]]) == _decide(results)


@settings(deadline=None, max_examples=150)
@given(RESULTS, st.sampled_from(sorted(FAMILIES)), st.sampled_from(Level))
def test_a_fact_about_the_file_changes_nothing(results: list[CheckResult], check: str, level: Level) -> None:
    extra = CheckResult(check, "1", Outcome.DONE, (Finding("N", level, PointsTo.NEITHER, "Found."),))
    assert _decide([*results, extra]) == _decide(results)


@settings(deadline=None, max_examples=150)
@given(RESULTS, st.randoms(use_true_random=False))
def test_order_changes_nothing(results: list[CheckResult], random: object) -> None:
    shuffled = [replace(r, findings=tuple(sorted(r.findings, key=lambda _: random.random()))) for r in results]  # type: ignore[attr-defined]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _decide(shuffled) == _decide(results)


@settings(deadline=None, max_examples=150)
@given(RESULTS, st.data())
def test_a_higher_level_never_lowers_the_call_except_into_conflict(
    results: list[CheckResult], data: st.DataObject
) -> None:
    places = [(i, j) for i, r in enumerate(results) for j in range(len(r.findings))]
    assume(places)
    i, j = data.draw(st.sampled_from(places))
    old = results[i].findings[j]
    level = data.draw(st.sampled_from([level for level in Level if level.rank >= old.level.rank]))
    findings = (*results[i].findings[:j], replace(old, level=level), *results[i].findings[j + 1 :])
    before, after = _decide(results), _decide([*results[:i], replace(results[i], findings=findings), *results[i + 1 :]])
    assert LOUDNESS[after.call] >= LOUDNESS[before.call] or after.basis is Basis.CONFLICT
    assert not (before.basis is Basis.CONFLICT and after.basis is not Basis.CONFLICT)


@settings(deadline=None, max_examples=150)
@given(RESULTS)
def test_every_verdict_holds_together(results: list[CheckResult]) -> None:
    verdict = _decide(results)
    silent = verdict.call in (Call.NO_EVIDENCE, Call.UNDETERMINED)
    assert (verdict.points_to is PointsTo.NEITHER) == silent
    assert verdict.points_to is not PointsTo.AUTHENTIC
    assert bool(verdict.because) == (not silent or verdict.basis in (Basis.CONFLICT, Basis.DECLARED))
    if verdict.basis is Basis.BELOW_THRESHOLD:
        assert verdict.score is not None
        assert verdict.score < THRESHOLD
        assert any(r.outcome is Outcome.DONE and FAMILIES[r.check] is Family.MODEL for r in results)
    if verdict.basis is Basis.NO_USABLE_CHECK:
        assert verdict.call is Call.UNDETERMINED


def test_a_contradiction_is_observed_and_an_editors_name_is_declared() -> None:
    def verdict_of(code: str) -> Verdict:
        finding = Finding(code, Level.WEAK, PointsTo.EDITED, "Found.")
        return decide([CheckResult("metadata", "1", Outcome.DONE, (finding,))], {"metadata": Family.METADATA})

    assert verdict_of("DS-META-006").basis is Basis.OBSERVED
    assert verdict_of("DS-META-003").basis is Basis.DECLARED
