"""When two regions that look alike are copies, and when they are a pattern, a drawing, or two things of one kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.cloning.picture import GreyPicture
from deepscan.checks.cloning.regions import Mask, Region

ALIKE, NOISE = 0.85, 3.0
"""The middle place of the region agrees at least so much, and differs by at most so many times what two recordings
would. Windows, signs and ornaments in real photographs that agree as much differ by 4.6 times and more
(``python -m tests.benchmarks.evidence pixels``)."""

LARGE, LARGE_ALIKE, LARGE_LEAST, LARGE_NOISE = 2000, 0.6, 0.3, 2.0
"""Regions with many places that tell may agree less, as after compression or added noise, but nearly everywhere."""

DRAWN, DRAWN_UNCLIPPED = 0.4, 0.2
"""Part of the picture whose pixels equal all their neighbours from which on it counts as drawn; and of those, the part
that is neither black nor white: over-exposure leaves these equal in photographs too (0.33, and 0.02 of others)."""

WIDEST = 0.25
"""Of the picture: a part that is larger was not pasted over the rest; such pictures are patterns, or mirrored whole."""

WRITTEN_CONTRAST, WRITTEN_PAPER = 30.0, 0.42
"""Standard deviation in grey levels of a region, and the part of it that is of one shade, the commonest of the whole
picture, from which on it counts as writing: words stand in many places alike. Set between rendered pages, also with a
camera's noise and after JPEG 75, and the copies in photographs that the benchmark has."""

_SHADE = 17  # grey levels that are one shade: noise and compression spread it
_EQUAL = 0.9  # correlation of a pattern with another place of itself
_PLACES = 4  # places, itself and its partner among them, up to which a pattern is no pattern
_PATCH = 96
_MEETING = 49  # pixels: regions that are less than half of this apart meet


def is_copy(region: Region) -> bool:
    """Whether a region is more alike its partner than things that were photographed twice."""
    if region.area > WIDEST * region.mask.size:
        return False
    if region.share >= ALIKE and region.noise <= NOISE:
        return True
    return (
        region.told >= LARGE
        and region.share >= LARGE_ALIKE
        and region.least >= LARGE_LEAST
        and region.noise <= LARGE_NOISE
    )


def is_drawn(picture: GreyPicture) -> bool:
    """Whether much of the picture is of plain colours: equal parts of screenshots are no sign of editing."""
    import cv2

    square = np.ones((3, 3), np.uint8)
    flat = cv2.dilate(picture.grey, square) - cv2.erode(picture.grey, square) < 0.01
    unclipped = flat & (picture.grey > 2) & (picture.grey < 253)
    return bool(flat.mean() > DRAWN or unclipped.mean() > DRAWN_UNCLIPPED)


def is_writing(picture: GreyPicture, mask: Mask) -> bool:
    """Whether a region is of strong contrast on the paper of the whole picture: letters of a page or a screen."""
    inside = picture.grey[mask]
    if inside.std() < WRITTEN_CONTRAST:
        return False
    paper, part = _commonest(inside)
    return part >= WRITTEN_PAPER and abs(paper - _commonest(picture.grey)[0]) < _SHADE


def _commonest(grey: NDArray[np.float32]) -> tuple[int, float]:
    """The commonest shade, and the part of the pixels that have it."""
    counts = np.bincount(np.clip(np.rint(grey), 0, 255).astype(np.intp).ravel(), minlength=256)
    shades = np.convolve(counts, np.ones(_SHADE), "same")
    return int(shades.argmax()), float(shades.max() / grey.size)


def is_reflection(region: Region, partner: Mask) -> bool:
    """Whether a mirrored region meets its partner: water, glass and symmetric things do that by nature."""
    import cv2

    if np.linalg.det(region.matrix[:, :2]) > 0:
        return False
    wider = cv2.dilate(region.mask.astype(np.uint8), np.ones((_MEETING, _MEETING), np.uint8)) > 0
    return bool((wider & partner).any())


def repeats_itself(picture: GreyPicture, mask: Mask) -> bool:
    """Whether the detail of a region is found in many other places too, as in a regular pattern."""
    import cv2

    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    middle = int(rows.mean()), int(columns.mean())
    half = min(_PATCH, len(rows), len(columns)) // 2
    top, left = max(0, middle[0] - half), max(0, middle[1] - half)
    patch = picture.detail[top : top + 2 * half, left : left + 2 * half]
    fit = cv2.matchTemplate(picture.detail, np.ascontiguousarray(patch), cv2.TM_CCOEFF_NORMED)
    places = 0
    while places <= _PLACES:
        _, value, _, (x, y) = cv2.minMaxLoc(fit)
        if not value > _EQUAL:
            break
        places += 1
        fit[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1] = -1
    return places > _PLACES
