"""The brightness of a picture as its compression saw it: for a JPEG the decoder's own luma plane, not one made of RGB.

Rounding to RGB and back would move JPEG coefficients by several steps of a fine quantisation table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from deepscan.media import decoding
from deepscan.media.frames import Pixels
from deepscan.types import Box

Plane: TypeAlias = NDArray[np.uint8]
"""Shape (height, width)."""

_TURNED_BY_A_QUARTER = 5  # EXIF orientations from this one on swap width and height


@dataclass(frozen=True, slots=True, eq=False)
class Luma:
    """The luma of a picture.

    ``plane`` is as stored, before any EXIF ``orientation`` (1 to 8) is applied. ``table`` are the 64 steps of a JPEG's
    luma quantisation, row by row, and None where the plane was made of RGB pixels.
    """

    plane: Plane
    orientation: int = 1
    table: tuple[int, ...] | None = None

    def upright(self, box: Box) -> Box:
        """A box of the stored plane as it lies in the picture shown upright."""
        height, width = self.plane.shape
        left, top, right, bottom = box.x, box.y, box.x + box.width, box.y + box.height
        if self.orientation in (2, 3, 7, 8):
            left, right = width - right, width - left
        if self.orientation in (3, 4, 6, 7):
            top, bottom = height - bottom, height - top
        if self.orientation >= _TURNED_BY_A_QUARTER:
            left, top, right, bottom = top, left, bottom, right
        return Box(left, top, right - left, bottom - top)

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height in pixels of the picture shown upright."""
        height, width = self.plane.shape
        return (height, width) if self.orientation >= _TURNED_BY_A_QUARTER else (width, height)

    def shown(self, values: NDArray[Any]) -> NDArray[Any]:
        """A map of the stored plane, (rows, columns), as it lies in the picture shown upright."""
        if self.orientation in (2, 3, 7, 8):
            values = values[:, ::-1]
        if self.orientation in (3, 4, 6, 7):
            values = values[::-1]
        return values.T if self.orientation >= _TURNED_BY_A_QUARTER else values


def read_luma(path: Path) -> Luma | None:
    """The luma plane of a JPEG as libjpeg decodes it; None where its colours are not stored as luma and chroma.

    Raises:
        UnreadableError: the file cannot be opened, or is damaged or cut short.
        LimitError: the picture is larger than deepscan examines, or needs more memory than there is.
    """
    with decoding.boundary(path, "jpeg"), decoding.open_file(path) as file:
        image = decoding.open_image(file, path, "jpeg")
        orientation = decoding.orientation_of(image)
        tables = getattr(image, "quantization", {})
        layers = getattr(image, "layer", [])
        if not layers or layers[0][3] not in tables or not (image.mode == "L" or _is_ycc(image, layers)):
            return None
        table = tuple(int(step) for step in tables[layers[0][3]])
        if len(table) != 64 or min(table) < 1:
            return None
        image.draft("L", image.size)
        image.load()
        return Luma(np.asarray(image, np.uint8), orientation, table)


_RGB_NAMES = [82, 71, 66]  # the letters R, G, B


def _is_ycc(image: ImageFile.ImageFile, layers: Sequence[tuple[int, ...]]) -> bool:
    """As libjpeg decides (jdapimin.c): JFIF means YCbCr, else Adobe's mark tells, else the names of the components."""
    if image.mode != "RGB" or len(layers) != 3:
        return False
    if "jfif" in image.info:
        return True
    if "adobe_transform" in image.info:
        return bool(image.info["adobe_transform"] == 1)
    return [layer[0] for layer in layers] != _RGB_NAMES


def luma_of(pixels: Pixels) -> Luma:
    """The luma of RGB pixels (height, width, 3): 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded."""
    plane = np.empty(pixels.shape[:2], np.uint8)
    weights = np.array([0.299, 0.587, 0.114])
    for top in range(0, len(plane), _STRIP):
        plane[top : top + _STRIP] = np.floor(pixels[top : top + _STRIP] @ weights + 0.5)
    return Luma(plane)


_STRIP = 256  # rows that are held in floating point at once
