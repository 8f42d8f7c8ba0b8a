from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from deepscan.engine.batching import Batcher, Key, Scored
from deepscan.media.frames import Pixels
from deepscan.models.loader import OutOfMemoryError


def pixels(value: int) -> NDArray[np.uint8]:
    return np.full((2, 2, 3), value, np.uint8)


def first_values(batch: Sequence[Pixels]) -> NDArray[np.float32]:
    return np.array([picture[0, 0, 0] for picture in batch], np.float32)


def score_all(batcher: Batcher, *, partial: bool = True) -> Scored:
    """Score what waits, in batches as they come."""
    answers: list[tuple[Key, float | Exception]] = []
    notes: list[str] = []
    while rows := batcher.take(partial=partial):
        scored = batcher.score(rows)
        answers += scored.answers
        notes += scored.notes
    return Scored(tuple(answers), tuple(notes))


def test_full_batches_only_until_the_rest_is_asked_for() -> None:
    sizes: list[int] = []

    def attempt(batch: Sequence[Pixels]) -> NDArray[np.float32]:
        sizes.append(len(batch))
        return first_values(batch)

    batcher = Batcher(attempt, 4)
    for i in range(10):
        batcher.add((0, i), pixels(i))
    scored = dict(score_all(batcher, partial=False).answers)
    assert sizes == [4, 4]
    assert len(batcher) == 2
    scored |= dict(score_all(batcher).answers)
    assert sizes == [4, 4, 2]
    assert scored == {(0, i): float(i) for i in range(10)}


@pytest.mark.parametrize("error", [OutOfMemoryError(), MemoryError()])
def test_a_batch_that_does_not_fit_is_halved_and_nothing_is_lost(error: Exception) -> None:
    def attempt(batch: Sequence[Pixels]) -> NDArray[np.float32] | Exception:
        return error if len(batch) > 3 else first_values(batch)

    batcher = Batcher(attempt, 16)
    for i in range(16):
        batcher.add((0, i), pixels(i))
    scored = score_all(batcher)
    assert list(scored.answers) == [((0, i), float(i)) for i in range(16)]
    assert batcher.size == 2
    assert len(scored.notes) == 3


def test_one_sample_that_does_not_fit_is_an_error_not_an_endless_loop() -> None:
    batcher = Batcher(lambda batch: OutOfMemoryError(), 4)
    batcher.add((7, 0), pixels(1))
    batcher.add((7, 1), pixels(1))
    answers = dict(score_all(batcher).answers)
    assert set(answers) == {(7, 0), (7, 1)}
    assert all(isinstance(answer, OutOfMemoryError) for answer in answers.values())


def test_an_error_is_delivered_to_every_sample_of_its_batch() -> None:
    batcher = Batcher(lambda batch: RuntimeError("lost device"), 4)
    for i in range(3):
        batcher.add((i, 0), pixels(i))
    assert all(isinstance(answer, RuntimeError) for _, answer in score_all(batcher).answers)
