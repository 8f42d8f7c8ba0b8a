"""What a check found over time in a film: its frames and tracks with their scores, the clips worth looking at.

Frames are looked at with gaps between them. What is said of a stretch of time therefore reaches half-way to the frame
looked at before and after it, and never over a cut.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

import numpy as np

from deepscan.media.film import pooling
from deepscan.media.film.shots import shot_of
from deepscan.media.frames import Reading
from deepscan.text import plural, timecode
from deepscan.types import Clip, Film, FilmFrame, Level, Meaning, Part, Score, Span, Track, Where

Bars: TypeAlias = Sequence[tuple[float, Level]]
"""The model's thresholds: the probability from which on a score is evidence of a level."""

DIGITS = 4
"""Decimal places of scores."""

BEST = 3
"""Sightings that a track names as its best."""

LEAST_CHANGE, LEAST_SURE, LEAST_FRAMES = 1.2, 4.0, 4
"""A score changes in a film when the mean log-odds of all frames on one side of a moment are so much higher, so many
standard errors apart, over so many frames on each side."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What a worker knows of a film before anything of it is scored; see :class:`deepscan.types.Film`.

    ``looked_at`` are the (number, seconds) of the frames, rising; ``sheets`` the exhibits of tracks, by their number.
    A film of which more frames are ``asked`` for (0: it is none) than are held at once is looked at in turns: ``left``
    are the moments, rising, that are still to come, ``at_a_time`` of them; ``looks`` counts the times that it was read
    for these, or for a closer look.
    """

    reader: str
    seconds: float | None
    total: int | None
    sampling: str
    budget: int
    cuts: tuple[float, ...]
    looked_at: tuple[tuple[int, float], ...]
    sheets: Mapping[int, str] = field(default_factory=dict)
    asked: int = 0
    left: tuple[float, ...] = ()
    at_a_time: int = 0
    looks: int = 0

    def shot(self, seconds: float) -> int:
        """The number of the shot, from 1, that is on screen at a time."""
        return shot_of(seconds, self.cuts)

    def around(self, first: float, last: float) -> Span:
        """The stretch that frames from ``first`` to ``last`` stand for, within their shots."""
        before = bisect_left(self.looked_at, first, key=itemgetter(1))
        after = bisect_right(self.looked_at, last, key=itemgetter(1))
        start = (self.looked_at[before - 1][1] + first) / 2 if before else 0.0
        end = (last + self.looked_at[after][1]) / 2 if after < len(self.looked_at) else self.seconds or last
        start = max([start, *(cut for cut in self.cuts if cut <= first + 1e-6)])
        end = min([max(end, last), *(cut for cut in self.cuts if cut > last + 1e-6)])
        return span(start, end)


def span(start: float, end: float) -> Span:
    """A stretch of time, with its timecodes."""
    start, end = round(start, 3), round(max(start, end), 3)
    return Span(start, end, timecode(start), timecode(end))


def facts_of(reading: Reading) -> Facts | None:
    """The facts of a film; None where the frames of a file have no times."""
    looked_at = tuple((frame.index, frame.seconds) for frame in reading.frames if frame.seconds is not None)
    if not looked_at:
        return None
    footage = reading.footage
    if footage is None:
        known = f" of {reading.total:,}" if reading.total else ""
        words = f"{plural(len(looked_at), 'frame')}{known} of the animation were looked at, evenly in time."
        return Facts("Pillow", None, reading.total, words, len(looked_at), (), looked_at)
    return Facts(
        footage.reader,
        footage.seconds,
        reading.total,
        footage.sampling,
        footage.budget,
        footage.cuts,
        looked_at,
        asked=len(looked_at) + len(footage.left) if footage.left else 0,
        left=footage.left,
        at_a_time=len(looked_at),
        looks=int(footage.again),
    )


def film_of(facts: Facts, scored: Sequence[Part], bars: Bars) -> Film:
    """The film as scores tell it; ``scored`` are the parts that have a score, each with its track."""
    by_frame: dict[int, list[Part]] = {}
    by_track: dict[int, list[Part]] = {}
    for part in scored:
        assert part.where.frame is not None
        assert part.track is not None
        by_frame.setdefault(part.where.frame, []).append(part)
        by_track.setdefault(part.track, []).append(part)
    frames = tuple(
        FilmFrame(
            number,
            seconds,
            timecode(seconds),
            facts.shot(seconds),
            sum(part.kind == "face" for part in by_frame.get(number, [])),
            _score(max(map(value_of, by_frame[number]))) if number in by_frame else None,
        )
        for number, seconds in facts.looked_at
    )
    tracks, clips = [], []
    for number in sorted(by_track):
        parts = sorted(by_track[number], key=lambda part: part.where.seconds or 0.0)
        tracks.append(_track(number, parts, facts, bars))
        clips += _clips(number, parts, facts, bars)
    return Film(
        reader=facts.reader,
        seconds=facts.seconds,
        total=facts.total,
        sampling=facts.sampling,
        budget=facts.budget,
        cuts=facts.cuts,
        frames=frames,
        tracks=tuple(tracks),
        clips=tuple(sorted(clips, key=lambda clip: (clip.span.start, clip.track))),
    )


