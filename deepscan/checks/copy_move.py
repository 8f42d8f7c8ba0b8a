"""Copy-move: whether a part of the picture is a copy of another part, moved, turned, scaled or mirrored.

The method is in :mod:`deepscan.checks.cloning`: transforms are proposed by SIFT keypoints (Amerini et al., 2011) and by
the correlation of fine detail (after Fridrich et al., 2003), refined to a fraction of a pixel, and believed only where
the picture agrees with itself down to its noise. Repeated windows, signs and patterns look alike, but not to the noise.
"""

from __future__ import annotations

import numpy as np

from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Subject
from deepscan.checks.cloning.effort import FULL, QUICK
from deepscan.checks.cloning.picture import GreyPicture, prepare
from deepscan.checks.cloning.regions import Mask
from deepscan.checks.cloning.search import Copy, find_copies
from deepscan.checks.cloning.transform import Motion, describe, rescale
from deepscan.checks.exhibits import outline
from deepscan.checks.scope import only_pictures
from deepscan.config import SAMPLING
from deepscan.media.frames import Pixels
from deepscan.types import (
    Box,
    CheckResult,
    Evidence,
    Family,
    Finding,
    JSONValue,
    Level,
    MediaItem,
    MediaKind,
    PointsTo,
    Where,
)

COPY_MOVE, SCALED_DOWN = "DS-PIX-010", "DS-PIX-014"

MIN_SIDE = 300
"""Pixels of the shorter side. In smaller pictures a copy of 400 pixels is most of a face or an object, and too few
places are left to tell it from what is alike by nature."""

SPEC = CheckSpec(
    id="copy_move",
    title="Parts of the picture that are copies of other parts",
    family=Family.PIXELS,
    version="4",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(COPY_MOVE, SCALED_DOWN),
    cost=Cost.HIGH,
    looks_at=f"pictures of at least {MIN_SIDE} x {MIN_SIDE} pixels",
    options=(*SAMPLING, "exhibits", "thorough"),
)


class CopyMove:
    """Finds pairs of regions that are copies of one another.

    Args:
        thorough: Search large pictures as hard as others, which takes seconds, and not a tenth of one.
    """

    spec = SPEC

    def __init__(self, *, thorough: bool = False) -> None:
        self._thorough = thorough

    def why_not(self, item: MediaItem) -> str | None:
        """It looks at single pictures."""
        return only_pictures(item, "Copied parts are looked for in")

    def run(self, subject: Subject) -> CheckResult:
        """Search the picture (the first page or frame) for copies.

        Raises:
            NotApplicableError: it is smaller than :data:`MIN_SIDE`.
            MediaError: it cannot be decoded.
        """
        pixels = subject.reading().frames[0].pixels
        height, width = pixels.shape[:2]
        if min(width, height) < MIN_SIDE:
            raise NotApplicableError(
                f"The picture is {width} x {height} pixels; copied parts are looked for from {MIN_SIDE} on."
            )
        effort = FULL if self._thorough or height * width <= FULL.pixels else QUICK
        picture = prepare(pixels, effort.pixels)
        copies = find_copies(picture, effort)
        findings = [_finding(subject, pixels, copies, picture)] if copies else []
        findings += [_scaled_down(picture)] if effort is QUICK else []
        return SPEC.done(findings)


def _scaled_down(picture: GreyPicture) -> Finding:
    width, height = picture.size
    least = round(20 * picture.zoom)
    return Finding(
        SCALED_DOWN,
        Level.INFO,
        PointsTo.NEITHER,
        f"The picture is large, and copied parts were looked for in it scaled down to {width} x {height} pixels: "
        f"copies smaller than {least} x {least} pixels, and larger ones in smooth places, may be missed. --thorough "
        "looks for them as in smaller pictures, and takes seconds for it.",
        (Evidence("searched at", [width, height]), Evidence("scaled down by", round(picture.zoom, 2))),
    )


def _finding(subject: Subject, pixels: Pixels, copies: list[Copy], picture: GreyPicture) -> Finding:
    zoom = picture.zoom
    size = (pixels.shape[1], pixels.shape[0])
    boxes = [box for copy in copies for box in (_box(copy.first, size), _box(copy.second, size))]
    mask = _mask(copies)
    drawn = flat = None
    if subject.keeps_exhibits:
        drawn = subject.exhibit("copy-move", outline(pixels, boxes, mask))
        flat = subject.exhibit("copy-move-mask", np.repeat((mask * np.uint8(255))[..., None], 3, axis=2))
    evidence = [Evidence("copied regions", f"{mask.mean():.1%} of the picture", exhibit=drawn)]
    if flat is not None:
        evidence.append(Evidence("mask", "white: both regions of every pair", exhibit=flat))
    for number, copy in enumerate(copies):
        evidence += _pair(copy, boxes[2 * number], boxes[2 * number + 1], zoom)
    if zoom > 1:
        width, height = picture.size
        evidence.append(Evidence("searched at", f"{width} x {height} pixels, scaled down by {zoom:.2f}"))
    motion = _motion(copies[0], zoom)
    more = "" if len(copies) == 1 else f" There are {len(copies)} such pairs."
    return Finding(
        COPY_MOVE,
        Level.MODERATE,
        PointsTo.EDITED,
        f"A part of the picture agrees with another part down to its noise ({_words(motion)}): evidence of a copy "
        f"pasted within the picture.{more} It does not show which of the two was first, nor why it was copied.",
        tuple(evidence),
    )


def _pair(copy: Copy, first: Box, second: Box, zoom: float) -> list[Evidence]:
    motion = _motion(copy, zoom)
    transform: dict[str, JSONValue] = {
        "shift": [round(motion.shift[0]), round(motion.shift[1])],
        "rotation in degrees": round(motion.rotation, 1),
        "scale": round(motion.scale, 3),
        "mirrored": motion.mirrored,
    }
    agreement: dict[str, JSONValue] = {
        "places that proposed it": copy.votes,
        "pixels compared": copy.region.told,
        "agreement of the middle place": round(copy.region.share, 3),
        "difference against noise": round(copy.region.noise, 2),
    }
    return [
        Evidence("region", "one of the two", Where(box=first)),
        Evidence("region", "the other", Where(box=second)),
        Evidence("transform from one to the other", transform),
        Evidence("match", agreement),
    ]


def _motion(copy: Copy, zoom: float) -> Motion:
    rows, columns = np.nonzero(copy.first)
    centre = np.array([columns.mean(), rows.mean()]) * zoom
    return describe(rescale(copy.region.matrix, zoom), centre)


def _words(motion: Motion) -> str:
    words = [f"{np.hypot(*motion.shift):.0f} pixels away"]
    if motion.mirrored:
        words.append("mirrored")
    if abs(motion.rotation) >= 1:
        words.append(f"turned by {motion.rotation:.0f} degrees")
    if abs(motion.scale - 1) >= 0.02:
        words.append(f"scaled by {motion.scale:.2f}")
    return ", ".join(words)


def _mask(copies: list[Copy]) -> Mask:
    return np.asarray(np.any([side for copy in copies for side in (copy.first, copy.second)], axis=0))


def _box(mask: Mask, size: tuple[int, int]) -> Box:
    """The box of a mask in pixels of the original picture of ``size`` (width, height)."""
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    across, down = size[0] / mask.shape[1], size[1] / mask.shape[0]
    left, top = int(columns[0] * across), int(rows[0] * down)
    right, bottom = int(np.ceil((columns[-1] + 1) * across)), int(np.ceil((rows[-1] + 1) * down))
    return Box(left, top, min(right, size[0]) - left, min(bottom, size[1]) - top)
