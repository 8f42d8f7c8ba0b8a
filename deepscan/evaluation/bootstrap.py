"""How far numbers would move with other pictures of the same kind: whole groups are drawn again, with replacement.

Pictures of one group (an original and its fakes, frames of one film) are no independent witnesses, so groups are what
is drawn. All numbers of one draw come from weights, how often each picture was drawn, so that thousands of draws of
thousands of pictures take seconds. The same seed gives the same draws, which pairs the packs of a comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.evaluation.measures import summary_of
from deepscan.training.metrics import Labels, Scores

BLOCK = 2_000_000
"""Weights held at a time."""

Interval = tuple[float, float]
Weights = NDArray[np.float64]
_Drawn = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Intervals:
    """Middle 95 % of the bootstrapped numbers; None where a class is missing or there are fewer than two groups."""

    auc: Interval | None
    cllr: Interval | None
    false_alarms: Interval | None
    recall: Interval | None
    balanced_accuracy: Interval | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One number of the first pack minus that of the second, over the same draws.

    ``sides_with_first`` is the share of draws in which the first pack's number is the larger one (ties count half).
    """

    name: str
    difference: float
    interval: Interval
    sides_with_first: float


NAMES = ("auc", "cllr", "false_alarms", "recall", "balanced_accuracy")


def intervals(
    log_odds: Scores, chances: Scores, fake: Labels, groups: Sequence[str], threshold: float, *, draws: int, seed: int
) -> Intervals:
    """Intervals of the numbers of one pack on one set; arguments of shape (n,), ``threshold`` a probability."""
    if draws < 1 or len(set(groups)) < 2:
        return Intervals(*(None for _ in NAMES))
    drawn: _Drawn = {name: [] for name in NAMES}
    _draw([(log_odds, chances, threshold)], fake, groups, draws, seed, [drawn])
    return Intervals(*(summary_of(drawn[name]) if drawn[name] else None for name in NAMES))


def differences(
    first: tuple[Scores, Scores, float],
    second: tuple[Scores, Scores, float],
    fake: Labels,
    groups: Sequence[str],
    *,
    draws: int,
    seed: int,
) -> tuple[Difference, ...]:
    """Compare two packs, each given as (log-odds, probabilities, threshold), on the same pictures."""
    if draws < 1 or len(set(groups)) < 2:
        return ()
    both: list[_Drawn] = [{name: [] for name in NAMES} for _ in range(2)]
    _draw([first, second], fake, groups, draws, seed, both)
    once: list[_Drawn] = [{name: [] for name in NAMES} for _ in range(2)]
    for pack, into in zip((first, second), once, strict=True):
        _numbers(*pack, fake, np.ones((1, len(fake))), into)
    found = []
    for name in NAMES:
        if not both[0][name]:
            continue
        gap = np.asarray(both[0][name]) - np.asarray(both[1][name])
        sides = float((gap > 0).mean() + (gap == 0).mean() / 2)
        total = round(once[0][name][0] - once[1][name][0], 4)
        found.append(Difference(name, total, summary_of(list(gap)), round(sides, 4)))
    return tuple(found)


def _draw(
    packs: Sequence[tuple[Scores, Scores, float]],
    fake: Labels,
    groups: Sequence[str],
    draws: int,
    seed: int,
    into: Sequence[_Drawn],
) -> None:
    """Numbers of ``draws`` draws of groups for every pack; draws that lack a class the set has are drawn again."""
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    rng = np.random.default_rng(seed)
    block = max(1, BLOCK // len(fake))
    left, tries = draws, 20 * draws
    while left > 0 and tries > 0:
        count = min(block, left)
        weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=count)[:, member].astype(float)
        for side in (fake, ~fake):
            if side.any():
                weights = weights[weights[:, side].sum(axis=1) > 0]
        tries -= count
        left -= len(weights)
        if len(weights):
            for pack, drawn in zip(packs, into, strict=True):
                _numbers(*pack, fake, weights, drawn)


def _numbers(log_odds: Scores, chances: Scores, threshold: float, fake: Labels, weights: Weights, into: _Drawn) -> None:
    """The numbers of every row of ``weights``, shape (draws, n), appended to ``into``."""
    real_weight, fake_weight = weights * ~fake, weights * fake
    reals, fakes = real_weight.sum(axis=1), fake_weight.sum(axis=1)
    called = chances >= threshold
    false_alarms = (real_weight @ called) / reals if (~fake).any() else None
    recall = (fake_weight @ called) / fakes if fake.any() else None
    if false_alarms is not None:
        into["false_alarms"] += false_alarms.tolist()
    if recall is not None:
        into["recall"] += recall.tolist()
    if false_alarms is None or recall is None:
        return
    into["balanced_accuracy"] += ((1 - false_alarms + recall) / 2).tolist()
    lost = np.logaddexp(0, np.where(fake, -log_odds, log_odds)) / np.log(2)
    into["cllr"] += ((fake_weight @ lost / fakes + real_weight @ lost / reals) / 2).tolist()
    into["auc"] += _weighted_auc(log_odds, real_weight, fake_weight).tolist()


def _weighted_auc(scores: Scores, real_weight: Weights, fake_weight: Weights) -> Scores:
    """The area under the ROC curve for each row of weights; equal scores count half."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    reals = np.add.reduceat(real_weight[:, order], starts, axis=1)
    fakes = np.add.reduceat(fake_weight[:, order], starts, axis=1)
    below = np.cumsum(reals, axis=1) - reals
    wins = (fakes * (below + reals / 2)).sum(axis=1)
    return np.asarray(wins / (reals.sum(axis=1) * fakes.sum(axis=1)))
