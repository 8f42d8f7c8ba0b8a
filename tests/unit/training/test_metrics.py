from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepscan.training.metrics import auc, equal_error_rate, rates, threshold_at, upper_bound


def test_known_answers() -> None:
    scores = np.array([0.1, 0.4, 0.35, 0.8])
    fake = np.array([False, False, True, True])
    assert auc(scores, fake) == 0.75  # scikit-learn's own documented example
    measured = rates(scores, fake, 0.4)
    assert (measured.real, measured.fake) == (2, 2)
    assert (measured.false_alarms, measured.recall) == (0.5, 0.5)
    assert equal_error_rate(np.array([0.0, 0.1, 0.9, 1.0]), np.array([False, False, True, True])) == 0.0


def test_one_class_alone_has_no_curve() -> None:
    measured = rates(np.array([0.2, 0.7]), np.array([False, False]), 0.5)
    assert measured.auc is None
    assert measured.recall is None
    assert measured.false_alarms == 0.5


@given(
    st.lists(st.lists(st.integers(0, 9999), min_size=1, max_size=200), min_size=1, max_size=4),
    st.sampled_from([0.01, 0.05, 0.2]),
)
def test_a_threshold_keeps_every_large_set_below_the_rate(sets: list[list[int]], rate: float) -> None:
    arrays = [np.array(s) / 10_000 for s in sets]
    threshold = threshold_at(arrays, rate)
    assert threshold is not None
    large = [a for a in arrays if len(a) * rate >= 1] or arrays
    for scores in large:
        assert (scores >= threshold).mean() <= rate


def test_no_real_pictures_no_threshold() -> None:
    assert threshold_at([], 0.01) is None
    assert threshold_at([np.array([])], 0.01) is None


def test_the_upper_bound_is_clopper_and_pearsons() -> None:
    assert upper_bound(0, 300) == pytest.approx(0.0099, abs=1e-4)  # the rule of three
    assert upper_bound(5, 5) == 1.0
    assert upper_bound(3, 100) > 0.03
