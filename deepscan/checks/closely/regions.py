"""The regions of a head around the box of a face, in a square cutting of fixed size.

The finder's box reaches from the eyebrows' upper edge to the chin; positions are in sides of the box from its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

SIDE = 96
"""Pixels of the box's side in a cutting."""

REACH = 1.1
"""Sides of the box that a cutting reaches from the middle of the face."""

CUTTING = round(2 * REACH * SIDE)
"""Pixels of a cutting's side."""

EYE_ACROSS, EYE_DOWN = 0.18, -0.115
"""The middle of an eye, in sides of the box to either side of the middle and downwards: the medians of the eyes that
were found in eight clips."""

SKIN_SIZE = 64, 80
"""Width and height in pixels of the cutting whose colours are those of the skin: the face without hair and neck."""


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Masks of one cutting, shape (CUTTING, CUTTING).

    ``stiff`` is the part of the face between brows and lips that speaking moves least; ``face`` the whole face;
    ``rim`` the hair, temples and ears around it; ``behind`` what is to the left and right of the head and above it.
    """

    stiff: NDArray[np.bool_]
    face: NDArray[np.bool_]
    rim: NDArray[np.bool_]
    behind: NDArray[np.bool_]


@lru_cache(maxsize=32)
def regions(across: int, down: int, percent: int) -> Regions:
    """The regions of a face in a cutting.

    Its middle lies ``across`` and ``down`` pixels beside that of the cutting, and its box is ``percent`` of
    :data:`SIDE` large.
    """
    side = SIDE * percent / 100
    y, x = np.mgrid[0:CUTTING, 0:CUTTING]
    x = (x - (CUTTING - 1) / 2 - across) / side
    y = (y - (CUTTING - 1) / 2 - down) / side

    def ellipse(middle: float, width: float, height: float) -> NDArray[np.bool_]:
        return np.asarray((x / width) ** 2 + ((y - middle) / height) ** 2 < 1, np.bool_)

    return Regions(
        stiff=ellipse(0.0, 0.30, 0.24),
        face=ellipse(0.05, 0.36, 0.44),
        rim=ellipse(-0.05, 0.60, 0.74) & ~ellipse(0.0, 0.44, 0.56) & (y < 0.3),
        behind=~ellipse(-0.05, 0.72, 0.86) & (y < 0.3),
    )


@cache
def skin_mask() -> NDArray[np.uint8]:
    """Which pixels of a cutting of SKIN_SIZE are skin (255) and not its corners, eyes or mouth (0)."""
    width, height = SKIN_SIZE
    y, x = np.mgrid[0:height, 0:width]
    # In sides of the box from its middle, as the other regions.
    x, y = (x + 0.5 - width / 2) / SIDE, (y + 0.5 - height / 2) / SIDE + 0.05
    inside = (x / 0.33) ** 2 + ((y - 0.05) / 0.41) ** 2 < 1
    eyes = (np.abs(y - EYE_DOWN) < 0.07) & (np.abs(np.abs(x) - EYE_ACROSS) < 0.13)
    mouth = (np.abs(y - 0.30) < 0.09) & (np.abs(x) < 0.18)
    return np.asarray(255 * (inside & ~eyes & ~mouth), np.uint8)
