from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deepscan.checks import catalogue
from deepscan.checks.base import CheckSpec, Samples, Subject
from deepscan.config import ScanOptions
from deepscan.engine.events import Silent
from deepscan.engine.executors import Executor, Inline, Processes
from deepscan.engine.pipeline import WAITING_BATCHES, Job, Pipeline
from deepscan.engine.runner import Examined, Task, examine
from deepscan.engine.workers import Enter
from deepscan.errors import DeviceError
from deepscan.types import CheckResult, ItemReport, MediaItem, MediaKind, Outcome
from tests.fake_checks import Brightness, Bytes

PATIENCE = 20.0


def item(folder: Path, name: str, data: bytes) -> MediaItem:
    (folder / name).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return MediaItem(folder, PurePosixPath(name), MediaKind.IMAGE, "png", len(data), digest)


def build_fakes(selected: Sequence[CheckSpec], *_: object) -> tuple[Any, ...]:
    known = {"bytes": Bytes(), "brightness": Brightness()}
    return tuple(known[spec.id] for spec in selected)


def examine_with_fakes(task: Task, enter: Enter) -> Examined:
    """What a worker runs: the fakes instead of the catalogue's checks."""
    catalogue.build = build_fakes  # type: ignore[assignment]
    return examine(task, enter)


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(catalogue, "build", build_fakes)
    yield


def run(
    items: Sequence[MediaItem],
    checks: Sequence[Any],
    *,
    batch_size: int = 4,
    executor: Executor[Task, Examined] | None = None,
) -> list[ItemReport]:
    engine = Pipeline(checks, None, ScanOptions(batch_size=batch_size), None, Silent())
    with executor or Inline(examine) as pool:
        answers = list(engine.run((Job(i, it) for i, it in enumerate(items)), pool))
    answers.sort(key=lambda answer: answer.position)
    assert [answer.position for answer in answers] == list(range(len(items)))
    return [answer.report for answer in answers]


def by_check(report: ItemReport) -> dict[str, CheckResult]:
    return {result.check: result for result in report.results}


@pytest.mark.usefixtures("fakes")
def test_what_a_check_raises_becomes_its_result_and_the_others_go_on(tmp_path: Path) -> None:
    items = [
        item(tmp_path, "a-1", b"fine"),
        item(tmp_path, "b-1", b"RAISE"),
        item(tmp_path, "c-1", b"BROKEN"),
        item(tmp_path, "d-1", b"NOTHING"),
        item(tmp_path, "refused-1", b"fine"),
        item(tmp_path, "e-1", b"fine"),
    ]
    (tmp_path / "e-1").unlink()
    reports = run(items, [Bytes(), Brightness()])
    outcomes = [by_check(report)["bytes"].outcome for report in reports]
    assert outcomes == [
        Outcome.DONE,
        Outcome.FAILED,
        Outcome.FAILED,
        Outcome.NOT_APPLICABLE,
        Outcome.NOT_APPLICABLE,
        Outcome.FAILED,
    ]
    reasons = [by_check(report)["bytes"].reason for report in reports]
    assert reasons[1] == "Unexpected ZeroDivisionError: a fault."
    assert reasons[2] == "Broken on purpose."
    assert reasons[3] == "Nothing to say."
    assert reasons[4] == "Refused by name."
    assert "vanished" in str(reasons[5])
    assert all(by_check(report)["brightness"].outcome is Outcome.DONE for report in reports[:5])
    assert all([r.check for r in report.results] == ["bytes", "brightness"] for report in reports)


@pytest.mark.usefixtures("fakes")
def test_a_file_that_changes_while_it_is_examined_gets_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing = item(tmp_path, "a-1", b"fine")

    class Touching(Bytes):
        def run(self, subject: Any) -> CheckResult:
            (tmp_path / "a-1").write_bytes(b"other")
            return super().run(subject)

    monkeypatch.setattr(catalogue, "build", lambda *_: (Touching(),))
    (report,) = run([changing], [Touching()])
    assert report.results[0].outcome is Outcome.FAILED
    assert "changed" in str(report.results[0].reason)


