"""The average spectrum of a picture's tiles, and how far its peaks stand out: for checks that look for periods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TILE = 256
"""Side of a tile in pixels. Frequencies are counted in cycles per tile."""

MOST_TILES = 16

_CENTRE = 16  # cycles per tile: below, every picture has much energy
_JPEG = TILE // 8  # the grid of JPEG's blocks puts peaks at multiples of this
_AWAY = 2

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Decibels above the median of equal frequencies, shape (TILE, TILE), zero frequency in the middle.

    ``peak`` is the highest value in decibels away from the centre and from JPEG's own frequencies, and
    ``cycles`` its place (across, down) in cycles per pixel.
    """

    excess: Plane
    peak: float
    cycles: tuple[float, float]


def average_spectrum(plane: Plane, *, axes: bool) -> Spectrum:
    """The mean power of evenly spaced tiles of a plane of at least :data:`TILE` pixels on both sides.

    ``axes`` says whether a peak on one of the two axes counts: enlarging leaves some there, but so do level edges.
    """
    window = np.outer(np.hanning(TILE), np.hanning(TILE)).astype(np.float32)
    power = np.zeros((TILE, TILE))
    corners = _corners(plane.shape[0], plane.shape[1])
    for top, left in corners:
        tile = plane[top : top + TILE, left : left + TILE]
        power += np.abs(np.fft.fft2((tile - tile.mean()) * window)) ** 2
    level = 10 * np.log10(np.fft.fftshift(power) / len(corners) + 1e-6)
    y, x = np.mgrid[-TILE // 2 : TILE // 2, -TILE // 2 : TILE // 2]
    ring = np.minimum(np.hypot(x, y).astype(int), TILE // 2)
    profile = np.array([np.median(level[ring == radius]) for radius in range(TILE // 2 + 1)])
    excess = (level - profile[ring]).astype(np.float32)
    near_grid = (_off_grid(x) <= _AWAY) & (_off_grid(y) <= _AWAY)
    searched = (np.hypot(x, y) > _CENTRE) & ~near_grid
    if not axes:
        searched &= (np.abs(x) > _AWAY) & (np.abs(y) > _AWAY)
    at = np.unravel_index(int(np.where(searched, excess, -np.inf).argmax()), excess.shape)
    return Spectrum(excess, float(excess[at]), (float(x[at]) / TILE, float(y[at]) / TILE))


def _off_grid(cycles: NDArray[np.int_]) -> NDArray[np.int_]:
    """Distance to the next multiple of JPEG's frequency."""
    rest = np.abs(cycles) % _JPEG
    return np.asarray(np.minimum(rest, _JPEG - rest))


def _corners(height: int, width: int) -> list[tuple[int, int]]:
    """Top and left of at most :data:`MOST_TILES` tiles, evenly spaced."""
    side = int(np.sqrt(MOST_TILES))
    rows, columns = min(side, height // TILE), min(side, width // TILE)
    tops = np.linspace(0, height - TILE, rows).astype(int)
    lefts = np.linspace(0, width - TILE, columns).astype(int)
    return [(int(top), int(left)) for top in tops for left in lefts]
