"""Whether the coefficients of a JPEG were rounded before, on the same grid, to the steps of another table.

A coefficient that was rounded to multiples of a, and then to multiples of b, has a histogram with gaps and peaks that
no single rounding makes (J. Lukas and J. Fridrich, "Estimation of Primary Quantization Matrix in Double Compressed
JPEG Images", DFRWS 2003; A. Popescu and H. Farid, "Statistical Tools for Digital Forensics", 2004).
Here each hypothesis is a likelihood. Before any rounding, a coefficient is a mixture of Laplace distributions of fixed
scales (E. Lam and J. Goodman, "A Mathematical Analysis of the DCT Coefficient Distributions for Images", IEEE TIP
2000), whose shares are fitted to the histogram under every hypothesis alike; the hypothesis rounds that mixture once,
or twice.

The quality itself is no clue: tables enter only by the ratios of their steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.compression import blocks
from deepscan.checks.compression.tables import luma_table
from deepscan.media.luma import Plane

Counts: TypeAlias = NDArray[np.int64]
"""Shape (frequency, LAST + 1)."""

Chances: TypeAlias = NDArray[np.float64]

QUALITIES = range(40, 97)
"""First qualities that are tried (tables of the Independent JPEG Group). Finer ones leave no trace."""

FREQUENCIES: tuple[tuple[int, int], ...] = tuple(
    (v, s - v) for s in range(1, 6) for v in (range(s + 1) if s % 2 else range(s, -1, -1))
)
"""The (vertical, horizontal) frequencies that are used: the first 20 of JPEG's zigzag after the mean."""

LAST = 24
"""Bins are 0 to LAST - 1 and the rest: the absolute value of a coefficient in steps."""

SCALES = np.geomspace(0.4, 150.0, 14)
"""Means of the absolute value of the mixture's parts, in grey levels."""

ROUNDS = 40
"""Steps of expectation and maximisation for the shares."""

NOISE = np.sqrt(1 / 12)
"""Deviation of a coefficient, in grey levels, by the rounding of decoded pixels to whole grey levels."""

LEFT_OUT = 4
"""Frequencies that are not counted, those that favour a first save most: content may mimic it in a few of them."""

_LEAST = 1e-9  # the chance of what a hypothesis forbids: damage, and rounding other than modelled

MAX_BLOCKS = 40_000
"""Blocks that are used, evenly spaced: enough for any histogram here (2.6 megapixels)."""

GRID = blocks.SIDE * blocks.SIDE  # pixels of a block

_WAVES = np.stack([np.outer(blocks.BASIS[v], blocks.BASIS[u]).ravel() for v, u in FREQUENCIES])

_ASKED = 2.0  # support from which on a finer first save is looked at again; single saves hardly reach it

_LIKELIEST, _GLANCE = 6, 5
"""First qualities that are fitted to the end, after a glance of so many rounds at all of them."""


