"""How a film runs: its shots, frames that repeat while the picture moves, gaps in time, and jumps inside a shot.

Everything here is told from the times of all frames and from how much each differs from the one before it; it needs a
film that was read from start to end. Cutting tools, converters of frame rates, screen recorders and poor connections
leave all of these, so none of it says more than ``info``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Subject
from deepscan.config import SAMPLING
from deepscan.media.frames import Footage
from deepscan.text import clean, plural, timecode
from deepscan.types import (
    CheckResult,
    Evidence,
    Family,
    Finding,
    JSONValue,
    Level,
    MediaItem,
    MediaKind,
    PointsTo,
    Where,
)

SHOTS, REPEATED, GAPS, JUMPS = "DS-TIME-001", "DS-TIME-002", "DS-TIME-003", "DS-TIME-004"

SPEC = CheckSpec(
    id="film_flow",
    title="How a film runs: shots, repeated and missing frames, jumps inside a shot",
    family=Family.TEMPORAL,
    version="1",
    kinds=frozenset({MediaKind.VIDEO}),
    codes=(SHOTS, REPEATED, GAPS, JUMPS),
    cost=Cost.LOW,
    options=SAMPLING,
    looks_at="videos that are read from start to end",
)

LEAST_FRAMES = 10
"""Frames from which on there is something usual to compare with."""

STILL, MOVING = 0.02, 0.3
"""Mean differences of small copies, in grey levels: up to the first a frame repeats the one before it; from the second
on the picture moves. Of 2,051 frames of eight real and swapped clips one is still between two that move."""

EVEN, MISSING = 0.9, 1.6
"""Where this part of the frames follow each other in the usual time, one that comes after so many times it is late."""

JUMP, JUMP_AT_LEAST, AROUND = 6.0, 8.0, 8
"""A jump differs by so many times what is usual in so many frames on each side, and by so many grey levels. Of the same
eight clips, one jumps (its second frame; a clip cut from a longer film)."""

LISTED = 30
"""Moments listed under one finding, the earliest first."""


@dataclass(frozen=True, slots=True)
class FilmFlow:
    """The check."""

    spec = SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """None: only reading tells."""
        return None

    def run(self, subject: Subject) -> CheckResult:
        """Raises NotApplicableError, MediaError."""
        reading = subject.reading()
        footage = reading.footage
        problem = clean(reading.problem) if reading.problem else None
        if footage is None or len(footage.changes) < LEAST_FRAMES:
            reason = (
                "This check compares every frame with the one before it, and the film was read at single frames only."
                if footage is not None and not len(footage.changes)
                else f"The film has fewer than {LEAST_FRAMES} frames to compare."
            )
            raise NotApplicableError(reason, partial=problem)
        findings = [_shots(footage), *_repeated(footage), *_gaps(footage), *_jumps(footage)]
        return SPEC.done(findings, partial=problem)


def repeats(footage: Footage) -> NDArray[np.int64]:
    """The numbers of frames that repeat the one before them while the picture moves before and after."""
    changes = footage.changes
    still = (changes[2:-1] <= STILL) & (changes[1:-2] >= MOVING) & (changes[3:] >= MOVING)
    return np.flatnonzero(still) + 2


def gaps(times: NDArray[np.float64]) -> tuple[float, NDArray[np.int64]]:
    """The usual time between frames in seconds, and the numbers of frames that come late in an even rate."""
    steps = np.diff(times)
    usual = float(np.median(steps))
    even = np.abs(steps - usual) <= 0.1 * usual
    if even.mean() < EVEN:
        return usual, np.empty(0, np.int64)
    return usual, np.flatnonzero(steps >= MISSING * usual) + 1


def jumps(footage: Footage) -> list[int]:
    """The numbers of frames that differ from the one before far more than is usual around them, cuts apart."""
    changes = footage.changes.astype(np.float64)
    cuts = set(np.searchsorted(footage.times, np.asarray(footage.cuts) - 1e-6).tolist())
    found = []
    for i in range(1, len(changes)):
        low, high = max(1, i - AROUND), min(len(changes), i + AROUND + 1)
        around = np.delete(changes[low:high], i - low)
        if i not in cuts and changes[i] >= max(JUMP_AT_LEAST, JUMP * float(np.median(around))):
            found.append(i)
    return found


def _shots(footage: Footage) -> Finding:
    usual, _ = gaps(footage.times)
    steps = np.diff(footage.times)
    constant = float((np.abs(steps - usual) <= 0.1 * usual).mean()) >= EVEN
    rate = f"{1 / usual:.5g} frames a second" if usual > 0 else "no usable times"
    shots = len(footage.cuts) + 1
    words = (
        f"The film was read frame by frame: {plural(len(footage.times), 'frame')}, "
        f"{'an even' if constant else 'a varying'} rate of about {rate}, {plural(shots, 'shot')}."
    )
    return _finding(SHOTS, words, footage, footage.cuts, "cut")


def _repeated(footage: Footage) -> list[Finding]:
    found = repeats(footage)
    if not found.size:
        return []
    distances = np.diff(found)
    regular = distances.size >= 4 and (np.abs(distances - np.median(distances)) <= 1).mean() >= 0.9
    rhythm = f", about one in {int(np.median(distances))}, as converters of frame rates leave them" if regular else ""
    words = (
        f"{plural(len(found), 'frame')} repeat the one before while the picture moves{rhythm}. Recorders that miss a "
        "frame, converted frame rates and cutting tools do this."
    )
    return [_finding(REPEATED, words, footage, footage.times[found].tolist(), "repeated")]


def _gaps(footage: Footage) -> list[Finding]:
    usual, found = gaps(footage.times)
    if not found.size:
        return []
    words = (
        f"Frames follow each other every {1000 * usual:.4g} ms, and {plural(len(found), 'time')} the next one comes "
        "late: frames are missing there. Recorders under load and joined recordings do this."
    )
    return [_finding(GAPS, words, footage, footage.times[found].tolist(), "late")]


def _jumps(footage: Footage) -> list[Finding]:
    found = jumps(footage)
    if not found:
        return []
    words = (
        f"The picture jumps {plural(len(found), 'time')} inside a shot: far more changes from one frame to the next "
        "than around it. Cuts within a take do this, and so do lost frames, flashes and quick movements."
    )
    return [_finding(JUMPS, words, footage, [float(footage.times[i]) for i in found], "jump")]


def _finding(code: str, words: str, footage: Footage, moments: Sequence[float], label: str) -> Finding:
    shown = [
        Evidence(label, _moment(seconds), Where(_number(footage, seconds), round(seconds, 3)))
        for seconds in moments[:LISTED]
    ]
    left_out = len(moments) - LISTED
    more = (Evidence(f"more of: {label}", left_out),) if left_out > 0 else ()
    return Finding(code, Level.INFO, PointsTo.NEITHER, words, (*shown, *more))


def _moment(seconds: float) -> JSONValue:
    return timecode(seconds)


def _number(footage: Footage, seconds: float) -> int:
    return int(np.searchsorted(footage.times, seconds - 1e-6))
