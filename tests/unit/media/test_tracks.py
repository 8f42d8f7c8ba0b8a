"""Faces followed through films that are drawn: persons are coloured blocks, which have looks of their own."""

from __future__ import annotations

import numpy as np
import pytest

from deepscan.media.film.tracks import Sighting, follow, look
from deepscan.types import Box

RED, BLUE, GREEN = (200, 40, 40), (40, 40, 200), (40, 200, 40)


def seen(
    frame: int, x: int, colour: tuple[int, int, int], *, shot: int = 1, side: int = 60, gap: float = 0.5
) -> Sighting:
    """A person of one colour at a place in a frame."""
    rng = np.random.default_rng(frame)
    pixels = np.full((240, 640, 3), 120, np.uint8)
    pixels[60 : 60 + side, x : x + side] = colour
    pixels = np.clip(pixels + rng.integers(-9, 10, pixels.shape), 0, 255).astype(np.uint8)
    box = Box(x, 60, side, side)
    return Sighting(frame, frame * gap, shot, box, look(pixels, box))


def test_one_person_who_moves_is_one_track() -> None:
    assert follow([seen(i, 20 + 30 * i, RED) for i in range(10)]) == (1,) * 10


def test_a_group_keeps_its_persons_apart_whatever_order_they_are_found_in() -> None:
    frames = [[seen(i, 100 + 5 * i, RED), seen(i, 300 - 4 * i, BLUE), seen(i, 450, GREEN)] for i in range(8)]
    mixed = [person for i, frame in enumerate(frames) for person in (frame if i % 2 else frame[::-1])]
    tracks = follow(mixed)
    by_colour: dict[int, set[int]] = {}
    for i, track in enumerate(tracks):
        number, place = divmod(i, 3)
        by_colour.setdefault(place if number % 2 else 2 - place, set()).add(track)
    assert all(len(found) == 1 for found in by_colour.values())
    assert set.union(*by_colour.values()) == {1, 2, 3}


def test_persons_who_cross_keep_their_tracks_by_their_looks() -> None:
    xs = range(0, 400, 40)
    people = [p for i, x in enumerate(xs) for p in (seen(i, 80 + x, RED), seen(i, 480 - x, BLUE))]
    assert follow(people) == (1, 2) * len(xs)


def test_a_cut_ends_every_track() -> None:
    assert follow([seen(0, 100, RED), seen(1, 100, RED), seen(2, 100, RED, shot=2), seen(3, 100, RED, shot=2)]) == (
        (1, 1, 2, 2)
    )


def test_a_person_who_is_hidden_for_a_while_comes_back_into_the_same_track() -> None:
    assert follow([seen(0, 100, RED), seen(1, 110, RED), seen(6, 130, RED), seen(7, 140, RED)]) == (1, 1, 1, 1)


@pytest.mark.parametrize("change", [{"x": 500}, {"colour": GREEN, "x": 150}, {"side": 150}])
def test_another_place_colour_or_size_at_once_is_another_person(change: dict[str, object]) -> None:
    other = {"frame": 1, "x": 100, "colour": RED, "gap": 0.1} | change
    assert follow([seen(0, 100, RED, gap=0.1), seen(**other)]) == (1, 2)  # type: ignore[arg-type]


def test_nobody_is_in_a_frame_twice() -> None:
    tracks = follow([seen(0, 100, RED), seen(1, 100, RED), seen(1, 130, RED)])
    assert sorted(tracks) == [1, 1, 2]


def test_nothing_is_nobody() -> None:
    assert follow([]) == ()


def test_a_box_at_the_edge_has_a_look() -> None:
    pixels = np.zeros((50, 50, 3), np.uint8)
    for box in (Box(0, 0, 50, 50), Box(45, 45, 5, 5), Box(0, 0, 1, 1)):
        assert look(pixels, box).sum() == pytest.approx(2.0)
