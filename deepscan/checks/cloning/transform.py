"""Affine transforms of the plane, as a 2 x 3 matrix that takes points of one region to points of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
"""Shape (2, 3): the point (x, y) goes to ``m[:, :2] @ (x, y) + m[:, 2]``."""

Points = NDArray[np.float64]
"""Shape (n, 2): x and y in pixels."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What a transform does, in words a reader can check: of the region at ``centre``.

    ``shift`` is the way of the region's centre in pixels (x to the right, y down); ``rotation`` is in degrees
    clockwise as seen in the picture, in (-180, 180]; ``scale`` is the square root of the ratio of areas.
    """

    shift: tuple[float, float]
    rotation: float
    scale: float
    mirrored: bool


def apply(matrix: Matrix, points: Points) -> Points:
    """The points of shape (n, 2) after the transform."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def invert(matrix: Matrix) -> Matrix:
    """The transform back. The matrix must not be singular (:func:`is_plausible`)."""
    back = np.linalg.inv(matrix[:, :2])
    return np.hstack([back, -back @ matrix[:, 2:]])


def rescale(matrix: Matrix, zoom: float) -> Matrix:
    """The same transform in a picture that is ``zoom`` times as large."""
    return np.hstack([matrix[:, :2], matrix[:, 2:] * zoom])


def describe(matrix: Matrix, centre: Points) -> Motion:
    """The motion of the region around ``centre`` (shape (2,)), by the polar decomposition of the linear part."""
    linear = matrix[:, :2]
    determinant = float(np.linalg.det(linear))
    mirrored = determinant < 0
    # A mirrored region is described as flipped left to right first, and then turned.
    upright = linear @ np.diag([-1.0, 1.0]) if mirrored else linear
    left, _, right = np.linalg.svd(upright)
    turn = left @ right
    moved = apply(matrix, centre[None])[0] - centre
    return Motion(
        (float(moved[0]), float(moved[1])),
        float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0]))),
        float(np.sqrt(abs(determinant))),
        mirrored,
    )


def is_plausible(matrix: Matrix, largest_scale: float) -> bool:
    """Whether a copy could be moved like this: scaled by at most ``largest_scale``, and hardly sheared."""
    if not np.all(np.isfinite(matrix)):
        return False
    values = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return bool(values[0] <= largest_scale and values[1] >= 1 / largest_scale and values[0] <= 1.6 * values[1])


def fit_similarity(source: Points, target: Points, *, mirrored: bool) -> Matrix:
    """The similarity (turn, scale, shift; mirrored first when asked) with the least squared error, after Umeyama 1991.

    At least two different points.
    """
    flip = np.diag([-1.0, 1.0]) if mirrored else np.eye(2)
    flipped = source @ flip
    from_middle, to_middle = flipped.mean(axis=0), target.mean(axis=0)
    a, b = flipped - from_middle, target - to_middle
    spread = max(float((a * a).sum()), 1e-9)
    cosine = float((a * b).sum()) / spread
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    turn = np.array([[cosine, -sine], [sine, cosine]])
    linear = turn @ flip
    return np.hstack([linear, (to_middle - turn @ from_middle)[:, None]])


def fit_affine(source: Points, target: Points) -> Matrix:
    """The affine transform with the least squared error; at least three points that are not on a line."""
    middle = source.mean(axis=0)
    known = np.hstack([source - middle, np.ones((len(source), 1))])
    solution, *_ = np.linalg.lstsq(known, target, rcond=None)
    linear = solution[:2].T
    return np.hstack([linear, (solution[2] - linear @ middle)[:, None]])
