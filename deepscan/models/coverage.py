"""Where a model's error rates hold, and what a score is worth there: limits of quality, and likelihood ratios.

Both are data of the card. A crop outside the limits is not scored, and says why; a likelihood ratio never leaves the
bounds that the pictures it was measured on support.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepscan.media.quality import Quality

MAX_LOG_ODDS = 700.0
"""Beyond this an exponential is no number."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The quality (:mod:`deepscan.media.quality`) that a crop must have to be scored; None for no limit.

    ``min_brightness`` is a mean luma of 0 to 255; the others are as in :class:`deepscan.media.quality.Quality`.
    """

    min_brightness: float | None = None
    min_sharpness: float | None = None
    max_blockiness: float | None = None

    def refusal(self, quality: Quality) -> str | None:
        """Why a crop of this quality is not scored, as a sentence; None when it is."""
        if self.min_brightness is not None and quality.brightness < self.min_brightness:
            return (
                f"It is too dark: its mean brightness is {quality.brightness:.0f} of 255, and the model was measured "
                f"from {self.min_brightness:.0f} on."
            )
        if self.max_blockiness is not None and quality.blockiness > self.max_blockiness:
            return (
                f"It is too strongly compressed: blocks of 8 pixels stand out by {quality.blockiness:.2f}, and the "
                f"model was measured up to {self.max_blockiness:.2f}."
            )
        if self.min_sharpness is not None and quality.sharpness < self.min_sharpness:
            return (
                f"It is too blurred: its sharpness is {quality.sharpness:.1f}, and the model was measured from "
                f"{self.min_sharpness:.1f} on."
            )
        return None


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Stratum:
    """What a score is worth in pictures of one quality.

    It holds for crops whose shorter side is at least ``min_side`` and less than ``max_side`` pixels, and whose
    blockiness is at least ``min_blockiness`` and less than ``max_blockiness`` (None: no end). There the natural
    logarithm of the likelihood ratio is ``slope * x + offset``, x being the calibrated log-odds, and the ratio is cut
    to ``lower`` and ``upper``: empirical lower and upper bounds (ELUB; Vergeer et al., "Numerical likelihood ratios
    outputted by LR systems are often based on extrapolation: When to stop extrapolating?", Science & Justice 56, 2016)
    from ``real`` and ``fake`` pictures.
    """

    name: str
    min_side: int
    max_side: int | None
    min_blockiness: float
    max_blockiness: float | None
    slope: float
    offset: float
    lower: float
    upper: float
    real: int
    fake: int
    measured_on: str

    def holds(self, quality: Quality) -> bool:
        """Whether a crop of this quality belongs here."""
        return self.min_side <= quality.side < (
            math.inf if self.max_side is None else self.max_side
        ) and self.min_blockiness <= quality.blockiness < (
            math.inf if self.max_blockiness is None else self.max_blockiness
        )

    def ratio(self, log_odds: float) -> float:
        """How many times as probable a score is from a fake as from a real picture, within the bounds."""
        exponent = min(MAX_LOG_ODDS, max(-MAX_LOG_ODDS, self.slope * log_odds + self.offset))
        return min(self.upper, max(self.lower, math.exp(exponent)))


def log_odds(probability: float) -> float:
    """The natural logarithm of the odds of a probability; of 0 and 1 the largest there is."""
    if probability <= 0 or probability >= 1:
        return math.copysign(MAX_LOG_ODDS, probability - 0.5)
    return math.log(probability) - math.log1p(-probability)


def stratum_of(strata: Sequence[Stratum], quality: Quality | None) -> Stratum | None:
    """The first stratum that a crop of this quality belongs to."""
    return None if quality is None else next((s for s in strata if s.holds(quality)), None)


def out_of_range(limits: Limits, strata: Sequence[Stratum]) -> Iterator[str]:
    """What in them cannot be right, as ends of a sentence: a card is a stranger's file."""
    for value in (limits.min_brightness, limits.min_sharpness, limits.max_blockiness):
        if value is not None and not (math.isfinite(value) and value >= 0):
            yield "a limit of quality is negative or not a number"
    for s in strata:
        numbers = (s.min_blockiness, s.slope, s.offset, s.lower, s.upper)
        ends = [value for value in (s.max_side, s.max_blockiness) if value is not None]
        if not all(map(math.isfinite, (*numbers, *ends))):
            yield "a stratum holds what is not a number"
        elif not (0 < s.lower <= 1 <= s.upper):
            yield "a stratum's bounds of the likelihood ratio do not enclose 1"
        elif s.slope < 0:
            yield "a stratum turns the scores around"
        elif s.real < 1 or s.fake < 1:
            yield "a stratum was measured on no pictures of one class"
