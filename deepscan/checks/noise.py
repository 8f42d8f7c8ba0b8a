"""The noise level of a picture, block by block: parts that come from elsewhere may carry another noise.

The estimator is J. Immerkaer's ("Fast Noise Variance Estimation", CVIU 64(2), 1996) with the median in place of the
mean, per block as in B. Mahdian and S. Saic, "Using noise inconsistencies for blind image forensics", IVC 27(10), 2009.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import CheckSpec, Cost, Subject
from deepscan.checks.exhibits import heat_map
from deepscan.checks.maps import Map, MapCheck, first_picture
from deepscan.config import SAMPLING
from deepscan.media.frames import Pixels
from deepscan.types import Evidence, Family, MediaKind

NOISE = "DS-PIX-011"
MIN_SIDE = 96
BLOCK = 16

LOOK_FOR = "A part with a border of its own that is darker or brighter than parts with the same texture and light."
IGNORE = (
    "Fine texture, edges and text always look noisy; sky, walls, blur, deep shadow and over-exposed parts look free of "
    "noise. Denoising in a phone differs from place to place."
)

SPEC = CheckSpec(
    id="noise",
    title="Map of the noise level",
    family=Family.PIXELS,
    version="1",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(NOISE,),
    cost=Cost.HIGH,
    default=False,
    looks_at=f"pictures of at least {MIN_SIDE} x {MIN_SIDE} pixels",
    options=(*SAMPLING, "exhibits"),
)

NoiseMap = NDArray[np.float32]
"""Shape (rows, columns): the standard deviation of the noise of each block of 16 x 16 pixels, in grey levels."""


def measure(subject: Subject) -> Map:
    """The map of the noise of the first page or frame. Raises NotApplicableError, MediaError."""
    pixels = first_picture(subject, MIN_SIDE, "a map of its noise")
    height, width = pixels.shape[:2]
    levels = noise_levels(pixels)
    low, middle, high = (float(np.percentile(levels, share)) for share in (10, 50, 90))
    top = max(float(np.percentile(levels, 99)), 0.5)
    return Map(
        "noise map",
        f"standard deviation in blocks of {BLOCK} x {BLOCK} pixels",
        Evidence("noise in grey levels", {"p10": round(low, 2), "p50": round(middle, 2), "p90": round(high, 2)}),
        f"The noise level is {middle:.1f} grey levels in the middle block, and from {low:.1f} to {high:.1f} in most "
        "others. This alone shows neither that the picture was edited nor that it was not.",
        unevenness(levels),
        lambda: heat_map(levels, width, height, top=top, unit="grey levels"),
    )


def noise_levels(pixels: Pixels) -> NoiseMap:
    """The noise of every block of a picture (height, width, 3) RGB; what is left at its edges is not counted."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    rows, columns = grey.shape[0] // BLOCK, grey.shape[1] // BLOCK
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    residual = np.abs(cv2.filter2D(grey, cv2.CV_16S, mask))[: rows * BLOCK, : columns * BLOCK]
    blocks = residual.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2).reshape(rows, columns, BLOCK * BLOCK)
    # The mask's weights have the length 6; 0.6745 is the median of |x| for a normal x of standard deviation 1.
    return np.asarray(np.median(blocks, axis=2) / (0.6745 * 6), np.float32)


def unevenness(levels: NoiseMap) -> float:
    """How much the noise differs over the picture, in [0, 1]: (p90 - p10) / (p90 + p10) of the blocks."""
    low, high = np.percentile(levels, (10, 90))
    return float((high - low) / (high + low)) if high > 0 else 0.0


CHECK = MapCheck(SPEC, measure, LOOK_FOR, IGNORE, "The noise level is mapped for")
