"""The grids of 8 x 8 blocks in a picture, found by the zeros that JPEG leaves in their coefficients.

Written after T. Nikoukhah, J. Anger, M. Colom, J.-M. Morel and R. Grompone von Gioi, "ZERO: a Local JPEG Grid Origin
Detector Based on the Number of DCT Zeros and its Applications in Image Forensics", Image Processing On Line, 2021.
Each pixel votes for the one of 64 grids in whose block, of all that hold the pixel, most coefficients round to zero.
Votes of a picture without a grid are evenly spread; how unlikely a pile of votes is, is a number of false alarms (NFA)
to be expected in such pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.compression.blocks import BASIS, SIDE
from deepscan.media.luma import Plane
from deepscan.types import Box

Votes: TypeAlias = NDArray[np.uint8]
"""Shape (height, width): the grid of each pixel as 8 * (top % 8) + left % 8 of its blocks, or :data:`NO_VOTE`."""

GRIDS = SIDE * SIDE
NO_VOTE = 255
REACH = 9
"""Votes at most this many pixels apart belong to one region. A region that means something has more than one vote in
64 pixels, one in 8 x 8, and one pixel more allows for uneven spreading."""

_STRIP = 256  # rows whose votes are counted at once
_LANES = np.uint64(0x0101010101010101)


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid's origin in pixels (0 to 7), and the decimal logarithm of the NFA of its votes: below 0 is meaningful."""

    x: int
    y: int
    log_nfa: float

    @property
    def code(self) -> int:
        """The grid as votes name it."""
        return SIDE * self.y + self.x


@dataclass(frozen=True, slots=True)
class Region:
    """Where a grid has a pile of votes of its own: the box around them, and how many they are."""

    grid: Grid
    box: Box
    votes: int


def cast_votes(plane: Plane) -> Votes:
    """The vote of each pixel of a plane of at least 15 x 15 pixels. A tie, and a block that is constant along its rows
    or columns, has none, as has the border of 7 pixels, which not all grids reach.
    """
    height, width = plane.shape
    votes = np.full((height, width), NO_VOTE, np.uint8)
    for top in range(SIDE - 1, height - SIDE + 1, _STRIP):
        bottom = min(top + _STRIP, height - SIDE + 1)
        strip = plane[top - SIDE + 1 : bottom + SIDE - 1]
        votes[top:bottom, SIDE - 1 : width - SIDE + 1] = _elect(strip, (top - SIDE + 1) % SIDE)
    return votes


def _elect(strip: Plane, first_row: int) -> Votes:
    """The votes of the rows of a strip that are 7 or more from its edges; it begins in row ``first_row`` of 8."""
    zeros = _count_zeros(strip)
    rows, columns = np.ogrid[: zeros.shape[0], : zeros.shape[1]]
    codes = np.asarray(SIDE * ((rows + first_row) % SIDE) + columns % SIDE, np.uint8)
    codes[_is_constant(strip)] = NO_VOTE
    ones = np.ones(zeros.shape, np.uint8)
    return _winner(*_winner(zeros, codes, ones, axis=1), axis=0, final=True)[1]


def _winner(zeros: Votes, codes: Votes, ties: Votes, *, axis: int, final: bool = False) -> tuple[Votes, Votes, Votes]:
    """In each run of 8 along an axis: the most zeros, the code that has them, and how many share the place."""
    windows = [[_shifted(values, shift, axis) for values in (zeros, codes, ties)] for shift in range(SIDE)]
    most = np.maximum.reduce([window[0] for window in windows])
    shared, code = np.zeros_like(most), np.zeros_like(most)
    for count, name, tied in windows:
        best = count == most
        shared += best * tied
        code += best * name  # more than one best may run over: such sums are not read
    return most, np.where(shared == 1, code, NO_VOTE).astype(np.uint8) if final else code, shared


def _shifted(values: Votes, shift: int, axis: int) -> Votes:
    length = values.shape[axis] - SIDE + 1
    return values[shift : shift + length] if axis == 0 else values[:, shift : shift + length]


