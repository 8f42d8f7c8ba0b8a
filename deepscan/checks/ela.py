"""Error level analysis (ELA): save a JPEG again at a known quality and look where it changes most.

After N. Krawetz, "A Picture's Worth... Digital Image Analysis and Forensics", Black Hat 2007. Measured on four public
sets it separates tampered from untouched pictures no better than chance (AUC 0.47 to 0.56), so what it gives is an
exhibit and an intensity, and never more than information.

Only the brightness is saved again, as the file stores it: its blocks lie on the file's own grid, also where EXIF has
the picture turned, and colour costs twice as much and tells no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import CheckSpec, Cost, Subject
from deepscan.checks.exhibits import heat_map
from deepscan.checks.maps import Map, MapCheck, refuse_small
from deepscan.config import SAMPLING
from deepscan.media.frames import Pixels
from deepscan.media.luma import Luma, Plane
from deepscan.types import Evidence, Family, MediaKind

QUALITY = 90
"""JPEG quality of the second save (Krawetz 2007 uses 90 and 95), with libjpeg's tables."""

FULL_SCALE = 10.0
"""Error of a block, in grey levels of 255, that counts as intensity 1. Photographs stay below 4.3."""

WHOLE_PIXELS = 4_000_000
"""Pictures up to this many pixels are saved again whole (13 ms); of larger ones, evenly spaced blocks."""

BLOCK = 8
_STRIP = 512  # rows that are held in floating point at once
MIN_SIDE = 64

ELA = "DS-PIX-001"

LOOK_FOR = (
    "A part that is clearly brighter or darker than other parts with the same texture and contrast: it may have been "
    "saved another number of times than the rest."
)
IGNORE = (
    "Edges, text, fine texture and noise are always brighter; smooth sky, walls and blur are "
    "always darker. A picture that was scaled, sharpened or saved often shows nothing at all."
)

SPEC = CheckSpec(
    id="ela",
    title="Error level analysis of JPEG pictures",
    family=Family.PIXELS,
    version="2",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(ELA,),
    cost=Cost.HIGH,
    looks_at="JPEG pictures",
    options=(*SAMPLING, "exhibits"),
)

ErrorMap = NDArray[np.float32]
"""Shape (rows, columns): the mean absolute change of each block of 8 x 8 pixels, in grey levels."""


@dataclass(frozen=True, slots=True)
class ErrorLevels:
    """The map, and that every block of the picture has its place there, or one in ``step`` rows and columns."""

    map: ErrorMap
    step: int

    def percentile(self, share: float) -> float:
        """The error in grey levels that ``share`` percent of the blocks stay below."""
        return float(np.percentile(self.map, share))


def intensity_of(p99: float) -> float:
    """The 99th percentile of the block errors as a part of :data:`FULL_SCALE`, at most 1.

    A percentile, because single blocks at hard edges reach any value.
    """
    return min(1.0, p99 / FULL_SCALE)


def measure(subject: Subject) -> Map:
    """Save the picture again in memory and map what changes. Raises NotApplicableError, MediaError."""
    luma = subject.luma()
    height, width = luma.plane.shape
    refuse_small(width, height, MIN_SIDE, "error level analysis")
    levels = error_levels(luma.plane)
    area = "the whole picture" if levels.step == 1 else f"one block in every {levels.step} across and down"
    p50, p90, p99 = (levels.percentile(share) for share in (50, 90, 99))
    return Map(
        "error level map",
        f"mean change of 8 x 8 blocks at quality {QUALITY}, {area}",
        Evidence("block error in grey levels", {"p50": round(p50, 2), "p90": round(p90, 2), "p99": round(p99, 2)}),
        f"Saved again as JPEG at quality {QUALITY}, the picture changes in brightness by {p50:.1f} grey levels in the "
        f"middle block and by {p99:.1f} in the most changed hundredth. This alone shows neither that it was edited nor "
        "that it was not.",
        intensity_of(p99),
        lambda: draw(levels, luma),
    )


def error_levels(plane: Plane) -> ErrorLevels:
    """How much each block of the brightness (height, width) changes when it is saved again at :data:`QUALITY`.

    The plane is cut to whole blocks at its right and lower edge. Of a large one, evenly spaced blocks are saved side by
    side: a block changes by itself alone, wherever it lies.
    """
    import cv2

    rows, columns = (side // BLOCK for side in plane.shape)
    step = int(np.ceil(np.sqrt(rows * columns * BLOCK * BLOCK / WHOLE_PIXELS)))
    blocks = plane[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)[::step, :, ::step]
    before = np.ascontiguousarray(blocks).reshape(blocks.shape[0] * BLOCK, blocks.shape[2] * BLOCK)
    _, encoded = cv2.imencode(".jpg", before, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    after = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    assert after is not None  # it was encoded a line above
    change = cv2.absdiff(before, after)
    strips = [_block_means(change[top : top + _STRIP]) for top in range(0, len(before), _STRIP)]
    return ErrorLevels(np.vstack(strips), step)


def _block_means(change: NDArray[Any]) -> ErrorMap:
    """The mean of each block of a strip, in floating point: in whole grey levels most blocks would be equal."""
    import cv2

    size = (change.shape[1] // BLOCK, change.shape[0] // BLOCK)
    return np.asarray(cv2.resize(change.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


def draw(levels: ErrorLevels, luma: Luma) -> Pixels:
    """The map as the picture is shown upright: yellow is the 99.5th percentile and above."""
    shown = luma.shown(levels.map)
    top = max(levels.percentile(99.5), 0.5)
    return heat_map(shown, *luma.shown_size, top=top, unit="grey levels")


CHECK = MapCheck(SPEC, measure, LOOK_FOR, IGNORE, "Error level analysis applies to", jpeg_only=True)
