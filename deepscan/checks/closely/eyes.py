"""Where the eyes of a face are, and cuttings of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.closely.regions import EYE_ACROSS, EYE_DOWN
from deepscan.media import cascades
from deepscan.media.frames import Pixels
from deepscan.types import Box

WIDTH, HEIGHT = 40, 28
"""Pixels of a cutting of an eye."""

ACROSS = 0.30
"""Sides of the face's box that a cutting is wide: the eye with its lids, and a rest to move in."""

NOSE_DOWN = 0.10
"""The middle of the nose, downwards from the middle of the box: what is compared with the eyes."""

NEAR = 0.10
"""Sides of the box by which a found eye may be away from where eyes mostly are."""

FACE_PIXELS = 200
"""Pixels to which a face is brought before eyes are looked for."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """Where the left eye in the picture, the right one and the nose are, in sides of the box from its middle."""

    places: tuple[tuple[float, float], ...]
    found: bool


def find_eyes(frame: Pixels, box: Box) -> Eyes:
    """The eyes of the face in ``box``: those that a cascade finds, and where eyes mostly are for any that it does not.

    Method: as the face finder; the cascade is S. Hameed's, as distributed with OpenCV 4.

    Raises:
        ModelNotFoundError: OpenCV was installed without its cascades.
    """
    import cv2

    side = max(box.width, box.height)
    upper = frame[max(0, box.y) : box.y + round(0.6 * box.height), max(0, box.x) : box.x + box.width]
    usual = [(-EYE_ACROSS, EYE_DOWN), (EYE_ACROSS, EYE_DOWN)]
    places = list(usual)
    if upper.size:
        zoom = FACE_PIXELS / side
        grey = cv2.resize(cv2.cvtColor(upper, cv2.COLOR_RGB2GRAY), None, fx=zoom, fy=zoom)
        boxes = cascades.load("haarcascade_eye").detectMultiScale(grey, 1.05, 3, minSize=(28, 28), maxSize=(80, 80))
        for x, y, width, height in np.reshape(np.asarray(boxes), (-1, 4)):
            across = (x + width / 2) / FACE_PIXELS - box.width / side / 2
            down = (y + height / 2) / FACE_PIXELS - box.height / side / 2
            for k, (there, level) in enumerate(usual):
                now = np.hypot(places[k][0] - there, places[k][1] - level) or NEAR
                if np.hypot(across - there, down - level) < now:
                    places[k] = float(across), float(down)
    found = all(place != there for place, there in zip(places, usual, strict=True))
    middle = (places[0][0] + places[1][0]) / 2
    return Eyes((*places, (middle, NOSE_DOWN)), found)


def patch(frame: Pixels, x: float, y: float, side: float) -> NDArray[np.uint8]:
    """A grey cutting of shape (HEIGHT, WIDTH) around a place in a frame, for a face whose box has this side."""
    import cv2

    scale = WIDTH / (ACROSS * side)
    place = np.array([[scale, 0, WIDTH / 2 - scale * x], [0, scale, HEIGHT / 2 - scale * y]], np.float32)
    small = cv2.warpAffine(frame, place, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
