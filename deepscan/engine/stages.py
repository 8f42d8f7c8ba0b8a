"""Which stage of the work on a file goes on, and stages that an earlier worker died in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from deepscan.errors import MediaError

DECODE, FACES = "decode", "faces"
"""Stages that several checks share; every other stage is called as the check that it is."""

SHARED = frozenset({DECODE, FACES})


@dataclass(frozen=True, slots=True)
class Loss:
    """How a worker was lost in a stage: a sentence, and whether it took too long."""

    reason: str
    timed_out: bool


class StageLostError(MediaError):
    """A stage that took a worker down is not tried again: what needs it fails with the reason of the first time."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.reason)
        self.timed_out = loss.timed_out


class Stages:
    """The stages of the work on one file.

    Args:
        enter: Told each stage that begins, and the one that goes on when it has ended.
        lost: Stages not to be entered.
    """

    def __init__(self, enter: Callable[[str], None], lost: Mapping[str, Loss]) -> None:
        self._enter, self._lost = enter, lost
        self._now = ""
        self.failed = ""

    @contextmanager
    def within(self, name: str) -> Iterator[None]:
        """A stage. What is raised in it leaves its name in :attr:`failed`: the innermost one's.

        Raises:
            StageLostError: a worker was lost in this stage before.
        """
        if name in self._lost:
            raise StageLostError(self._lost[name])
        outer, self._now = self._now, name
        self.failed = ""
        self._enter(name)
        try:
            yield
        except BaseException:
            self.failed = self.failed or name
            raise
        finally:
            self._now = outer
            self._enter(outer)
