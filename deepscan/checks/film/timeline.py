"""The timeline of a film as a picture: the score of each track over time, cuts, thresholds and clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import Keep
from deepscan.checks.exhibits import COLOURS
from deepscan.checks.film.result import Bars
from deepscan.media.frames import Pixels
from deepscan.text import timecode
from deepscan.types import CheckResult, Film, Part

WIDTH, HEIGHT = 1000, 240
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 14, 44
"""Pixels of the picture, and of its borders."""

_BLACK, _GREY, _RED = (0, 0, 0), (190, 190, 190), (200, 30, 30)


def with_timeline(result: CheckResult, bars: Bars, keep: Keep) -> CheckResult:
    """The result with the exhibit of its film, where it has one."""
    if result.film is None:
        return result
    path = keep("timeline", picture(result.film, result.parts, bars))
    return replace(result, film=replace(result.film, exhibit=path))


def picture(film: Film, parts: Sequence[Part], bars: Bars) -> Pixels:
    """Scores from 0 to 1 upwards, seconds from left to right; each track has a colour, clips a red bar below."""
    import cv2

    canvas = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    times = [frame.seconds for frame in film.frames]
    end = max(film.seconds or 0.0, *times, 0.001)

    def place(seconds: float, score: float) -> tuple[int, int]:
        across = LEFT + seconds / end * (WIDTH - LEFT - RIGHT)
        return round(across), round(HEIGHT - BOTTOM - score * (HEIGHT - TOP - BOTTOM))

    for score in (0.0, 0.5, 1.0):
        cv2.line(canvas, place(0, score), place(end, score), _GREY, 1)
        _write(canvas, f"{score:g}", (8, place(0, score)[1] + 4))
    for bar, level in bars:
        for x in range(LEFT, WIDTH - RIGHT, 8):
            cv2.line(canvas, (x, place(0, bar)[1]), (x + 3, place(0, bar)[1]), _RED, 1)
        _write(canvas, str(level), (WIDTH - RIGHT - 60, place(0, bar)[1] - 3))
    for cut in film.cuts:
        cv2.line(canvas, place(cut, 0.0), place(cut, 1.0), _GREY, 2)
    for track in film.tracks:
        colour = COLOURS[(track.number - 1) % len(COLOURS)]
        dark = tuple(int(c * 0.6) for c in colour)
        points = [
            place(part.where.seconds, part.score.value)
            for part in sorted(parts, key=lambda part: part.where.seconds or 0.0)
            if part.track == track.number and part.score is not None and part.where.seconds is not None
        ]
        cv2.polylines(canvas, [np.asarray(points, np.int32)], isClosed=False, color=dark, thickness=2)
        for point in points:
            cv2.circle(canvas, point, 3, dark, -1)
    for clip in film.clips:
        start, stop = place(clip.span.start, 0.0), place(clip.span.end, 0.0)
        cv2.rectangle(canvas, (start[0], start[1] + 4), (max(stop[0], start[0] + 2), start[1] + 10), _RED, -1)
    for share in (0.0, 0.5, 1.0):
        label = timecode(end * share)
        _write(canvas, label, (min(place(end * share, 0.0)[0], WIDTH - 100), HEIGHT - 12))
    return canvas


def _write(canvas: NDArray[np.uint8], words: str, place: tuple[int, int]) -> None:
    import cv2

    cv2.putText(canvas, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, _BLACK, 1, cv2.LINE_AA)
