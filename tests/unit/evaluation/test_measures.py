"""Each number against an answer known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import classification_report, roc_auc_score

from deepscan.evaluation import measures
from deepscan.evaluation.measures import decisions, equal_error_rate, pav, ranking, recall_at
from deepscan.training.metrics import cllr

REAL_FAKE = np.array([False, False, False, True, True, True])


def test_a_system_that_says_nothing_costs_one_bit() -> None:
    fake = np.array([True] * 3 + [False] * 40)
    assert cllr(np.zeros(43), fake) == pytest.approx(1.0)
    found = ranking(np.zeros(43), fake)
    assert (found.cllr, found.cllr_min, found.auc, found.eer) == (1.0, 1.0, 0.5, 0.5)


def test_cllr_of_a_hand_computed_case() -> None:
    # Likelihood ratios 4 for the fake, 1/2 and 1 for the reals.
    expected = (math.log2(1 + 1 / 4) + (math.log2(1.5) + math.log2(2)) / 2) / 2
    assert cllr(np.log([4, 0.5, 1]), np.array([True, False, False])) == pytest.approx(expected)


def test_a_perfect_separation_costs_nothing_at_best_and_misleading_costs_more_than_silence() -> None:
    values = np.array([-3.0, -2, -1, 1, 2, 3])
    assert cllr(pav(values, REAL_FAKE), REAL_FAKE) == 0
    assert cllr(values, ~REAL_FAKE) > 1
    assert cllr(pav(values, ~REAL_FAKE), ~REAL_FAKE) == pytest.approx(1)


def test_pav_of_its_own_answer_is_that_answer() -> None:
    rng = np.random.default_rng(3)
    fake = rng.random(400) < 0.3
    first = np.clip(pav(rng.normal(fake * 1.5, 1), fake), -30, 30)  # its infinities are no scores
    assert np.allclose(np.clip(pav(first, fake), -30, 30), first)
    assert cllr(first, fake) == pytest.approx(cllr(pav(first, fake), fake))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=60))
def test_pav_is_never_worse_and_does_not_see_the_scale(rows: list[tuple[int, bool]]) -> None:
    scores, fake = np.array([float(s) for s, _ in rows]), np.array([f for _, f in rows])
    if fake.all() or not fake.any():
        return
    best = cllr(pav(scores, fake), fake)
    assert best <= min(1.0, cllr(scores, fake)) + 1e-9
    assert best == pytest.approx(cllr(pav(np.exp(scores) * 7 - 3, fake), fake))


@pytest.mark.parametrize(
    ("scores", "fake", "expected"),
    [
        ([0, 1, 2, 3], [False, False, True, True], 0.0),
        ([3, 2, 1, 0], [False, False, True, True], 1.0),
        ([0, 1, 2, 3], [False, True, False, True], 0.5),
        ([1, 1, 1, 1], [False, True, False, True], 0.5),
        ([0, 1, 2, 3, 4, 5], [False, False, True, False, True, True], 1 / 3),
    ],
)
def test_equal_error_rates(scores: list[float], fake: list[bool], expected: float) -> None:
    assert equal_error_rate(np.array(scores, float), np.array(fake)) == pytest.approx(expected)


def test_recall_at_a_rate_needs_enough_real_pictures() -> None:
    reals, fakes = np.linspace(0, 1, 100), np.array([0.5, 0.985, 0.995, 2.0])
    scores, fake = np.concatenate([reals, fakes]), np.array([False] * 100 + [True] * 4)
    # One of a hundred reals may alarm: the threshold lies above the second highest real, 0.98989...
    assert recall_at(scores, fake, 0.01) == 0.5
    assert recall_at(scores, fake, 0.001) is None
    assert recall_at(scores[1:], fake[1:], 0.01) is None


def test_calibration_error_of_known_bins() -> None:
    chances, fake = np.array([0.9, 0.9, 0.1, 0.1]), np.array([True, False, False, False])
    # Bin of 0.9: half are fake, off by 0.4; bin of 0.1: none, off by 0.1; half of the pictures each.
    assert measures.calibration_error(chances, fake, np.full(4, 0.25)) == pytest.approx(0.25)
    assert measures.calibration_error(np.array([0.0, 1.0]), np.array([False, True]), np.full(2, 0.5)) == 0


def test_decisions_are_those_of_the_familiar_report() -> None:
    rng = np.random.default_rng(0)
    fake = rng.random(300) < 0.4
    chances = np.clip(rng.normal(0.35 + fake * 0.3, 0.2), 0, 1)
    found = decisions("half", chances, fake, 0.5)
    expected = classification_report(fake, chances >= 0.5, target_names=["real", "fake"], output_dict=True)
    for line in ("real", "fake", "macro avg", "weighted avg"):
        assert found.report[line].precision == pytest.approx(expected[line]["precision"], abs=1e-4)
        assert found.report[line].f1 == pytest.approx(expected[line]["f1-score"], abs=1e-4)
        assert found.report[line].support == expected[line]["support"]
    (right, alarms), (missed, hits) = found.confusion
    assert right + alarms == (~fake).sum()
    assert missed + hits == fake.sum()
    assert found.accuracy == pytest.approx((right + hits) / 300, abs=1e-4)
    assert found.balanced_accuracy == pytest.approx((right / (right + alarms) + hits / (missed + hits)) / 2, abs=1e-4)


def test_a_score_at_the_threshold_is_called_fake() -> None:
    found = decisions("weak", np.array([0.5, 0.4999]), np.array([False, False]), 0.5)
    assert found.confusion == ((1, 1), (0, 0))
    assert (found.false_alarms, found.recall, found.balanced_accuracy) == (0.5, None, None)
    assert found.false_alarms_bound == pytest.approx(0.9747, abs=1e-3)  # Clopper-Pearson of one in two


def test_one_class_alone_has_no_ranking() -> None:
    found = ranking(np.array([1.0, 2.0]), np.array([True, True]))
    assert (found.real, found.fake) == (0, 2)
    assert {found.auc, found.eer, found.ece, found.cllr, found.average_precision} == {None}
    assert measures.curve(np.array([1.0, 2.0]), np.array([True, True])) == ()


def test_ranking_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    fake = rng.random(500) < 0.2
    values = rng.normal(fake * 1.0, 1)
    found = ranking(values, fake)
    assert found.auc == pytest.approx(roc_auc_score(fake, values), abs=1e-4)
    assert found.cllr is not None
    assert found.cllr_min is not None
    assert found.cllr_min < found.cllr


def test_reliability_and_curve_hold_all_pictures() -> None:
    rng = np.random.default_rng(1)
    fake = rng.random(5000) < 0.5
    chances = rng.random(5000)
    assert sum(count for _, _, count in measures.reliability(chances, fake)) == 5000
    points = measures.curve(chances, fake)
    assert points[0] == (0, 0)
    assert points[-1] == (1, 1)
    assert len(points) < 1000
    assert measures.probability(np.array([-1000.0, 0, 1000])) == pytest.approx([0, 0.5, 1])
