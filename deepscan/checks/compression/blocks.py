"""The 8 x 8 blocks of a luma plane and their discrete cosine transform, as JPEG defines it (ITU-T T.81, A.3.3)."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepscan.media.luma import Plane

SIDE = 8
"""Pixels on a side of a JPEG block."""

Floats: TypeAlias = NDArray[np.float32]


def _basis() -> Floats:
    frequency, position = np.mgrid[0:SIDE, 0:SIDE]
    waves: NDArray[np.float64] = 0.5 * np.cos((2 * position + 1) * frequency * np.pi / 16)
    waves[0] = np.sqrt(1 / 8)
    return np.asarray(waves, np.float32)


BASIS: Floats = _basis()
"""Shape (frequency, position): the orthonormal basis, rows from the mean to the finest wave."""


def grid_of(plane: Plane, step: int = 1) -> NDArray[np.uint8]:
    """The whole blocks of a plane (height, width) where they lie, shape (row, 8, column, 8): no copy.

    Of ``step`` rows of blocks, the first.
    """
    rows, columns = plane.shape[0] // SIDE, plane.shape[1] // SIDE
    return plane[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE)[::step]


def cut(plane: Plane, step: int = 1) -> NDArray[np.uint8]:
    """The blocks of :func:`grid_of` from the upper left corner, row by row, shape (n, 64)."""
    return grid_of(plane, step).swapaxes(1, 2).reshape(-1, SIDE * SIDE)
