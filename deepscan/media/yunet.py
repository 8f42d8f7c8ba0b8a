"""A face finder for those who fetched its weights: YuNet, a small convolutional network, through OpenCV.

Source: W. Wu, H. Peng, S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20 (2023);
the weights are those of OpenCV's model zoo (MIT). It sees profiles, tilted and partly covered faces that the cascades
of :mod:`deepscan.media.faces` do not; its boxes are others, so that what a pack was measured at with one finder does
not hold for the other to the digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepscan.errors import CorruptPackError
from deepscan.media.face_boxes import MIN_FACE_PIXELS, SAME_FACE, clipped, shared
from deepscan.media.frames import Face, Pixels
from deepscan.text import clean
from deepscan.types import Box

LONGEST = 640
"""Pixels of the longer side of the copy that is searched, its border included: faces from 5 % of it on are found."""

BORDER = 0.25
"""Grey border around the copy, in parts of its longer side: a face that fills the picture is found by its outline too.
"""

SCORE = 0.7
"""Least score of a face, as the zoo's own demonstration program suggests to begin with (its default is 0.9)."""

OVERLAP, MOST = 0.3, 1000
"""Boxes that overlap by more are one face to the network's own suppression; and how many of them are looked at."""

PROFILE = 0.2
"""A nose this near to the line through an eye, in parts of the distance between the eyes, is seen from the side."""

Row = NDArray[np.float32]
"""x, y, width, height; x and y of the right eye, left eye, nose and the corners of the mouth; the score."""


class YuNetFinder:
    """Finds faces with YuNet. ``model`` is its ONNX file. Not made for use by two threads at a time."""

    name = "opencv-yunet-2023mar/1"

    def __init__(self, model: Path) -> None:
        self._model = model

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        """All faces of a picture (height, width, 3), largest first; ``view`` is ``frontal`` or ``profile``.

        Raises:
            CorruptPackError: OpenCV cannot use the file.
        """
        import cv2

        height, width = pixels.shape[:2]
        if min(height, width) < MIN_FACE_PIXELS:
            return ()
        scale = min(1.0, LONGEST / (1 + 2 * BORDER) / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        copy = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), size, interpolation=cv2.INTER_AREA)
        border = round(BORDER * max(size))
        copy = cv2.copyMakeBorder(copy, *(border,) * 4, cv2.BORDER_CONSTANT, value=(128, 128, 128))
        found = [_whole(row, scale, border) for row in self._rows(np.asarray(copy, np.uint8))]
        return _distinct(found, width, height)

    def _rows(self, copy: Pixels) -> Sequence[Row]:
        import cv2

        detector = _detector(self._model)
        detector.setInputSize((copy.shape[1], copy.shape[0]))
        try:
            _, rows = detector.detect(copy)
        except cv2.error as e:
            raise _unusable(self._model, e) from e
        return () if rows is None else [row for row in rows if np.isfinite(row).all()]


def _whole(row: Row, scale: float, border: int) -> Row:
    """A row in pixels of the picture."""
    moved = row.astype(np.float32)
    moved[:14] /= scale
    moved[[0, 1, *range(4, 14)]] -= border / scale
    return moved


def _distinct(rows: Sequence[Row], width: int, height: int) -> tuple[Face, ...]:
    """One face of those that cover one another, the surest; larger ones first, clipped to the picture."""
    kept: list[tuple[Box, Row]] = []
    for row in sorted(rows, key=lambda r: (-float(r[14]), float(r[1]), float(r[0]))):
        box = Box(round(float(row[0])), round(float(row[1])), round(float(row[2])), round(float(row[3])))
        if box.width > 0 and box.height > 0 and all(shared(box, other) < SAME_FACE for other, _ in kept):
            kept.append((box, row))
    faces = [face for box, row in kept if (face := clipped(box, _view(row), width, height)) is not None]
    return tuple(sorted(faces, key=lambda f: (-f.box.width * f.box.height, f.box.y, f.box.x)))


def _view(row: Row) -> str:
    """``profile`` where the nose is over or beyond an eye."""
    right, left, nose = (float(row[i]) for i in (4, 6, 8))
    between = left - right
    if between <= 0:
        return "profile"
    return "frontal" if PROFILE < (nose - right) / between < 1 - PROFILE else "profile"


@cache
def _detector(model: Path) -> Any:
    import cv2

    try:
        return cv2.FaceDetectorYN.create(str(model), "", (LONGEST, LONGEST), SCORE, OVERLAP, MOST)
    except cv2.error as e:
        raise _unusable(model, e) from e


def _unusable(model: Path, error: Exception) -> CorruptPackError:
    return CorruptPackError(
        f"OpenCV cannot use {clean(str(model))} to find faces: {clean(str(error), 120)}.",
        "Fetch it again with: deepscan models pull yunet",
    )
