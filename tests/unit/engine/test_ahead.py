from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from deepscan.engine.ahead import ahead

MOST = 8


class Counted:
    """Numbers, and how many of them were taken."""

    def __init__(self, count: int) -> None:
        self.count, self.taken = count, 0
        self.thread = ""

    def __iter__(self) -> Iterator[int]:
        self.thread = threading.current_thread().name
        for number in range(self.count):
            self.taken += 1
            yield number


def settled(numbers: Counted) -> int:
    """How many are taken when no more come for a while."""
    before = -1
    while before != numbers.taken:
        before = numbers.taken
        time.sleep(0.05)
    return before


def test_all_entries_come_in_their_order_out_of_a_thread() -> None:
    numbers = Counted(1_000)
    assert list(ahead(numbers, MOST)) == list(range(1_000))
    assert numbers.thread.startswith("ahead")


def test_no_more_are_taken_than_may_be_ahead() -> None:
    numbers = Counted(1_000)
    with_thread = ahead(numbers, MOST)
    for wanted in range(3 * MOST):
        assert next(with_thread) == wanted
        assert numbers.taken <= wanted + 2 + MOST
    assert settled(numbers) > 3 * MOST
    with_thread.close()
    assert settled(numbers) <= 4 * MOST + 1


def test_an_entry_is_there_as_soon_as_it_is_found() -> None:
    found = threading.Event()

    def slow() -> Iterator[int]:
        yield 1
        assert found.wait(10)
        yield 2

    numbers = ahead(slow(), MOST)
    assert next(numbers) == 1
    found.set()
    assert list(numbers) == [2]


def test_what_is_raised_there_is_raised_here_after_what_came_before() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    numbers = ahead(broken(), MOST)
    assert next(numbers) == 1
    with pytest.raises(OSError, match="gone"):
        next(numbers)
