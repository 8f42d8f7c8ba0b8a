"""``--stability``: gentle changes scored beside the picture, and what becomes of an answer that flips."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from deepscan.checks.classifier import SPEC, Classifier
from deepscan.checks.scoring.stability import VARIANTS
from deepscan.engine.verdict import decide
from deepscan.models.card import ModelCard
from deepscan.types import Basis, Call, CheckResult, Family, Level
from tests.fake_pack import SIDE, make_card
from tests.unit.checks.test_classifier import FACE, OTHER, WHOLE, FakeSubject, _finding, _frame, _video

CARD = make_card()  # weak from 0.5 on, moderate from 0.8 on


def answer(scores: Mapping[str | None, float], card: ModelCard = CARD, faces: int = 1) -> CheckResult:
    """The answer on a picture whose faces all score alike, by variant."""
    check = Classifier(card, stability=True)
    subject = FakeSubject([_frame()], {0: [FACE, OTHER][:faces]})
    samples = check.samples(subject)
    return check.conclude(subject.item, samples, [scores.get(s.variant, scores[None]) for s in samples.samples])


def test_every_face_comes_in_four_gentle_changes_too() -> None:
    subject = FakeSubject([_frame()], {0: [FACE, OTHER]})
    samples = Classifier(CARD, stability=True).samples(subject).samples
    assert [s.variant for s in samples] == [None, None, *VARIANTS, *VARIANTS]
    assert len(VARIANTS) == 4
    assert {s.where.box for s in samples[2:6]} == {FACE}
    assert all(s.pixels.shape == (SIDE, SIDE, 3) and s.pixels.flags.c_contiguous for s in samples)
    gap = [abs(s.pixels.astype(int) - samples[0].pixels).mean() for s in samples[2:6]]
    assert all(0 < g < 40 for g in gap)
    assert all(s.variant is None for s in Classifier(CARD).samples(subject).samples)


@pytest.mark.parametrize(
    ("scores", "code", "level"),
    [
        ({None: 0.9, "JPEG 85": 0.85}, "DS-MODEL-001", Level.MODERATE),
        ({None: 0.9, "JPEG 85": 0.7}, "DS-MODEL-001", Level.WEAK),
        ({None: 0.6, "JPEG 95": 0.9}, "DS-MODEL-001", Level.WEAK),
        ({None: 0.5, "JPEG 95": 0.4999}, "DS-MODEL-004", Level.INFO),
        ({None: 0.2, "JPEG 95": 0.95}, "DS-MODEL-004", Level.INFO),
        ({None: 0.2, "JPEG 95": 0.3}, "DS-MODEL-002", Level.INFO),
    ],
)
def test_the_lowest_score_decides_and_one_that_flips_says_nothing(
    scores: Mapping[str | None, float], code: str, level: Level
) -> None:
    result = answer(scores)
    found = _finding(result)
    assert (found.code, found.level) == (code, level)
    evidence = next(e for e in found.evidence if e.label == "stability")
    values = {VARIANTS[i]: scores.get(VARIANTS[i], scores[None]) for i in range(4)}
    assert evidence.value == {"as it is": scores[None], **values}
    low, high = min(values.values()), max([scores[None], *values.values()])
    assert f"between {min(low, scores[None]):g} and {high:g}" in found.summary
    verdict = decide([result], {SPEC.id: Family.MODEL}, threshold=0.5)
    if code == "DS-MODEL-004":
        assert result.score is None
        assert (verdict.call, verdict.basis) == (Call.UNDETERMINED, Basis.NO_USABLE_CHECK)
    else:
        assert result.score is not None
        assert result.score.value == scores[None]
        assert verdict.call is (Call.NO_EVIDENCE if code == "DS-MODEL-002" else Call(str(level)))


def test_parts_and_likelihood_are_of_the_picture_as_it_is() -> None:
    result = answer({None: 0.9, "JPEG 95": 0.7, "JPEG 85": 0.8}, faces=2)
    assert [p.score.value for p in result.parts if p.score] == [0.9, 0.9]


def test_a_card_without_thresholds_flips_at_nothing() -> None:
    result = answer({None: 0.9, "JPEG 95": 0.1}, make_card(thresholds=()))
    assert _finding(result).code == "DS-MODEL-002"


def test_a_film_is_pooled_for_every_change() -> None:
    check = Classifier(WHOLE, stability=True)
    subject = _video(4)
    samples = check.samples(subject)
    assert len(samples.samples) == 4 * 5
    low = [0.3 if s.variant == "JPEG 85" else 0.9 for s in samples.samples]
    result = check.conclude(subject.item, samples, low)
    assert result.findings[0].code == "DS-MODEL-004"
    assert result.film is not None
    assert len(result.film.frames) == 4
