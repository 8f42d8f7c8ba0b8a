"""Faces drawn by code: no real person's, and the face finder finds them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from deepscan.media.frames import Pixels

BACKGROUND = 120
"""The grey around a drawn face."""


def draw_face(side: int, skin: int = 190) -> Pixels:
    """A face of ellipses: hair, sockets, eyes, brows, nose and mouth; its box is about 0.8 of the picture."""
    fine = 4 * side
    y, x = np.mgrid[0:fine, 0:fine] / fine
    picture = np.full((fine, fine), float(BACKGROUND))

    def ellipse(across: float, down: float, width: float, height: float, value: float) -> None:
        picture[((x - across) / width) ** 2 + ((y - down) / height) ** 2 < 1] = value

    ellipse(0.5, 0.42, 0.36, 0.42, 50)
    ellipse(0.5, 0.52, 0.30, 0.40, skin)
    for middle in (0.36, 0.64):
        ellipse(middle, 0.46, 0.085, 0.055, skin - 70)
        ellipse(middle, 0.47, 0.055, 0.022, 235)
        ellipse(middle, 0.47, 0.024, 0.024, 25)
        ellipse(middle, 0.395, 0.085, 0.016, 45)
    ellipse(0.5, 0.60, 0.03, 0.10, skin + 18)
    ellipse(0.465, 0.67, 0.02, 0.012, skin - 70)
    ellipse(0.535, 0.67, 0.02, 0.012, skin - 70)
    ellipse(0.5, 0.785, 0.12, 0.03, skin - 85)
    ellipse(0.5, 0.785, 0.11, 0.006, 40)
    image = Image.fromarray(picture.astype(np.uint8)).resize((side, side), Image.Resampling.BOX)
    return np.repeat(np.asarray(image)[:, :, None], 3, axis=2)
