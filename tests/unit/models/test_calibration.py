"""From a logit to a probability: by a line, or by a curve of points that rises and ends."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepscan.models.calibration import ISOTONIC, Calibration

CURVE = Calibration(ISOTONIC, 1.0, 0.0, ((-2.0, -3.0), (0.0, -1.0), (1.0, 2.0), (4.0, 2.0)))


@pytest.mark.parametrize(
    ("logit", "expected"), [(-9, -3), (-2, -3), (-1, -2), (0, -1), (0.5, 0.5), (1, 2), (3, 2), (1e9, 2)]
)
def test_a_curve_is_a_line_between_its_points_and_ends_with_them(logit: float, expected: float) -> None:
    assert CURVE.log_odds(logit) == pytest.approx(expected)
    assert CURVE.probability(logit) == pytest.approx(1 / (1 + math.exp(-expected)))


def test_a_line_and_what_is_no_number() -> None:
    assert Calibration("platt", 2.0, -0.5).log_odds(3.0) == 1.0
    for calibration in (CURVE, Calibration("platt", 2.0, -0.5)):
        assert math.isnan(calibration.log_odds(math.nan))
        assert math.isnan(calibration.probability(math.nan))


RISING = st.lists(st.tuples(st.floats(0.001, 10), st.floats(0, 10)), min_size=2, max_size=20)


@given(RISING, st.lists(st.floats(-200, 200), min_size=2, max_size=20))
def test_a_curve_never_falls_and_is_what_numpy_interpolates(
    steps: list[tuple[float, float]], logits: list[float]
) -> None:
    points = tuple(zip(*np.cumsum(np.array(steps), axis=0).T.tolist(), strict=True))
    calibration = Calibration(ISOTONIC, 1.0, 0.0, points)
    found = [calibration.log_odds(value) for value in sorted(logits)]
    assert found == pytest.approx(np.interp(sorted(logits), *np.array(points).T), abs=1e-9)
    chances = [calibration.probability(value) for value in sorted(logits)]
    assert all(0 <= value <= 1 for value in chances)
    assert all(after >= before - 1e-12 for before, after in pairwise(chances))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_logit_is_too_large_for_a_probability(logit: float) -> None:
    assert 0 <= Calibration("platt", 0.5, 1.0).probability(logit) <= 1
