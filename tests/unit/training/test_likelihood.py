"""Bounds of likelihood ratios on known cases, the quality that was measured, and ratios by quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from deepscan.media.quality import Quality
from deepscan.models.calibration import Calibration
from deepscan.models.coverage import NO_LIMITS, Limits
from deepscan.training import likelihood
from deepscan.training.likelihood import Scored, covered, elub, gather, limits, strata
from deepscan.training.measure import FormScores

GOOD = Quality(150, 100.0, 10.0, 1.1)


def bounds(fakes: list[float], reals: list[float]) -> tuple[float, float]:
    values = np.log(np.array([*fakes, *reals]))
    return elub(values, np.array([True] * len(fakes) + [False] * len(reals)))


def test_a_perfect_system_is_bounded_by_how_many_it_was_shown() -> None:
    """With one misleading ratio added to n real pictures, ratios from n + 1 on cost more than silence."""
    lower, upper = bounds([1e9] * 50, [1e-9] * 50)
    assert upper == pytest.approx(51, rel=0.03)
    assert lower == pytest.approx(1 / 51, rel=0.03)
    lower, upper = bounds([1e9] * 10, [1e-9] * 200)
    assert upper == pytest.approx(201, rel=0.03)
    assert lower == pytest.approx(1 / 11, rel=0.03)


def test_a_system_that_says_nothing_or_the_wrong_thing_has_no_reach() -> None:
    assert bounds([1.0] * 50, [1.0] * 50) == (1, 1)
    assert bounds([0.01] * 50, [100.0] * 50) == (1, 1)


def test_one_misleading_picture_shortens_the_reach_on_its_side() -> None:
    clean = bounds([1e9] * 100, [1e-9] * 100)
    lower, upper = bounds([1e9] * 100, [*[1e-9] * 99, 1e9])
    assert upper == pytest.approx(101 / 2, rel=0.03)
    assert lower == pytest.approx(clean[0], rel=0.05)


def test_bounds_do_not_depend_on_order_and_stay_inside_the_ratios_worth() -> None:
    rng = np.random.default_rng(2)
    fake = rng.random(600) < 0.5
    values = rng.normal(np.where(fake, 1, -1), 1.5)
    lower, upper = elub(values, fake)
    order = rng.permutation(600)
    assert elub(values[order], fake[order]) == (lower, upper)
    assert 1 / 601 < lower < 1 < upper < 601


def test_limits_are_what_was_measured() -> None:
    qualities = [replace(GOOD, brightness=float(b), blockiness=1 + b / 400) for b in range(201)]
    found = limits({"as it is": answered([0.0] * 201, qualities)})
    assert found.min_brightness == 1
    assert found.max_blockiness == 1.5
    assert found.refusal(replace(GOOD, brightness=0.5)) is not None
    assert found.refusal(qualities[100]) is None
    few = {"as it is": answered([0.0] * 9, [*qualities[:8], None])}
    assert limits(few) == NO_LIMITS, "the darkest of eight pictures is no limit"


def test_what_is_gathered_was_scored_lies_inside_and_keeps_its_picture() -> None:
    dark = replace(GOOD, brightness=3.0)
    answers = {
        "as it is": answered([1.0, 2.0, np.nan, 4.0], [GOOD, dark, None, GOOD]),
        "JPEG 70": answered([-1.0, -2.0, -3.0, -4.0], [GOOD, GOOD, GOOD, dark]),
    }
    inside, fake = Limits(min_brightness=5.0), np.array([True, False, True, False])
    assert covered(answers["as it is"], inside).tolist() == [True, False, False, True]
    found = gather(answers, Calibration("platt", 0.5, 1.0), inside, fake, np.array([True, True, True, False]))
    assert found.log_odds.tolist() == [3.0, -1.0, -3.0, -5.0]
    assert found.pictures == [0, 0, 1, 2]
    assert found.fake.tolist() == [True, True, False, True]
    assert found.qualities == [GOOD] * 4


def test_strata_hold_one_form_of_a_picture_and_need_enough_of_them() -> None:
    rng = np.random.default_rng(0)
    count = 4 * likelihood.LEAST
    fake = np.tile([True, False], count // 2)
    odds = rng.normal(np.where(fake, 2, -2), 1.0)
    half = Scored(odds, fake, [GOOD] * count, list(range(count)))
    (found,) = strata(half, half, "here")
    assert found.name == "100 to 199 pixels, hardly compressed"
    assert (found.real, found.fake) == (count // 2, count // 2)
    assert found.lower < 1 < found.upper
    assert found.slope > 0
    twice = Scored(np.tile(odds, 2), np.tile(fake, 2), [GOOD] * (2 * count), list(range(count)) * 2)
    assert strata(twice, twice, "here") == (found,)
    few = Scored(odds[:80], fake[:80], [GOOD] * 80, list(range(80)))
    assert strata(few, half, "here") == ()
    assert strata(half, few, "here") == ()


def answered(logits: list[float], qualities: Sequence[Quality | None]) -> FormScores:
    return FormScores(np.array(logits), list(qualities))
