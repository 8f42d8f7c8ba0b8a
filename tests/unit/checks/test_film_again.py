"""Where a film is looked at again, and how both lookings become one."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from deepscan.checks.base import Sample, Samples
from deepscan.checks.film.again import MOST, following, moments
from deepscan.checks.film.result import change_of, film_of
from deepscan.checks.film.samples import joined, settled
from deepscan.types import Box, Level, Meaning, Part, Score, Where
from tests.unit.checks.test_film import facts

BARS = ((0.7, Level.WEAK), (0.9, Level.MODERATE))
TIMES = [float(i) for i in range(10)]
FILM = replace(facts(TIMES), budget=40)


def scores(**high: float) -> list[tuple[float, float]]:
    return [(t, high.get(f"t{t:.0f}", 0.1)) for t in TIMES]


def test_low_scores_ask_for_nothing() -> None:
    assert moments(FILM, scores(), BARS) == ()
    assert moments(FILM, [], BARS) == ()


def test_high_uncertain_and_changing_scores_ask_for_the_middle_of_the_gaps_beside_them() -> None:
    assert moments(FILM, scores(t4=0.95), BARS) == (3.5, 4.5)
    assert moments(FILM, scores(t4=0.6), BARS) == (3.5, 4.5)
    steps = [(0.0, 0.01), (1.0, 0.01), (2.0, 0.2), (3.0, 0.2)]
    assert moments(FILM, steps, BARS) == (1.5,)


def test_no_gap_is_looked_into_across_a_cut_or_closer_than_can_be_told() -> None:
    assert moments(replace(FILM, cuts=(4.5,)), scores(t4=0.95), BARS) == (3.5,)
    assert moments(FILM, [(0.0, 0.9), (0.2, 0.9), (1.0, 0.9)], BARS) == (0.6,)


def test_the_budget_holds_and_the_gravest_gaps_come_first() -> None:
    high = [(t, 0.95) for t in TIMES]
    assert len(moments(FILM, high, BARS)) == 9
    assert moments(replace(FILM, budget=12), scores(t2=0.95, t7=0.6, t8=0.6), BARS) == (1.5, 2.5)
    assert moments(replace(FILM, budget=10), high, BARS) == ()
    assert moments(FILM, high, ()) == ()
    long = facts([float(i) for i in range(100)])
    assert len(moments(replace(long, budget=200), [(float(i), 0.9) for i in range(100)], BARS)) == MOST


def sample(seconds: float, x: int = 0) -> Sample:
    look = np.full(8, 0.25, np.float32)
    where = Where(round(seconds * 25), seconds, Box(x, 0, 50, 50))
    return Sample("face", where, np.zeros((4, 4, 3), np.uint8), track=1, look=look)


def test_two_lookings_become_one_and_frames_that_were_known_are_not_taken_twice() -> None:
    first = Samples(tuple(map(sample, (0.0, 1.0, 2.0))), film=replace(facts([0.0, 1.0, 2.0]), sheets={1: "a.png"}))
    empty = Part("frame", Where(38, 1.5), None, "No face was found in this frame.")
    more = Samples((sample(0.5), sample(1.0)), (empty,), "The end is damaged.", facts([0.5, 1.0, 1.52]))
    both = settled(joined(first, more, (0.5, 1.5)))
    assert [s.where.seconds for s in both.samples] == [0.0, 1.0, 2.0, 0.5]
    assert {s.track for s in both.samples} == {1}
    assert both.left_out == (empty,)
    assert both.problem == "The end is damaged."
    assert both.film is not None
    assert [t for _, t in both.film.looked_at] == pytest.approx([0.0, 0.5, 1.0, 1.52, 2.0])
    assert both.film.sheets == {1: "a.png"}
    assert "Then 2 frames more" in both.film.sampling


def test_a_look_that_came_to_nothing_adds_its_reason_and_takes_nothing_away() -> None:
    film = replace(facts([0.0]), asked=3, left=(1.0, 2.0), at_a_time=1)
    first = Samples((sample(0.0),), film=film)
    both = joined(first, Samples((), problem="It was lost."), (1.0,))
    assert both.film is not None
    assert both.film.left == (1.0, 2.0)
    assert both.problem == "It was lost."
    assert both.samples == first.samples


def test_the_moments_that_are_left_come_in_their_order_until_the_time_is_up() -> None:
    film = replace(facts([0.0]), asked=4, left=(1.0, 2.0, 3.0), at_a_time=2)
    assert following(film, 10.0) == (1.0, 2.0)
    assert following(film, 1e9) == ()
    after = joined(Samples((), film=film), Samples((), film=facts([1.0, 2.0])), (1.0, 2.0))
    assert after.film is not None
    assert after.film.left == (3.0,)


def test_tens_of_thousands_of_frames_are_followed_and_searched_in_seconds() -> None:
    times = [0.04 * i for i in range(20_000)]
    started = time.process_time()
    film = replace(facts(times), looks=1, sheets={})
    taken = settled(Samples(tuple(map(sample, times)), film=film))
    assert {s.track for s in taken.samples} == {1}
    scored = [
        Part("face", s.where, Score(0.1 if number < 12_000 else 0.9, Meaning.PROBABILITY), track=s.track)
        for number, s in enumerate(taken.samples)
    ]
    assert taken.film is not None
    change = change_of(film_of(taken.film, scored, BARS))
    assert change is not None
    assert change.frames == (12_000, 8_000)
    assert time.process_time() - started < 10, "nothing of it grows with the square of the frames"
