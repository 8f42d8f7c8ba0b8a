"""Where the work on a file's bytes is done: in this process (tests, debugging) or in worker processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Generic, Protocol, TypeAlias, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from deepscan.engine.slots import Packed, Slot
from deepscan.engine.workers import Enter, prepare, serve, warm
from deepscan.errors import OutputError

Job = TypeVar("Job")
Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)

Work: TypeAlias = Callable[[Job, Enter], Answer]
"""What is done with a job; it says which stage of the work begins by calling what it is given."""

PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before a pool that lost all its workers is made anew, for each time without an answer in between; then it is
given up. What kills workers as they begin, such as a lack of memory, may pass.
"""

LEAST_SECONDS = 5.0
"""The least part of the time limit that is given, where the limit is not less itself."""

JOBS = 5_000
"""Jobs after which a worker is replaced. What a library leaks of memory would fill its limit in the end, and every file
after that would be refused; so it may leak 0.8 MB a file. Starting a worker costs less than 0.2 ms a file.
"""

_TICK = 0.5  # seconds between two looks at a worker that says nothing
_REAPED = 2.0  # seconds after which the pool must have noticed that a worker has ended


class WorkerLost(Exception):  # noqa: N818 - an outcome that the runner reports, named for what happened
    """The worker that had a job is gone: it crashed, was killed, or took too long. The message is a sentence.

    ``stage`` is the stage it had reached, empty when it had not begun.
    """

    def __init__(self, message: str, *, stage: str = "", timed_out: bool = False) -> None:
        super().__init__(message)
        self.stage, self.timed_out = stage, timed_out


class Pending(Protocol[Answer_co]):
    """A job under way."""

    def result(self) -> Answer_co:
        """Wait for the answer. Raises WorkerLost, or what the work raised."""

    def is_ready(self) -> bool:
        """Whether :meth:`result` returns at once."""

    def when_ready(self, call: Callable[[], object]) -> None:
        """Have something called, from any thread, when the answer has come. A lost worker may take a moment more."""


class Executor(Protocol[Job, Answer]):
    """Runs one function on many jobs. A context manager; leaving it ends all work at once."""

    @property
    def width(self) -> int:
        """How many jobs run at the same time."""

    def submit(self, job: Job, *, share: float = 1.0) -> Pending[Answer]:
        """Start a job, or queue it. ``share`` is the part of the time limit that it has."""

    def warm_up(self) -> None:
        """Start what has to be started, without waiting for it."""

    def __enter__(self) -> Executor[Job, Answer]: ...

    def __exit__(self, *error: object) -> None: ...


class _Done(Generic[Answer]):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def result(self) -> Answer:
        return self._answer

    def is_ready(self) -> bool:
        return True

    def when_ready(self, call: Callable[[], object]) -> None:
        call()


class Inline(Generic[Job, Answer]):
    """Runs jobs in this process, one after the other, without limits of time and memory."""

    width = 1

    def __init__(self, work: Work[Job, Answer]) -> None:
        self._work = work

    def submit(self, job: Job, *, share: float = 1.0) -> Pending[Answer]:
        """Do the job now."""
        return _Done(self._work(job, lambda stage: None))

    def warm_up(self) -> None:
        """Nothing: this process runs already."""

    def __enter__(self) -> Inline[Job, Answer]:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Processes(Generic[Job, Answer]):
    """Runs jobs in worker processes that a hostile file may take down: the pool replaces them (pebble).

    Workers are spawned, not forked: this process may hold a model and its threads. ``work`` and jobs are pickled.

    Args:
        work: What workers do.
        workers: How many of them.
        seconds: The time limit for one job, from when a worker takes it.
        memory: The most bytes of memory of its own that a worker may have; None for no limit.
    """

    def __init__(self, work: Work[Job, Answer], *, workers: int, seconds: float, memory: int | None = None) -> None:
        self._work, self._seconds, self._memory = work, seconds, memory
        self.width = workers
        self._pool = self._new_pool()
        self._free: list[Slot] = []
        self._slots: list[Slot] = []
        self.renewals = 0

    def submit(self, job: Job, *, share: float = 1.0) -> Pending[Answer]:
        """Queue a job; its time counts from when a worker takes it. Raises OutputError as :meth:`warm_up` does."""
        return _Remote(self, job, share, self._take_slot())

    def warm_up(self) -> None:
        """Start the workers: with the first job that the pool is given.

        Raises OutputError: the system refuses processes or shared memory.
        """
        with _refusals_told(), _ctrl_c_held():
            self._pool.schedule(warm)

    def limit(self, share: float) -> float:
        """The seconds in a part of the time limit; enough for an ordinary file, if the whole limit is."""
        return max(self._seconds * share, min(self._seconds, LEAST_SECONDS))

    def schedule(self, job: Job, seconds: float, slot: Slot) -> ProcessFuture[Packed]:
        """Hand a job to the pool as it is now."""
        while True:
            try:
                with _refusals_told(), _ctrl_c_held():
                    return self._pool.schedule(serve, args=(self._work, job, slot.name, seconds), timeout=seconds)
            except RuntimeError as e:  # what a broken pool answers
                if not self.renew(self._pool):
                    failed: ProcessFuture[Packed] = ProcessFuture()
                    failed.set_exception(BrokenProcessPool(str(e)))
                    return failed

    def renew(self, broken: ProcessPool) -> bool:
        """Replace a pool that lost all its workers at once; False when that does not help any more."""
        if self._pool is broken:
            if self.renewals >= len(PAUSES):
                return False
            _end(self._pool, at_once=True)
            time.sleep(PAUSES[self.renewals])
            self.renewals += 1
            self._pool = self._new_pool()
        return True

    @property
    def pool(self) -> ProcessPool:
        """The pool that jobs go to now."""
        return self._pool

    def give_back(self, slot: Slot) -> None:
        """Take a slot back when its job has ended."""
        self._free.append(slot)

    def _take_slot(self) -> Slot:
        if not self._free:
            with _refusals_told():
                self._slots.append(Slot.create())
            self._free.append(self._slots[-1])
        slot = self._free.pop()
        slot.clear()
        return slot

    def _new_pool(self) -> ProcessPool:
        context = multiprocessing.get_context("spawn")
        with _refusals_told():
            resource_tracker.ensure_running()  # the first worker would start it, which lets SIGINT through again
            return ProcessPool(
                self.width, JOBS, initializer=prepare, initargs=(self._memory, self._work.__module__), context=context
            )

    def __enter__(self) -> Processes[Job, Answer]:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            _end(self._pool, at_once=error[0] is not None)
        finally:
            for slot in self._slots:
                slot.remove()


