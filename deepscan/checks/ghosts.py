"""JPEG ghosts: parts that were saved at a lower quality before the picture was put together and saved.

After H. Farid, "Exposing Digital Forgeries From JPEG Ghosts", IEEE TIFS 4(1), 2009: saved again at the quality of its
first save, a part changes less than at the qualities around it. Where that holds for all of the picture, the picture
was saved twice; where it holds for a part, the part has another history.

The change of a block is told from its coefficients: rounding them to the steps of a quality is what a save does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Subject
from deepscan.checks.compression import blocks
from deepscan.checks.compression.tables import luma_table
from deepscan.checks.exhibits import heat_map
from deepscan.checks.maps import Map, MapCheck, refuse_small
from deepscan.config import SAMPLING
from deepscan.media.luma import Plane
from deepscan.types import Evidence, Family, MediaKind

GHOSTS = "DS-PIX-015"

QUALITIES = tuple(range(35, 96, 5))
"""Qualities at which the picture is saved again (tables of the Independent JPEG Group, for the luma); the first and the
last are only compared with."""

WINDOW = 3
"""Blocks on a side over which changes are averaged: 24 pixels; Farid averages over 16."""

FULL_SCALE = 1.0
"""Depth of a ghost that counts as intensity 1: the change is that many times e below its neighbours'."""

MAX_BLOCKS = 200_000
"""Blocks that are examined, evenly spaced across and down: 12.8 megapixels."""

_LEAST_CHANGE = 1.0  # squared grey levels: what changes less at the coarsest quality is flat and tells nothing
_ROUNDING = 1 / 12  # squared grey levels: decoded pixels are whole numbers
_MIN_SIDE = 64

LOOK_FOR = (
    "A part with a border of its own that is bright as a whole: it may have been saved at the quality that the "
    "evidence names before it came here."
)
IGNORE = (
    "Single bright blocks, edges of dark, flat and over-exposed parts. A part that was saved at a finer quality than "
    "the picture, or whose blocks do not lie on the picture's grid, shows nothing."
)

SPEC = CheckSpec(
    id="ghosts",
    title="JPEG ghosts: parts with another history of saving",
    family=Family.PIXELS,
    version="1",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(GHOSTS,),
    cost=Cost.HIGH,
    default=False,
    looks_at="JPEG pictures",
    options=(*SAMPLING, "exhibits"),
)

Changes = NDArray[np.float32]
"""Shape (quality, rows, columns): the mean squared change of each window of blocks, in squared grey levels."""


@dataclass(frozen=True, slots=True, eq=False)
class Ghosts:
    """How much deeper than in the rest of the picture the change of each window falls at one quality, and at which.

    ``depth`` and ``quality`` have shape (rows, columns), a place for each window; 0 where nothing can be told.
    """

    depth: NDArray[np.float32]
    quality: NDArray[np.int64]

    @property
    def intensity(self) -> float:
        """The 99th percentile of the depth as a part of :data:`FULL_SCALE`, at most 1."""
        return float(np.clip(np.percentile(self.depth, 99) / FULL_SCALE, 0, 1))


def find_ghosts(plane: Plane) -> Ghosts:
    """The ghosts of a luma plane of at least 64 x 64 pixels whose blocks begin in its corner."""
    changes = changes_of(plane, QUALITIES)
    level = np.log(changes + _ROUNDING)
    # A quality is a ghost's where the change lies below the line between the changes at the qualities beside it.
    dips = (level[:-2] + level[2:]) / 2 - level[1:-1]
    tells = changes[0] > _LEAST_CHANGE
    if not tells.any():
        raise NotApplicableError("The picture is too flat for its blocks to keep a history.")
    # What all of the picture has is no ghost of a part: its own last save, or a first save of the whole.
    dips -= np.median(dips[:, tells], axis=1)[:, None, None]
    deepest = dips.argmax(axis=0)
    depth = np.where(tells, np.maximum(np.take_along_axis(dips, deepest[None], axis=0)[0], 0), 0)
    return Ghosts(depth.astype(np.float32), np.array(QUALITIES[1:-1])[deepest])


def changes_of(plane: Plane, qualities: Sequence[int]) -> Changes:
    """How much each window of blocks changes when it is saved at each of the qualities."""
    import cv2

    rows, columns = (side // blocks.SIDE for side in plane.shape)
    step = max(1, int(np.ceil(np.sqrt(rows * columns / MAX_BLOCKS))))
    whole = plane[: rows * blocks.SIDE, : columns * blocks.SIDE]
    cut = blocks.cut(whole, step).reshape(-1, columns, blocks.SIDE, blocks.SIDE)[:, ::step].astype(np.float32) - 128
    coefficients = (blocks.BASIS @ cut @ blocks.BASIS.T).reshape(*cut.shape[:2], -1)
    found = []
    for quality in qualities:
        steps = np.array(luma_table(quality), np.float32)
        rest = coefficients - np.rint(coefficients / steps) * steps
        change = np.einsum("yxc,yxc->yx", rest, rest) / rest.shape[2]
        found.append(cv2.blur(change, (WINDOW, WINDOW)))
    return np.stack(found).astype(np.float32)


def measure(subject: Subject) -> Map:
    """Map the ghosts of the stored brightness. Raises NotApplicableError, MediaError."""
    luma = subject.luma()
    height, width = luma.plane.shape
    refuse_small(width, height, _MIN_SIDE, "JPEG ghosts")
    found = find_ghosts(luma.plane)
    bright = found.depth >= np.percentile(found.depth, 99)
    quality = int(np.median(found.quality[bright]))
    p99 = float(np.percentile(found.depth, 99))
    return Map(
        "ghost map",
        "how much deeper than elsewhere the change falls at one quality, as a natural logarithm",
        Evidence("deepest hundredth", {"depth": round(p99, 2), "quality": quality}),
        f"In its deepest hundredth the picture changes {np.exp(p99):.1f} times less than its surroundings would have "
        f"it when it is saved again at quality {quality}: evidence of parts that were saved at that quality before "
        "when a part with a border of its own stands out, and of nothing when it does not. This alone shows neither "
        "that the picture was edited nor that it was not.",
        found.intensity,
        lambda: heat_map(luma.shown(found.depth), *luma.shown_size, top=max(p99, 0.2), unit="(natural logarithm)"),
    )


CHECK = MapCheck(SPEC, measure, LOOK_FOR, IGNORE, "JPEG ghosts are looked for in", jpeg_only=True)