@pytest.mark.usefixtures("fakes")
def test_batch_size_and_order_of_files_change_no_score(tmp_path: Path) -> None:
    items = [item(tmp_path, f"{i}-{i % 5}", bytes(i * 7 + 1)) for i in range(40)]
    expected = {r.item.name: by_check(r)["brightness"] for r in run(items, [Brightness()], batch_size=1)}
    for size in (2, 7, 64):
        for order in (items, items[::-1]):
            found = {r.item.name: by_check(r)["brightness"] for r in run(order, [Brightness()], batch_size=size)}
            for name, result in found.items():
                assert (result.score, result.outcome) == (expected[name].score, expected[name].outcome)


class Noting(Brightness):
    """Notes how many samples each batch holds, and of which brightness, and may be slow."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[int]] = []

    def score(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append([int(picture[0, 0, 0]) for picture in batch])
        return super().score(batch)


@pytest.mark.usefixtures("fakes")
def test_frames_of_films_and_pictures_share_batches(tmp_path: Path) -> None:
    film = replace(item(tmp_path, "film-5", bytes(30)), kind=MediaKind.VIDEO)
    pictures = [item(tmp_path, f"{i}-1", bytes(i + 1)) for i in range(3)]
    noting = Noting()
    reports = run([pictures[0], film, *pictures[1:]], [noting], batch_size=4)
    assert noting.batches == [[1, 30, 30, 30], [30, 30, 2, 3]]
    assert [by_check(r)["brightness"].outcome for r in reports] == [Outcome.DONE] * 4


@pytest.mark.usefixtures("fakes")
def test_the_model_runs_while_files_are_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    further = threading.Event()

    class Waiting(Noting):
        def samples(self, subject: Subject) -> Samples:
            if self.batches:
                further.set()
            return super().samples(subject)

        def score(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
            scores = super().score(batch)
            assert len(self.batches) > 1 or further.wait(PATIENCE), "no file was examined while the model ran"
            return scores

    waiting = Waiting()
    monkeypatch.setattr(catalogue, "build", lambda *_: (waiting,))
    reports = run([item(tmp_path, f"{i}-1", bytes(i + 1)) for i in range(12)], [waiting], batch_size=2)
    assert [r.results[0].outcome for r in reports] == [Outcome.DONE] * 12


def test_a_slow_model_holds_back_files_with_many_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size, each, taken, scored = 4, 8, [0], [0]

    class Slow(Brightness):
        def samples(self, subject: Subject) -> Samples:
            taken[0] += each
            assert taken[0] - scored[0] <= (WAITING_BATCHES + 2) * size + each, "more waits than fits"
            return super().samples(subject)

        def score(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
            time.sleep(0.005)
            scored[0] += len(batch)
            return super().score(batch)

    slow = Slow()
    monkeypatch.setattr(catalogue, "build", lambda *_: (slow,))
    reports = run([item(tmp_path, f"{i}-{each}", bytes(i + 1)) for i in range(20)], [slow], batch_size=size)
    assert [(r.results[0].outcome, r.results[0].reason) for r in reports] == [(Outcome.DONE, None)] * 20


@pytest.mark.usefixtures("fakes")
def test_a_batch_that_fails_takes_only_its_own_files_along(tmp_path: Path) -> None:
    items = [item(tmp_path, f"{i}-1", bytes(250 if i == 3 else 5)) for i in range(8)]
    reports = run(items, [Brightness(fail_above=0.5)], batch_size=2)
    outcomes = [r.results[0].outcome for r in reports]
    assert outcomes == [Outcome.DONE] * 2 + [Outcome.FAILED] * 2 + [Outcome.DONE] * 4
    assert reports[2].results[0].reason == "Unexpected RuntimeError: too bright."


class Uneven(Brightness):
    """A batch check of another package, with faults of its own: pictures of several sizes, or a score too few."""

    def __init__(self, *, short: bool) -> None:
        super().__init__()
        self.short = short

    def samples(self, subject: Subject) -> Samples:
        found = super().samples(subject)
        if self.short:
            return found
        side = 4 + subject.item.size % 2
        return Samples(tuple(replace(s, pixels=np.zeros((side, side, 3), np.uint8)) for s in found.samples))

    def score(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        return super().score(batch)[: -1 if self.short else None]


@pytest.mark.usefixtures("fakes")
def test_a_check_that_raises_when_it_is_asked_whether_it_applies_fails_alone(tmp_path: Path) -> None:
    class Asking(Bytes):
        def why_not(self, item: MediaItem) -> str | None:
            raise ZeroDivisionError("a fault")

    reports = run([item(tmp_path, f"{i}-1", bytes(i + 1)) for i in range(2)], [Asking(), Brightness()])
    for report in reports:
        assert by_check(report)["bytes"].reason == "Unexpected ZeroDivisionError: a fault."
        assert by_check(report)["brightness"].outcome is Outcome.DONE


@pytest.mark.parametrize(("short", "words"), [(True, "scores of shape (3,) for a batch of 4"), (False, "same shape")])
def test_a_batch_check_that_breaks_its_promises_fails_its_files_and_not_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: bool, words: str
) -> None:
    uneven, both = Uneven(short=short), {"bytes": Bytes()}
    monkeypatch.setattr(catalogue, "build", lambda specs, *_: tuple(both.get(s.id, uneven) for s in specs))
    reports = run([item(tmp_path, f"{i}-1", bytes(i + 1)) for i in range(4)], [Bytes(), uneven])
    for report in reports:
        assert by_check(report)["bytes"].outcome is Outcome.DONE
        assert by_check(report)["brightness"].outcome is Outcome.FAILED
        assert words in str(by_check(report)["brightness"].reason)


@pytest.mark.usefixtures("fakes")
def test_a_lost_device_fails_the_files_after_it_with_its_reason_and_nothing_else(tmp_path: Path) -> None:
    class Lost(Noting):
        def score(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
            if self.batches:
                raise DeviceError("The device cuda:0 failed: CUDA error: unspecified launch failure.")
            return super().score(batch)

    reports = run([item(tmp_path, f"{i}-1", bytes(i + 1)) for i in range(9)], [Bytes(), Lost()], batch_size=2)
    assert {by_check(report)["bytes"].outcome for report in reports} == {Outcome.DONE}
    reasons = [by_check(report)["brightness"].reason for report in reports]
    assert reasons == [None] * 2 + ["The device cuda:0 failed: CUDA error: unspecified launch failure."] * 7


@pytest.mark.usefixtures("fakes")
def test_lack_of_memory_halves_the_batch_and_answers_all(tmp_path: Path) -> None:
    items = [item(tmp_path, f"{i}-3", bytes(i + 1)) for i in range(9)]
    reports = run(items, [Brightness(most=2)], batch_size=16)
    assert all(r.results[0].outcome is Outcome.DONE for r in reports)


@pytest.mark.usefixtures("fakes")
def test_a_value_that_cannot_be_written_down_is_a_failure_of_its_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(Bytes):
        def run(self, subject: Any) -> CheckResult:
            result = super().run(subject)
            object.__setattr__(result.findings[0].evidence[0], "value", b"bytes")
            return result

    monkeypatch.setattr(catalogue, "build", lambda *_: (Wrong(),))
    (report,) = run([item(tmp_path, "a-1", b"fine")], [Wrong()])
    assert report.results[0].outcome is Outcome.FAILED


def test_no_more_files_are_under_way_than_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "build", build_fakes)
    begun = 0

    def source() -> Iterator[Job]:
        nonlocal begun
        for i in range(500):
            begun += 1
            yield Job(i, item(tmp_path, f"{i}-1", b"x"))

    engine = Pipeline([Brightness()], None, ScanOptions(batch_size=4), None, Silent())
    done = 0
    with Inline(examine) as pool:
        for _ in engine.run(source(), pool):
            done += 1
            assert begun - done <= 2 + 2 * 4
    assert done == 500


@pytest.mark.slow
def test_a_crash_and_a_hang_take_one_file_each_and_name_the_check(tmp_path: Path) -> None:
    items = [
        item(tmp_path, "a-1", b"fine"),
        item(tmp_path, "b-1", b"SEGFAULT"),
        item(tmp_path, "c-1", b"SPIN"),
        item(tmp_path, "d-1", b"fine"),
    ]
    executor: Processes[Task, Examined] = Processes(examine_with_fakes, workers=1, seconds=3.0)
    reports = run(items, [Bytes(), Brightness()], executor=executor)
    results = [by_check(report)["bytes"] for report in reports]
    assert [r.outcome for r in results] == [Outcome.DONE, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.DONE]
    assert results[1].reason == "Its worker crashed: SIGSEGV in bytes."
    assert results[2].reason == "It timed out after 3 s in bytes."
    assert all(by_check(report)["brightness"].outcome is Outcome.DONE for report in reports)
