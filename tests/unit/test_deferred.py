from __future__ import annotations

import copy
import pickle

import pytest

from deepscan.deferred import Deferred


def deferred(*entries: int) -> tuple[Deferred[int], list[str]]:
    """A sequence, and what is noted when it is made."""
    made: list[str] = []

    def make() -> tuple[tuple[int, ...], list[str]]:
        made.append("made")
        return entries, list(map(str, entries))

    return Deferred(make), made


def test_it_is_made_once_and_only_when_it_is_looked_at() -> None:
    numbers, made = deferred(4, 5, 6)
    assert made == []
    assert (len(numbers), list(numbers), numbers[0], numbers[1:], 5 in numbers) == (3, [4, 5, 6], 4, (5, 6), True)
    assert repr(numbers) == "(4, 5, 6)"
    assert numbers.documents == ["4", "5", "6"]
    assert made == ["made"]


def test_it_is_equal_to_every_sequence_of_equal_entries() -> None:
    numbers, _ = deferred(4, 5)
    other, _ = deferred(4, 5)
    assert numbers == (4, 5) == numbers == other == [4, 5]
    assert hash(numbers) == hash((4, 5))
    assert numbers != (4,)
    assert numbers != "45"
    assert deferred(*b"45")[0] != b"45"


def test_copies_hold_what_is_in_it() -> None:
    numbers, made = deferred(4, 5)
    assert pickle.loads(pickle.dumps(numbers)) == copy.deepcopy(numbers) == (4, 5)
    assert made == ["made"]


def test_what_making_it_raises_is_raised_each_time() -> None:
    def broken() -> tuple[tuple[int, ...], list[str]]:
        raise OSError("gone")

    numbers: Deferred[int] = Deferred(broken)
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            len(numbers)
