"""From logits to probabilities, which way to fit them, and thresholds that were measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepscan.models.calibration import ISOTONIC, MAX_POINTS, out_of_range
from deepscan.training import calibrate
from deepscan.training.metrics import Labels, Scores, auc, cllr
from deepscan.types import Level


def drawn(count: int, seed: int = 0) -> tuple[Scores, Labels]:
    """Logits whose true log-odds are themselves: two normal distributions, two standard deviations apart."""
    rng = np.random.default_rng(seed)
    fake = rng.random(count) < 0.5
    return rng.normal(np.where(fake, 2.0, -2.0), 2.0), fake


def bent(log_odds: Scores) -> Scores:
    """A network that is sure of what it calls fake and says nearly nothing of what it calls real."""
    return np.where(log_odds > 0, log_odds**3, log_odds / 20)


def own(count: int) -> list[str]:
    return [str(i) for i in range(count)]


def test_an_isotonic_curve_undoes_what_a_line_cannot() -> None:
    (truth, fake), (other_truth, other) = drawn(3000), drawn(3000, seed=1)
    fitted = {name: calibrate.fit(bent(truth), fake, name) for name in calibrate.FITTED}
    costs = {name: cllr(calibrate.log_odds(bent(other_truth), c), other) for name, c in fitted.items()}
    best = cllr(other_truth, other)
    assert costs[ISOTONIC] < best + 0.03
    assert costs["platt"] > best + 0.05
    curve = fitted[ISOTONIC]
    assert 2 <= len(curve.points) <= calibrate.CURVE_POINTS
    chances = calibrate.apply(bent(other_truth), curve)
    for low in (0.1, 0.3, 0.5, 0.7):
        inside = (chances >= low) & (chances < low + 0.2)
        assert other[inside].mean() == pytest.approx(chances[inside].mean(), abs=0.08)
    assert auc(chances, other) == pytest.approx(auc(other_truth, other), abs=0.003), "it ranks as the network does"


def test_the_way_with_the_least_cllr_on_unseen_groups_is_chosen() -> None:
    truth, fake = drawn(1500)
    calibration, costs = calibrate.choose(bent(truth), fake, own(1500))
    assert calibration.method == ISOTONIC == min(costs, key=lambda name: costs[name])
    assert set(costs) == set(calibrate.FITTED)
    straight, costs = calibrate.choose(truth / 3 - 1, fake, own(1500))
    assert straight.method == "platt"
    assert costs["temperature"] > costs["platt"]
    assert straight.log_odds(-1.0) == pytest.approx(0, abs=0.2)
    assert calibrate.choose(bent(truth), fake, own(1500))[0] == calibration, "the seed decides"


def test_what_was_asked_for_is_taken_and_few_pictures_or_groups_choose_nothing() -> None:
    truth, fake = drawn(1500)
    assert calibrate.choose(truth, fake, own(1500), ISOTONIC)[0].method == ISOTONIC
    temperature, costs = calibrate.choose(truth + 3, fake, own(1500), "temperature")
    assert (temperature.method, temperature.bias, costs) == ("temperature", 0.0, {})
    assert calibrate.choose(bent(truth[:90]), fake[:90], own(90)) == (calibrate.fit(bent(truth[:90]), fake[:90]), {})
    one = ["one"] * 1400 + own(100)
    assert calibrate.choose(bent(truth), fake, ["one"] * 1500)[1] == {}
    assert calibrate.choose(bent(truth), fake, one)[1], "a large group is one of many"


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(-50, 50), st.booleans()), min_size=2, max_size=120))
def test_a_curve_rises_is_short_and_never_certain(rows: list[tuple[float, bool]]) -> None:
    logits, fake = np.array([x for x, _ in rows]), np.array([y for _, y in rows])
    fake[:2] = [True, False]
    curve = calibrate.fit(logits, fake, ISOTONIC)
    assert list(out_of_range(curve)) == []
    assert len(curve.points) <= MAX_POINTS
    if curve.points:
        odds = [value for _, value in curve.points]
        assert np.isfinite(odds).all()
        assert max(map(abs, odds)) <= np.log(len(rows) + 1) + 1e-3, "no more than so many pictures can show"


def test_calibration_brings_probabilities_near_the_truth() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(4000) < 0.5
    logits = np.where(truth, 1.0, -1.0) * 3 + rng.standard_normal(4000) * 6
    fitted = calibrate.fit(logits, truth)
    scores = calibrate.apply(logits, fitted)
    for low in (0.2, 0.4, 0.6):
        inside = (scores >= low) & (scores < low + 0.2)
        assert truth[inside].mean() == pytest.approx(scores[inside].mean(), abs=0.06)


def test_a_network_that_learnt_nothing_is_not_turned_around() -> None:
    logits = np.array([3.0, 2.0, -2.0, -3.0] * 50)
    fake = np.array([False, False, True, True] * 50)
    scores = calibrate.apply(logits, calibrate.fit(logits, fake))
    assert scores[0] >= scores[-1]
    assert abs(scores[0] - 0.5) < 0.05


def test_thresholds_say_what_was_measured_and_drop_what_does_not_hold() -> None:
    rng = np.random.default_rng(1)
    easy = {"a": rng.random(2000) * 0.7}
    found = calibrate.thresholds(easy, [rng.random(2000) * 0.7], "test")
    assert [t.level for t in found] == [Level.WEAK, Level.MODERATE]
    assert found[0].probability < found[1].probability
    assert all(t.false_alarms is not None and t.false_alarms < 0.06 for t in found)
    shifted = calibrate.thresholds(easy, [rng.random(2000) * 0.3 + 0.7], "test")
    assert shifted == ()
