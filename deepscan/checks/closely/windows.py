"""Which stretches of a film are looked at frame by frame. Pure arithmetic.

Every frame of a long film is too much, and what is looked for (a blink, a heartbeat, an unsteady face) shows within
seconds. So the largest and longest tracks get a stretch each, up to a number of frames for the film; whoever else is
in the picture then is followed in the same frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepscan.media.film.shots import shot_of
from deepscan.types import Box

MOST_FRAMES, MOST_PIXELS = 300, 600_000_000
"""Frames of a film that are looked at so, and pixels of them, at most: 10 s of 30 frames a second in full HD."""

MOST_SECONDS, LEAST_SECONDS = 12.0, 1.5
"""Length of one stretch, at most, and of one that is worth looking at."""

MOST_STRETCHES, MOST_FACES = 3, 4
"""Stretches of a film, and faces followed in one of them, at most."""

FULL_RATE = 30.0
"""Frames a second that are looked at; of faster films every second, or third, and so on."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A face that the finder saw: its track, the frame's number and time in seconds, and its box."""

    track: int
    frame: int
    seconds: float
    box: Box


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch, in seconds, and the faces to be followed from its first frame on: what was seen of each in it."""

    start: float
    end: float
    faces: tuple[tuple[Seen, ...], ...]


def stride_of(rate: float) -> int:
    """Every how many-th frame of a film is looked at."""
    return max(1, round(rate / FULL_RATE))


def choose(seen: Sequence[Seen], cuts: Sequence[float], seconds: float, rate: float, area: int) -> tuple[Window, ...]:
    """The stretches to look at, the main track's first.

    Args:
        seen: The faces found in the frames that were looked at, of all tracks; a track lies within a shot.
        cuts: The times at which a shot begins.
        seconds: Length of the film.
        rate: Its frames a second.
        area: Pixels of a frame.
    """
    tracks: dict[int, list[Seen]] = {}
    for sight in sorted(seen, key=lambda s: s.seconds):
        tracks.setdefault(sight.track, []).append(sight)
    looked_at_rate = max(1e-3, rate / stride_of(rate))
    room = min(MOST_FRAMES, MOST_PIXELS // max(1, area)) / looked_at_rate
    order = sorted(tracks.values(), key=lambda track: (-_weight(track, cuts, seconds), track[0].track))
    found: list[Window] = []
    for track in order:
        if len(found) == MOST_STRETCHES or room < LEAST_SECONDS:
            break
        if track[0].track in {face[0].track for window in found for face in window.faces}:
            continue
        start, end = _place(track, cuts, seconds, min(room, MOST_SECONDS))
        if end - start < LEAST_SECONDS:
            continue
        inside = [_within(other, start, end) for other in order]
        inside.sort(key=lambda face: not face or face[0].track != track[0].track)
        found.append(Window(start, end, tuple(face for face in inside if face)[:MOST_FACES]))
        room -= end - start
    return tuple(found)


def _weight(track: Sequence[Seen], cuts: Sequence[float], seconds: float) -> float:
    """How much there is of a track: seconds times width."""
    first, last = _shot(track[0].seconds, cuts, seconds)
    span = (track[-1].seconds - track[0].seconds) or (last - first) / 2
    return span * sum(s.box.width for s in track) / len(track)


def _place(track: Sequence[Seen], cuts: Sequence[float], seconds: float, length: float) -> tuple[float, float]:
    """Start and end of the stretch: from a sighting on, in the middle of the track as far as that is possible."""
    _, shot_end = _shot(track[0].seconds, cuts, seconds)
    first, last = track[0].seconds, track[-1].seconds
    wanted = max(first, (first + last - length) / 2)
    start = max(s.seconds for s in track if s.seconds <= wanted + 1e-6)
    return start, min(start + length, shot_end)


def _within(track: Sequence[Seen], start: float, end: float) -> tuple[Seen, ...]:
    """What was seen of a track in a stretch, where it was seen in its first frame."""
    inside = tuple(s for s in track if start - 1e-6 <= s.seconds < end)
    return inside if inside and inside[0].seconds <= start + 1e-6 else ()


def _shot(moment: float, cuts: Sequence[float], seconds: float) -> tuple[float, float]:
    number = shot_of(moment, cuts)
    edges = [0.0, *cuts, max(seconds, moment)]
    return edges[number - 1], edges[number]
