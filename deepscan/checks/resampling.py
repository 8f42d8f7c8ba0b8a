"""Traces of resampling: a picture that was scaled or turned has pixels that their neighbours foretell.

After M. Kirchner, "Fast and Reliable Resampling Detection by Spectral Analysis of Fixed Linear Predictor Residue",
MM&Sec 2008, which made the method of A. Popescu and H. Farid (IEEE TSP 53(2), 2005) fast: a fixed predictor, the map of
how well it foretells, and the peaks in the spectrum of that map.
"""

from __future__ import annotations

import numpy as np

from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Subject
from deepscan.checks.exhibits import heat_map, look_and_ignore
from deepscan.checks.periodicity import TILE, Plane, Spectrum, average_spectrum
from deepscan.media.frames import Pixels
from deepscan.types import (
    CheckResult,
    Evidence,
    Family,
    Finding,
    Level,
    Meaning,
    MediaItem,
    MediaKind,
    Outcome,
    PointsTo,
    Score,
)

RESAMPLING = "DS-PIX-012"

MAX_PIXELS = 4_000_000
"""Of a larger picture, the middle of this many pixels: scaling it down would take away what is looked for."""

FULL_SCALE = 30.0
"""Decibels of the highest peak that count as intensity 1."""

LOOK_FOR = "Bright points away from the middle, in pairs on opposite sides: periods that scaling or turning leaves."
IGNORE = (
    "The bright middle, the two axes, and points at every eighth of the width: JPEG's blocks make these. "
    "Fabric, fences and screens have periods of their own; and nearly every picture on the web was scaled "
    "once as a whole."
)

SPEC = CheckSpec(
    id="resampling",
    title="Spectrum of the traces of resampling",
    family=Family.PIXELS,
    version="1",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(RESAMPLING,),
    cost=Cost.HIGH,
    default=False,
    looks_at=f"pictures of at least {TILE} x {TILE} pixels",
)


class Resampling:
    """Draws a spectrum; says nothing about whether the picture was edited or generated."""

    @property
    def spec(self) -> CheckSpec:
        """What it is."""
        return SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """It looks at single pictures."""
        return "This spectrum is drawn of pictures, and this is a video." if item.kind is MediaKind.VIDEO else None

    def run(self, subject: Subject) -> CheckResult:
        """Measure the first page or frame.

        Raises:
            NotApplicableError: it is smaller than :data:`TILE` pixels on one side.
            MediaError: it cannot be decoded.
        """
        pixels = subject.reading().frames[0].pixels
        height, width = pixels.shape[:2]
        if min(width, height) < TILE:
            raise NotApplicableError(f"The picture is {width} x {height} pixels; this needs {TILE} x {TILE}.")
        found = measure(pixels)
        path = None
        if subject.keeps_exhibits:
            path = subject.exhibit("resampling", heat_map(found.excess, TILE, TILE, top=FULL_SCALE, unit="dB"))
        across, down = found.cycles
        evidence = (
            Evidence("spectrum", "decibels above the median of equal frequencies, zero in the middle", exhibit=path),
            Evidence("highest peak", {"decibels": round(found.peak, 1), "cycles per pixel": [across, down]}),
            *look_and_ignore(LOOK_FOR, IGNORE),
        )
        summary = (
            f"The highest peak in the spectrum of the map of how well neighbours foretell each pixel stands "
            f"{found.peak:.0f} decibels above its surroundings: "
            "evidence of scaling or turning when it is high, which is not editing by itself. "
            "This alone shows neither that the picture was edited or generated nor that it was not."
        )
        finding = Finding(RESAMPLING, Level.INFO, PointsTo.NEITHER, summary, evidence)
        score = Score(intensity(found), Meaning.INTENSITY)
        return CheckResult(SPEC.id, SPEC.version, Outcome.DONE, (finding,), score)


def measure(pixels: Pixels) -> Spectrum:
    """The spectrum of the map of how well neighbours foretell each pixel, from 256 x 256 pixels on."""
    return average_spectrum(prediction_map(_middle(pixels)), axes=True)


def intensity(found: Spectrum) -> float:
    """The highest peak as a part of :data:`FULL_SCALE`, in [0, 1]."""
    return float(np.clip(found.peak / FULL_SCALE, 0, 1))


def prediction_map(pixels: Pixels) -> Plane:
    """How well the neighbours foretell every pixel of a picture (height, width, 3), from 0 to 1."""
    import cv2

    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)
    mask = np.array([[0.25, -0.5, 0.25], [-0.5, 1.0, -0.5], [0.25, -0.5, 0.25]], np.float32)
    residual = cv2.filter2D(grey, cv2.CV_32F, mask)
    return np.asarray(np.exp(-residual * residual), np.float32)


def _middle(pixels: Pixels) -> Pixels:
    """The middle of a picture, at most :data:`MAX_PIXELS`, in its shape but no less than a tile on either side."""
    height, width = pixels.shape[:2]
    part = min(1.0, float(np.sqrt(MAX_PIXELS / (height * width))))
    rows, columns = max(TILE, int(height * part)), max(TILE, int(width * part))
    top, left = (height - rows) // 2, (width - columns) // 2
    return np.ascontiguousarray(pixels[top : top + rows, left : left + columns])
