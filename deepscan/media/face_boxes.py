"""Boxes of faces, whoever found them: clipped to the picture, and how much of one lies in another."""

from __future__ import annotations

from deepscan.media.frames import Face
from deepscan.types import Box

MIN_FACE_PIXELS = 32
"""Faces smaller than this in the picture are not looked for: eyes are then under 8 pixels wide, and no model of the
appearance of skin or eyes has anything to see."""

SAME_FACE = 0.5
"""Two boxes that share this part of the smaller one are one face."""

LEAST_INSIDE = 0.5
"""Part of a face's box that must lie in the picture: of less, nobody could say what it shows."""


def clipped(box: Box, view: str, width: int, height: int) -> Face | None:
    """The face in a box clipped to a ``width`` x ``height`` picture, with the part that was cut off.

    None where most of the box lies outside, or too little is left.
    """
    left, top = max(0, box.x), max(0, box.y)
    right, bottom = min(width, box.x + box.width), min(height, box.y + box.height)
    inside = max(0, right - left) * max(0, bottom - top) / max(1, box.width * box.height)
    if inside < LEAST_INSIDE or min(right - left, bottom - top) < MIN_FACE_PIXELS / 2:
        return None
    return Face(Box(left, top, right - left, bottom - top), view, round(1 - inside, 3))


def shared(a: Box, b: Box) -> float:
    """The part of the smaller of two boxes that both cover."""
    across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    smaller = min(a.width * a.height, b.width * b.height)
    return max(0, across) * max(0, down) / max(1, smaller)
