"""Grey copies of a picture to search in: smaller, with the same contrast, within a border."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Grey: TypeAlias = NDArray[np.uint8]
"""Shape (height, width)."""


def shrunk(grey: Grey, longest: int) -> tuple[Grey, float]:
    """A copy whose longer side is at most ``longest`` pixels, and the factor it was scaled by."""
    import cv2

    height, width = grey.shape
    scale = longest / max(height, width)
    if scale >= 1:
        return grey, 1.0
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA), scale  # type: ignore[return-value]


def reduced(grey: Grey, longest: int) -> tuple[Grey, float]:
    """A copy whose longer side is about ``longest`` pixels or less (up to one and a half times that), and its scale.

    It is smaller by a whole factor, which is thirty times as fast as by another.
    """
    factor = round(max(grey.shape) / longest)
    height, width = grey.shape
    if factor <= 1 or min(height, width) < factor:
        return grey, 1.0
    return shrunk(grey[: height - height % factor, : width - width % factor], max(height, width) // factor)[
        0
    ], 1 / factor


def equalised(grey: Grey) -> Grey:
    """A copy whose values are spread evenly over 0 to 255."""
    import cv2

    return cv2.equalizeHist(grey)  # type: ignore[return-value]


def padded(grey: Grey, borders: tuple[int, int, int, int]) -> Grey:
    """A copy within repeated edge pixels; ``borders`` are their widths at the top, bottom, left and right."""
    import cv2

    return cv2.copyMakeBorder(grey, *borders, cv2.BORDER_REPLICATE)  # type: ignore[return-value]
