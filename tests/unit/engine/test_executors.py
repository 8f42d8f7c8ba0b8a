"""Workers that crash, hang or raise: one answer or one sentence for every job, and nothing left running."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepscan.engine.executors import Executor, Inline, Processes, WorkerLost
from deepscan.errors import OutputError

LONG = 600.0
"""Seconds no test may wait for."""


def work(job: str) -> str:
    """What workers do: they import it from here by name."""
    word, _, rest = job.partition(" ")
    match word:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "leave":
            os._exit(7)
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
        case "pid":
            return str(os.getpid())
    return job.upper()


class NotSendableError(Exception):
    """An error with more arguments than it keeps: it cannot be made again out of its pickle."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(why)


def work_with_an_error_that_cannot_be_sent(job: str) -> str:
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


@pytest.mark.parametrize(("job", "death"), [("crash", "SIGSEGV"), ("leave", "exit code 7")])
def test_a_crash_is_a_sentence_and_the_next_job_has_a_new_worker(
    job: str, death: str, pool: Processes[str, str]
) -> None:
    lost, after = pool.submit(job), pool.submit("after")
    with pytest.raises(WorkerLost, match=f"crashed \\({death}\\)") as caught:
        lost.result()
    assert not caught.value.timed_out
    assert after.result() == "AFTER"


def test_an_error_comes_back_as_itself_with_its_hint(pool: Processes[str, str]) -> None:
    with pytest.raises(ZeroDivisionError, match="over"):
        pool.submit("fault over").result()
    with pytest.raises(OutputError) as caught:
        pool.submit("disk").result()
    assert (caught.value.message, caught.value.hint) == ("The disk is full.", "Free some space.")
    assert pool.submit("after").result() == "AFTER"


def test_an_answer_that_cannot_be_sent_loses_its_own_job_only(pool: Processes[str, str]) -> None:
    lost, after = pool.submit("unsendable"), pool.submit("after")
    with pytest.raises(WorkerLost):
        lost.result()
    assert after.result() == "AFTER"


def test_a_job_that_cannot_be_sent_loses_its_own_answer_only(pool: Processes[str, str]) -> None:
    lost, after = pool.submit(lambda: None), pool.submit("after")  # type: ignore[arg-type]
    with pytest.raises(Exception, match="pickle"):
        lost.result()
    assert after.result() == "AFTER"


def test_workers_leave_ctrl_c_to_their_parent(pool: Processes[str, str]) -> None:
    assert pool.submit("ctrl-c").result() == "CTRL-C"


def test_workers_write_nothing_to_the_error_stream(
    pool: Processes[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert pool.submit("chatter").result() == "CHATTER"
    assert capfd.readouterr() == ("", "")


def test_a_hang_is_ended_and_the_next_job_is_done() -> None:
    with Processes(work, workers=1, seconds=1.5) as processes:
        hanging, after = processes.submit("hang"), processes.submit("after")
        assert not hanging.is_ready()
        with pytest.raises(WorkerLost, match=r"more than 1\.5 s") as caught:
            hanging.result()
        assert caught.value.timed_out
        assert after.result() == "AFTER"


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


@pytest.mark.xfail(strict=True, reason="pebble breaks its whole pool when an error cannot be unpickled")
def test_an_error_that_cannot_be_sent_loses_its_own_job_only() -> None:
    with Processes(work_with_an_error_that_cannot_be_sent, workers=1, seconds=LONG) as processes:
        lost = processes.submit("broken")
        with pytest.raises(WorkerLost):
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
