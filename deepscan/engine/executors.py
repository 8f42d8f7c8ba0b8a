"""Where the work on a file's bytes is done: in this process (tests, debugging) or in worker processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pebble import ProcessExpired, ProcessPool

Job = TypeVar("Job")
Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)


class WorkerLost(Exception):  # noqa: N818 - an outcome that the runner reports, named for what happened
    """The worker that had a job is gone: it crashed, was killed, or took too long. The message is a sentence."""

    def __init__(self, message: str, *, timed_out: bool) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class Pending(Protocol[Answer_co]):
    """A job under way."""

    def result(self) -> Answer_co:
        """Wait for the answer. Raises WorkerLost, or what the work raised."""

    def is_ready(self) -> bool:
        """Whether :meth:`result` returns at once."""


class Executor(Protocol[Job, Answer]):
    """Runs one function on many jobs. A context manager; leaving it ends all work at once."""

    @property
    def width(self) -> int:
        """How many jobs run at the same time."""

    def submit(self, job: Job) -> Pending[Answer]:
        """Start a job, or queue it."""

    def __enter__(self) -> Executor[Job, Answer]: ...

    def __exit__(self, *error: object) -> None: ...


class _Done(Generic[Answer]):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def result(self) -> Answer:
        return self._answer

    def is_ready(self) -> bool:
        return True


class Inline(Generic[Job, Answer]):
    """Runs jobs in this process, one after the other, without time limits."""

    width = 1

    def __init__(self, work: Callable[[Job], Answer]) -> None:
        self._work = work

    def submit(self, job: Job) -> Pending[Answer]:
        """Do the job now."""
        return _Done(self._work(job))

    def __enter__(self) -> Inline[Job, Answer]:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Processes(Generic[Job, Answer]):
    """Runs jobs in worker processes that a hostile file may take down: the pool replaces them (pebble).

    Workers are spawned, not forked: this process may hold a model and its threads. ``work`` and jobs are pickled.
    """

    def __init__(self, work: Callable[[Job], Answer], *, workers: int, seconds: float) -> None:
        self._work, self._seconds = work, seconds
        self.width = workers
        self._pool = ProcessPool(
            max_workers=workers, context=multiprocessing.get_context("spawn"), initializer=_quieten
        )

    def submit(self, job: Job) -> Pending[Answer]:
        """Queue a job; its time counts from when a worker takes it."""
        return _Remote(self._pool.schedule(self._work, args=[job], timeout=self._seconds), self._seconds)

    def __enter__(self) -> Processes[Job, Answer]:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._pool.close()  # type: ignore[no-untyped-call]
        else:
            self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()


class _Remote(Generic[Answer]):
    def __init__(self, future: object, seconds: float) -> None:
        self._future, self._seconds = future, seconds

    def is_ready(self) -> bool:
        return bool(self._future.done())  # type: ignore[attr-defined]  # pebble has no type hints for its futures

    def result(self) -> Answer:
        try:
            answer: Answer = self._future.result()  # type: ignore[attr-defined]
        except FutureTimeoutError as e:
            raise WorkerLost(f"It took more than {self._seconds:g} s.", timed_out=True) from e
        except ProcessExpired as e:
            raise WorkerLost(f"The worker process crashed ({_death(e.exitcode)}).", timed_out=False) from e
        return answer


def _death(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-exitcode).name
    return f"exit code {exitcode}"


def _quieten() -> None:
    """Start of a worker: Ctrl-C is the parent's to handle, and decoders' chatter is no answer.

    C libraries (libpng, libtiff, FFmpeg) print warnings straight to the error stream, with text out of hostile files
    in them. What went wrong comes back as a value instead.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
