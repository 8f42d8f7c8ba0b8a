"""Scores over time: tracks, clips and changes of films, and how one score is made of many."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from deepscan.checks.film.result import Facts, change_of, film_of, total_of
from deepscan.checks.film.samples import followed
from deepscan.checks.film.sheets import COLUMNS, LABEL, MOST, TILE, Seen, sheet, tile
from deepscan.checks.film.timeline import HEIGHT, WIDTH, picture, with_timeline
from deepscan.media.film import pooling
from deepscan.media.frames import Pixels
from deepscan.types import Box, CheckResult, Level, Meaning, Outcome, Part, Score, Where
from tests.unit.checks.test_classifier import _video

THRESHOLDS = ((0.7, Level.WEAK), (0.9, Level.MODERATE))


def facts(times: list[float], *, cuts: tuple[float, ...] = (), seconds: float | None = None) -> Facts:
    looked_at = tuple((round(t * 25), t) for t in times)
    return Facts("OpenCV", seconds or times[-1] + 0.04, None, "Some frames.", len(times), cuts, looked_at)


def part(seconds: float, value: float, track: int = 1, x: int = 0) -> Part:
    where = Where(round(seconds * 25), seconds, Box(x, 0, 50, 50))
    return Part("face", where, Score(value, Meaning.PROBABILITY), track=track)


def test_outliers_alone_move_no_track_and_runs_do() -> None:
    assert pooling.of_track([0.1] * 5 + [0.99] + [0.1] * 6) == pytest.approx(0.1)
    assert pooling.of_track([0.99] + [0.1] * 9) == pytest.approx(0.1)
    assert pooling.of_track([0.1] * 6 + [0.9] * 6) == pytest.approx(0.9)
    assert pooling.of_track([0.3]) == pytest.approx(0.3)
    assert pooling.of_track([1.0] * 9) == pytest.approx(0.9975, abs=1e-4)


def test_a_stretch_that_was_looked_at_closely_counts_with_its_time() -> None:
    seconds = [0.0, 1.0, 2.0, 3.0, 3.1, 3.2, 3.3, 3.4, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0]
    scores = [0.9 if 3 <= t <= 3.5 else 0.2 for t in seconds]
    assert pooling.of_track(scores) > 0.7
    assert pooling.of_track(scores, seconds) < 0.5


def test_the_timeline_is_a_picture_and_its_path_stands_in_the_film() -> None:
    times = [0.5 * i for i in range(20)]
    parts = [part(t, 0.9 if t > 5 else 0.1) for t in times]
    film = film_of(facts(times, cuts=(4.0,)), parts, THRESHOLDS)
    drawn = picture(film, parts, THRESHOLDS)
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    result = CheckResult("classifier", "1", Outcome.DONE, parts=tuple(parts), film=film)
    kept: dict[str, Pixels] = {}

    def keep(name: str, pixels: Pixels) -> str:
        kept[name] = pixels
        return f"exhibits/{name}.png"

    answer = with_timeline(result, THRESHOLDS, keep)
    assert answer.film is not None
    assert answer.film.exhibit == "exhibits/timeline.png"
    assert np.array_equal(kept["timeline"], drawn)
    assert with_timeline(replace(result, film=None), THRESHOLDS, keep).film is None


def test_log_odds_are_undone() -> None:
    for value in (0.01, 0.3, 0.5, 0.99):
        assert pooling.probability(pooling.log_odds(value)) == pytest.approx(value)


def test_a_face_seen_once_carries_no_film_in_which_others_are_seen_often() -> None:
    assert pooling.of_film([(0.2, 9), (0.99, 1)]) == 0.2
    assert pooling.of_film([(0.2, 2), (0.99, 1)]) == 0.99


def test_the_verdict_names_the_person_and_the_time() -> None:
    times = [0.5 * i for i in range(20)]
    parts = [p for t in times for p in (part(t, 0.2, 1), part(t, 0.95 if 3 <= t < 6 else 0.1, 2, x=300))]
    film = film_of(facts(times), parts, THRESHOLDS)
    total, track = total_of(film)
    assert track.number == 2
    assert 0.5 < total < 0.95
    assert film.tracks[0].level is Level.INFO
    (clip,) = film.clips
    assert (clip.track, clip.level) == (2, Level.MODERATE)
    assert clip.span.start == pytest.approx(2.75)
    assert clip.span.end == pytest.approx(5.75)
    assert clip.span.start_timecode == "00:00:02.750"


def test_stretches_reach_half_way_to_their_neighbours_and_stop_at_cuts() -> None:
    one = facts([1.0, 2.0, 3.0, 4.0], cuts=(2.6,), seconds=5.0)
    assert (one.around(3.0, 3.0).start, one.around(3.0, 3.0).end) == (2.6, 3.5)
    assert (one.around(1.0, 2.0).start, one.around(1.0, 2.0).end) == (0.0, 2.5)
    assert one.around(4.0, 4.0).end == 5.0
    assert [one.shot(t) for t in (0.0, 2.5, 2.6, 9.9)] == [1, 1, 2, 2]


def test_a_change_is_found_at_its_cut_or_half_way_and_scatter_is_none() -> None:
    times = [0.5 * i for i in range(24)]
    rng = random.Random(3)
    values = [(0.2 if t < 6 else 0.8) + rng.uniform(-0.1, 0.1) for t in times]
    change = change_of(film_of(facts(times), [part(t, v) for t, v in zip(times, values, strict=True)], THRESHOLDS))
    assert change is not None
    assert (change.seconds, change.at_cut, change.frames) == (5.75, False, (12, 12))
    at_cut = film_of(
        facts(times, cuts=(5.6,)), [part(t, v, 1 + (t > 5)) for t, v in zip(times, values, strict=True)], THRESHOLDS
    )
    change = change_of(at_cut)
    assert change is not None
    assert (change.seconds, change.at_cut) == (5.6, True)
    even = [part(t, rng.uniform(0.2, 0.8)) for t in times]
    assert change_of(film_of(facts(times), even, THRESHOLDS)) is None
    assert change_of(film_of(facts(times[:4]), even[:4], THRESHOLDS)) is None


def test_frames_have_shots_faces_and_their_highest_score() -> None:
    film = film_of(facts([0.0, 1.0, 2.0], cuts=(1.0,)), [part(0.0, 0.3), part(0.0, 0.6, 2), part(2.0, 0.2, 3)], ())
    assert [(f.seconds, f.shot, f.faces, f.score.value if f.score else None) for f in film.frames] == [
        (0.0, 1, 2, 0.6),
        (1.0, 2, 0, None),
        (2.0, 2, 1, 0.2),
    ]
    assert [track.shot for track in film.tracks] == [1, 1, 2]


def test_sheets_hold_faces_with_their_boxes_also_at_the_edge() -> None:
    pixels = np.full((100, 80, 3), 200, np.uint8)
    for box in (Box(0, 0, 80, 100), Box(60, 80, 20, 20), Box(10, 10, 1, 1)):
        assert tile(pixels, box).shape == (TILE, TILE, 3)
    seen = [Seen(float(i), tile(pixels, Box(10, 10, 40, 40))) for i in range(40)]
    assert sheet(seen[:1]).shape == (TILE + LABEL, TILE, 3)
    assert sheet(seen).shape == (-(-MOST // COLUMNS) * (TILE + LABEL), COLUMNS * TILE, 3)
    assert sheet(seen)[TILE : TILE + LABEL].min() < 100, "the time is written below"


def test_only_faces_that_are_followed_have_sheets() -> None:
    subject = _video(4, {i * 25: [Box(40, 30, 60, 60)] for i in range(4)})
    assert followed((), subject.reading(), facts([0.0]), subject) == ((), {})
