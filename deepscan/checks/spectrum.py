"""The spectrum of a picture's noise residual: generators that enlarge in steps can leave peaks.

After R. Durall et al., "Watch your Up-Convolution", CVPR 2020, and R. Corvi et al., "Intriguing properties of synthetic
images", CVPR workshops 2023: the average spectrum of the noise residual, against the median of equal frequencies.
"""

from __future__ import annotations

import numpy as np

from deepscan.checks.base import CheckSpec, Cost, Subject
from deepscan.checks.maps import Map, MapCheck
from deepscan.checks.periodicity import TILE, Plane, Spectrum, average_spectrum, map_of, middle
from deepscan.config import SAMPLING
from deepscan.media.frames import Pixels
from deepscan.types import Family, MediaKind

SPECTRUM = "DS-PIX-013"

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
    options=(*SAMPLING, "exhibits"),
)


def measure(pixels: Pixels) -> Spectrum:
    """The spectrum of the noise residual, of a picture of at least 256 pixels on both sides."""
    return average_spectrum(residual(middle(pixels)), axes=False)


def residual(pixels: Pixels) -> Plane:
    """What a median of 3 x 3 pixels takes away from a picture (height, width, 3) RGB, in grey levels, at most 20."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    difference = grey.astype(np.float32) - cv2.medianBlur(grey, 3)
    return np.asarray(np.clip(difference, -20, 20), np.float32)


def _draw(subject: Subject) -> Map:
    meaning = "something regular when it is high, which generators, scaling and fabrics all cause"
    return map_of(subject, measure, "the noise residual", meaning)


CHECK = MapCheck(SPEC, _draw, LOOK_FOR, IGNORE, "This spectrum is drawn of")