def total_of(film: Film) -> tuple[float, Track]:
    """The score of a film, and the track that has it. Raises ValueError when the film has no scored track."""
    scored = [track for track in film.tracks if track.score is not None]
    total = pooling.of_film([(track.score.value, track.looked_at) for track in scored if track.score is not None])
    return total, next(track for track in scored if track.score is not None and track.score.value == total)


def level_of(probability: float, bars: Bars) -> Level:
    """The evidence that a probability amounts to; info below every threshold."""
    reached = [level for bar, level in bars if probability >= bar]
    return max(reached, key=lambda level: level.rank, default=Level.INFO)


def value_of(part: Part) -> float:
    """The probability of a part that was scored."""
    assert part.score is not None
    return part.score.value


@dataclass(frozen=True, slots=True)
class Change:
    """A moment at which the score of a film changes: mean probabilities before and after it, over how many frames."""

    seconds: float
    at_cut: bool
    before: float
    after: float
    frames: tuple[int, int]


def change_of(film: Film) -> Change | None:
    """The moment at which the highest scores of frames change most, where that is more than their scatter.

    Method: the split of the series into two that differ most, by Welch's t (B. Welch, Biometrika 34, 1947); the time
    is that of the cut between the two frames, or half-way between them.
    """
    rows = [(frame.seconds, pooling.log_odds(frame.score.value)) for frame in film.frames if frame.score]
    i = _split([odds for _, odds in rows])
    if i is None:
        return None
    before, after = rows[i - 1][0], rows[i][0]
    between = [cut for cut in film.cuts if before < cut <= after + 1e-6]
    seconds = between[0] if between else (before + after) / 2
    means = [pooling.probability(_mean([odds for _, odds in part])) for part in (rows[:i], rows[i:])]
    return Change(round(seconds, 3), bool(between), round(means[0], 2), round(means[1], 2), (i, len(rows) - i))


def _split(values: Sequence[float]) -> int | None:
    """Where the values before and after differ most, by Welch's t, and by enough; None where they do nowhere.

    A scatter below 0.1 counts as 0.1, so that a few equal scores prove nothing. The sums of all beginnings are formed
    once: a film may have tens of thousands of frames.
    """
    places = np.arange(LEAST_FRAMES, len(values) - LEAST_FRAMES + 1)
    if not places.size:
        return None
    centred = np.asarray(values, np.float64) - np.mean(values)
    sums, squares = np.cumsum(centred)[places - 1], np.cumsum(centred**2)[places - 1]
    rest = len(values) - places
    one, other = sums / places, (centred.sum() - sums) / rest
    spread = np.zeros(len(places))
    for mean, square, count in ((one, squares, places), (other, (centred**2).sum() - squares, rest)):
        variance = (square - count * mean**2) / np.maximum(1, count - 1)
        spread += np.maximum(0.01, variance) / count
    apart = np.abs(other - one)
    sure = np.where(apart >= LEAST_CHANGE, apart / np.sqrt(spread), 0.0)
    best = int(np.argmax(sure))
    return int(places[best]) if sure[best] >= LEAST_SURE else None


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _track(number: int, parts: Sequence[Part], facts: Facts, bars: Bars) -> Track:
    first, last = parts[0].where.seconds or 0.0, parts[-1].where.seconds or 0.0
    score = _score(pooling.of_track([value_of(part) for part in parts], [part.where.seconds or 0.0 for part in parts]))
    best = sorted(parts, key=lambda part: (-_area(part.where), part.where.seconds or 0.0))[:BEST]
    return Track(
        number=number,
        kind=parts[0].kind,
        shot=facts.shot(first),
        span=facts.around(first, last),
        looked_at=len({part.where.frame for part in parts}),
        score=score,
        level=level_of(score.value, bars),
        best=tuple(part.where for part in best),
        exhibit=facts.sheets.get(number),
    )


def _clips(number: int, parts: Sequence[Part], facts: Facts, bars: Bars) -> list[Clip]:
    """The runs of a track's sightings whose smoothed scores reach a threshold."""
    lowest = min((bar for bar, _ in bars), default=math.inf)
    odds = pooling.smoothed([value_of(part) for part in parts])
    rows = [(part, pooling.probability(value)) for part, value in zip(parts, odds, strict=True)]
    found = []
    for high, group in groupby(rows, key=lambda row: row[1] >= lowest):
        run = list(group)
        if not high:
            continue
        first, last = run[0][0].where.seconds or 0.0, run[-1][0].where.seconds or 0.0
        mean = pooling.probability(_mean([pooling.log_odds(value) for _, value in run]))
        score = _score(max(lowest, mean))
        found.append(Clip(facts.around(first, last), number, score, level_of(score.value, bars)))
    return found


def _score(value: float) -> Score:
    return Score(round(value, DIGITS), Meaning.PROBABILITY)


def _area(where: Where) -> int:
    return where.box.width * where.box.height if where.box else 0
