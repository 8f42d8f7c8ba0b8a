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

from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Subject
from deepscan.checks.exhibits import heat_map
from deepscan.media.frames import Pixels
from deepscan.media.luma import TURNED_BY_A_QUARTER, Plane
from deepscan.types import (
    CheckResult,
    Evidence,
    Family,
    Finding,
    Level,
    Meaning,
    MediaItem,
    MediaKind,
    Outcome,
    PointsTo,
    Score,
)

QUALITY = 90
"""JPEG quality of the second save (Krawetz 2007 uses 90 and 95), with libjpeg's tables."""

FULL_SCALE = 10.0
"""Error of a block, in grey levels of 255, that counts as intensity 1. Photographs stay below 4.3."""

WHOLE_PIXELS = 4_000_000
"""Pictures up to this many pixels are saved again whole (25 ms); of larger ones, evenly spaced blocks."""

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

    @property
    def intensity(self) -> float:
        """The 99th percentile of the block errors as a part of :data:`FULL_SCALE`, at most 1.

        A percentile, because single blocks at hard edges reach any value.
        """
        return min(1.0, self.percentile(99) / FULL_SCALE)


class Ela:
    """Draws the ELA map of a JPEG picture; says nothing about whether it was edited."""

    @property
    def spec(self) -> CheckSpec:
        """What it is."""
        return SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """ELA measures what JPEG compression left; other containers were compressed in another way or not at all."""
        if item.kind is MediaKind.VIDEO:
            return "Error level analysis applies to JPEG pictures, and this is a video."
        if item.container != "jpeg":
            return f"Error level analysis applies to JPEG pictures, and this is a {item.container.upper()} file."
        return None

    def run(self, subject: Subject) -> CheckResult:
        """Save the picture again in memory and measure what changes.

        Raises:
            NotApplicableError: the picture is smaller than 64 x 64 pixels.
            MediaError: it cannot be decoded.
        """
        luma = subject.luma()
        height, width = luma.plane.shape
        if min(height, width) < MIN_SIDE:
            raise NotApplicableError(f"The picture is {width} x {height} pixels, too small for error level analysis.")
        levels = error_levels(luma.plane)
        path = None
        if subject.keeps_exhibits:
            size = (height, width) if luma.orientation >= TURNED_BY_A_QUARTER else (width, height)
            path = subject.exhibit("ela", draw(ErrorLevels(luma.shown(levels.map), levels.step), *size))
        finding = Finding(
            ELA,
            Level.INFO,
            PointsTo.NEITHER,
            f"Saved again as JPEG at quality {QUALITY}, the picture changes in brightness by "
            f"{levels.percentile(50):.1f} grey levels in the middle block and by {levels.percentile(99):.1f} in the "
            "most changed hundredth. This alone shows neither that it was edited nor that it was not.",
            _evidence(levels, path),
        )
        score = Score(levels.intensity, Meaning.INTENSITY)
        return CheckResult(SPEC.id, SPEC.version, Outcome.DONE, (finding,), score)


def _evidence(levels: ErrorLevels, path: str | None) -> tuple[Evidence, ...]:
    area = "the whole picture" if levels.step == 1 else f"one block in every {levels.step} across and down"
    percentiles = {f"p{share}": round(levels.percentile(share), 2) for share in (50, 90, 99)}
    return (
        Evidence("error level map", f"mean change of 8 x 8 blocks at quality {QUALITY}, {area}", exhibit=path),
        Evidence("block error in grey levels", percentiles),
        Evidence("what to look for", LOOK_FOR),
        Evidence("what to ignore", IGNORE),
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


def draw(levels: ErrorLevels, width: int, height: int) -> Pixels:
    """The map in the shape of the ``width`` x ``height`` original: yellow is the 99.5th percentile and above."""
    return heat_map(levels.map, width, height, top=max(levels.percentile(99.5), 0.5), unit="grey levels")
