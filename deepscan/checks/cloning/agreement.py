"""How well a picture agrees with itself after a transform, place by place.

Two windows of a house agree in their edges, and two parts of one edge agree along it. They do not agree in their grain:
what the camera's noise and the surface itself add in every direction. So a place is judged by the difference of its two
versions, measured against the *weaker* eigenvalue of its structure tensor (W. Förstner and E. Gülch, 1987), which
holds no energy of straight edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.cloning.picture import GreyPicture, Plane, fine_detail
from deepscan.checks.cloning.transform import Matrix, Points

WINDOW = 9
"""Side of the square in pixels over which differences and tensors are averaged."""

ROUNDING = 0.12
"""Squared grey levels per pixel: a place whose weaker eigenvalue is less holds hardly more than rounding."""

_STEPS = 6
_MARGIN = 8

Part = tuple[slice, slice]
"""Rows and columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Shape (height, width) of the part each.

    ``share`` is 1 where nothing differs, 0 where the difference is as large as between two independent grains, and
    less for what is less alike; ``telling`` is whether there is grain enough to tell, ``inside`` whether the
    transform stays in the picture and moves far enough; ``difference`` is in grey levels, averaged.
    """

    share: Plane
    telling: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    energy: Plane


def agreement(picture: GreyPicture, matrix: Matrix, nearest: float, part: Part | None = None) -> Agreement:
    """Compare a part of the picture (all of it by default) with where ``matrix`` takes it.

    Places that move less than ``nearest`` pixels are not inside.
    """
    width, height = picture.size
    rows, columns = part or (slice(0, height), slice(0, width))
    size = (columns.stop - columns.start, rows.stop - rows.start)
    local = _from_corner(matrix, columns.start, rows.start)
    moved = _warp(picture.grey, local, size)
    ours = picture.detail[rows, columns]
    theirs = _warp(picture.detail, local, size) if is_whole_shift(matrix) else fine_detail(moved)
    x, y = _slopes(ours - theirs)
    differs = _mean(x * x + y * y)
    weaker = 2 * (weaker_energy(ours) + weaker_energy(theirs))
    share = 1 - differs / np.maximum(weaker, 1e-3)
    inside = _inside(matrix, (rows, columns), picture.size, nearest)
    return Agreement(np.maximum(share, -1), weaker > 4 * ROUNDING, inside, weaker)


def _slopes(plane: Plane) -> tuple[Plane, Plane]:
    import cv2

    kernel = np.array([[-0.5, 0.0, 0.5]], np.float32)
    return (
        np.asarray(cv2.filter2D(plane, cv2.CV_32F, kernel), np.float32),
        np.asarray(cv2.filter2D(plane, cv2.CV_32F, kernel.T), np.float32),
    )


def weaker_energy(plane: Plane) -> Plane:
    """The weaker eigenvalue of the structure tensor: squared grey levels per pixel."""
    x, y = _slopes(plane)
    xx, yy, xy = _mean(x * x), _mean(y * y), _mean(x * y)
    return np.asarray((xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy * xy), np.float32)


def _mean(plane: Plane) -> Plane:
    import cv2

    return np.asarray(cv2.blur(plane, (WINDOW, WINDOW)), np.float32)


def sharpen(picture: GreyPicture, matrix: Matrix, weights: Plane, part: Part) -> Matrix:
    """Refine a transform to a fraction of a pixel by the places of ``part`` whose ``weights`` are above zero.

    Gauss-Newton on the squared difference of the smoothed fine detail (B. Lucas and T. Kanade, 1981).
    """
    import cv2

    rows, columns = part
    smooth = np.asarray(cv2.GaussianBlur(picture.detail, (0, 0), 1.0), np.float32)
    slope_x, slope_y = _slopes(smooth)
    weight = weights.ravel()
    size = (columns.stop - columns.start, rows.stop - rows.start)
    middle = np.array([(size[0] - 1) / 2, (size[1] - 1) / 2])
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    place = np.stack([x.ravel() - middle[0], y.ravel() - middle[1], np.ones(x.size, np.float32)])
    wanted = smooth[rows, columns].ravel()
    local = _from_corner(matrix, columns.start + middle[0], rows.start + middle[1])
    for _ in range(_STEPS):
        corner = _from_corner(local, -middle[0], -middle[1])
        there, along, across = (_warp(plane, corner, size).ravel() for plane in (smooth, slope_x, slope_y))
        jacobian = np.vstack([along * place, across * place])
        weighted = jacobian * weight
        normal = (weighted @ jacobian.T).astype(np.float64)
        normal[np.diag_indices(6)] = normal[np.diag_indices(6)] * (1 + 1e-6) + 1e-3
        step = np.linalg.solve(normal, (weighted @ (wanted - there)).astype(np.float64))
        local = local + step.reshape(2, 3)
        if np.abs(step[[2, 5]]).max() < 0.02:
            break
    return _from_corner(local, -columns.start - middle[0], -rows.start - middle[1])


def _from_corner(matrix: Matrix, x: float, y: float) -> Matrix:
    """The same transform for points that are counted from (x, y)."""
    return np.hstack([matrix[:, :2], (matrix[:, :2] @ np.array([x, y]) + matrix[:, 2])[:, None]])


def is_whole_shift(matrix: Matrix) -> bool:
    """Whether it is a shift by whole pixels, which needs no interpolation."""
    return bool(np.array_equal(matrix[:, :2], np.eye(2)) and np.array_equal(matrix[:, 2], np.round(matrix[:, 2])))


def _warp(plane: Plane, matrix: Matrix, size: tuple[int, int]) -> Plane:
    """What the transform takes every pixel of a part of ``size`` (width, height) to; 0 outside of the picture."""
    import cv2

    flags = (cv2.INTER_NEAREST if is_whole_shift(matrix) else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, size, flags=flags), np.float32)


def _inside(matrix: Matrix, part: Part, size: tuple[int, int], nearest: float) -> NDArray[np.bool_]:
    rows, columns = part
    width, height = size
    x = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :]
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
    linear = matrix.astype(np.float32)
    to_x = linear[0, 0] * x + linear[0, 1] * y + linear[0, 2]
    to_y = linear[1, 0] * x + linear[1, 1] * y + linear[1, 2]
    stays = (to_x >= 2) & (to_x <= width - 3) & (to_y >= 2) & (to_y <= height - 3)
    return np.asarray(stays & ((to_x - x) ** 2 + (to_y - y) ** 2 >= nearest * nearest))


def around(points: Points, margin: float, width: int, height: int) -> Part:
    """The rows and columns around points, ``margin`` pixels wider, within the picture; at least one pixel."""
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    left, top = (min(max(0, int(value)), side - 1) for value, side in zip(low, (width, height), strict=True))
    right, bottom = (min(side, int(value) + 1) for value, side in zip(high, (width, height), strict=True))
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))
