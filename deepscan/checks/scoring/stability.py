"""Whether an answer survives what changes no picture to the eye: gentle re-encodings, all scored beside the picture.

The changes are made to what the model is shown of the file, the face with its margin or the whole frame, before it is
brought to the model's size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepscan.checks.base import Sample
from deepscan.media.frames import Pixels
from deepscan.media.resaving import GENTLE
from deepscan.models.card import ModelCard, Preprocessing, Threshold
from deepscan.models.preprocess import fit
from deepscan.types import Evidence, Finding, Level, PointsTo

VARIANTS = tuple(form.name for form in GENTLE)


@dataclass(frozen=True, slots=True)
class Stability:
    """The file's score as it is, and under each gentle change."""

    total: float
    changed: Mapping[str, float]

    @property
    def interval(self) -> tuple[float, float]:
        """The lowest and the highest of all of them."""
        values = (self.total, *self.changed.values())
        return min(values), max(values)

    def reached(self, thresholds: Sequence[Threshold]) -> tuple[Threshold, ...]:
        """The thresholds that the lowest of the scores reaches: what the answer may rest on."""
        return tuple(t for t in thresholds if self.interval[0] >= t.probability)

    def flips(self, thresholds: Sequence[Threshold]) -> bool:
        """Whether it is a question of a gentle change if anything is said at all."""
        return not self.reached(thresholds) and any(self.interval[1] >= t.probability for t in thresholds)

    def sentence(self) -> str:
        """What was tried, and what came of it."""
        low, high = self.interval
        return f"Under gentle changes ({', '.join(self.changed)}) the file's score lies between {low:g} and {high:g}."

    def evidence(self) -> Evidence:
        """All the scores."""
        return Evidence("stability", {"as it is": self.total, **self.changed})


def variants(crop: Pixels, rule: Preprocessing) -> tuple[Pixels, ...]:
    """What the model would see of a crop under each gentle change, in the order of :data:`VARIANTS`."""
    return tuple(np.ascontiguousarray(fit(form.change(crop).pixels, rule)) for form in GENTLE)


def as_samples(samples: Sequence[Sample], changed: Sequence[Sequence[Pixels]]) -> Iterator[Sample]:
    """Samples of the changed crops of each sample; ``changed`` has them in the order of ``samples``."""
    for sample, pictures in zip(samples, changed, strict=True):
        for name, pixels in zip(VARIANTS, pictures, strict=True):
            yield replace(sample, pixels=pixels, variant=name)


def undecided(card: ModelCard, stability: Stability, about: str) -> Finding:
    """The finding for a score that flips at a threshold; ``about`` says what was scored."""
    lowest = min(t.probability for t in card.thresholds)
    summary = (
        f"{about} {stability.sentence()} Its lowest threshold, {lowest:g}, lies between them: whether the model says "
        "anything is a matter of how the file was last saved, so nothing is said."
    )
    return Finding("DS-MODEL-004", Level.INFO, PointsTo.NEITHER, summary, (stability.evidence(),))
