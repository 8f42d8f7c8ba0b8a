"""How good a picture of a face is, in four cheap numbers: what a model's error rates depend on most.

All of them come from pixels, not from the file, so that they mean the same in a JPEG, in a frame of a film and in a
screenshot of either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels

MEASURED_SIDE = 512
"""Pixels of the middle square that is looked at, at most: enough of the 8 x 8 grid, in bounded time."""

GRID = 8
"""The blocks of JPEG, and of most films."""


@dataclass(frozen=True, slots=True)
class Quality:
    """``side`` is the shorter side in pixels; ``brightness`` the mean luma, 0 to 255; ``sharpness`` the standard
    deviation of the Laplacian of luma after the picture was brought to 128 pixels, so that it does not grow with size;
    ``blockiness`` how much stronger steps are on the strongest grid of 8 pixels than off it, 1 for none.
    """

    side: int
    brightness: float
    sharpness: float
    blockiness: float


def measure(pixels: Pixels) -> Quality:
    """The quality of a picture of shape (height, width, 3)."""
    import cv2

    height, width = pixels.shape[:2]
    if not min(height, width):
        return Quality(0, 0.0, 0.0, 1.0)
    whole = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    top, left = max(0, (height - MEASURED_SIDE) // 2), max(0, (width - MEASURED_SIDE) // 2)
    grey = np.ascontiguousarray(whole[top : top + MEASURED_SIDE, left : left + MEASURED_SIDE])
    small = cv2.resize(whole, (128, 128), interpolation=cv2.INTER_AREA)
    return Quality(
        side=min(height, width),
        brightness=round(float(cv2.mean(grey)[0]), 2),
        sharpness=round(float(cv2.Laplacian(small, cv2.CV_32F).std()), 2),
        blockiness=round((_grid(grey) + _grid(np.ascontiguousarray(grey.T))) / 2, 3),
    )


def _grid(grey: NDArray[np.uint8]) -> float:
    """Mean step across the strongest of the eight possible grids of columns over the mean step across the others.

    The steps are second differences: an edge or a slope of the picture itself has as much on both sides of the line,
    and what coding left is a step between two flat blocks.
    """
    import cv2

    height, width = grey.shape
    if width < 4 * GRID:
        return 1.0
    steps = cv2.absdiff(grey[:, 1:], grey[:, :-1])
    across = cv2.reduce(steps, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0] / height
    columns = across[1:-1] - (across[:-2] + across[2:]) / 2
    level = float(across.mean()) + 0.5  # half a grey level: rounding, which a flat picture consists of
    phases = np.array([columns[phase::GRID].mean() for phase in range(GRID)])
    return 1.0 + max(0.0, float(phases.max() - np.median(phases))) / level
