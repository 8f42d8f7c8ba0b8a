"""Exhibits of the classifier: for the faces or frames that scored highest, a map of what moved the score."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import Keep, Sample
from deepscan.checks.exhibits import look_and_ignore
from deepscan.media.frames import Pixels
from deepscan.models.attribution import Attribution
from deepscan.models.card import ModelCard
from deepscan.models.loader import OutOfMemoryError
from deepscan.types import CheckResult, Evidence, JSONValue

MAX_MAPS = 4
"""Faces or frames of one file that are mapped: those with the highest scores."""

FILE_SECONDS = 12.0
"""Seconds spent on the maps of one file; maps that are under way are finished coarsely."""

SIDE = 384
"""Pixels of each half of an exhibit."""

_LOOK = (
    "Bright places, which raised the score: whether something is wrong there that can be seen in the left half (seams, "
    "smeared skin, unlike eyes, teeth or jewellery, hair that ends in nothing)."
)
_IGNORE = (
    "How bright the brightest place is: the scale is each picture's own, and there is one even where the score is low. "
    "It shows what this model reacted to, which may be light, an edge or a blur, and not what was changed."
)


@runtime_checkable
class Explained(Protocol):
    """A network that can say which parts of a picture moved its score."""

    def heat_map(self, pixels: NDArray[np.uint8], seconds: float) -> Attribution:
        """See :meth:`deepscan.models.loader.Network.heat_map`."""


def with_maps(
    result: CheckResult,
    card: ModelCard,
    network: Explained,
    samples: Sequence[Sample],
    scores: Sequence[float],
    keep: Keep,
) -> CheckResult:
    """The result with maps under its first finding. ``samples`` have their pixels, and ``scores`` are theirs."""
    if not result.findings:
        return result
    lowest = min((t.probability for t in card.thresholds), default=0.0)
    ranked = sorted(range(len(samples)), key=lambda i: (-scores[i], i))
    chosen = [i for i in ranked if scores[i] >= lowest][:MAX_MAPS] or ranked[:1]
    ends = time.monotonic() + FILE_SECONDS
    maps = []
    for number, index in enumerate(chosen, 1):
        left = max(0.0, ends - time.monotonic()) / (len(chosen) - number + 1)
        try:
            found = network.heat_map(samples[index].pixels, left)
        except OutOfMemoryError:
            break  # the score stands, and what is left of the memory is for scoring
        path = keep(f"model-map-{number}", beside(samples[index].pixels, found.map))
        value: dict[str, JSONValue] = {
            "probability": round(float(scores[index]), 4),
            "method": found.method,
            "complete": found.complete,
        }
        maps.append(Evidence("map of what moved the score", value, samples[index].where, path))
    words = look_and_ignore(_LOOK, _IGNORE) if maps else ()
    first, *others = result.findings
    return replace(result, findings=(replace(first, evidence=(*first.evidence, *maps, *words)), *others))


def beside(pixels: Pixels, values: NDArray[np.float32]) -> Pixels:
    """What the model saw, and beside it the same with the map laid over it.

    Args:
        pixels: Shape (height, width, 3).
        values: The map over it, shape (rows, columns); what lowered the score stays dark.
    """
    import cv2

    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shown = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    raised = np.clip(np.nan_to_num(values), 0, None)
    top = float(raised.max())
    share = cv2.resize(raised / top if top > 0 else raised, size, interpolation=cv2.INTER_LINEAR)[..., None]
    colours = cv2.cvtColor(
        cv2.applyColorMap((share[..., 0] * 255).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB
    )
    grey = cv2.cvtColor(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    laid = grey * (0.7 - 0.5 * share) + colours * (0.2 + 0.6 * share) * (share > 0)
    both = np.hstack([shown, np.full((size[1], 4, 3), 255, np.uint8), np.clip(laid, 0, 255).astype(np.uint8)])
    return np.asarray(both, np.uint8)
