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
    """The numbers of the frames wanted, rising; ``problem`` when a limit thinned them out."""

    indices: tuple[int, ...] = ()
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
    """The frames on screen at the sampling's times, where frames appear at ``times``; at most ``room`` of them.

    ``keys`` are the times of key frames. A film that has no more frames than are asked for is taken whole.
    """
    if not times:
        return Choice()
    if sampling.moments:
        return Choice(_shown_at(times, sampling.moments[:room]))
    if sampling.every is not None:
        return _spaced(times, sampling.every, room)
    match sampling.rule:
        case Rule.ALL:
            return _thinned(range(len(times)), f"All {len(times):,} frames", room)
        case Rule.KEYFRAMES if keys:
            last = len(times) - 1
            numbers = sorted({min(last, bisect_left(times, key - SAME_TIME)) for key in keys})
            return _thinned(numbers, f"All {plural(len(numbers), 'key frame')}", room)
        case _:
            return _even(times, sampling.count, room)


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


def _spaced(times: Sequence[float], every: float, room: int) -> Choice:
    end = end_of(times)
    # The millionths make up for rounding: 3 * 0.1 is not 0.3.
    asked = max(1, math.ceil(min(end / every, 1e12) - 1e-6))
    if asked <= room:
        return Choice(_shown_at(times, [k * every for k in range(asked)]))
    if len(times) <= room:
        return Choice(tuple(range(len(times))))
    return _spread(times, room, f"A frame every {every:g} s, {asked:,} in all,")


def _even(times: Sequence[float], count: int, room: int) -> Choice:
    if len(times) <= min(count, room):
        return Choice(tuple(range(len(times))))
    if count > room:
        return _spread(times, room, f"{count:,} frames")
    return Choice(_shown_at(times, _middles(times, count)))


def _spread(times: Sequence[float], room: int, wish: str) -> Choice:
    """``room`` frames evenly in time, in place of what was wished for."""
    return Choice(_shown_at(times, _middles(times, room)), _fewer(wish, room))


def _middles(times: Sequence[float], count: int) -> list[float]:
    end = end_of(times)
    return [(k + 0.5) * end / count for k in range(count)]


def _shown_at(times: Sequence[float], moments: Sequence[float]) -> tuple[int, ...]:
    return tuple(sorted({max(0, bisect_right(times, moment + 1e-6) - 1) for moment in moments}))


def _thinned(numbers: Sequence[int], wish: str, room: int) -> Choice:
    if len(numbers) <= room:
        return Choice(tuple(numbers))
    picked = {numbers[math.floor((k + 0.5) * len(numbers) / room)] for k in range(room)}
    return Choice(tuple(sorted(picked)), _fewer(wish, room))


def _fewer(wish: str, room: int) -> str:
    return f"{wish} were asked for, and {room}, evenly spread over the video, are examined."


def in_words(sampling: Sampling, looked_at: int, seconds: float, shots: int, *, searched: str) -> str:
    """A sentence: how many frames were looked at, how they were chosen, and where cuts were looked for."""
    if sampling.every is not None:
        how = f"one every {sampling.every:g} s"
    else:
        how = {
            Rule.AUTO: f"chosen by time and shot, within a budget of {budget(seconds)}",
            Rule.EVEN: "evenly in time",
            Rule.EVERY: "evenly in time",
            Rule.KEYFRAMES: "the key frames",
            Rule.ALL: "all of them",
        }[sampling.rule]
    found = f"{plural(shots, 'shot')} found by comparing {searched}"
    return f"{plural(looked_at, 'frame')} of {duration(seconds)} were looked at: {how}; {found}."
