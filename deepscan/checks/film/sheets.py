"""Contact sheets: the faces of one track side by side, each with its surroundings, its box and its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels
from deepscan.text import timecode
from deepscan.types import Box

MOST, COLUMNS = 12, 6
"""Faces on one sheet, evenly over its track, and in a row of it."""

TILE, LABEL = 160, 18
"""Pixels of a face's square, and of the line below it."""

AROUND = 0.6
"""Surroundings shown on each side, in parts of the box's side."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A face on its way to a sheet: when it was seen, and its square tile (TILE x TILE, RGB)."""

    seconds: float
    tile: Pixels


def tile(pixels: Pixels, box: Box) -> Pixels:
    """The face in a box of a frame with what is around it, the box drawn, as a square of TILE pixels."""
    import cv2

    height, width = pixels.shape[:2]
    side = round((1 + 2 * AROUND) * max(box.width, box.height))
    left, top = box.x + (box.width - side) // 2, box.y + (box.height - side) // 2
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + side), min(height, top + side)
    square = np.full((side, side, 3), 128, np.uint8)
    square[y0 - top : y1 - top, x0 - left : x1 - left] = pixels[y0:y1, x0:x1]
    way = cv2.INTER_AREA if side > TILE else cv2.INTER_LINEAR
    small = np.ascontiguousarray(cv2.resize(square, (TILE, TILE), interpolation=way).astype(np.uint8))
    scale = TILE / side
    corner = round((box.x - left) * scale), round((box.y - top) * scale)
    opposite = round((box.x - left + box.width) * scale), round((box.y - top + box.height) * scale)
    cv2.rectangle(small, corner, opposite, (255, 230, 0), 1)
    return small


def sheet(seen: Sequence[Seen]) -> Pixels:
    """The sheet of one track (at least one face, in order of time)."""
    chosen = [seen[i] for i in sorted({round(k * (len(seen) - 1) / max(1, MOST - 1)) for k in range(MOST)})]
    columns = min(COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    picture = np.full((rows * (TILE + LABEL), columns * TILE, 3), 255, np.uint8)
    for place, face in enumerate(chosen):
        row, column = divmod(place, columns)
        top, left = row * (TILE + LABEL), column * TILE
        picture[top : top + TILE, left : left + TILE] = face.tile
        _write(picture[top + TILE : top + TILE + LABEL, left : left + TILE], timecode(face.seconds))
    return picture


def _write(place: NDArray[np.uint8], words: str) -> None:
    import cv2

    line = np.ascontiguousarray(place)
    cv2.putText(line, words, (4, LABEL - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    place[:] = line
