"""The samples of a file from look to look: what is kept of them while they are scored, and a film is seen again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import Sample, Samples

DRAWN_LATER = 64
"""Samples whose pixels are kept for drawing when a film is looked at again: those of the highest scores."""

_NO_PIXELS: NDArray[np.uint8] = np.empty((0, 0, 3), np.uint8)


def without_pixels(samples: Samples) -> Samples:
    """The samples as :meth:`BatchCheck.conclude` needs them, without the pixels that wait in the batch."""
    return replace(samples, samples=tuple(map(_without_its_pixels, samples.samples)))


def lightened(samples: Samples, scores: Sequence[float]) -> Samples:
    """The samples of a film before it is looked at again, with the pixels of the highest scores only."""
    ranked = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    highest = frozenset(ranked[:DRAWN_LATER])
    kept = (s if i in highest else _without_its_pixels(s) for i, s in enumerate(samples.samples))
    return replace(samples, samples=tuple(kept))


def lost_look(reason: str | None) -> Samples:
    """What a further look at a film gave that ended without samples: nothing but its reason, a sentence."""
    return Samples((), problem=" ".join(filter(None, ("A further look at the film came to nothing.", reason))))


def _without_its_pixels(sample: Sample) -> Sample:
    return replace(sample, pixels=_NO_PIXELS) if sample.pixels.size else sample