def histograms(plane: Plane, table: Sequence[int]) -> Counts:
    """How often each absolute value occurs, in steps of ``table`` (64, row by row), at each of FREQUENCIES.

    Blocks with a black or white pixel are left out, because clipping moved their coefficients, and so are flat ones.
    """
    import cv2

    chosen = _usable(plane, -(-(plane.size // GRID) // (2 * MAX_BLOCKS)))
    if not len(chosen):
        return np.zeros((len(FREQUENCIES), LAST + 1), np.int64)
    waves = _WAVES / np.array([table[8 * v + u] for v, u in FREQUENCIES], np.float32)[:, None]
    steps = np.minimum(cv2.convertScaleAbs(waves @ chosen.T.astype(np.float32)), LAST)  # rounded to whole numbers
    bins = steps + (LAST + 1) * np.arange(len(FREQUENCIES), dtype=np.int64)[:, None]
    return np.bincount(bins.ravel(), minlength=len(FREQUENCIES) * (LAST + 1)).reshape(-1, LAST + 1)


def _usable(plane: Plane, step: int) -> NDArray[np.uint8]:
    """The blocks that can be used, of every ``step`` rows of blocks the first, MAX_BLOCKS at most: shape (n, 64)."""
    grid = blocks.grid_of(plane, step)
    low, high = (_bound(grid, pick) for pick in (np.minimum, np.maximum))
    row, column = np.nonzero((low > 0) & (high < 255) & (high > low))
    every = max(1, -(-len(row) // MAX_BLOCKS))
    return grid[row[::every], :, column[::every]].reshape(-1, GRID)


def _bound(grid: NDArray[np.uint8], pick: np.ufunc) -> NDArray[np.uint8]:
    """The smallest or largest value of each block, shape (row, column): rows of all blocks are compared at once."""
    across = pick.reduce(grid.reshape(*grid.shape[:2], -1), axis=1)
    return np.asarray(pick.reduce([across[:, place :: blocks.SIDE] for place in range(blocks.SIDE)]), np.uint8)


@dataclass(frozen=True, slots=True)
class First:
    """The first save that explains the coefficients best.

    ``quality`` is that of the table nearest to it; ``support`` the logarithm of how much likelier the coefficients are
    than after one save, without the LEFT_OUT frequencies that favour it most. ``apart`` is the same of the values other
    than zero alone, asked for finer first saves that have any support: content may hold fewer zeros than a mixture of
    Laplace distributions, which looks like a first save with steps of half the size, but not in the other values.
    """

    quality: int
    support: float
    is_coarser: bool
    apart: float = 0.0


def estimate(counts: Counts, table: Sequence[int]) -> First:
    """The likeliest first save for histograms (frequency, LAST + 1), whose last save had the 64 steps of ``table``."""
    steps = tuple(table[8 * v + u] for v, u in FREQUENCIES)
    first = _likeliest_first(counts, steps, 0)
    if first.is_coarser or first.support < _ASKED:
        return first
    apart = _likeliest_first(counts, steps, 1)
    quality = apart.quality if apart.support > 0 else first.quality
    return First(quality, first.support, is_coarser=False, apart=apart.support)


def _likeliest_first(counts: Counts, steps: tuple[int, ...], least: int) -> First:
    """The likeliest first save by the values from ``least`` steps on."""
    counts = counts[:, least:]
    once, shares = _fit(counts, _from(np.stack([rounded_twice(step, step) for step in steps]), least), ROUNDS)
    frequencies, places = _cases()
    chances = _hypotheses(steps, least)
    # A glance, from the shares of one save on: content is the same under every hypothesis.
    seen, _ = _fit(counts[frequencies], chances, _GLANCE, shares[frequencies])
    promise = (seen - once[frequencies])[places].sum(axis=1)
    likeliest = np.sort(np.argsort(-promise)[:_LIKELIEST])
    cases, again = np.unique(places[likeliest], return_inverse=True)  # qualities share most of their steps
    fits, _ = _fit(counts[frequencies[cases]], chances[cases], ROUNDS)
    gains = fits[again].reshape(len(likeliest), len(steps)) - once
    best = int(gains.sum(axis=1).argmax())
    quality = QUALITIES[likeliest[best]]
    return First(quality, float(np.sort(gains[best])[:-LEFT_OUT].sum()), sum(_firsts(quality)) > sum(steps))


@cache
def _firsts(quality: int) -> tuple[int, ...]:
    """The steps of a first quality, one of each frequency."""
    return tuple(luma_table(quality)[8 * v + u] for v, u in FREQUENCIES)


@cache
def _cases() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """What first saves of all QUALITIES may do to a frequency, each different case once, frequency by frequency.

    Returns:
        For each case its frequency; and, shape (quality, frequency), the case that a quality makes of a frequency.
    """
    asked = np.array([_firsts(quality) for quality in QUALITIES])
    found = [np.unique(column, return_inverse=True) for column in asked.T]
    counts = [len(firsts) for firsts, _ in found]
    before = np.cumsum([0, *counts[:-1]])
    places = np.stack([start + place for start, (_, place) in zip(before, found, strict=True)], axis=1)
    return np.repeat(np.arange(len(counts)), counts), places


@lru_cache(maxsize=16)
def _hypotheses(steps: tuple[int, ...], least: int) -> Chances:
    """The chances of the values from ``least`` on in each of the cases, for a last save with these steps."""
    return np.concatenate([_of_frequency(number, step, least) for number, step in enumerate(steps)])


@lru_cache(maxsize=512)
def _of_frequency(number: int, step: int, least: int) -> Chances:
    """The part of :func:`_hypotheses` that is one frequency's: tables of neighbouring qualities have many in common."""
    firsts = sorted({_firsts(quality)[number] for quality in QUALITIES})
    return _from(np.stack([rounded_twice(first, step) for first in firsts]), least)


def _from(chances: Chances, least: int) -> Chances:
    """The chances (n, scale, bins) of the bins from ``least`` on, given that it is one of these."""
    rest = chances[:, :, least:]
    return np.asarray(rest / rest.sum(axis=2, keepdims=True), np.float64)


@lru_cache(maxsize=2048)
def rounded_twice(first: int, step: int) -> Chances:
    """The chance of each bin for each scale, shape (scale, LAST + 1): rounded to multiples of ``first`` grey levels,
    then with the noise of whole pixels to multiples of ``step``. With both equal, that is one save.
    """
    reach = -(-(LAST + 2) * step // first)
    levels = first * np.arange(-reach, reach + 1)
    edges = (np.arange(-LAST, LAST + 2) - 0.5) * step
    below = _chance_below((edges[None] - levels[:, None]) / NOISE)
    moved = np.diff(below, axis=1)
    moved[:, 0] += below[:, 0]  # levels beyond the edges belong to the outermost bins
    moved[:, -1] += 1 - below[:, -1]
    masses = _masses(first, reach) @ moved
    folded = masses[:, LAST:].copy()
    folded[:, 1:] += masses[:, LAST - 1 :: -1]
    return np.asarray(np.maximum(folded, _LEAST))


def _chance_below(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """The normal distribution, at 0 or 1 beyond 9 deviations: what is left there is 1e-19."""
    from scipy.special import ndtr

    chances = np.asarray(deviations > 0, np.float64)
    near = np.abs(deviations) < 9
    chances[near] = ndtr(deviations[near])
    return chances


def _masses(step: int, reach: int) -> Chances:
    """Chances of the multiples -reach to reach of ``step`` for each scale, the tails in the outermost ones."""
    beyond = np.exp(-(np.arange(reach + 1) + 0.5) * step / SCALES[:, None]) / 2  # of more than n + 0.5 steps
    half = -np.diff(beyond, axis=1)
    half[:, -1] += beyond[:, -1]
    return np.concatenate([half[:, ::-1], 1 - 2 * beyond[:, :1], half], axis=1)


def _fit(
    counts: Counts, chances: Chances, rounds: int, shares: Chances | None = None
) -> tuple[NDArray[np.float64], Chances]:
    """The log-likelihood of each histogram (n, bins) under a mixture of its ``chances`` (n, scale, bins), after so many
    ``rounds`` of fitting the ``shares`` (n, 1, scale), and these: from equal ones on, unless others are given.
    """
    if shares is None:
        shares = np.full((len(chances), 1, chances.shape[1]), 1 / chances.shape[1])
    totals = counts.sum(axis=1, keepdims=True)
    # Of nothing, any shares are as good as others: as if all bins had been seen alike, they stay what they are.
    parts = np.where(totals > 0, counts / np.maximum(totals, 1), 1 / counts.shape[1])[:, None]
    turned = chances.transpose(0, 2, 1)
    shares = shares.copy()
    mixed, better = np.empty_like(parts), np.empty_like(shares)
    for _ in range(rounds):  # no bin's chance is below _LEAST, so nor is a mixture's
        np.divide(parts, np.matmul(shares, chances, out=mixed), out=mixed)
        shares *= np.matmul(mixed, turned, out=better)
    np.matmul(shares, chances, out=mixed)
    return np.asarray((counts * np.log(mixed[:, 0])).sum(axis=1), np.float64), shares
