"""Which frames of a film are looked at. Pure arithmetic."""

from __future__ import annotations

import math
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from deepscan.config import ScanOptions
from deepscan.media.film.packets import SAME_TIME, end_of
from deepscan.media.frames import Rule, Sampling
from deepscan.media.limits import MAX_EXAMINED_FRAMES
from deepscan.text import duration, plural

AUTO_BASE = 24
"""Frames that ``auto`` spreads evenly over a film before it knows its shots."""

AUTO_BUDGET, AUTO_MOST = 48, 128
"""Frames that ``auto`` looks at, at most, when it knows the shots: in a short film, and in any. A longer film has one
more for each minute.
"""

FROM_CUT = 0.15
"""Seconds from a cut within which frames are avoided: encoders give them few bits, and transitions blend them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The numbers of the frames to be read now, rising, evenly among all that are wanted, and those ``left`` for later.

    ``problem`` is a sentence when a limit thinned out what was wanted.
    """

    indices: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    problem: str | None = None


def sampling_of(options: ScanOptions) -> Sampling:
    """What the user asked for: all frames go before key frames, these before seconds, these before a number."""
    if options.all_frames:
        return Sampling(sys.maxsize, rule=Rule.ALL)
    if options.keyframes:
        return Sampling(AUTO_BASE, rule=Rule.KEYFRAMES)
    if options.every is not None:
        return Sampling(AUTO_BASE, options.every, Rule.EVERY)
    return Sampling(AUTO_BASE, rule=Rule.AUTO) if options.frames is None else Sampling(options.frames)


def budget(seconds: float) -> int:
    """How many frames ``auto`` may look at in a film of this length."""
    return min(AUTO_MOST, AUTO_BUDGET + int(seconds // 60))


def choose(times: Sequence[float], keys: Sequence[float], sampling: Sampling, room: int) -> Choice:
    """The frames on screen at the sampling's times, where frames appear at ``times``: at most ``room`` of them now.

    ``keys`` are the times of key frames. A film that has no more frames than are asked for is taken whole, and none has
    more than MAX_EXAMINED_FRAMES wanted.
    """
    if not times:
        return Choice()
    if sampling.moments:
        return Choice(_shown_at(times, [moment + SAME_TIME for moment in sampling.moments[:room]]))
    numbers, wish = _wanted(times, keys, sampling)
    problem = None
    if len(numbers) > MAX_EXAMINED_FRAMES:
        numbers = _evenly(numbers, MAX_EXAMINED_FRAMES)
        problem = f"{wish} were asked for, and {len(numbers):,}, evenly spread over the video, are examined."
    now = _evenly(numbers, room)
    later = frozenset(numbers) - frozenset(now) if len(numbers) > len(now) else frozenset()
    return Choice(tuple(now), tuple(sorted(later)), problem)


def _wanted(times: Sequence[float], keys: Sequence[float], sampling: Sampling) -> tuple[Sequence[int], str]:
    """The numbers of all frames that are wanted, rising, and what was wished for in words."""
    every = range(len(times))
    if sampling.every is not None:
        # The millionths make up for rounding: 3 * 0.1 is not 0.3.
        asked = max(1, math.ceil(min(end_of(times) / sampling.every, 1e12) - 1e-6))
        wish = f"A frame every {sampling.every:g} s, {asked:,} in all,"
        return (every if asked > len(times) else _shown_at(times, [k * sampling.every for k in range(asked)])), wish
    match sampling.rule:
        case Rule.ALL:
            return every, f"All {len(times):,} frames"
        case Rule.KEYFRAMES if keys:
            last = len(times) - 1
            numbers = sorted({min(last, bisect_left(times, key - SAME_TIME)) for key in keys})
            return numbers, f"All {plural(len(numbers), 'key frame')}"
        case _ if len(times) <= sampling.count:
            return every, f"{sampling.count:,} frames"
        case _:
            return _shown_at(times, _middles(times, sampling.count)), f"{sampling.count:,} frames"


def in_every_shot(times: Sequence[float], cuts: Sequence[int], chosen: Sequence[int], room: int) -> tuple[int, ...]:
    """``chosen`` frames, moved away from cuts, and the middle of every shot that has none; at most ``room``.

    ``cuts`` are the numbers of frames that begin a shot. Where there are more shots than room, the longest have theirs.
    """
    edges = [0, *cuts, len(times)]
    shots = [(first, last - 1) for first, last in pairwise(edges) if last > first]
    moved = {_away(times, number, *_shot_with(shots, number)) for number in chosen}
    bare = [(first, last) for first, last in shots if not any(first <= number <= last for number in moved)]
    bare.sort(key=lambda shot: times[shot[0]] - times[shot[1]])
    middles = [bisect_right(times, (times[first] + times[last]) / 2) - 1 for first, last in bare]
    return tuple(sorted([*moved, *middles[: max(0, room - len(moved))]]))


def _shot_with(shots: Sequence[tuple[int, int]], number: int) -> tuple[int, int]:
    return next(shot for shot in shots if shot[0] <= number <= shot[1])


def _away(times: Sequence[float], number: int, first: int, last: int) -> int:
    """The frame itself, or the nearest one of its shot that is far enough from the shot's ends."""
    while number < last and first > 0 and times[number] < times[first] + FROM_CUT:
        number += 1
    while number > first and last + 1 < len(times) and times[number] > times[last] - FROM_CUT:
        number -= 1
    return number


def _middles(times: Sequence[float], count: int) -> list[float]:
    end = end_of(times)
    return [(k + 0.5) * end / count for k in range(count)]


def _shown_at(times: Sequence[float], moments: Sequence[float]) -> tuple[int, ...]:
    return tuple(sorted({max(0, bisect_right(times, moment + 1e-6) - 1) for moment in moments}))


def _evenly(numbers: Sequence[int], room: int) -> Sequence[int]:
    """At most ``room`` of the numbers, evenly spread."""
    if len(numbers) <= room:
        return numbers
    return sorted({numbers[math.floor((k + 0.5) * len(numbers) / room)] for k in range(room)})


def in_words(sampling: Sampling, looked_at: int, seconds: float, shots: int, plan: Choice, searched: str) -> str:
    """A sentence: how many frames were looked at, how they were chosen, and where cuts were looked for.

    With some left for later, it says how many are to be looked at, and who looks at them says whether they were.
    """
    if sampling.every is not None:
        how = f"one every {sampling.every:g} s"
    else:
        how = {
            Rule.AUTO: f"chosen by time and shot, within a budget of {budget(seconds)}",
            Rule.EVEN: "evenly in time",
            Rule.EVERY: "evenly in time",
            Rule.KEYFRAMES: "the key frames",
            Rule.ALL: "evenly among all of them" if plan.problem else "all of them",
        }[sampling.rule]
    found = f"{plural(shots, 'shot')} found by comparing {searched}"
    asked = plural(looked_at + len(plan.left), "frame")
    were = f"were to be looked at, {looked_at} at a time" if plan.left else "were looked at"
    return f"{asked} of {duration(seconds)} {were}: {how}; {found}."
