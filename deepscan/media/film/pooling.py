"""One score of many frames: how a face's scores over time become the score of its track, and tracks that of a film.

A single bad frame (motion blur, a cut, a box on a curtain) must not carry a track, as the maximum would let it; a
forgery in one part of a track must not be averaged away, as the mean does. So:

1. Scores are taken as log-odds, in which the calibrated model's evidence adds up, and held within +-:data:`MOST`.
2. The median of each :data:`WINDOW` neighbouring sightings replaces them: one outlier in a row of three vanishes.
3. A track scores the mean of the highest :data:`SHARE` of these medians (at least :data:`LEAST` of them), by the time
   that each stands for.

A film scores what its highest track scores. A track with fewer than :data:`WINDOW` sightings, of which no outlier can
vanish, is left out of that when another has enough.

``tests/benchmarks/video.py`` measures this against the mean, the maximum and the mean of the higher half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

WINDOW = 3
"""Neighbouring sightings whose median counts."""

SHARE, LEAST = 0.5, 2
"""Part, and least number, of the medians that a track's score is the mean of."""

MOST = 6.0
"""Log-odds beyond which a score says no more (a probability of 0.9975)."""


def log_odds(probability: float) -> float:
    """The natural logarithm of the odds, held within +-MOST."""
    kept = min(max(probability, 1e-9), 1 - 1e-9)
    return min(MOST, max(-MOST, math.log(kept / (1 - kept))))


def probability(odds: float) -> float:
    """The inverse of :func:`log_odds`."""
    return 1 / (1 + math.exp(-odds))


def smoothed(probabilities: Sequence[float]) -> list[float]:
    """The log-odds of scores in order of time, each the median of itself and its neighbours.

    At the ends the neighbours are the next two on the inside; fewer than three scores stay as they are.
    """
    odds = [log_odds(p) for p in probabilities]
    if len(odds) < WINDOW:
        return odds
    last = len(odds) - WINDOW
    return [median(odds[(start := min(max(0, i - 1), last)) : start + WINDOW]) for i in range(len(odds))]


def of_track(probabilities: Sequence[float], seconds: Sequence[float] | None = None) -> float:
    """The score of a track, a probability, from those of its sightings in order of time (at least one).

    With ``seconds``, their times, each counts with the time it stands for, so that a stretch that was looked at more
    closely does not count more.
    """
    weights = [1.0] * len(probabilities) if seconds is None else _stood_for(seconds)
    ranked = sorted(zip(smoothed(probabilities), weights, strict=True), reverse=True)
    wanted, counted, total = SHARE * math.fsum(weights), 0.0, 0.0
    for number, (odds, weight) in enumerate(ranked):
        if number >= LEAST and counted >= wanted - 1e-9:
            break
        counted, total = counted + weight, total + weight * odds
    return probability(total / counted)


def _stood_for(seconds: Sequence[float]) -> list[float]:
    """How long each sighting stands for: half-way to its neighbours, at most twice what is usual."""
    if len(seconds) < WINDOW:
        return [1.0] * len(seconds)
    gaps = [max(1e-3, b - a) for a, b in pairwise(seconds)]
    spans = [gaps[0], *((a + b) / 2 for a, b in pairwise(gaps)), gaps[-1]]
    most = 2 * median(spans)
    return [min(span, most) for span in spans]


def of_film(tracks: Sequence[tuple[float, int]]) -> float:
    """The score of a film from (score, sightings) of its tracks (at least one)."""
    solid = [score for score, sightings in tracks if sightings >= WINDOW]
    return max(solid or [score for score, _ in tracks])
