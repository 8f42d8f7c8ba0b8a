"""The grids of 8 x 8 blocks in a picture, found by the zeros that JPEG leaves in their coefficients.

Written after T. Nikoukhah, J. Anger, M. Colom, J.-M. Morel and R. Grompone von Gioi, "ZERO: a Local JPEG Grid Origin
Detector Based on the Number of DCT Zeros and its Applications in Image Forensics", Image Processing On Line, 2021.
Each pixel votes for a grid (:mod:`.votes`). Votes of a picture without a grid are evenly spread; how unlikely a pile of
votes is, is a number of false alarms (NFA) to be expected in such pictures.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.compression.blocks import SIDE
from deepscan.checks.compression.votes import BAND, GRIDS, NO_VOTE, Votes
from deepscan.types import Box

REACH = 9
"""Votes at most this many pixels apart belong to one region. A region that means something has more than one vote in
64 pixels, one in 8 x 8, and one pixel more allows for uneven spreading."""

_CELL = 16
"""Columns of a cell; it has :data:`BAND` rows."""


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


Tally: TypeAlias = NDArray[np.int64]
"""Shape (64,): how many votes each grid has in the whole picture."""


def tally(votes: Votes) -> Tally:
    """The votes, counted."""
    return np.asarray(np.bincount(votes.ravel(), minlength=NO_VOTE + 1)[:GRIDS], np.int64)


def main_grid(votes: Votes, counts: Tally) -> Grid | None:
    """The grid with most votes in the whole picture, when they are meaningful."""
    code = int(counts.argmax())
    log_nfa = _log_nfa(votes.size, int(counts[code]), _log_tests(votes))
    return Grid(code % SIDE, code // SIDE, log_nfa) if log_nfa < 0 else None


def piled_up(votes: Votes, counts: Tally, span: int = BAND, *, without: Collection[int] = ()) -> frozenset[int]:
    """The grids (codes) that have meaningfully many votes in some square of 32, 64, 128 ... pixels a side.

    Regions are looked for among the votes of these grids alone: each search takes as long as the votes of a twelfth of
    the picture, and nearly all of the 64 grids of a picture have none. What is lost are regions so faint that no square
    within or around them would be meaningful, and those would be weak evidence.

    Args:
        votes: Of a whole picture, or bands of :data:`BAND` rows one under the other.
        counts: The :func:`tally` of these.
        span: How many rows of the picture a band stands for; :data:`BAND` for a whole picture.
        without: Grids that are not asked for.
    """
    rows, columns = votes.shape[0] // BAND, votes.shape[1] // _CELL
    log_tests = _log_tests(votes)
    sides = [2 * _CELL]
    while 2 * sides[-1] <= max(_CELL * columns, span * rows):
        sides.append(2 * sides[-1])
    windows = [(min(rows, max(1, side // span)), min(columns, side // _CELL)) for side in sides]
    fewest = [_fewest(high * BAND * wide * _CELL, log_tests) for high, wide in windows]
    # In the whole picture a grid has as many votes as in a square of it, or more: most grids never have enough.
    enough = np.flatnonzero(counts >= min(fewest)).tolist()
    asked = [code for code in enough if code not in without]
    if not asked:
        return frozenset()
    sums = _summed(_in_cells(votes, asked))
    found = np.zeros(len(asked), bool)
    for (high, wide), least in zip(windows, fewest, strict=True):
        count = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
        found |= (count >= least).any(axis=(0, 1))
    return frozenset(np.array(asked)[found].tolist())


def _in_cells(votes: Votes, grids: list[int]) -> NDArray[np.int32]:
    """How many votes each of the ``grids`` has in each cell: (rows, columns, grids). What is left at the edges is not
    counted.
    """
    rows, columns = votes.shape[0] // BAND, votes.shape[1] // _CELL
    number = np.full(NO_VOTE + 1, len(grids), np.int32)
    number[grids] = np.arange(len(grids))
    cells = number[votes[: rows * BAND, : columns * _CELL].reshape(rows, BAND, columns, _CELL).swapaxes(1, 2)]
    places = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns, 1, 1) * len(grids)
    named = (places + cells)[cells < len(grids)]
    counts = np.bincount(named, minlength=rows * columns * len(grids))
    return counts.astype(np.int32).reshape(rows, columns, len(grids))


def _summed(counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """The sums of all cells above and to the left: shape (rows + 1, columns + 1, grids)."""
    sums = np.zeros((counts.shape[0] + 1, counts.shape[1] + 1, counts.shape[2]), np.int32)
    np.cumsum(counts, axis=0, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    return sums


@lru_cache(maxsize=256)  # files of a folder often have one size
def _fewest(area: int, log_tests: float) -> int:
    """How many votes of one grid are meaningful in ``area`` pixels, by bisection."""
    low, high = 0, area // GRIDS + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _log_nfa(area, middle * GRIDS, log_tests) < 0 else (middle, high)
    return high * GRIDS


def find_regions(votes: Votes, counts: Tally, grids: Iterable[int]) -> list[Region]:
    """Where one of ``grids`` (codes) has meaningfully many votes, the most meaningful first."""
    smallest = math.ceil(GRIDS * _log_tests(votes) / math.log10(GRIDS))
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
