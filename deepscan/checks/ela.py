"""Error level analysis (ELA): save a JPEG again at a known quality and look where it changes most.

After N. Krawetz, "A Picture's Worth... Digital Image Analysis and Forensics", Black Hat 2007. Measured on four public
sets it separates tampered from untouched pictures no better than chance (AUC 0.47 to 0.56), so what it gives is an
exhibit and an intensity, and never more than information.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Subject
from deepscan.checks.exhibits import heat_map
from deepscan.media.frames import Pixels
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
"""JPEG quality of the second save (Krawetz 2007 uses 90 and 95), with libjpeg's tables and 4:2:0 chroma."""

FULL_SCALE = 25.0
"""Error of a block, in grey levels of 255, that counts as intensity 1. Photographs stay below 10."""

WHOLE_PIXELS = 16_000_000
"""Pictures up to this many pixels are saved again whole (0.25 s); of larger ones, evenly spaced tiles."""

TILE = 64
"""Side of a tile in pixels: a multiple of the 16 that JPEG's grid of colour blocks is made of."""

BLOCK = 8
_STRIP = 512  # rows that are held in floating point at once
MIN_SIDE = 64

ELA = "DS-PIX-001"

LOOK_FOR = (
    "A part that is clearly brighter or darker than other parts with the same texture and contrast: it may have been "
    "saved another number of times than the rest."
)
IGNORE = (
    "Edges, text, fine texture, strong reds and blues, and noise are always brighter; smooth sky, walls and blur are "
    "always darker. A picture that was scaled, sharpened or saved often shows nothing at all."
)

SPEC = CheckSpec(
    id="ela",
    title="Error level analysis of JPEG pictures",
    family=Family.PIXELS,
    version="1",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(ELA,),
    cost=Cost.HIGH,
    looks_at="JPEG pictures",
)

ErrorMap = NDArray[np.float32]
"""Shape (rows, columns): the mean absolute change of each block of 8 x 8 pixels, in grey levels."""


@dataclass(frozen=True, slots=True)
class ErrorLevels:
    """The map, and the side in pixels of the picture that one of its rows and columns stands for."""

    map: ErrorMap
    whole: bool

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
        pixels = subject.reading().frames[0].pixels
        if min(pixels.shape[:2]) < MIN_SIDE:
            raise NotApplicableError(
                f"The picture is {pixels.shape[1]} x {pixels.shape[0]} pixels, too small for error level analysis."
            )
        levels = error_levels(pixels)
        path = (
            subject.exhibit("ela", draw(levels, pixels.shape[1], pixels.shape[0])) if subject.keeps_exhibits else None
        )
        finding = Finding(
            ELA,
            Level.INFO,
            PointsTo.NEITHER,
            f"Saved again as JPEG at quality {QUALITY}, the picture changes by {levels.percentile(50):.1f} grey levels "
            f"in the middle block and by {levels.percentile(99):.1f} in the most changed hundredth. This alone shows "
            "neither that it was edited nor that it was not.",
            _evidence(levels, path),
        )
        score = Score(levels.intensity, Meaning.INTENSITY)
        return CheckResult(SPEC.id, SPEC.version, Outcome.DONE, (finding,), score)


def _evidence(levels: ErrorLevels, path: str | None) -> tuple[Evidence, ...]:
    area = "the whole picture" if levels.whole else f"evenly spaced tiles of {TILE} x {TILE} pixels"
    percentiles = {f"p{share}": round(levels.percentile(share), 2) for share in (50, 90, 99)}
    return (
        Evidence("error level map", f"mean change of 8 x 8 blocks at quality {QUALITY}, {area}", exhibit=path),
        Evidence("block error in grey levels", percentiles),
        Evidence("what to look for", LOOK_FOR),
        Evidence("what to ignore", IGNORE),
    )


def error_levels(pixels: Pixels) -> ErrorLevels:
    """How much each block of a picture (height, width, 3) RGB changes when it is saved again at :data:`QUALITY`.

    The picture is cut to whole blocks at its right and lower edge. Where it was turned upright by its EXIF
    orientation, the blocks may lie across those of the file.
    """
    import cv2

    whole = pixels.shape[0] * pixels.shape[1] <= WHOLE_PIXELS
    part = pixels if whole else _tiles(pixels)
    height, width = (side // BLOCK * BLOCK for side in part.shape[:2])
    before = cv2.cvtColor(np.ascontiguousarray(part[:height, :width]), cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", before, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    after = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert after is not None  # it was encoded a line above
    change = cv2.absdiff(before, after)
    strips = [_block_means(change[top : top + _STRIP]) for top in range(0, height, _STRIP)]
    return ErrorLevels(np.vstack(strips), whole)


def _block_means(change: NDArray[Any]) -> ErrorMap:
    """The mean of each block of a strip, in floating point: in whole grey levels most blocks would be equal."""
    import cv2

    rows, columns = change.shape[0] // BLOCK, change.shape[1] // BLOCK
    means = cv2.resize(change.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(means.reshape(rows, columns, 3).mean(axis=2), np.float32)


def _tiles(pixels: Pixels) -> Pixels:
    """Evenly spaced tiles of a large picture, side by side, about :data:`WHOLE_PIXELS` in all.

    Every tile begins on the picture's own JPEG grid, so its blocks change as they would in the whole picture.
    """
    rows, columns = pixels.shape[0] // TILE, pixels.shape[1] // TILE
    step = int(np.ceil(np.sqrt(rows * columns * TILE * TILE / WHOLE_PIXELS)))
    grid = pixels[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE, 3)
    chosen = grid[::step, :, ::step]
    return cast(Pixels, chosen.reshape(chosen.shape[0] * TILE, chosen.shape[2] * TILE, 3))


def draw(levels: ErrorLevels, width: int, height: int) -> Pixels:
    """The map in the shape of the ``width`` x ``height`` original: yellow is the 99.5th percentile and above."""
    return heat_map(levels.map, width, height, top=max(levels.percentile(99.5), 0.5), unit="grey levels")
