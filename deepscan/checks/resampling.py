"""Traces of resampling: a picture that was scaled or turned has pixels that their neighbours foretell.

After M. Kirchner, "Fast and Reliable Resampling Detection by Spectral Analysis of Fixed Linear Predictor Residue",
MM&Sec 2008, which made the method of A. Popescu and H. Farid (IEEE TSP 53(2), 2005) fast: a fixed predictor, the map of
how well it foretells, and the peaks in the spectrum of that map.
"""

from __future__ import annotations

import numpy as np

from deepscan.checks.base import CheckSpec, Cost, Subject
from deepscan.checks.maps import Map, MapCheck
from deepscan.checks.periodicity import TILE, Plane, Spectrum, average_spectrum, map_of, middle
from deepscan.config import SAMPLING
from deepscan.media.frames import Pixels
from deepscan.types import Family, MediaKind

RESAMPLING = "DS-PIX-012"

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
    options=(*SAMPLING, "exhibits"),
)


def measure(pixels: Pixels) -> Spectrum:
    """The spectrum of the map of how well neighbours foretell each pixel, from 256 x 256 pixels on."""
    return average_spectrum(prediction_map(middle(pixels)), axes=True)


def prediction_map(pixels: Pixels) -> Plane:
    """How well the neighbours foretell every pixel of a picture (height, width, 3), from 0 to 1."""
    import cv2

    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)
    mask = np.array([[0.25, -0.5, 0.25], [-0.5, 1.0, -0.5], [0.25, -0.5, 0.25]], np.float32)
    residual = cv2.filter2D(grey, cv2.CV_32F, mask)
    return np.asarray(np.exp(-residual * residual), np.float32)


def _draw(subject: Subject) -> Map:
    meaning = "evidence of scaling or turning when it is high, which is not editing by itself"
    return map_of(subject, measure, "the map of how well neighbours foretell each pixel", meaning)


CHECK = MapCheck(SPEC, _draw, LOOK_FOR, IGNORE, "Traces of resampling are looked for in")
