"""The whole search: candidates from keypoints and from correlation, and the pixels that decide about each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepscan.checks.cloning.decision import is_copy, is_drawn, is_reflection, is_writing, repeats_itself
from deepscan.checks.cloning.effort import FULL, Effort
from deepscan.checks.cloning.hypotheses import Hypothesis, agree
from deepscan.checks.cloning.keypoints import find_keypoints, match_with_itself
from deepscan.checks.cloning.picture import GreyPicture
from deepscan.checks.cloning.regions import Mask, Region, carry, grow, noise_floor
from deepscan.checks.cloning.shifts import find_shifts

NEAREST = 0.03
"""Of the shorter side, at least 16 pixels: places nearer to one another are alike by nature."""

SMALLEST = 0.0015
"""Of the picture's area, at least 400 pixels: about 20 x 20."""

_KNOWN = 0.6
"""A pair of regions of which this part is covered by pairs already found is one of them once more."""

MOST_PAIRS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A region that agrees with another, and the number of keypoints or windows that proposed it."""

    region: Region
    votes: int


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """Two regions of the working picture that are copies of one another; which one was first is not known."""

    region: Region
    votes: int
    first: Mask
    second: Mask


def find_copies(picture: GreyPicture, effort: Effort = FULL) -> list[Copy]:
    """At most :data:`MOST_PAIRS` pairs of copied regions, the largest first; none in a drawn picture."""
    if is_drawn(picture):
        return []
    sure = [known for known in candidates(picture, effort) if is_copy(known.region)]
    sure.sort(key=lambda known: -known.region.area * known.region.share)
    found: list[Copy] = []
    covered = np.zeros(picture.grey.shape, bool)
    for known in sure:
        second = carry(known.region.mask, known.region.matrix)
        either = known.region.mask | second
        if (either & covered).sum() > _KNOWN * either.sum() or is_reflection(known.region, second):
            continue
        if is_writing(picture, known.region.mask) or repeats_itself(picture, known.region.mask):
            continue
        covered |= either
        found.append(Copy(known.region, known.votes, known.region.mask, second))
        if len(found) == MOST_PAIRS:
            break
    return found


def candidates(picture: GreyPicture, effort: Effort) -> Iterator[Candidate]:
    """All regions that agree with another one under some transform, whatever the reason."""
    width, height = picture.size
    nearest = max(16.0, NEAREST * min(width, height))
    smallest = max(400, int(SMALLEST * width * height))
    floor = noise_floor(picture)
    for hypothesis in _propose(picture, nearest, effort):
        for region in grow(picture, hypothesis, floor, nearest, smallest):
            yield Candidate(region, len(hypothesis.points))


def _propose(picture: GreyPicture, nearest: float, effort: Effort) -> Iterator[Hypothesis]:
    keypoints = find_keypoints(picture, effort.keypoints, effort.layers)
    for mirrored, most in ((False, effort.points), (True, effort.mirrored)):
        yield from agree(match_with_itself(keypoints, nearest, mirrored=mirrored), max(picture.size), most)
    yield from find_shifts(picture, nearest, effort)
