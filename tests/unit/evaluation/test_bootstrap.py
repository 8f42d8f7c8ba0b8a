"""Intervals from draws of whole groups: against the plain way of drawing, and on cases with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from deepscan.evaluation import bootstrap
from deepscan.evaluation.bootstrap import differences, intervals
from deepscan.evaluation.measures import probability
from deepscan.training.metrics import cllr


def sample(count: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    fake = rng.random(count) < 0.5
    return np.round(rng.normal(fake * 1.2, 1), 1), fake, [f"g{i // 2}" for i in range(count)]


def test_weights_give_what_repeated_pictures_give() -> None:
    scores, fake, _ = sample(60)
    weights = np.random.default_rng(1).integers(0, 4, (5, 60)).astype(float)
    found: dict[str, list[float]] = {name: [] for name in bootstrap.NAMES}
    bootstrap._numbers(scores, probability(scores), 0.6, fake, weights, found)
    for row, auc, cost, recall in zip(weights, found["auc"], found["cllr"], found["recall"], strict=True):
        again = np.repeat(np.arange(60), row.astype(int))
        assert auc == pytest.approx(roc_auc_score(fake[again], scores[again]))
        assert cost == pytest.approx(cllr(scores[again], fake[again]))
        called = probability(scores[again]) >= 0.6
        assert recall == pytest.approx(called[fake[again]].mean())


def test_groups_are_drawn_whole() -> None:
    """One picture a hundred times over is one witness: the interval must not shrink with its copies."""
    scores, fake, groups = sample(40)
    many = [np.repeat(a, 100) for a in (scores, fake)]
    settings = {"draws": 400, "seed": 3}
    once = intervals(scores, probability(scores), fake, groups, 0.5, **settings)
    copied = intervals(many[0], probability(many[0]), many[1], list(np.repeat(groups, 100)), 0.5, **settings)
    assert once == copied
    singly = intervals(many[0], probability(many[0]), many[1], [str(i) for i in range(4000)], 0.5, **settings)
    assert once.auc is not None
    assert singly.auc is not None
    assert singly.auc[1] - singly.auc[0] < (once.auc[1] - once.auc[0]) / 3


def test_an_interval_holds_its_number_and_the_seed_decides() -> None:
    scores, fake, groups = sample()
    first = intervals(scores, probability(scores), fake, groups, 0.5, draws=300, seed=0)
    assert first == intervals(scores, probability(scores), fake, groups, 0.5, draws=300, seed=0)
    assert first != intervals(scores, probability(scores), fake, groups, 0.5, draws=300, seed=1)
    assert first.auc is not None
    assert first.auc[0] < roc_auc_score(fake, scores) < first.auc[1]


def test_what_cannot_have_an_interval_has_none() -> None:
    scores, fake, groups = sample(20)
    nothing = (None,) * 5
    for found in (
        intervals(scores, probability(scores), fake, ["one"] * 20, 0.5, draws=50, seed=0),
        intervals(scores, probability(scores), fake, groups, 0.5, draws=0, seed=0),
        intervals(scores[:0], scores[:0], fake[:0], [], 0.5, draws=50, seed=0),
    ):
        assert tuple(getattr(found, name) for name in bootstrap.NAMES) == nothing
    only_real = intervals(
        scores[~fake], probability(scores[~fake]), fake[~fake], [str(i) for i in range(int((~fake).sum()))], 0.5,
        draws=50, seed=0,
    )  # fmt: skip
    assert only_real.auc is None
    assert only_real.recall is None
    assert only_real.false_alarms is not None


def test_a_pack_is_no_better_than_itself_and_better_than_chance() -> None:
    scores, fake, groups = sample()
    chances = probability(scores)
    same = differences((scores, chances, 0.5), (scores, chances, 0.5), fake, groups, draws=200, seed=0)
    assert {d.name for d in same} == set(bootstrap.NAMES)
    assert all((d.difference, d.interval, d.sides_with_first) == (0, (0, 0), 0.5) for d in same)
    noise = np.random.default_rng(5).normal(0, 1, len(fake))
    found = {
        d.name: d
        for d in differences((scores, chances, 0.5), (noise, probability(noise), 0.5), fake, groups, draws=200, seed=0)
    }
    assert found["auc"].interval[0] > 0
    assert found["auc"].sides_with_first == 1
    assert found["cllr"].interval[1] < 0
