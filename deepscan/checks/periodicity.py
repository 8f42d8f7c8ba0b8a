"""The average spectrum of a picture's tiles, and how far its peaks stand out: for checks that look for periods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import Subject
from deepscan.checks.exhibits import heat_map
from deepscan.checks.maps import Map, first_picture
from deepscan.media.frames import Pixels
from deepscan.types import Evidence

TILE = 256
"""Side of a tile in pixels. Frequencies are counted in cycles per tile."""

MOST_TILES = 16

MAX_PIXELS = 4_000_000
"""Of a larger picture, the middle of this many pixels: scaling it down would take away what is looked for."""

FULL_SCALE = 30.0
"""Decibels of the highest peak that count as intensity 1."""

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

    @property
    def intensity(self) -> float:
        """The highest peak as a part of :data:`FULL_SCALE`, in [0, 1]."""
        return float(np.clip(self.peak / FULL_SCALE, 0, 1))


def map_of(subject: Subject, measure: Callable[[Pixels], Spectrum], of_what: str, meaning: str) -> Map:
    """The spectrum of the first page or frame as a map. Raises NotApplicableError, MediaError.

    Args:
        subject: The file.
        measure: Gives the spectrum of a picture of at least :data:`TILE` pixels on both sides.
        of_what: What the spectrum is of ("the noise residual").
        meaning: What a high peak means, as the summary goes on.
    """
    found = measure(first_picture(subject, TILE, "this spectrum"))
    return Map(
        "spectrum",
        "decibels above the median of equal frequencies, zero in the middle",
        Evidence("highest peak", {"decibels": round(found.peak, 1), "cycles per pixel": list(found.cycles)}),
        f"The highest peak in the spectrum of {of_what} stands {found.peak:.0f} decibels above its surroundings: "
        f"{meaning}. This alone shows neither that the picture was edited or generated nor that it was not.",
        found.intensity,
        lambda: heat_map(found.excess, TILE, TILE, top=FULL_SCALE, unit="dB"),
    )


def middle(pixels: Pixels) -> Pixels:
    """The middle of a picture, at most :data:`MAX_PIXELS`, in its shape but no less than a tile on either side."""
    height, width = pixels.shape[:2]
    part = min(1.0, float(np.sqrt(MAX_PIXELS / (height * width))))
    rows, columns = max(TILE, int(height * part)), max(TILE, int(width * part))
    top, left = (height - rows) // 2, (width - columns) // 2
    return np.ascontiguousarray(pixels[top : top + rows, left : left + columns])


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
