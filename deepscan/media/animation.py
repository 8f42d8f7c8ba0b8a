"""When the frames of an animation are shown, and which of them are examined. Pure arithmetic."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from deepscan.media.frames import Sampling
from deepscan.media.limits import MAX_PAGES
from deepscan.text import plural

SHORTEST = 0.010
"""Seconds up to which a frame's duration is not believed."""

INSTEAD = 0.100
"""Seconds such a frame is shown for, as browsers do (Chromium's ImageFrameGenerator and Firefox: 10 ms and less)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The frames wanted: frame number -> presentation time in seconds. ``problem`` says when a limit cut it short."""

    times: dict[int, float | None]
    problem: str | None = None


def starts_of(durations: Sequence[float]) -> tuple[list[float], float]:
    """When each frame appears and when the last one ends, from durations as the file has them; all in seconds."""
    starts, now = [], 0.0
    for duration in durations:
        starts.append(round(now, 6))
        now += duration if duration > SHORTEST else INSTEAD
    return starts, now


def choose(durations: Sequence[float], sampling: Sampling, *, still_first: bool = False) -> Choice:
    """Choose the frames to examine.

    Where the file has no more frames than are asked for, all of them; else those on screen at the sampling's times.
    Two times that fall on one frame give it once.

    Args:
        durations: Seconds each frame is shown, as the file has them, without a leading still.
        sampling: What is wanted; at most MAX_PAGES frames are taken.
        still_first: Whether frame 0 is a still that is no part of the animation (an APNG's default image): it is
            always taken, has no time, and the animation's frames are counted from 1.
    """
    starts, end = starts_of(durations)
    first = 1 if still_first else 0
    room = MAX_PAGES - first
    times: dict[int, float | None] = {0: None} if still_first else {}
    if sampling.every is not None:
        wanted = int(end / sampling.every) + 1
        moments = [i * sampling.every for i in range(min(wanted, room)) if i * sampling.every < end]
    elif len(starts) <= min(sampling.count, room):
        return Choice(times | {first + i: start for i, start in enumerate(starts)})
    else:
        wanted = min(sampling.count, len(starts))
        count = min(wanted, room)
        moments = [(i + 0.5) * end / count for i in range(count)]
    for moment in moments:
        index = bisect_right(starts, moment) - 1
        times[first + index] = starts[index]
    if wanted <= room:
        return Choice(times)
    return Choice(times, f"{plural(wanted, 'frame')} of this animation were asked for, and {MAX_PAGES} are examined.")
