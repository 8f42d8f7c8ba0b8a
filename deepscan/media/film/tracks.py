"""Faces followed through a film: detections joined into tracks by where they are and how they look.

Frames that are looked at may lie seconds apart, so a box seldom overlaps the one before it. Two sightings belong
together when the face has not moved further than a head moves in the time between, has about the same size, and when
the colours in and around it (hair, skin, collar) are alike; sightings that overlap in space need less likeness. A track
ends where its shot ends, and no frame has one person twice. Persons are not recognised: somebody who comes back in
another shot has another track.

Method: greedy assignment by the lowest cost, frame by frame; the cost is a sum of distance and of histogram
intersection (M. Swain and D. Ballard, "Color indexing", IJCV 7, 1991).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels
from deepscan.types import Box

Look: TypeAlias = NDArray[np.float32]
"""How a face and what is around it look: shape (n,), histograms of the upper and lower half, each adding up to 1."""

AROUND = 0.25
"""Part of the box's side that is looked at beyond it on each side."""

REACH, REACH_PER_SECOND, FARTHEST = 0.8, 1.2, 4.0
"""Sides of a box that a face may have moved: at once, more for each second between, and at most."""

SIZES = 1.8
"""Factor between the sides of two boxes of one face, at most."""

UNLIKE = 0.42
"""Part of the histograms that may differ between two sightings of one face."""

LOOK_WEIGHT = 2.0
"""What unlikeness counts beside distance (which is 1 at the farthest allowed)."""

BINS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A face in a frame: the frame's number, time in seconds and shot, the box in pixels, and its look."""

    frame: int
    seconds: float
    shot: int
    box: Box
    look: Look


def look(pixels: Pixels, box: Box) -> Look:
    """How the face in a box of a picture looks with its surroundings."""
    height, width = pixels.shape[:2]
    across, down = round(AROUND * box.width), round(AROUND * box.height)
    top, bottom = max(0, box.y - down), min(height, box.y + box.height + down)
    left, right = max(0, box.x - across), min(width, box.x + box.width + across)
    patch = pixels[top:bottom, left:right]
    step = max(1, min(patch.shape[:2]) // 48)
    coarse = patch[::step, ::step].astype(np.int32) * BINS // 256
    bins = (coarse[..., 0] * BINS + coarse[..., 1]) * BINS + coarse[..., 2]
    half = (bins.shape[0] + 1) // 2
    parts = [np.bincount(part.ravel(), minlength=BINS**3) / max(1, part.size) for part in (bins[:half], bins[-half:])]
    return np.concatenate(parts).astype(np.float32)


def follow(sightings: Sequence[Sighting]) -> tuple[int, ...]:
    """The track of each sighting, counted from 1 in the order of first appearance (in a frame: as they are given).

    Args:
        sightings: In any order; those of one frame have the same number.
    """
    order = sorted(range(len(sightings)), key=lambda i: (sightings[i].seconds, sightings[i].frame))
    track_of: dict[int, int] = {}
    last: dict[int, Sighting] = {}
    by_frame: dict[int, list[int]] = {}
    for i in order:
        by_frame.setdefault(sightings[i].frame, []).append(i)
    latest = 0
    for here in by_frame.values():
        shot = sightings[here[0]].shot
        last = {track: seen for track, seen in last.items() if seen.shot == shot}
        pairs = sorted(
            (price, i, track)
            for i in here
            for track, seen in last.items()
            if (price := _cost(seen, sightings[i])) is not None
        )
        taken: set[int] = set()
        for _, i, track in pairs:
            if i not in track_of and track not in taken:
                track_of[i] = track
                taken.add(track)
        for i in here:
            if i not in track_of:
                latest += 1
                track_of[i] = latest
            last[track_of[i]] = sightings[i]
    return tuple(track_of[i] for i in range(len(sightings)))


def _cost(before: Sighting, now: Sighting) -> float | None:
    """How unlikely it is that both are one face, 0 and above; None when they cannot be."""
    one, other = _middle(before.box), _middle(now.box)
    if max(one[2], other[2]) > SIZES * min(one[2], other[2]):
        return None
    side = (one[2] + other[2]) / 2
    away = float(np.hypot(one[0] - other[0], one[1] - other[1])) / side
    allowed = min(FARTHEST, REACH + REACH_PER_SECOND * abs(now.seconds - before.seconds))
    unlike = float(np.abs(before.look - now.look).sum()) / 4
    overlap = max(0.0, 1.0 - away)
    if away > allowed or unlike > UNLIKE * (0.7 + 0.3 * overlap):
        return None
    return away / allowed + LOOK_WEIGHT * unlike


def _middle(box: Box) -> tuple[float, float, float]:
    return box.x + box.width / 2, box.y + box.height / 2, max(1.0, (box.width + box.height) / 2)
