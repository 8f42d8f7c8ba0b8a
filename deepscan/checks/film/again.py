"""Where to look next in a film once its frames are scored: at those that did not fit, or between those that stand out.

Looking closer where scores are high, uncertain or changing tells a single bad frame from a stretch, and places the
boundary of a stretch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from deepscan.checks.film.result import Bars, Facts
from deepscan.media.film.pooling import log_odds
from deepscan.media.limits import STREAM_SECONDS

MOST = 24
"""Frames that are looked at again, at most, within the film's budget."""

NEAR, CHANGE = 0.7, 1.0
"""Log-odds below the lowest threshold from which a score is uncertain, and difference between two neighbours that is a
change."""

CLOSEST = 0.3
"""Seconds between frames in which nothing more is looked at."""


def following(facts: Facts, seconds: float) -> tuple[float, ...]:
    """The moments of the frames that are looked at next of those that were asked for and did not fit at once.

    ``seconds`` have been spent on the film so far: none are left once they pass STREAM_SECONDS.
    """
    return facts.left[: facts.at_a_time] if seconds < STREAM_SECONDS else ()


def moments(facts: Facts, scores: Sequence[tuple[float, float]], bars: Bars) -> tuple[float, ...]:
    """Times in seconds at which more of the film should be looked at, rising.

    Args:
        facts: The film, with the frames that were looked at and the budget.
        scores: (seconds, probability) of what was scored, in any order; the highest of a frame counts.
        bars: The model's thresholds; without any nothing is high.
    """
    room = min(MOST, facts.budget - len(facts.looked_at))
    if room <= 0 or not bars:
        return ()
    bar = log_odds(min(probability for probability, _ in bars))
    highest: dict[float, float] = {}
    for seconds, probability in scores:
        highest[seconds] = max(log_odds(probability), highest.get(seconds, -99.0))
    wanted: list[tuple[float, float]] = []
    for (one, before), (other, after) in pairwise(sorted(highest.items())):
        reasons = (max(before, after) >= bar - NEAR) + (abs(before - after) >= CHANGE)
        if reasons and other - one > CLOSEST and facts.shot(one) == facts.shot(other):
            wanted.append((-reasons * (other - one), (one + other) / 2))
    return tuple(sorted(moment for _, moment in sorted(wanted)[:room]))
