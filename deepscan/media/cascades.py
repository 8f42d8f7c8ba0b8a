"""OpenCV's Haar cascades, and the windows of a picture that they accept."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from deepscan.errors import ModelNotFoundError
from deepscan.media.grey import Grey, shrunk

if TYPE_CHECKING:
    import cv2

ALIKE = 0.2
"""Part of their sides by which accepted windows may differ and still speak for one face, as in OpenCV's own search."""

Window: TypeAlias = list[int]  # left, top, width and height


def windows(cascade: str, grey: Grey, step: float, smallest: int, largest: int) -> list[Window]:
    """Every window that a cascade accepts, in pixels.

    Args:
        cascade: Its name, as :func:`load` has it.
        grey: Shape (height, width), uint8.
        step: The factor between window sizes.
        smallest: Pixels of the smallest window.
        largest: Pixels of the largest one; 0 for no limit.

    Raises:
        ModelNotFoundError: OpenCV was installed without its cascades.
    """
    boxes = load(cascade).detectMultiScale(
        grey, scaleFactor=step, minNeighbors=0, minSize=(smallest, smallest), maxSize=(largest, largest)
    )
    return [[int(value) for value in box] for box in boxes]


def coarse_windows(cascade: str, grey: Grey, step: float, smallest: int) -> list[Window]:
    """The same in less time, without a largest one: most windows are farther from one another.

    OpenCV moves windows of up to twice a cascade's own side by a tenth of their side, and larger ones by a twentieth.
    So the larger ones are sought in a copy of half the size. Moving all by a tenth costs less still, and finds fewer.
    """
    twice = 2 * load(cascade).getOriginalWindowSize()[0]
    half, scale = shrunk(grey, (max(grey.shape) + 1) // 2)
    found = windows(cascade, half, step, max(smallest, twice) // 2, 0)
    found = [[round(value / scale) for value in box] for box in found]
    return found + (windows(cascade, grey, step, smallest, twice - 1) if smallest < twice else [])


@cache
def load(name: str) -> cv2.CascadeClassifier:
    """A cascade of OpenCV's, such as ``haarcascade_profileface``. Raises ModelNotFoundError."""
    import cv2

    path = Path(cv2.data.haarcascades) / f"{name}.xml"  # type: ignore[attr-defined]
    if not path.is_file():
        raise ModelNotFoundError(
            f"OpenCV {cv2.__version__} came without its face cascade {path.name}.",
            'Install one that has it: pip install "opencv-python-headless>=4.10,<5".',
        )
    return cv2.CascadeClassifier(str(path))
