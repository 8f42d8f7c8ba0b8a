"""From a transform to the two regions that are alike under it, and how much alike they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.cloning.agreement import Agreement, Part, agreement, around, sharpen, weaker_energy
from deepscan.checks.cloning.hypotheses import LARGEST_SCALE, Hypothesis
from deepscan.checks.cloning.picture import GreyPicture, Plane
from deepscan.checks.cloning.transform import Matrix, apply, is_plausible

Mask = NDArray[np.bool_]

GROW = 0.35
"""Agreement from which on a place may belong to a copy."""

_AROUND = 20.0
_RIM = 4  # pixels at the edge of a region whose window reaches beyond it
_FEWEST_TOLD = 60  # pixels within the rim
_NEAR_IDENTITY = 0.12


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One connected region that agrees with another under ``matrix``: its mask, and how well it agrees.

    Over the places within the rim that have grain enough to tell (``told`` pixels): ``share`` is the median of the
    agreement and ``least`` its lower tenth. ``noise`` is the median of the difference measured in what two
    recordings of the same thing would differ by, from the noise of the picture's calmest places: below 1 the two
    regions are more alike than the camera could have recorded them.
    """

    matrix: Matrix
    mask: Mask
    share: float
    least: float
    noise: float
    told: int

    @property
    def area(self) -> int:
        """Pixels."""
        return int(self.mask.sum())


def noise_floor(picture: GreyPicture) -> float:
    """The weaker eigenvalue of the calmest twentieth of those places that hold more than rounding."""
    energy = weaker_energy(picture.detail)
    alive = energy[energy > 0.05]
    return float(np.percentile(alive, 5)) if alive.size else 0.05


def grow(picture: GreyPicture, hypothesis: Hypothesis, floor: float, nearest: float, smallest: int) -> list[Region]:
    """The regions of at least ``smallest`` pixels that agree under a hypothesis, after its refinement."""
    width, height = picture.size
    part = around(hypothesis.points, _AROUND, width, height)
    matrix = hypothesis.matrix
    weights = np.ones((part[0].stop - part[0].start, part[1].stop - part[1].start), np.float32)
    for _ in range(2):
        matrix, seen = _better(picture, hypothesis, matrix, weights, nearest, part)
        weights = (seen.inside & seen.telling & (seen.share > 0)).astype(np.float32)
        if (weights * (seen.share > GROW)).sum() < smallest / 4:
            return []
    return _components(agreement(picture, matrix, nearest), matrix, floor, smallest)


def _better(
    picture: GreyPicture, hypothesis: Hypothesis, matrix: Matrix, weights: Plane, nearest: float, part: Part
) -> tuple[Matrix, Agreement]:
    """The best of a transform, of its refinement, and of the best whole shift, by the agreement they reach."""
    candidates = [matrix]
    refined = sharpen(picture, matrix, weights, part)
    if is_plausible(refined, LARGEST_SCALE):
        candidates.append(refined)
    if np.abs(hypothesis.matrix[:, :2] - np.eye(2)).max() < _NEAR_IDENTITY:
        candidates.append(_whole_shift(picture, hypothesis, part))
    seen = [agreement(picture, known, nearest, part) for known in candidates]
    best = max(range(len(candidates)), key=lambda index: _gain(seen[index], weights))
    return candidates[best], seen[best]


def _whole_shift(picture: GreyPicture, hypothesis: Hypothesis, part: Part) -> Matrix:
    """The shift by whole pixels, within two of the hypothesis, under which the part's detail differs least."""
    width, height = picture.size
    middle = np.median(apply(hypothesis.matrix, hypothesis.points) - hypothesis.points, axis=0)
    best, least = (0, 0), np.inf
    for dy in range(round(middle[1]) - 2, round(middle[1]) + 3):
        for dx in range(round(middle[0]) - 2, round(middle[0]) + 3):
            rows = slice(max(part[0].start, -dy), min(part[0].stop, height - dy))
            columns = slice(max(part[1].start, -dx), min(part[1].stop, width - dx))
            if rows.stop - rows.start < 8 or columns.stop - columns.start < 8:
                continue
            ours = picture.detail[rows, columns]
            theirs = picture.detail[rows.start + dy : rows.stop + dy, columns.start + dx : columns.stop + dx]
            differs = float(np.minimum(np.abs(ours - theirs), 4).mean())
            if differs < least:
                best, least = (dx, dy), differs
    return np.array([[1.0, 0.0, best[0]], [0.0, 1.0, best[1]]])


def _gain(seen: Agreement, weights: Plane) -> float:
    counted = seen.inside & seen.telling & (weights > 0)
    return float(np.clip(seen.share[counted], 0, 1).sum())


def _components(seen: Agreement, matrix: Matrix, floor: float, smallest: int) -> list[Region]:
    """The connected regions that agree, cleaned and filled, each with how well its telling places agree."""
    import cv2

    good = seen.inside & seen.telling & (seen.share > GROW)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    core = cv2.morphologyEx(good.astype(np.uint8), cv2.MORPH_OPEN, disc)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(core, disc))
    found = []
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < smallest:
            continue
        mask = _fill((labels == label) & (core > 0)) & seen.inside
        inner = cv2.erode(mask.astype(np.uint8), np.ones((2 * _RIM + 1, 2 * _RIM + 1)), borderValue=0) > 0
        told = inner & seen.telling
        if mask.sum() < smallest or told.sum() < _FEWEST_TOLD:
            continue
        share, energy = seen.share[told], seen.energy[told]
        noise = float(np.median((1 - share) * energy)) / (4 * floor)
        found.append(
            Region(matrix, mask, float(np.median(share)), float(np.percentile(share, 10)), noise, int(told.sum()))
        )
    return found


def _fill(core: Mask) -> Mask:
    """Close small gaps and holes."""
    import cv2

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (21, 21))
    closed = cv2.morphologyEx(core.astype(np.uint8), cv2.MORPH_CLOSE, disc)
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(closed.copy(), outlines, -1, 1, cv2.FILLED) > 0)


def carry(mask: Mask, matrix: Matrix) -> Mask:
    """The mask after the transform: where the other region lies."""
    import cv2

    size = (mask.shape[1], mask.shape[0])
    return np.asarray(cv2.warpAffine(mask.astype(np.float32), matrix, size, flags=cv2.INTER_LINEAR) > 0.5)
