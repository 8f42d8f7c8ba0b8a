"""Batches that mix files: samples in, scores out to whoever asked, errors delivered and never dropped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels
from deepscan.models.loader import OutOfMemoryError

Attempt: TypeAlias = Callable[[NDArray[np.uint8]], "NDArray[np.float32] | Exception"]
"""Scores a batch of shape (n, height, width, 3) uint8 into (n,), or returns the error that stopped it."""

Key: TypeAlias = tuple[int, int]
"""(position of the file, index of the sample in it)."""


class Batcher:
    """Collects samples of one batch check until a batch is full.

    Args:
        attempt: Scores a batch. Errors come back as values, so that one file's batch cannot end another file's.
        size: Samples in a full batch. Halved for good when a batch does not fit into memory.
        note: Told, in a sentence, when that happens.
    """

    def __init__(self, attempt: Attempt, size: int, note: Callable[[str], None]) -> None:
        self._attempt, self.size, self._note = attempt, size, note
        self._waiting: deque[tuple[Key, Pixels]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: Key, pixels: Pixels) -> None:
        """Put one sample in the queue."""
        self._waiting.append((key, pixels))

    def full(self) -> Iterator[tuple[Key, float | Exception]]:
        """Score all full batches; yields each sample's key and its score, or the error that took its batch down."""
        while len(self._waiting) >= self.size:
            yield from self._take()

    def rest(self) -> Iterator[tuple[Key, float | Exception]]:
        """Score everything that waits, the last batch as short as it is."""
        while self._waiting:
            yield from self._take()

    def _take(self) -> Iterator[tuple[Key, float | Exception]]:
        rows = [self._waiting.popleft() for _ in range(min(self.size, len(self._waiting)))]
        answer = self._attempt(np.stack([pixels for _, pixels in rows]))
        if isinstance(answer, (OutOfMemoryError, MemoryError)) and len(rows) > 1:
            self.size = len(rows) // 2
            self._note(f"A batch of {len(rows)} did not fit into memory: going on with {self.size}.")
            self._waiting.extendleft(reversed(rows))
        elif isinstance(answer, Exception):
            yield from ((key, answer) for key, _ in rows)
        else:
            yield from ((key, float(value)) for (key, _), value in zip(rows, answer, strict=True))