@contextmanager
def _refusals_told() -> Iterator[None]:
    """A block in which the system may refuse what workers need, told as a sentence. Raises OutputError."""
    try:
        yield
    except OSError as e:
        raise OutputError(
            f"Workers cannot be started: {e.strerror or e}.",
            "They need processes and shared memory (/dev/shm; docker run --shm-size); --workers 0 does without.",
        ) from e


@contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """A block whose threads and processes, and theirs, are begun with SIGINT blocked; for this thread it waits.

    A terminal sends Ctrl-C to workers too. One that Python is still starting cannot ignore it yet: it would print where
    it was, which is of no interest to anyone.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(pool: ProcessPool, *, at_once: bool) -> None:
    if at_once:
        pool.stop()  # type: ignore[no-untyped-call]
    else:
        pool.close()  # type: ignore[no-untyped-call]
    pool.join()


class _Remote(Generic[Job, Answer]):
    def __init__(self, home: Processes[Job, Answer], job: Job, share: float, slot: Slot) -> None:
        self._home, self._job, self._share, self._slot = home, job, share, slot
        self._seconds = home.limit(share)
        self._future = home.schedule(job, self._seconds, slot)
        self._pool = home.pool
        self._gone: float | None = None

    def is_ready(self) -> bool:
        return self._future.done() or self._left_silently()

    def when_ready(self, call: Callable[[], object]) -> None:
        self._future.add_done_callback(lambda _: call())

    def result(self) -> Answer:
        while not self.is_ready():
            wait([self._future], _TICK)
        stage = self._slot.stage
        if not self._future.done():
            self._future.cancel()  # type: ignore[no-untyped-call]
            self._home.give_back(self._slot)
            raise WorkerLost(f"Its worker crashed: it ended itself in {_named(stage)}.", stage=stage)
        try:
            packed = self._future.result()
        except FutureTimeoutError as e:
            raise WorkerLost(
                f"It timed out after {self._seconds:g} s in {_named(stage)}.", stage=stage, timed_out=True
            ) from e
        except ProcessExpired as e:
            raise WorkerLost(_death(e.exitcode, stage), stage=stage) from e
        except BrokenProcessPool as e:
            return self._again(e)
        else:
            self._home.renewals = 0
            answer: Answer = self._slot.unpack(packed)
            return answer
        finally:
            self._home.give_back(self._slot)

    def _again(self, error: BrokenProcessPool) -> Answer:
        """The pool lost its workers while it was between jobs: this one has not been begun."""
        if not self._home.renew(self._pool):
            raise WorkerLost(
                "Its worker could not be started: workers end as soon as they begin. (A Python program that calls "
                "deepscan needs 'if __name__ == \"__main__\":' around it, because workers import that program.)"
            ) from error
        return self._home.submit(self._job, share=self._share).result()

    def _left_silently(self) -> bool:
        """Whether the worker has ended itself as if all were well (exit code 0), which the pool takes for a good end.

        Other ends the pool reports; it is given a moment to notice one.
        """
        pid = self._slot.pid
        if not pid or _is_alive(pid):
            return False
        now = time.monotonic()
        self._gone = self._gone or now
        return now - self._gone > _REAPED


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _named(stage: str) -> str:
    return stage or "its beginning"


def _death(exitcode: int | None, stage: str) -> str:
    if exitcode == -signal.SIGKILL:
        return f"Its worker was killed in {_named(stage)} (SIGKILL): by the system for lack of memory, or by hand."
    how = f"exit code {exitcode}"
    if exitcode is not None and exitcode < 0:
        names = {number.value: number.name for number in signal.Signals}
        how = names.get(-exitcode, f"signal {-exitcode}")
    return f"Its worker crashed: {how} in {_named(stage)}."
