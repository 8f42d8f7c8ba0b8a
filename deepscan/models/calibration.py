"""From a model's raw answer to a probability: by a line, or by a rising curve of a few points. Part of the card."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

METHODS = ("platt", "temperature", "isotonic", "none")
"""What :attr:`Calibration.method` may be when deepscan writes it; a stranger's card may name another line."""

ISOTONIC = "isotonic"

MAX_POINTS = 64
"""Points of a curve that a card may have."""

_LARGEST_EXPONENT = 700.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """The log-odds of fake (natural logarithm, at even prior odds) from a logit difference, fitted on held-out data.

    Without ``points`` they are ``logit / temperature + bias``: ``temperature`` of Guo et al., "On Calibration of Modern
    Neural Networks" (2017), with a ``bias`` as well ``platt`` (Platt 1999). With ``points``, pairs of a logit and its
    log-odds that rise, they lie on the straight lines between these, and beyond the ends they stay at them
    (``isotonic``; Zadrozny and Elkan, "Transforming Classifier Scores into Accurate Multiclass Probability Estimates",
    2002); ``temperature`` is then 1 and ``bias`` 0.
    """

    method: str
    temperature: float
    bias: float
    points: tuple[tuple[float, float], ...] = ()

    def log_odds(self, logit: float) -> float:
        """Calibrated log-odds; NaN of NaN."""
        if not self.points or math.isnan(logit):
            return logit / self.temperature + self.bias
        after = bisect_right(self.points, logit, key=lambda point: point[0])
        if after in (0, len(self.points)):
            return self.points[min(after, len(self.points) - 1)][1]
        (x0, y0), (x1, y1) = self.points[after - 1 : after + 1]
        return y0 + (y1 - y0) * ((logit - x0) / (x1 - x0))

    def probability(self, logit: float) -> float:
        """The probability of fake, in [0, 1]; NaN of NaN.

        One number at a time, in double precision: vectorised exponentials treat the tail of an array otherwise than
        its body on some machines, and a score must not depend on its place in the batch.
        """
        value = self.log_odds(logit)
        if math.isnan(value):
            return math.nan
        if value >= 0:
            return 1 / (1 + math.exp(-value))
        small = math.exp(max(value, -_LARGEST_EXPONENT))
        return small / (1 + small)


def out_of_range(calibration: Calibration) -> Iterator[str]:
    """What in it cannot be right, as ends of a sentence: a card is a stranger's file."""
    temperature, bias, points = calibration.temperature, calibration.bias, calibration.points
    if not (math.isfinite(temperature) and temperature > 0 and math.isfinite(bias)):
        yield "the calibration's temperature is not above 0, or its bias is not a number"
    if (calibration.method == ISOTONIC) != bool(points):
        yield "the calibration has points and is not isotonic, or is isotonic and has none"
    elif points and (temperature, bias) != (1.0, 0.0):
        yield "the calibration has points and a line besides"
    if len(points) == 1 or len(points) > MAX_POINTS:
        yield f"the calibration has {len(points)} points, and 2 to {MAX_POINTS} make a curve"
    elif not all(math.isfinite(value) for point in points for value in point):
        yield "a point of the calibration is not a number"
    elif any(x0 >= x1 or y0 > y1 for (x0, y0), (x1, y1) in pairwise(points)):
        yield "the points of the calibration do not rise"
