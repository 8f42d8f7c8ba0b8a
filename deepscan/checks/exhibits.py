"""Pictures that are shown beside a finding: maps with a scale, and outlines over the picture itself.

An exhibit illustrates. What may be read from it, and what not, stands beside it in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels
from deepscan.types import Box, Evidence

EXHIBIT_SIDE = 1024
"""Pixels of an exhibit's longer side, at most."""

_SMALLEST = 8
_SCALE_HEIGHT, _RAMP_HEIGHT = 40, 14
_DIMMED = 0.4
COLOURS = ((255, 64, 64), (64, 255, 255), (255, 230, 0), (255, 64, 255), (64, 255, 64), (255, 150, 40))


def look_and_ignore(look_for: str, ignore: str) -> tuple[Evidence, Evidence]:
    """The words that stand beside every map."""
    return Evidence("what to look for", look_for), Evidence("what to ignore", ignore)


def heat_map(values: NDArray[Any], width: int, height: int, *, top: float, unit: str) -> Pixels:
    """A map as a picture in the shape of the ``width`` x ``height`` original, with a scale beneath it.

    Args:
        values: Shape (rows, columns), 0 and above; its cells are spread evenly over the original.
        width: Of the original, in pixels.
        height: Of the original, in pixels.
        top: The value from which on everything has the brightest colour, above 0.
        unit: What the values are measured in, as the scale prints it.

    Returns:
        RGB pixels, at most :data:`EXHIBIT_SIDE` on the longer side (and the scale); black is 0, yellow ``top``.
    """
    import cv2

    size = _fitting(width, height)
    shade = np.clip(np.nan_to_num(values.astype(np.float32)) / top * 255, 0, 255).astype(np.uint8)
    shrinks = size[0] < shade.shape[1]
    shade = cv2.resize(shade, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST).astype(np.uint8)
    coloured = cv2.applyColorMap(shade, cv2.COLORMAP_INFERNO)
    return cv2.cvtColor(np.vstack([coloured, _scale(size[0], top, unit)]), cv2.COLOR_BGR2RGB).astype(np.uint8)


def outline(pixels: Pixels, boxes: Sequence[Box], mask: NDArray[np.bool_] | None = None) -> Pixels:
    """The picture with ``boxes`` drawn and numbered from 1; outside ``mask`` (its shape, True is lit) it is dimmed.

    Returns:
        RGB pixels, at most :data:`EXHIBIT_SIDE` on the longer side.
    """
    import cv2

    height, width = pixels.shape[:2]
    size = _fitting(width, height)
    shrinks = size[0] < width
    shown = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST).astype(np.uint8)
    if mask is not None:
        lit = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)
        shown = np.where(lit[..., None], shown, (shown * _DIMMED).astype(np.uint8))
    shown = np.ascontiguousarray(shown)
    zoom_x, zoom_y = size[0] / width, size[1] / height
    for number, box in enumerate(boxes, 1):
        colour = COLOURS[(number - 1) % len(COLOURS)]
        left, top = round(box.x * zoom_x), round(box.y * zoom_y)
        right, bottom = round((box.x + box.width) * zoom_x) - 1, round((box.y + box.height) * zoom_y) - 1
        cv2.rectangle(shown, (left, top), (right, bottom), colour, 2)
        cv2.putText(shown, str(number), (left + 4, top + 18), cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, 2, cv2.LINE_AA)
    return shown


def reduced(pixels: Pixels, side: int) -> Pixels:
    """The picture with ``side`` pixels on its longer side; a smaller one as it is."""
    import cv2

    height, width = pixels.shape[:2]
    zoom = side / max(width, height)
    if zoom >= 1:
        return np.ascontiguousarray(pixels)
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    return cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _fitting(width: int, height: int) -> tuple[int, int]:
    longest = max(width, height)
    # Small pictures are enlarged, so that the scale has room.
    zoom = min(1.0, EXHIBIT_SIDE / longest) if longest >= EXHIBIT_SIDE // 2 else EXHIBIT_SIDE / 2 / longest
    return max(_SMALLEST, round(width * zoom)), max(_SMALLEST, round(height * zoom))


def _scale(width: int, top: float, unit: str) -> NDArray[np.uint8]:
    """A strip (BGR) with the colours from 0 to ``top``, and both numbers."""
    import cv2

    strip = np.full((_SCALE_HEIGHT, width, 3), 255, np.uint8)
    ramp = np.tile(np.linspace(0, 255, width).astype(np.uint8), (_RAMP_HEIGHT, 1))
    strip[:_RAMP_HEIGHT] = cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO)
    label = f"{top:.1f} {unit}" if top >= 1 else f"{top:.2g} {unit}"
    face, size, black = cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0)
    text_width = cv2.getTextSize(label, face, size, 1)[0][0]
    cv2.putText(strip, "0", (2, 32), face, size, black, 1, cv2.LINE_AA)
    if text_width + 20 < width:
        cv2.putText(strip, label, (width - text_width - 3, 32), face, size, black, 1, cv2.LINE_AA)
    return strip
