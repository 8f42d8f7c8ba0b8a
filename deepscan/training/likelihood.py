"""Likelihood ratios by quality, with the bounds that the pictures support, and the quality that was measured at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from deepscan.media.quality import Quality
from deepscan.models.calibration import Calibration
from deepscan.models.coverage import MAX_LOG_ODDS, NO_LIMITS, Limits, Stratum
from deepscan.training import calibrate
from deepscan.training.metrics import Labels, Scores

STEP = 0.01
"""Accuracy of a bound, in powers of ten."""

LEAST = 60
"""Pictures of each class, in each half, below which a stratum has no ratio."""

SIDES: tuple[tuple[int, int | None], ...] = ((0, 100), (100, 200), (200, None))
"""Shorter sides in pixels of the strata."""

BLOCKS: tuple[tuple[str, float, float | None], ...] = (
    ("hardly compressed", 0.0, 1.3),
    ("compressed", 1.3, 1.7),
    ("strongly compressed", 1.7, None),
)
"""Blockiness of the strata: JPEG of quality 70 and more lies below 1.3 as a rule, 50 around 1.5, 30 above 1.7."""

OUTSIDE = 0.005
"""Part of the measured crops, at each end, that is not counted as covered."""


LEAST_COVERED = 200
"""Crops below which that part is not one crop, and no limits are set."""


class Answered(Protocol):
    """What a network said of n crops under one form: logits of shape (n,), NaN where there is none, and qualities."""

    @property
    def logits(self) -> Scores:
        """Before calibration."""

    @property
    def qualities(self) -> Sequence[Quality | None]:
        """None where nothing was scored."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Crops with known answers: log-odds (calibrated), labels, qualities, and which picture each is a form of."""

    log_odds: Scores
    fake: Labels
    qualities: Sequence[Quality]
    pictures: Sequence[int]


def elub(log_ratios: Scores, fake: Labels) -> tuple[float, float]:
    """The empirical lower and upper bound of a set of log likelihood ratios (natural logarithm), as ratios.

    For every prior odds, the errors that decisions on these ratios would cost, with one misleading ratio added, are
    compared to the cost of a system that always says 1. The bounds are where the ratios stop being better.

    Source: P. Vergeer, A. van Es, A. de Jongh, I. Alberink, R. Stoel, "Numerical likelihood ratios outputted by LR
    systems are often based on extrapolation: When to stop extrapolating?", Science & Justice 56 (2016) 482-491.
    """
    fakes, reals = (np.sort(log_ratios[side]) / np.log(10) for side in (fake, ~fake))
    count = int(np.ceil(np.log10(len(log_ratios) + 1) / STEP)) + 1
    steps: Scores = np.linspace(STEP, count * STEP, count)
    # Above 1, a false alarm costs the odds and a miss 1; the added real picture alarms at every one of them.
    alarms = (len(reals) - np.searchsorted(reals, steps, "left") + 1) / (len(reals) + 1)
    misses = np.searchsorted(fakes, steps, "left") / len(fakes)
    upper = _reach(steps, np.power(10.0, steps) * alarms + misses)
    # Below 1, the other way round.
    misses = (np.searchsorted(fakes, -steps, "right") + 1) / (len(fakes) + 1)
    alarms = (len(reals) - np.searchsorted(reals, -steps, "right")) / len(reals)
    lower = _reach(steps, np.power(10.0, steps) * misses + alarms)
    return float(10**-lower), float(10**upper)


def _reach(steps: Scores, cost: Scores) -> float:
    """How far, in powers of ten, the cost stays below that of saying nothing without a gap; 0 where it never is."""
    worse = np.flatnonzero(cost >= 1)
    last = int(worse[0]) if len(worse) else len(steps)
    return float(steps[last - 1]) if last else 0.0


