"""Limits of quality and likelihood ratios: what is refused, why, and that no ratio leaves its bounds."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from deepscan.media.quality import Quality
from deepscan.models import describe
from deepscan.models.coverage import Limits, Stratum, log_odds, stratum_of
from tests.fake_pack import make_card

GOOD = Quality(side=100, brightness=120.0, sharpness=15.0, blockiness=1.1)
SMALL = Stratum("small", 0, 100, 0.0, None, 1.0, 0.0, 0.05, 20.0, 300, 200, "held-out faces")
LARGE = Stratum("large and clean", 100, None, 0.0, 1.5, 2.0, -1.0, 0.01, 150.0, 900, 800, "held-out faces")


@pytest.mark.parametrize(
    ("quality", "word"),
    [
        (GOOD, None),
        (replace(GOOD, side=23), "too small"),
        (replace(GOOD, brightness=19.9), "too dark"),
        (replace(GOOD, sharpness=1.9), "too blurred"),
        (replace(GOOD, blockiness=2.6), "too strongly compressed"),
    ],
)
def test_what_lies_outside_is_refused_with_the_reason(quality: Quality, word: str | None) -> None:
    refusal = make_card(limits=Limits(20.0, 2.0, 2.5)).refusal(quality)
    assert refusal is None if word is None else word in (refusal or "")
    assert make_card().refusal(replace(quality, side=100)) is None


def test_the_stratum_is_the_one_of_the_quality() -> None:
    strata = (SMALL, LARGE)
    assert stratum_of(strata, replace(GOOD, side=99)) is SMALL
    assert stratum_of(strata, GOOD) is LARGE
    assert stratum_of(strata, replace(GOOD, blockiness=1.5)) is None
    assert stratum_of(strata, None) is None


@pytest.mark.parametrize(
    ("odds", "expected"), [(0.0, math.exp(-1)), (0.5, 1.0), (1.5, math.exp(2)), (50, 150), (-50, 0.01), (1e9, 150)]
)
def test_a_ratio_never_leaves_its_bounds(odds: float, expected: float) -> None:
    assert LARGE.ratio(odds) == pytest.approx(expected)


def test_log_odds_of_certainty_are_numbers() -> None:
    assert log_odds(0.5) == 0
    assert log_odds(0.8) == pytest.approx(math.log(4))
    assert math.isfinite(log_odds(1.0))
    assert log_odds(0.0) == -log_odds(1.0)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1.5, "do not support either side"),
        (5.0, "5 times as frequent with fakes as with real faces: numbers that give weak support for a fake"),
        (0.1, "10 times as frequent with real faces as with fakes: numbers that give moderate support for a real face"),
        (150.0, "at least 1.5e+02 times as frequent"),
    ],
)
def test_a_ratio_in_words_names_its_bounds_and_its_pictures(ratio: float, words: str) -> None:
    sentence = describe.likelihood(LARGE, ratio, make_card())
    assert words in sentence
    assert "900 real and 800 fake" in sentence
    assert "between 1/100 and 150" in sentence
    assert "everything else" in sentence
