"""The votes of pixels for one of the 64 grids of 8 x 8 blocks that they may lie in.

Written after ZERO (:mod:`.grid` names the paper): each pixel votes for the grid in whose block, of all that hold the
pixel, most coefficients round to zero. That asks for the 64 coefficients of as many blocks as there are pixels, some 40
ns each, so that of a large picture only bands are asked first.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.compression.blocks import BASIS, SIDE
from deepscan.media.luma import Plane

Votes: TypeAlias = NDArray[np.uint8]
"""Shape (height, width): the grid of each pixel as 8 * (top % 8) + left % 8 of its blocks, or :data:`NO_VOTE`."""

GRIDS = SIDE * SIDE
NO_VOTE = 255

BAND = SIDE
"""Rows of votes in a band: those of one row of blocks, wherever its grid lies."""

REACHED = 2 * (SIDE - 1)
"""Rows and columns at the edges of a plane, both sides together, whose pixels do not lie in blocks of all grids."""

_SMALL = 0.4999
"""Coefficients below this round to zero. Half a step is 0.5; some coefficients are exactly that, and would fall to
either side by the rounding of floating point."""

_TO_HALF = 0.5 / _SMALL  # what brings _SMALL to where numbers are rounded up

_STRIP_PIXELS = 2**18  # pixels whose votes are counted at once
_AT_ONCE = 4096  # blocks whose coefficients are held at once: a megabyte, which stays in the cache


def cast_votes(plane: Plane) -> Votes:
    """The vote of each pixel of a plane of at least 15 x 15 pixels. A tie, and a block that is constant along its rows
    or columns, has none, as has the border of 7 pixels, which not all grids reach.
    """
    height, width = plane.shape
    votes = np.full((height, width), NO_VOTE, np.uint8)
    high = max(SIDE, _STRIP_PIXELS // width)
    for top in range(SIDE - 1, height - SIDE + 1, high):
        bottom = min(top + high, height - SIDE + 1)
        strip = plane[top - SIDE + 1 : bottom + SIDE - 1]
        votes[top:bottom, SIDE - 1 : width - SIDE + 1] = _elect(strip, (top - SIDE + 1) % SIDE)
    return votes


def cast_in_bands(plane: Plane, step: int) -> Votes:
    """The votes in bands of :data:`BAND` rows, one in every ``step`` rows (a multiple of 8), one under the other.

    The columns of the border are left out: shape (BAND * bands, width - REACHED).
    """
    tops = range(0, plane.shape[0] - REACHED - BAND + 1, step)
    return np.concatenate([_elect(plane[top : top + REACHED + BAND], top % SIDE) for top in tops])


def _elect(strip: Plane, first_row: int) -> Votes:
    """The votes of the rows of a strip that are 7 or more from its edges; it begins in row ``first_row`` of 8.

    The count of zeros, the grid and whether the block is constant stand in one number, whose largest in 8 x 8 places
    names the winner. Among equal counts that is the last grid, and the first where grids are numbered backwards.
    """
    zeros = _count_zeros(strip)
    top = (np.arange(zeros.shape[0], dtype=np.uint16)[:, None] + first_row) % SIDE
    left = np.arange(zeros.shape[1], dtype=np.uint16) % SIDE
    known = zeros.astype(np.uint16) << 7 | _is_constant(strip)
    last = _largest(known + ((SIDE * top << 1) + (left << 1)), SIDE, SIDE)
    first = _largest(known + ((SIDE * (SIDE - 1 - top) << 1) + (SIDE - 1 - left << 1)), SIDE, SIDE)
    name = last >> 1 & GRIDS - 1
    alone = (name + (first >> 1 & GRIDS - 1) == GRIDS - 1) & (last & 1 == 0)
    return np.where(alone, name, NO_VOTE).astype(np.uint8)


def _largest(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """The largest in the window of that size, both more than 4 and at most 8, from each place on."""
    for shift in (1, 2, height - 4):
        values = np.maximum(values[shift:], values[:-shift])
    for shift in (1, 2, width - 4):
        values = np.maximum(values[:, shift:], values[:, :-shift])
    return values


def _count_zeros(strip: Plane) -> Votes:
    """How many of the 63 coefficients other than the mean round to zero, for the block from each pixel on."""
    import cv2

    height, width = strip.shape
    rows, columns = height - SIDE + 1, width - SIDE + 1
    deep = -(-rows // SIDE)
    zeros = np.empty((rows, columns), np.uint8)
    numbers = np.pad(strip, ((0, 0), (0, -columns % SIDE))).astype(np.float32)
    most = max(SIDE, _AT_ONCE // deep // SIDE * SIDE)
    held = np.empty(deep * GRIDS * min(most, numbers.shape[1]), np.float32)
    for left in range(0, columns, most):
        count = min(most, numbers.shape[1] - SIDE + 1 - left)
        windows = np.lib.stride_tricks.sliding_window_view(numbers[:, left : left + count + SIDE - 1], SIDE, axis=1)
        across = np.matmul(BASIS, windows.transpose(0, 2, 1)).reshape(height, SIDE * count)
        for first in range(min(SIDE, rows)):  # the blocks from every eighth row on lie side by side
            blocks = (rows - first + SIDE - 1) // SIDE
            part = across[first : first + SIDE * blocks].reshape(blocks, SIDE, SIDE * count)
            coefficients = held[: blocks * GRIDS * count]
            np.matmul(BASIS, part, out=coefficients.reshape(part.shape))
            # Sizes as whole numbers, in one pass over memory.
            sizes = cv2.convertScaleAbs(coefficients.reshape(blocks * GRIDS, count), alpha=_TO_HALF)
            small = (sizes == 0).view(np.uint8).reshape(blocks, GRIDS, count)
            told = np.einsum("bfc->bc", small[:, 1:])  # of bytes the quickest sum, none of which passes 63
            zeros[first::SIDE, left : left + count] = told[:, : columns - left]
    return zeros


def _is_constant(strip: Plane) -> NDArray[np.bool_]:
    """Whether the block from each pixel on is constant along all its rows, or along all its columns."""
    across, down = strip[:, 1:] != strip[:, :-1], strip[1:] != strip[:-1]
    return np.asarray(~(_largest(across, SIDE, SIDE - 1) & _largest(down, SIDE - 1, SIDE)), np.bool_)
