"""The spectrum of a picture's noise residual: generators that enlarge in steps can leave peaks.

After R. Durall et al., "Watch your Up-Convolution", CVPR 2020, and R. Corvi et al., "Intriguing properties of synthetic
images", CVPR workshops 2023: the average spectrum of the noise residual, against the median of equal frequencies.
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

SPECTRUM = "DS-PIX-013"

MAX_PIXELS = 4_000_000
"""Of a larger picture, the middle of this many pixels: scaling it down would take away what is looked for."""

FULL_SCALE = 30.0
"""Decibels of the highest peak that count as intensity 1."""

LOOK_FOR = (
    "Bright points or a lattice of points away from the middle: generators that enlarge in steps can leave these."
)
IGNORE = (
    "The bright middle, the two axes, and points at every eighth of the width: JPEG's blocks make these. "
    "Fabric, fences, screens and scaled pictures have periods too, and many generators leave none."
)

SPEC = CheckSpec(
    id="spectrum",
    title="Spectrum of the noise residual",
    family=Family.PIXELS,
    version="1",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(SPECTRUM,),
    cost=Cost.HIGH,
    default=False,
    looks_at=f"pictures of at least {TILE} x {TILE} pixels",
)


class SpectralPeaks:
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
            path = subject.exhibit("spectrum", heat_map(found.excess, TILE, TILE, top=FULL_SCALE, unit="dB"))
        across, down = found.cycles
        evidence = (
            Evidence("spectrum", "decibels above the median of equal frequencies, zero in the middle", exhibit=path),
            Evidence("highest peak", {"decibels": round(found.peak, 1), "cycles per pixel": [across, down]}),
            *look_and_ignore(LOOK_FOR, IGNORE),
        )
        summary = (
            f"The highest peak in the spectrum of the noise residual stands "
            f"{found.peak:.0f} decibels above its surroundings: "
            "something regular when it is high, which generators, scaling and fabrics all cause. "
            "This alone shows neither that the picture was edited or generated nor that it was not."
        )
        finding = Finding(SPECTRUM, Level.INFO, PointsTo.NEITHER, summary, evidence)
        score = Score(intensity(found), Meaning.INTENSITY)
        return CheckResult(SPEC.id, SPEC.version, Outcome.DONE, (finding,), score)


def measure(pixels: Pixels) -> Spectrum:
    """The spectrum of the noise residual, of a picture of at least 256 pixels on both sides."""
    return average_spectrum(residual(_middle(pixels)), axes=False)


def intensity(found: Spectrum) -> float:
    """The highest peak as a part of :data:`FULL_SCALE`, in [0, 1]."""
    return float(np.clip(found.peak / FULL_SCALE, 0, 1))


def residual(pixels: Pixels) -> Plane:
    """What a median of 3 x 3 pixels takes away from a picture (height, width, 3) RGB, in grey levels, at most 20."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    difference = grey.astype(np.float32) - cv2.medianBlur(grey, 3)
    return np.asarray(np.clip(difference, -20, 20), np.float32)


def _middle(pixels: Pixels) -> Pixels:
    """The middle of a picture, at most :data:`MAX_PIXELS`, in its shape but no less than a tile on either side."""
    height, width = pixels.shape[:2]
    part = min(1.0, float(np.sqrt(MAX_PIXELS / (height * width))))
    rows, columns = max(TILE, int(height * part)), max(TILE, int(width * part))
    top, left = (height - rows) // 2, (width - columns) // 2
    return np.ascontiguousarray(pixels[top : top + rows, left : left + columns])