def limits(answers: Mapping[str, Answered]) -> Limits:
    """The quality that was measured: all but the outermost :data:`OUTSIDE` of the crops in all forms; no limits where
    there are fewer than :data:`LEAST_COVERED`.
    """
    qualities = [q for a in answers.values() for q in a.qualities if q is not None]
    if len(qualities) < LEAST_COVERED:
        return NO_LIMITS
    return Limits(
        min_brightness=round(float(np.quantile([q.brightness for q in qualities], OUTSIDE)), 1),
        min_sharpness=round(float(np.quantile([q.sharpness for q in qualities], OUTSIDE)), 2),
        max_blockiness=round(float(np.quantile([q.blockiness for q in qualities], 1 - OUTSIDE)), 2),
    )


def covered(answers: Answered, inside: Limits) -> Labels:
    """Which crops have a score and lie inside the limits: shape (n,)."""
    kept = np.array([q is not None and inside.refusal(q) is None for q in answers.qualities], bool)
    return kept & ~np.isnan(answers.logits)


def gather(
    answers: Mapping[str, Answered], calibration: Calibration, inside: Limits, fake: Labels, part: Labels
) -> Scored:
    """The crops of one part of the pictures, in every form, that lie inside the limits; the masks have shape (n,)."""
    odds: list[Scores] = []
    places: list[int] = []
    qualities: list[Quality] = []
    for form in answers.values():
        chosen = np.flatnonzero(covered(form, inside) & part).tolist()
        odds.append(calibrate.log_odds(form.logits[chosen], calibration))
        places += chosen
        qualities += [q for i in chosen if (q := form.qualities[i]) is not None]
    return Scored(np.concatenate(odds), fake[places], qualities, places)


def strata(fitted_on: Scored, bounded_on: Scored, measured_on: str) -> tuple[Stratum, ...]:
    """Likelihood ratios for every kind of picture that both halves hold enough of.

    The line from log-odds to log-ratio is fitted on one half, and its bounds are those of the other.
    """
    found = []
    for least, most in SIDES:
        for words, low, high in BLOCKS:
            name = f"{_pixels(least, most)}, {words}"
            empty = Stratum(name, least, most, low, high, 1.0, 0.0, 1.0, 1.0, 1, 1, measured_on)
            parts = [_inside(half, empty) for half in (fitted_on, bounded_on)]
            if all(min(int(fake.sum()), int((~fake).sum())) >= LEAST for _, fake in parts):
                found.append(_fitted(empty, *parts))
    return tuple(found)


def _fitted(empty: Stratum, fitted_on: tuple[Scores, Labels], bounded_on: tuple[Scores, Labels]) -> Stratum:
    line = calibrate.fit(*fitted_on)
    odds, fake = bounded_on
    ratios = np.clip(odds / line.temperature + line.bias, -MAX_LOG_ODDS, MAX_LOG_ODDS)
    lower, upper = elub(ratios, fake)
    return Stratum(
        name=empty.name,
        min_side=empty.min_side,
        max_side=empty.max_side,
        min_blockiness=empty.min_blockiness,
        max_blockiness=empty.max_blockiness,
        slope=round(1 / line.temperature, 4),
        offset=line.bias,
        lower=float(f"{lower:.3g}"),
        upper=float(f"{upper:.3g}"),
        real=int((~fake).sum()),
        fake=int(fake.sum()),
        measured_on=empty.measured_on,
    )


def _inside(half: Scored, stratum: Stratum) -> tuple[Scores, Labels]:
    """The crops of a half that belong to a stratum, each picture once however many of its forms do."""
    chosen: dict[int, int] = {}
    for index, (quality, picture) in enumerate(zip(half.qualities, half.pictures, strict=True)):
        if stratum.holds(quality):
            chosen.setdefault(picture, index)
    places = np.array(sorted(chosen.values()), dtype=int)
    return half.log_odds[places], half.fake[places]


def _pixels(least: int, most: int | None) -> str:
    if most is None:
        return f"{least} pixels and more"
    return f"below {most} pixels" if not least else f"{least} to {most - 1} pixels"
