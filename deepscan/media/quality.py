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
    top, left = max(0, (height - MEASURED_SIDE) // 2), max(0, (width - MEASURED_SIDE) // 2)
    middle = np.ascontiguousarray(pixels[top : top + MEASURED_SIDE, left : left + MEASURED_SIDE])
    grey = np.asarray(cv2.cvtColor(middle, cv2.COLOR_RGB2GRAY), np.float32)
    small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (128, 128), interpolation=cv2.INTER_AREA)
    return Quality(
        side=min(height, width),
        brightness=round(float(grey.mean()), 2),
        sharpness=round(float(cv2.Laplacian(small, cv2.CV_32F).std()), 2),
        blockiness=round((_grid(grey) + _grid(grey.T)) / 2, 3),
    )


def _grid(grey: NDArray[np.float32]) -> float:
    """Mean step across the strongest of the eight possible grids of columns over the mean step across the others.

    The steps are second differences: an edge or a slope of the picture itself has as much on both sides of the line,
    and what coding left is a step between two flat blocks.
    """
    if grey.shape[1] < 4 * GRID:
        return 1.0
    steps = np.abs(np.diff(grey, axis=1))
    excess = steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2
    columns = excess.mean(axis=0)
    level = float(steps.mean()) + 0.5  # half a grey level: rounding, which a flat picture consists of
    phases = np.array([columns[phase::GRID].mean() for phase in range(GRID)])
    return 1.0 + max(0.0, float(phases.max() - np.median(phases))) / level
