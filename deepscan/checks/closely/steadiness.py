"""Whether a face goes with its head: whether it moves with it, and whether it becomes brighter and darker with it.

A face that is pasted into a film frame by frame must follow the head that it lies on. One that does not stands still
while the hair and ears around it move, or moves by itself; one that is made anew for every frame may flicker while what
is around it does not. Everything is measured against the head's own rim and, for movement, against what lies behind, so
that neither a moving camera nor a changing light counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.closely.conditions import Conditions
from deepscan.checks.closely.following import Followed

CONDITIONS = Conditions("comparing it with its head needs", 60, 8.0, 1.5)

FLICKERS, TIMES_HEAD = 0.5, 3.0
"""Percent from which a face flickers, and how many times more than its head it must. Of eight real and swapped clips
the most is 0.22 percent, and five times the head's at that; in the others it is 2.5 times at most."""

STAYS, APART = 0.5, 4.0
"""A face stands still when it goes less than this part of the way with a head that moves, and moves apart from its
head when it moves so many times as far. In five clips faces go 1.06 to 1.7 times as far, for a head turns, and
what is seen of the wall beside it does not."""

OVER = 0.2
"""Seconds over which movements are added up: less is lost in the noise of the flow."""

LEAST_MOVED = 0.03
"""Sides of the box a second, in the root mean square, from which something moves."""

LEAST_KNOWN = 0.5
"""Part of the frames in which the movement of a region must be known."""


@dataclass(frozen=True, slots=True)
class Movement:
    """How the face and the rim of the head move against what is behind, in sides of the box a second (root mean
    square); ``follows``: how far the face goes for each step of the head; ``together``: their correlation.
    """

    face: float
    head: float
    follows: float
    together: float

    @property
    def stays(self) -> bool:
        """Whether the face stands still while the head moves."""
        return self.head >= LEAST_MOVED and self.follows < STAYS

    @property
    def apart(self) -> bool:
        """Whether the face moves and the head does not go with it."""
        return self.face >= max(LEAST_MOVED, APART * self.head)


@dataclass(frozen=True, slots=True)
class Flicker:
    """How the brightness of the face and of the rim of its head flickers, in percent (see :func:`flicker`)."""

    face: float
    head: float

    @property
    def stands_out(self) -> bool:
        """Whether the face flickers and its head does not."""
        return self.face >= max(FLICKERS, TIMES_HEAD * self.head)


def movement(face: Followed) -> Movement | str:
    """How the face moves with its head; a sentence where the movement of one of them cannot be told."""
    moves = face.moves[1:]
    # Plain ground has no movement to see; a camera that moves is seen where there is any texture.
    behind = np.nan_to_num(moves[:, 2])
    inner, rim = _over(moves[:, 0] - behind, face.rate), _over(moves[:, 1] - behind, face.rate)
    known = np.isfinite(inner).all(axis=1) & np.isfinite(rim).all(axis=1)
    if known.mean() < LEAST_KNOWN:
        return "The face or the rim of the head has too little texture for its movement to be seen."
    inner, rim = inner[known] / OVER, rim[known] / OVER
    faces, heads = float((inner**2).sum()), float((rim**2).sum())
    product = float((inner * rim).sum())
    return Movement(
        face=round((faces / len(inner)) ** 0.5, 4),
        head=round((heads / len(inner)) ** 0.5, 4),
        follows=round(product / max(1e-12, heads), 3),
        together=round(product / max(1e-12, (faces * heads) ** 0.5), 3),
    )


def flicker(face: Followed) -> Flicker:
    """The flicker of the face's brightness and of its head's, in percent.

    From frame to frame each becomes brighter by some factor. Half of the difference between two such steps that follow
    each other is what goes up and comes down again at once; its root mean square, without the highest twentieth (a
    flash, a jump), is the flicker. Light that changes slowly has none, and neither has one step.
    """
    steps = 100 * face.gains[1:]
    turns = np.abs(np.diff(steps, axis=0)) / 2
    inner, rim = (float(_trimmed(turns[:, i])) for i in range(2))
    return Flicker(round(inner, 3), round(rim, 3))


def _trimmed(values: NDArray[np.float64]) -> float:
    kept = np.sort(values[np.isfinite(values)])
    kept = kept[: max(1, round(0.95 * len(kept)))]
    return float(np.sqrt((kept**2).mean())) if len(kept) else 0.0


def _over(moves: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Movements added up over :data:`OVER` seconds, shape (m, 2)."""
    length = max(1, round(OVER * rate))
    if len(moves) < length:
        return moves[:0]
    kernel = np.ones(length)
    return np.stack([np.convolve(moves[:, i], kernel, mode="valid") for i in range(2)], axis=1)