def _count_zeros(strip: Plane) -> Votes:
    """How many of the 63 coefficients other than the mean are below 0.5, for the block from each pixel on."""
    height, width = strip.shape
    count = width - SIDE + 1
    zeros = np.empty((height - SIDE + 1, count), np.uint8)
    ring = np.empty((SIDE, count * SIDE), np.float32)  # the last 8 rows, transformed along the row
    coefficients = np.empty_like(ring)
    small = np.empty(ring.shape, bool)
    for row in range(height):
        windows = np.lib.stride_tricks.sliding_window_view(strip[row].astype(np.float32), SIDE)
        np.matmul(windows, BASIS.T, out=ring[row % SIDE].reshape(count, SIDE))
        top = row - SIDE + 1
        if top < 0:
            continue
        np.matmul(np.ascontiguousarray(BASIS[:, (np.arange(SIDE) - top) % SIDE]), ring, out=coefficients)
        np.less(np.abs(coefficients, out=coefficients), 0.5, out=small)
        small[0, ::SIDE] = False  # the mean
        # Eight flags at a time are added as the bytes of one number; the product gathers its bytes in the highest one.
        lanes = small.view(np.uint64).sum(axis=0)
        zeros[top] = (lanes * _LANES) >> np.uint64(56)
    return zeros


def _is_constant(strip: Plane) -> NDArray[np.bool_]:
    """Whether the block from each pixel on is constant along all its rows, or along all its columns."""
    across, down = strip[:, 1:] != strip[:, :-1], strip[1:] != strip[:-1]
    return ~_any_within(across, SIDE, SIDE - 1) | ~_any_within(down, SIDE - 1, SIDE)


def _any_within(flags: NDArray[np.bool_], height: int, width: int) -> NDArray[np.bool_]:
    """Whether any flag is set in the window of that size from each place on."""
    rows, columns = flags.shape[0] - height + 1, flags.shape[1] - width + 1
    found = np.logical_or.reduce([flags[:, shift : shift + columns] for shift in range(width)])
    return np.asarray(np.logical_or.reduce([found[shift : shift + rows] for shift in range(height)]))


def _log_tests(votes: Votes) -> float:
    """The logarithm of the number of tests: 64 grids, as many windows as pixels and sizes as their root (section 3)."""
    return math.log10(GRIDS) + 1.5 * math.log10(votes.size)


def _log_nfa(area: float, count: int, log_tests: float) -> float:
    """Of ``count`` votes in ``area`` pixels. Pixels of a block vote alike: 64 of them count as one vote."""
    from scipy.special import betainc

    trials, hits = int(area) // GRIDS, count // GRIDS
    if trials == 0 or hits == 0:
        return log_tests
    chance = float(betainc(hits, trials - hits + 1, 1 / GRIDS)) if hits <= trials else 0.0
    return log_tests + (math.log10(chance) if chance > 0 else _FLOOR)


_FLOOR = -300.0  # the logarithm of a chance that floating point cannot hold


def main_grid(votes: Votes) -> Grid | None:
    """The grid with most votes in the whole picture, when they are meaningful."""
    counts = np.bincount(votes[votes < GRIDS], minlength=GRIDS)
    code = int(counts.argmax())
    log_nfa = _log_nfa(votes.size, int(counts[code]), _log_tests(votes))
    return Grid(code % SIDE, code // SIDE, log_nfa) if log_nfa < 0 else None


def find_regions(votes: Votes, grids: Iterable[int]) -> list[Region]:
    """Where one of ``grids`` (codes) has meaningfully many votes, the most meaningful first."""
    smallest = math.ceil(GRIDS * _log_tests(votes) / math.log10(GRIDS))
    counts = np.bincount(votes[votes < GRIDS], minlength=GRIDS)
    found = [region for code in grids if counts[code] >= smallest for region in _grow(votes, code, smallest)]
    return sorted(found, key=lambda region: region.grid.log_nfa)


def _grow(votes: Votes, code: int, smallest: int) -> list[Region]:
    """The regions of one grid. Squares of REACH pixels touch exactly where their corners are REACH or less apart."""
    import cv2

    voters = (votes == code).astype(np.uint8)
    joined = cv2.dilate(voters, np.ones((REACH, REACH), np.uint8))
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    sizes = np.bincount(labels[voters > 0], minlength=len(boxes))
    regions = []
    for label in np.flatnonzero(sizes >= smallest):
        left, top, width, height = (int(value) for value in boxes[label][:4])
        # Each vote was widened by REACH // 2 to all sides, and none lies nearer than 7 to the border.
        box = Box(left + REACH // 2, top + REACH // 2, width - REACH + 1, height - REACH + 1)
        side = max(box.width, box.height)
        log_nfa = _log_nfa(side * side, int(sizes[label]), _log_tests(votes))
        if log_nfa < 0:
            regions.append(Region(Grid(code % SIDE, code // SIDE, log_nfa), box, int(sizes[label])))
    return regions
