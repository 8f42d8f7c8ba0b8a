"""The picture as the search for copies sees it: grey, of bounded size, with what its fine detail is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels
from deepscan.media.grey import reduced

Plane = NDArray[np.float32]
"""Shape (height, width), grey levels."""

_INNER = 0.6
_OUTER = 2.2
"""Standard deviations in pixels of the two blurs whose difference is the fine detail. The inner one takes away what
interpolation changes most when a region is turned or scaled; the outer one, shading and large structure."""


_BETWEEN = 3
"""About how many times as wide as the working picture the one between is."""


@dataclass(frozen=True, slots=True, eq=False)
class GreyPicture:
    """The picture at its working size. ``zoom`` is the original's side divided by the working one's (1 or more)."""

    grey: Plane
    detail: Plane
    zoom: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.grey.shape[1], self.grey.shape[0]


def prepare(pixels: Pixels, most: int) -> GreyPicture:
    """The grey picture of at most ``most`` pixels, scaled down by area averages when it is larger.

    First by a whole factor, in bytes: what that rounds is averaged away again, and it takes a sixth of the time.
    """
    import cv2

    height, width = pixels.shape[:2]
    zoom = max(1.0, float(np.sqrt(height * width / most)))
    if zoom > 1.0:
        size = (max(1, round(width / zoom)), max(1, round(height / zoom)))
        full = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
        middle, _ = reduced(full, _BETWEEN * max(size))
        grey = np.asarray(cv2.resize(middle.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)
    else:
        grey = np.asarray(cv2.cvtColor(pixels.astype(np.float32), cv2.COLOR_RGB2GRAY), np.float32)
    return GreyPicture(grey, fine_detail(grey), zoom)


def fine_detail(grey: Plane) -> Plane:
    """The band of fine detail of a grey picture: the difference of two Gaussian blurs."""
    import cv2

    inner = cv2.GaussianBlur(grey, (0, 0), _INNER)
    return np.asarray(inner - cv2.GaussianBlur(grey, (0, 0), _OUTER), np.float32)
