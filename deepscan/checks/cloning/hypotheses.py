"""Transforms that several matches agree on: what could have been copied to where, before the pixels are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.cloning.keypoints import Matches
from deepscan.checks.cloning.transform import Matrix, Points, apply, fit_affine, fit_similarity, is_plausible

MOST_MATCHES = 1200
"""Matches that are compared with one another, evenly spread over all of them: the work grows with the square."""

FEWEST = 3
"""Matches that must agree. It is few on purpose: the pixels decide afterwards."""

LARGEST_SCALE = 2.5
_NEAR = 2.5  # pixels by which a match may miss the transform of its neighbours
_LOOSE = 0.12  # and how much more for each pixel of distance, while only one match's direction and size are known
_REACH = 0.3  # of the picture's longer side: matches farther apart than this do not speak for one another


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """A transform, and the points (n, 2) in the first region that speak for it."""

    matrix: Matrix
    points: Points
    votes: float


def agree(matches: Matches, longest: int, most: int) -> list[Hypothesis]:
    """At most ``most`` transforms that at least :data:`FEWEST` matches agree on, the best supported first.

    Every match names a similarity by the directions and sizes of its two keypoints. The one that most others fit is
    refined on those, they are taken away, and so on: no chance is involved. ``longest`` is the picture's longer side.
    """
    step = max(1, -(-len(matches) // MOST_MATCHES))
    source, target = matches.source[::step], matches.target[::step]
    if len(source) < FEWEST:
        return []
    support = _support(matches, step, longest * _REACH)
    found: list[Hypothesis] = []
    left = np.ones(len(source), bool)
    for _ in range(4 * most):
        counts = (support & left).sum(axis=1) * left
        best = int(counts.argmax())
        if counts[best] < FEWEST or len(found) == most:
            break
        group = support[best] & left
        left[best] = False
        matrix, group = _refine(source, target, group, left | group, mirrored=matches.mirrored)
        if group.sum() >= FEWEST and is_plausible(matrix, LARGEST_SCALE):
            found.append(Hypothesis(matrix, source[group], float(group.sum())))
            left &= ~group
    return found


def _support(matches: Matches, step: int, reach: float) -> NDArray[np.bool_]:
    """Shape (n, n): whether match j fits the similarity that match i names by itself."""
    source, target = (points[::step].astype(np.float32) for points in (matches.source, matches.target))
    cosine = (np.cos(matches.turn[::step]) * matches.scale[::step]).astype(np.float32)
    sine = (np.sin(matches.turn[::step]) * matches.scale[::step]).astype(np.float32)
    across = source[None, :, 0] - source[:, None, 0]
    down = source[None, :, 1] - source[:, None, 1]
    flip = -1.0 if matches.mirrored else 1.0
    miss_x = target[:, None, 0] + flip * cosine[:, None] * across - sine[:, None] * down - target[None, :, 0]
    miss_y = target[:, None, 1] + flip * sine[:, None] * across + cosine[:, None] * down - target[None, :, 1]
    distance = np.sqrt(across * across + down * down)
    return np.asarray((miss_x * miss_x + miss_y * miss_y < (_NEAR + _LOOSE * distance) ** 2) & (distance < reach))


def _refine(
    source: Points, target: Points, group: NDArray[np.bool_], allowed: NDArray[np.bool_], *, mirrored: bool
) -> tuple[Matrix, NDArray[np.bool_]]:
    """Fit the group, take in what else fits closely, and again: first a similarity, then an affine transform."""
    matrix = fit_similarity(source[group], target[group], mirrored=mirrored)
    for turn in range(5):
        miss = np.linalg.norm(apply(matrix, source) - target, axis=1)
        near = allowed & (miss < max(_NEAR, float(np.median(miss[group]))))
        if near.sum() < FEWEST:
            break
        group = near
        matrix = fit_similarity(source[group], target[group], mirrored=mirrored)
        if turn >= 3 and _spread(source[group]) > 6.0 and group.sum() >= 8:
            matrix = fit_affine(source[group], target[group])
    return matrix, group


def _spread(points: Points) -> float:
    """The standard deviation in pixels of points along the direction in which they vary least."""
    return float(np.sqrt(max(0.0, np.linalg.eigvalsh(np.cov(points.T))[0])))
