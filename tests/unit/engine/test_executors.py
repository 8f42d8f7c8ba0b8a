"""Workers that crash, hang or raise: one answer or one sentence for every job, and nothing left running."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from pickle import PicklingError
from typing import Any

import numpy as np
import pytest

from deepscan.engine import executors, slots
from deepscan.engine.executors import Executor, Inline, Processes, WorkerLost
from deepscan.engine.slots import PIXEL_BYTES
from deepscan.engine.workers import Enter, WorkError
from deepscan.errors import OutputError

LONG = 600.0
"""Seconds no test may wait for."""


def _new_pages() -> int:
    """The pages that the system has to find for 48 MiB in three blocks, when as much was in use and freed before."""
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        blocks = [bytearray(16 * 2**20) for _ in range(3)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def work(job: str, enter: Enter) -> str:
    """What workers do: they import it from here by name."""
    word, _, rest = job.partition(" ")
    if word.startswith("in-"):
        enter(word.removeprefix("in-"))
        word, _, rest = rest.partition(" ")
    match word:
        case "segfault":
            ctypes.string_at(0)
        case "loop":
            while True:
                pass
        case "eat":
            bytearray(int(rest))
        case "pages":
            return str(_new_pages())
        case "array":
            return np.full(int(rest), 7, np.uint8)  # type: ignore[return-value]
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "leave":
            os._exit(int(rest))
        case "hang":
            if rest:
                Path(rest).write_text(str(os.getpid()), encoding="ascii")
            time.sleep(LONG)
        case "fault":
            raise ZeroDivisionError(rest)
        case "disk":
            raise OutputError("The disk is full.", "Free some space.")
        case "chatter":
            os.write(2, b"libpng warning: hostile text\n")
            sys.stderr.write("a warning of a Python library\n")
            sys.stderr.flush()
        case "unsendable":
            return lambda: rest  # type: ignore[return-value]
        case "ctrl-c":
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
        case "held":
            return ",".join(signal.Signals(s).name for s in signal.pthread_sigmask(signal.SIG_BLOCK, []))
        case "pid":
            return str(os.getpid())
    return job.upper()


class NotSendableError(Exception):
    """An error with more arguments than it keeps: it cannot be made again out of its pickle."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(why)


def work_with_an_error_that_cannot_be_sent(job: str, enter: Enter) -> str:
    if job == "broken":
        raise NotSendableError("here", "because")
    return job.upper()


@pytest.fixture(scope="module")
def pool() -> Iterator[Processes[str, str]]:
    """One worker for all tests that do not end it for good: starting one takes half a second."""
    with Processes(work, workers=1, seconds=LONG) as processes:
        yield processes


def test_inline_answers_at_once_and_raises_what_the_work_raises() -> None:
    with Inline(work) as executor:
        assert executor.width == 1
        pending = executor.submit("a")
        assert pending.is_ready()
        assert pending.result() == "A"
        assert executor.submit("pid").result() == str(os.getpid())
        with pytest.raises(ZeroDivisionError, match="over"):
            executor.submit("fault over")


def test_both_are_executors(pool: Processes[str, str]) -> None:
    executors: list[Executor[str, str]] = [Inline(work), pool]
    assert [executor.submit("same").result() for executor in executors] == ["SAME", "SAME"]
    assert all(executor.width >= 1 for executor in executors)


def test_work_is_done_in_another_process(pool: Processes[str, str]) -> None:
    assert pool.submit("pid").result() != str(os.getpid())


def test_answers_come_to_who_asked_whatever_their_order(pool: Processes[str, str]) -> None:
    pending = [pool.submit(f"job {number}") for number in range(20)]
    assert [answer.result() for answer in reversed(pending)] == [f"JOB {number}" for number in reversed(range(20))]
    assert all(answer.is_ready() for answer in pending)
    assert pending[3].result() == "JOB 3"


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        ("in-decode segfault", "Its worker crashed: SIGSEGV in decode."),
        ("in-container kill", "Its worker was killed in container (SIGKILL)"),
        ("in-faces leave 7", "Its worker crashed: exit code 7 in faces."),
        ("in-faces leave 0", "Its worker crashed: it ended itself in faces."),
        ("segfault", "Its worker crashed: SIGSEGV in its beginning."),
    ],
)
def test_a_crash_is_a_sentence_that_names_the_stage_and_the_next_job_has_a_new_worker(
    job: str, sentence: str, pool: Processes[str, str]
) -> None:
    lost, after = pool.submit(job), pool.submit("after")
    started = time.monotonic()
    with pytest.raises(WorkerLost) as caught:
        lost.result()
    assert str(caught.value).startswith(sentence)
    assert not caught.value.timed_out
    assert time.monotonic() - started < LONG / 10
    assert after.result() == "AFTER"


