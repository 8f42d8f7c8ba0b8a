"""Batches that mix files: samples in, scores out to whoever asked, errors delivered and never dropped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels
from deepscan.models.loader import OutOfMemoryError

Attempt: TypeAlias = Callable[[Sequence[Pixels]], "NDArray[np.float32] | Exception"]
"""Scores n pictures of one size into (n,), or returns the error that stopped it."""

Key: TypeAlias = tuple[int, int]
"""(position of the file, index of the sample in it)."""

Row: TypeAlias = tuple[Key, Pixels]
"""A sample, and whose it is."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The answers of a batch: each sample's key with its score or with the error that took its batch down, and
    sentences that the user should see.
    """

    answers: tuple[tuple[Key, float | Exception], ...]
    notes: tuple[str, ...] = ()


class Batcher:
    """Collects samples of one batch check until a batch is full.

    :meth:`score` may run in another thread than the other methods, one call at a time.

    Args:
        attempt: Scores a batch. Errors come back as values, so that one file's batch cannot end another file's.
        size: Samples in a full batch. Halved for good when a batch does not fit into memory.
    """

    def __init__(self, attempt: Attempt, size: int) -> None:
        self._attempt, self.size = attempt, size
        self._waiting: deque[Row] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: Key, pixels: Pixels) -> None:
        """Put one sample in the queue."""
        self._waiting.append((key, pixels))

    def take(self, *, partial: bool = False) -> tuple[Row, ...]:
        """The next batch; a short one only when ``partial``, and nothing when there is none."""
        if not self._waiting or (len(self._waiting) < self.size and not partial):
            return ()
        return tuple(self._waiting.popleft() for _ in range(min(self.size, len(self._waiting))))

    def score(self, rows: Sequence[Row]) -> Scored:
        """Score a batch, in smaller ones from now on where it does not fit into memory."""
        answers: list[tuple[Key, float | Exception]] = []
        notes: list[str] = []
        while len(answers) < len(rows):
            part = rows[len(answers) : len(answers) + self.size]
            answer = self._attempt([pixels for _, pixels in part])
            if isinstance(answer, (OutOfMemoryError, MemoryError)) and len(part) > 1:
                self.size = len(part) // 2
                notes.append(f"A batch of {len(part)} did not fit into memory: going on with {self.size}.")
            elif isinstance(answer, Exception):
                answers += [(key, answer) for key, _ in part]
            else:
                answers += [(key, float(value)) for (key, _), value in zip(part, answer, strict=True)]
        return Scored(tuple(answers), tuple(notes))
