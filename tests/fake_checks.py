"""Checks that do what a test wants, for tests of the engine. Module-level classes: workers import them by name."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import CheckSpec, NotApplicableError, Sample, Samples, Subject
from deepscan.errors import UnreadableError
from deepscan.types import (
    CheckResult,
    Evidence,
    Family,
    Finding,
    Level,
    Meaning,
    MediaItem,
    MediaKind,
    Outcome,
    PointsTo,
    Score,
    Where,
)

ALL = frozenset(MediaKind)


def spec(name: str, family: Family = Family.STRUCTURE) -> CheckSpec:
    return CheckSpec(name, name, family, "1", ALL, ())


BYTES, BRIGHTNESS = spec("bytes"), spec("brightness", Family.MODEL)


@dataclass
class Bytes:
    """Does to its worker what the first word in a file says."""

    spec: CheckSpec = BYTES

    def why_not(self, item: MediaItem) -> str | None:
        return "Refused by name." if item.name.name.startswith("refused") else None

    def run(self, subject: Subject) -> CheckResult:
        with subject.open() as stream:
            data = stream.read()
        for word, action in ACTIONS.items():
            if word in data:
                action()
        found = Finding("DS-TEST-001", Level.INFO, PointsTo.NEITHER, "Read.", (Evidence("bytes", len(data)),))
        return CheckResult(self.spec.id, self.spec.version, Outcome.DONE, (found,))


def _spin() -> None:
    """As a decoder that never ends and holds the interpreter."""
    while True:
        pass


def _raise(error: Exception) -> None:
    raise error


def _eat() -> None:
    kept = []
    while True:
        kept.append(bytearray(2**27))


ACTIONS: dict[bytes, Callable[[], object]] = {
    b"SEGFAULT": lambda: ctypes.string_at(0),
    b"SPIN": _spin,
    b"EAT": _eat,
    b"KILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"LEAVE": lambda: os._exit(0),
    b"RAISE": lambda: _raise(ZeroDivisionError("a fault")),
    b"BROKEN": lambda: _raise(UnreadableError("Broken on purpose.")),
    b"NOTHING": lambda: _raise(NotApplicableError("Nothing to say.")),
}


@dataclass
class Brightness:
    """A batch check: the mean brightness of as many copies of the first pixels as the file's name says."""

    fail_above: float = 2.0
    most: int = 10_000
    spec: CheckSpec = BRIGHTNESS

    def why_not(self, item: MediaItem) -> str | None:
        return None

    def samples(self, subject: Subject) -> Samples:
        value = subject.item.size % 251
        count = int(subject.item.name.stem.rpartition("-")[2])
        pixels = self.samples_of(value)
        return Samples(tuple(Sample("frame", Where(frame=i), pixels) for i in range(count)))

    @staticmethod
    def samples_of(value: int) -> NDArray[np.uint8]:
        """Pixels of one brightness."""
        return np.full((4, 4, 3), value, np.uint8)

    def score(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(batch) > self.most:
            raise MemoryError
        means: NDArray[np.float32] = (batch.mean((1, 2, 3)) / 255).astype(np.float32)
        if (means > self.fail_above).any():
            raise RuntimeError("too bright")
        return means

    def conclude(self, item: MediaItem, samples: Samples, scores: Sequence[float]) -> CheckResult:
        if not scores:
            return CheckResult(self.spec.id, self.spec.version, Outcome.NOT_APPLICABLE, reason="No samples.")
        score = Score(round(max(scores), 4), Meaning.PROBABILITY)
        return CheckResult(self.spec.id, self.spec.version, Outcome.DONE, (), score)