def test_the_stage_told_is_that_of_the_job_and_not_of_one_before(pool: Processes[str, str]) -> None:
    assert pool.submit("in-decode a").result() == "IN-DECODE A"
    with pytest.raises(WorkerLost, match="in its beginning"):
        pool.submit("crash").result()


@pytest.mark.parametrize("count", [0, 1, PIXEL_BYTES // 2, PIXEL_BYTES, PIXEL_BYTES + 1, 3 * PIXEL_BYTES])
def test_arrays_come_back_whole_whether_they_fit_into_shared_memory_or_not(
    count: int, pool: Processes[str, Any]
) -> None:
    first, second = pool.submit(f"array {count}"), pool.submit(f"array {count + 1}")
    array = first.result()
    assert second.result().shape == (count + 1,)
    assert array.shape == (count,)
    assert (array == 7).all()
    array += 1  # it is the receiver's own


def left_of(names: list[str]) -> list[str]:
    """Which of these pieces of shared memory are there."""
    return [name for name in names if (Path("/dev/shm") / name).exists()]


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="shared memory is not to be seen here")
def test_no_shared_memory_is_left() -> None:
    with Processes(work, workers=1, seconds=LONG) as processes:
        with pytest.raises(WorkerLost):
            processes.submit("crash").result()
        names = [slot.name for slot in processes._slots]
        assert left_of(names) == names != []
    assert not left_of(names)


PARENT = """
import sys
from deepscan.engine.executors import Processes
from tests.unit.engine.test_executors import work

if __name__ == "__main__":
    with Processes(work, workers=1, seconds=1) as processes:
        pid = processes.submit("pid").result()
        spinning = processes.submit("loop")
        print(pid, *(slot.name for slot in processes._slots), flush=True)
        sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="shared memory is not to be seen here")
def test_when_the_parent_is_killed_workers_end_and_shared_memory_goes(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT, encoding="ascii")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid, *names = parent.stdout.readline().split()
        assert left_of(names) == names != []
        parent.kill()
    assert ends(int(pid))
    deadline = time.monotonic() + 20
    while left_of(names) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left_of(names)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to this limit")
def test_a_worker_that_wants_more_memory_than_it_may_have_is_refused_it_and_goes_on() -> None:
    with Processes(work, workers=1, seconds=LONG, memory=200 * 2**20) as processes:
        pid = processes.submit("pid").result()
        with pytest.raises(MemoryError):
            processes.submit(f"eat {2**30}").result()
        assert processes.submit(f"eat {2**26}").result()
        assert processes.submit("pid").result() == pid


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="Only glibc can be asked to keep freed memory.")
def test_memory_of_one_job_is_used_again_for_the_next(pool: Processes[str, str]) -> None:
    assert int(pool.submit("pages").result()) < 48 * 2**20 / resource.getpagesize() / 4


def test_workers_are_replaced_after_many_jobs_and_no_answer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "JOBS", 3)
    with Processes(work, workers=1, seconds=LONG) as processes:
        pending = [processes.submit("pid") for _ in range(10)]
        answers = [each.result() for each in pending]
    assert len(answers) == 10
    assert len(set(answers)) >= 3


def test_idle_workers_that_are_killed_are_replaced(pool: Processes[str, str]) -> None:
    os.kill(int(pool.submit("pid").result()), signal.SIGKILL)
    time.sleep(0.5)
    assert pool.submit("after").result() == "AFTER"


def test_workers_that_cannot_live_are_started_after_growing_pauses_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(executors, "PAUSES", (0.0, 0.1, 0.2))
    started = time.monotonic()
    with (
        Processes(work, workers=1, seconds=LONG, memory=2**20) as processes,
        pytest.raises(WorkerLost, match="could not be started"),
    ):
        processes.submit("a").result()
    assert processes.renewals == len(executors.PAUSES)
    assert time.monotonic() - started > sum(executors.PAUSES)


def test_an_error_comes_back_as_itself_with_its_hint(pool: Processes[str, str]) -> None:
    with pytest.raises(ZeroDivisionError, match="over"):
        pool.submit("fault over").result()
    with pytest.raises(OutputError) as caught:
        pool.submit("disk").result()
    assert (caught.value.message, caught.value.hint) == ("The disk is full.", "Free some space.")
    assert pool.submit("after").result() == "AFTER"


def test_an_answer_that_cannot_be_sent_loses_its_own_job_only(pool: Processes[str, str]) -> None:
    lost, after = pool.submit("unsendable"), pool.submit("after")
    with pytest.raises((AttributeError, PicklingError), match="pickle"):
        lost.result()
    assert after.result() == "AFTER"


def test_a_job_that_cannot_be_sent_loses_its_own_answer_only(pool: Processes[str, str]) -> None:
    lost, after = pool.submit(lambda: None), pool.submit("after")  # type: ignore[arg-type]
    with pytest.raises(Exception, match="pickle"):
        lost.result()
    assert after.result() == "AFTER"


def test_workers_leave_ctrl_c_to_their_parent(pool: Processes[str, str]) -> None:
    assert pool.submit("ctrl-c").result() == "CTRL-C"


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_workers_that_are_still_being_started_are_not_reached_by_ctrl_c(pool: Processes[str, str]) -> None:
    before = pool.submit("held").result()
    with contextlib.suppress(WorkerLost):
        pool.submit("kill").result()
    replaced = pool.submit("held").result()
    assert before == replaced == "SIGINT"
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])  # this process is, as before


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="shared memory is not to be seen here")
def test_without_shared_memory_workers_are_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of it that is used and is not there would kill this process (SIGBUS)."""
    with Processes(work, workers=1, seconds=LONG) as processes:
        monkeypatch.setattr(slots, "_is_backed", lambda memory: False)
        with pytest.raises(OutputError, match="No space left on device") as caught:
            processes.submit("a")
        assert "--workers 0" in caught.value.hint
        monkeypatch.setattr(slots, "_is_backed", lambda memory: memory.size < PIXEL_BYTES)
        assert processes.submit("array 10").result() is not None


def test_workers_write_nothing_to_the_error_stream(
    pool: Processes[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert pool.submit("chatter").result() == "CHATTER"
    assert capfd.readouterr() == ("", "")


def test_a_hang_is_ended_and_the_next_job_is_done() -> None:
    with Processes(work, workers=1, seconds=1.5) as processes:
        hanging, after = processes.submit("hang"), processes.submit("after")
        assert not hanging.is_ready()
        with pytest.raises(WorkerLost, match=r"timed out after 1\.5 s in its beginning") as caught:
            hanging.result()
        assert caught.value.timed_out
        assert after.result() == "AFTER"


def test_a_decoder_that_holds_the_interpreter_is_ended_too() -> None:
    with Processes(work, workers=1, seconds=1.0) as processes:
        hanging, after = processes.submit("in-decode loop"), processes.submit("after")
        started = time.monotonic()
        with pytest.raises(WorkerLost, match="timed out after 1 s in decode"):
            hanging.result()
        assert after.result() == "AFTER"
    assert time.monotonic() - started < 10


def test_leaving_normally_ends_the_workers() -> None:
    with Processes(work, workers=1, seconds=LONG) as processes:
        pid = int(processes.submit("pid").result())
        assert is_running(pid)
    assert ends(pid)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_leaving_by_an_error_stops_workers_in_the_middle_of_a_job(error: type[BaseException], tmp_path: Path) -> None:
    note = tmp_path / "pid"
    started = time.monotonic()
    with pytest.raises(error), Processes(work, workers=1, seconds=LONG) as processes:
        processes.submit(f"hang {note}")
        processes.submit("never begun")
        while not (note.exists() and note.read_text(encoding="ascii")):
            time.sleep(0.02)
        raise error
    assert time.monotonic() - started < LONG / 10
    assert ends(int(note.read_text(encoding="ascii")))


def test_workers_are_spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forked worker would share the lock of the case file and the threads of the model."""
    contexts: list[str | None] = []
    real = multiprocessing.get_context

    def recorded(method: str | None = None) -> multiprocessing.context.BaseContext:
        contexts.append(method)
        return real(method)

    monkeypatch.setattr(multiprocessing, "get_context", recorded)
    with Processes(work, workers=1, seconds=LONG):
        pass
    assert "spawn" in contexts
    assert "fork" not in contexts


def test_an_error_that_cannot_be_sent_loses_its_own_job_only() -> None:
    with Processes(work_with_an_error_that_cannot_be_sent, workers=1, seconds=LONG) as processes:
        lost = processes.submit("broken")
        with pytest.raises(WorkError, match="NotSendableError: because"):
            lost.result()
        assert processes.submit("after").result() == "AFTER"


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):  # a child that has ended and was not waited for is no longer running either
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return True


def ends(pid: int) -> bool:
    """Whether a process is gone, at once or within a moment."""
    deadline = time.monotonic() + 20
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)
