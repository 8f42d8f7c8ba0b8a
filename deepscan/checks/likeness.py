"""How alike two pictures are, one of them a small copy: robust to tone, sharpness, black bars and quarter turns.

Both are brought to one small size in grey, and compared by normalised correlation over small shifts (the mean and the
contrast of a picture drop out of it). ``python -m tests.benchmarks.evidence structure`` prints what it measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels

Grey = NDArray[np.float32]

SIDE = 64
"""Both pictures are compared with this many pixels on the longer side: thumbnails have 160, often sharpened."""

SHIFT = 3
"""Pixels of the small pictures by which one may be displaced against the other."""

BLANK = 4.0
"""Standard deviation, in grey levels of 255, below which a picture has nothing to compare."""

_BAR = 24.0
_PLAIN = 6.0


@dataclass(frozen=True, slots=True)
class Likeness:
    """``correlation`` over the whole picture, from -1 to 1, and of the worst region, with the fit that gave it best.

    ``worst`` is the largest mean difference of a region of an eighth of each side, in standard deviations of the
    picture, after the tones were fitted.
    """

    correlation: float
    worst: float
    turned: int
    cropped: bool


def compare(main: Pixels, small: Pixels) -> Likeness | None:
    """Compare a preview with the picture it stands for.

    Args:
        main: The picture, (height, width, 3) RGB, upright.
        small: The preview, the same way up or turned by quarters.

    Returns:
        The best fit; None where one of them is blank.
    """
    first, second = _grey(main), _grey(small)
    if first.std() < BLANK or second.std() < BLANK:
        return None
    fits = (
        _fit(whole, np.rot90(part, turns), turns, cropped=cropped)
        for whole, part, cropped in _framings(first, second)
        for turns in range(4)
    )
    return max((fit for fit in fits if fit is not None), key=lambda fit: fit.correlation, default=None)


def is_blank(picture: Pixels) -> bool:
    """Whether a picture is so even that nothing can be compared with it."""
    return bool(_grey(picture).std() < BLANK)


def _grey(pixels: Pixels) -> Grey:
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, 4 * SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)


def _framings(main: Grey, small: Grey) -> Iterator[tuple[Grey, Grey, bool]]:
    """The ways in which a preview may show the picture: whole, between black bars, or its middle."""
    yield main, small, False
    inner = _without_bars(small)
    if inner.shape != small.shape and inner.std() >= BLANK:
        yield main, inner, False
    for shape in {(small.shape[0], small.shape[1]), (small.shape[1], small.shape[0])}:
        middle = _middle(main, shape[1] / shape[0])
        if middle.shape != main.shape:
            yield middle, small, True


def _without_bars(picture: Grey) -> Grey:
    """The picture without dark, plain rows and columns at its edges, as cameras fill up 160 x 120 with."""
    rows = ~((picture.mean(axis=1) < _BAR) & (picture.std(axis=1) < _PLAIN))
    columns = ~((picture.mean(axis=0) < _BAR) & (picture.std(axis=0) < _PLAIN))
    if not rows.any() or not columns.any():
        return picture
    top, bottom = np.flatnonzero(rows)[[0, -1]]
    left, right = np.flatnonzero(columns)[[0, -1]]
    # The row or column next to a bar is blurred into it.
    inner = picture[top + (top > 0) : bottom + 1 - (bottom < len(rows) - 1)]
    inner = inner[:, left + (left > 0) : right + 1 - (right < len(columns) - 1)]
    return inner if min(inner.shape) >= 8 else picture


def _middle(picture: Grey, ratio: float) -> Grey:
    """The middle of a picture with another ratio of width to height."""
    height, width = picture.shape
    if width / height > ratio:
        keep = max(8, round(height * ratio))
        left = max(0, (width - keep) // 2)
        return picture[:, left : left + keep]
    keep = max(8, round(width / ratio))
    top = max(0, (height - keep) // 2)
    return picture[top : top + keep]


def _fit(main: Grey, small: Grey, turns: int, *, cropped: bool) -> Likeness | None:
    import cv2

    # A quarter turn that leaves quite another shape is no fit of the whole.
    ratio = (main.shape[1] / main.shape[0]) / (small.shape[1] / small.shape[0])
    if not 0.8 < ratio < 1.25:
        return None
    scale = SIDE / max(main.shape)
    size = (max(16, round(main.shape[1] * scale)), max(16, round(main.shape[0] * scale)))
    first, second = (
        cv2.GaussianBlur(cv2.resize(np.ascontiguousarray(p), size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
        for p in (main, small)
    )
    core = second[SHIFT : size[1] - SHIFT, SHIFT : size[0] - SHIFT]
    if core.std() < BLANK / 2:
        return None
    scores = cv2.matchTemplate(first, core, cv2.TM_CCOEFF_NORMED)
    _, best, _, (left, top) = cv2.minMaxLoc(scores)
    if not np.isfinite(best):
        return None
    under = first[top : top + core.shape[0], left : left + core.shape[1]]
    return Likeness(
        round(float(best), 4), _worst(np.asarray(under, np.float32), np.asarray(core, np.float32)), turns, cropped
    )


def _worst(first: Grey, second: Grey) -> float:
    """The largest mean difference of a region, in standard deviations, after fitting the tones of one to the other."""
    import cv2

    slope, offset = np.polyfit(second.ravel(), first.ravel(), 1)
    difference = np.abs(first - (slope * second + offset)) / max(float(first.std()), 1.0)
    means = cv2.resize(np.asarray(difference, np.float32), (8, 8), interpolation=cv2.INTER_AREA)
    return round(float(means.max()), 3)
