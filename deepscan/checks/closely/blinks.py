"""Blinks: moments at which both eyes, and nothing else of the face, look different from how they mostly look.

Method: the correlation of each eye with how it looks when open falls while the lids are closed (M. Chau and M. Betke,
"Real time eye tracking and blink detection with USB cameras", Boston University TR 2005-12). The open eye is here the
median of the two seconds around each frame, so that a turning head or another gaze becomes the new usual look. Closed
lids also cover the upright edges of the iris, which no other gaze does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.closely.conditions import Conditions
from deepscan.checks.closely.following import Followed

CONDITIONS = Conditions("blinks need", 80, 15.0, 3.0, speed=0.25)
"""A blink takes 0.1 to 0.4 s. Eyes that turn and sink with a head in motion differ more from how they mostly look than
closed ones do: in two clips with faster heads blinks that are plain to see were missed."""

AROUND = 2.0
"""Seconds around a frame whose median is how the eye mostly looks."""

SLACK = 3
"""Pixels of a cutting by which eyes may lie elsewhere than where following the face puts them."""

FALL, NOISE = 0.07, 5.0
"""By how much the correlation of both eyes must fall, and how many times their usual scatter."""

COVERED = 0.85
"""Part of the usual strength of upright edges that may be left in each eye. In eight real clips 0.81 and less is left
in blinks, and 0.85 and more, in one eye at least, when only the gaze or the head turns."""

OVER_NOSE = 1.5
"""How many times more than that of the nose: turning away quickly, or a hand before the face, changes both."""

SHORTEST, LONGEST = 0.05, 0.6
"""Seconds that a blink takes, at half of its depth; shorter ones are one frame, and longer ones are closed eyes."""

APART = 0.15
"""Seconds between two blinks, at least."""


@dataclass(frozen=True, slots=True)
class Blink:
    """A blink: when it is deepest, in seconds, how long it takes, and how far the eyes' correlation falls."""

    seconds: float
    takes: float
    depth: float


def why_not(face: Followed) -> str | None:
    """A sentence where the conditions for counting blinks are not met."""
    if unmet := CONDITIONS.unmet(face):
        return unmet
    if not face.eyes_found:
        return "The eyes were not found: they are covered, closed, or turned away from the camera."
    return None


def measure(face: Followed) -> tuple[Blink, ...]:
    """The blinks of a face that meets the conditions, in order."""
    left, right, nose = (_fallen(cuttings, face.rate) for cuttings in face.eyes)
    both = np.minimum(left, right)
    edges = np.maximum(*(_edges(cuttings, face.rate) for cuttings in face.eyes[:2]))
    bar = max(FALL, NOISE * 1.4826 * float(np.median(np.abs(both - np.median(both)))))
    found: list[Blink] = []
    at = 0
    while at < len(both):
        if both[at] < bar:
            at += 1
            continue
        end = at
        while end + 1 < len(both) and both[end + 1] >= bar / 2:
            end += 1
        peak = at + int(both[at : end + 1].argmax())
        blink = _blink(face, both, peak)
        apart = not found or blink.seconds - found[-1].seconds >= APART
        closed = edges[peak] < COVERED and both[peak] >= OVER_NOSE * nose[peak]
        if SHORTEST <= blink.takes <= LONGEST and closed and apart:
            found.append(blink)
        at = end + 1
    return tuple(found)


def _blink(face: Followed, both: NDArray[np.float64], peak: int) -> Blink:
    first = last = peak
    while first > 0 and both[first - 1] >= both[peak] / 2:
        first -= 1
    while last + 1 < len(both) and both[last + 1] >= both[peak] / 2:
        last += 1
    takes = float(face.seconds[last] - face.seconds[first]) + 1 / face.rate
    return Blink(round(float(face.seconds[peak]), 3), round(takes, 3), round(float(both[peak]), 3))


def _fallen(cuttings: NDArray[np.uint8], rate: float) -> NDArray[np.float64]:
    """By how much each cutting's correlation with its usual look lies below what is usual, shape (n,)."""
    import cv2

    half = max(3, round(AROUND * rate / 2))
    count = len(cuttings)
    values = np.zeros(count)
    usual = cuttings[0]
    for i in range(count):
        if i % 3 == 0:  # the usual look changes slowly
            low = min(max(0, i - half), max(0, count - 2 * half))
            usual = np.median(cuttings[low : low + 2 * half : 2], axis=0).astype(np.uint8)
        open_eye = usual[SLACK:-SLACK, SLACK:-SLACK]
        values[i] = float(cv2.matchTemplate(cuttings[i], open_eye, cv2.TM_CCOEFF_NORMED).max())
    return _rolling(values, half) - values


def _edges(cuttings: NDArray[np.uint8], rate: float) -> NDArray[np.float64]:
    """The strength of upright edges in each cutting as a part of what is usual around it, shape (n,)."""
    inner = cuttings[:, SLACK:-SLACK, SLACK:-SLACK].astype(np.int16)
    strength = np.abs(np.diff(inner, axis=2)).mean(axis=(1, 2))
    usual = np.maximum(0.1, _rolling(strength, max(3, round(AROUND * rate / 2))))
    return np.asarray(strength / usual, np.float64)


def _rolling(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """The median of each value and of ``half`` on both sides."""
    return np.array([np.median(values[max(0, i - half) : i + half + 1]) for i in range(len(values))])
