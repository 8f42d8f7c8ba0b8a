"""Pairs of places in one picture that look alike, by SIFT keypoints that are matched with one another.

After I. Amerini et al., "A SIFT-Based Forensic Method for Copy-Move Attack Detection and Transformation Recovery",
IEEE TIFS 6(3), 2011: SIFT, and the generalised test of nearest neighbours (g2NN), which also finds several copies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.cloning.picture import GreyPicture
from deepscan.checks.cloning.transform import Points

CONTRAST = 0.01
"""SIFT's contrast threshold, a quarter of its usual one: forged areas are often smooth."""

RATIO = 0.7
"""A neighbour counts when it is this much nearer than the next one. Amerini et al. use 0.5; the check of the
detail afterwards allows for more."""

FARTHEST = 0.55
"""Angle in radians between two descriptors that still counts as alike."""

NEIGHBOURS = 4
_ROWS = 512  # keypoints compared with all others at once: 512 x 5000 floats are 10 MB


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Pairs of keypoints, from and to; angles in radians (clockwise), sizes in pixels; all mirrored or none."""

    source: Points
    target: Points
    turn: NDArray[np.float64]
    scale: NDArray[np.float64]
    mirrored: bool

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """SIFT keypoints: where they are, their directions in radians, sizes, and descriptors of length 1."""

    points: Points
    angles: NDArray[np.float64]
    sizes: NDArray[np.float64]
    descriptors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.points)


def find_keypoints(picture: GreyPicture, most: int, layers: int) -> Keypoints:
    """At most ``most`` keypoints of the picture, the strongest ones, of so many sizes (``layers``) in each octave."""
    import cv2

    finder = cv2.SIFT.create(nfeatures=most, nOctaveLayers=layers, contrastThreshold=CONTRAST, edgeThreshold=15)
    found, descriptors = finder.detectAndCompute(np.clip(picture.grey + 0.5, 0, 255).astype(np.uint8), None)
    if descriptors is None:
        return Keypoints(np.zeros((0, 2)), np.zeros(0), np.zeros(0), np.zeros((0, 128), np.float32))
    found, descriptors = found[:most], descriptors[:most]
    length = np.linalg.norm(descriptors, axis=1, keepdims=True)
    return Keypoints(
        np.array([p.pt for p in found], np.float64),
        np.radians([p.angle for p in found]),
        np.array([p.size for p in found], np.float64),
        (descriptors / np.maximum(length, 1e-6)).astype(np.float32),
    )


def match_with_itself(keypoints: Keypoints, nearest: float, *, mirrored: bool) -> Matches:
    """The pairs that look alike and lie at least ``nearest`` pixels apart.

    ``mirrored`` compares every keypoint with the mirror images of the others, by the order of the descriptor's bins.
    """
    sought = keypoints.descriptors[:, _mirrored_bins()] if mirrored else keypoints.descriptors
    pairs = [_match_rows(keypoints, sought, top, nearest) for top in range(0, len(keypoints), _ROWS)]
    first, second = np.hstack(pairs) if pairs else np.zeros((2, 0), np.intp)
    turn = (
        keypoints.angles[second] + keypoints.angles[first]
        if mirrored
        else (keypoints.angles[second] - keypoints.angles[first])
    )
    if mirrored:
        turn = turn + np.pi  # a picture flipped left to right takes the direction a to 180 degrees - a
    return Matches(
        keypoints.points[first],
        keypoints.points[second],
        turn,
        keypoints.sizes[second] / keypoints.sizes[first],
        mirrored,
    )


def _match_rows(keypoints: Keypoints, sought: NDArray[np.float32], top: int, nearest: float) -> NDArray[np.intp]:
    """The matches of some keypoints with all: shape (2, n), the indices of both."""
    rows = slice(top, top + _ROWS)
    alike = sought[rows] @ keypoints.descriptors.T
    x, y = keypoints.points.T.astype(np.float32)
    across, down = x[rows, None] - x[None, :], y[rows, None] - y[None, :]
    alike[across * across + down * down < nearest * nearest] = -1.0
    order = np.zeros((len(alike), NEIGHBOURS), np.intp)
    angle = np.zeros((len(alike), NEIGHBOURS))
    each = np.arange(len(alike))
    for rank in range(NEIGHBOURS):
        order[:, rank] = alike.argmax(axis=1)
        angle[:, rank] = np.arccos(np.clip(alike[each, order[:, rank]], -1, 1))
        alike[each, order[:, rank]] = -1.0
    clear = angle[:, :-1] < RATIO * angle[:, 1:]
    # g2NN: when the k-th is clearly nearer than the next, all the first k count.
    counted = np.flip(np.logical_or.accumulate(np.flip(clear, 1), axis=1), 1) & (angle[:, :-1] < FARTHEST)
    row, place = np.nonzero(counted)
    return np.stack([row + top, order[row, place]])


def _mirrored_bins() -> NDArray[np.intp]:
    """Where each of the 128 bins of a descriptor (4 rows, 4 columns, 8 directions) goes in a mirrored patch."""
    bins = np.arange(128).reshape(4, 4, 8)
    return bins[::-1][:, :, (-np.arange(8)) % 8].ravel()
