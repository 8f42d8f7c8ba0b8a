"""Whatever happens to a worker, one file has the reason and all others have answers."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from deepscan.checks import catalogue
from deepscan.checks.base import CheckSpec, Subject
from deepscan.config import ScanOptions
from deepscan.engine import subject as subjects
from deepscan.engine.events import Silent
from deepscan.engine.executors import Processes
from deepscan.engine.pipeline import Answer, Job, Pipeline
from deepscan.engine.runner import Examined, Task, examine
from deepscan.engine.stages import DECODE
from deepscan.engine.workers import Enter
from deepscan.media.frames import Frame, Pixels, Reading, Sampling
from deepscan.types import CheckResult, MediaItem, MediaKind, Outcome
from tests.fake_checks import ACTIONS, BYTES, Brightness, Bytes, spec

SECONDS = 4.0
MEMORY = 512 * 2**20


@dataclass
class Looking:
    """A check that needs the decoded pixels."""

    spec: CheckSpec

    def why_not(self, item: MediaItem) -> str | None:
        return None

    def run(self, subject: Subject) -> CheckResult:
        subject.reading()
        return CheckResult(self.spec.id, self.spec.version, Outcome.DONE)


@dataclass
class Harmless(Looking):
    """A check that reads the bytes and does nothing to its worker."""

    def run(self, subject: Subject) -> CheckResult:
        with subject.open() as stream:
            stream.read()
        return CheckResult(self.spec.id, self.spec.version, Outcome.DONE)


_ALL: tuple[Any, ...] = (
    Harmless(spec("harmless")),
    Looking(spec("looking")),
    Bytes(),
    Looking(spec("looking-too")),
    Brightness(),
)
CHECKS: dict[str, Any] = {check.spec.id: check for check in _ALL}


def decode(path: Path, container: str, sampling: Sampling) -> Reading:
    """A decoder that does to its worker what a file says after the word DECODER."""
    _, found, rest = path.read_bytes().partition(b"DECODER ")
    for word, action in ACTIONS.items():
        if found and word in rest:
            action()
    pixels: Pixels = Brightness().samples_of(1)
    return Reading((Frame(0, None, pixels),), 1)


def examine_with_fakes(task: Task, enter: Enter) -> Examined:
    """What a worker runs: fake checks, and a fake decoder. It is killed before any stage as a file says."""
    data, before = task.item.path.read_bytes(), task.item.path.with_suffix(".begun")
    if data == b"EARLY always" or (data == b"EARLY once" and not before.exists()):
        before.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    catalogue.build = lambda specs, *_: tuple(CHECKS[s.id] for s in specs)
    subjects.read_image = decode  # type: ignore[attr-defined]
    return examine(task, enter)


@pytest.fixture(scope="module")
def pool() -> Iterator[Processes[Task, Examined]]:
    with Processes(examine_with_fakes, workers=2, seconds=SECONDS, memory=MEMORY) as processes:
        yield processes


def scan(
    folder: Path, contents: Mapping[str, bytes], pool: Processes[Task, Examined]
) -> dict[str, dict[str, CheckResult]]:
    """Results by file and check."""
    jobs = []
    for position, (name, data) in enumerate(contents.items()):
        (folder / name).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        item = MediaItem(folder, PurePosixPath(name), MediaKind.IMAGE, "png", len(data), digest)
        jobs.append(Job(position, item))
    pipeline = Pipeline(list(CHECKS.values()), None, ScanOptions(batch_size=4), None, Silent())
    answers: list[Answer] = list(pipeline.run(iter(jobs), pool))
    assert sorted(answer.position for answer in answers) == list(range(len(contents)))
    return {str(a.report.item.name): {r.check: r for r in a.report.results} for a in answers}


REASONS = {
    b"SEGFAULT": "Its worker crashed: SIGSEGV in {}.",
    b"KILL": "Its worker was killed in {} (SIGKILL): by the system for lack of memory, or by hand.",
    b"LEAVE": "Its worker crashed: it ended itself in {}.",
    b"SPIN": "It timed out after 4 s in {}.",
    b"EAT": "It ran out of memory in {}.",
}


@pytest.mark.parametrize("word", [w for w in REASONS if w != b"EAT" or sys.platform == "linux"], ids=bytes.decode)
def test_a_check_that_takes_its_worker_down_has_the_reason_and_nothing_else_does(
    word: bytes, tmp_path: Path, pool: Processes[Task, Examined]
) -> None:
    found = scan(tmp_path, {"a-1": b"fine", "b-1": word, "c-2": b"fine", "d-1": b"fine too"}, pool)
    guilty = found["b-1"].pop("bytes")
    assert guilty.reason == REASONS[word].format("bytes")
    assert guilty.outcome is (Outcome.TIMED_OUT if word == b"SPIN" else Outcome.FAILED)
    assert {r.outcome for results in found.values() for r in results.values()} == {Outcome.DONE}


@pytest.mark.parametrize("word", [w for w in REASONS if w != b"EAT" or sys.platform == "linux"], ids=bytes.decode)
def test_a_decoder_that_takes_its_worker_down_is_tried_once_however_many_checks_want_it(
    word: bytes, tmp_path: Path, pool: Processes[Task, Examined]
) -> None:
    found = scan(tmp_path, {"a-1": b"fine", "b-1": b"DECODER " + word, "c-1": b"fine"}, pool)
    # The same bytes are read by the check called bytes, which does the same to its worker.
    for name in ("looking", "looking-too"):
        assert found["b-1"][name].reason == REASONS[word].format(DECODE)
        assert found["b-1"][name].outcome is (Outcome.TIMED_OUT if word == b"SPIN" else Outcome.FAILED)
    assert found["b-1"]["bytes"].reason == REASONS[word].format(BYTES.id)
    assert {found["b-1"][name].outcome for name in ("harmless", "brightness")} == {Outcome.DONE}
    assert {r.outcome for name in ("a-1", "c-1") for r in found[name].values()} == {Outcome.DONE}


def test_a_worker_that_is_killed_in_no_stage_costs_a_file_nothing_once(
    tmp_path: Path, pool: Processes[Task, Examined]
) -> None:
    found = scan(tmp_path, {"a-1": b"EARLY once", "b-1": b"EARLY always", "c-1": b"fine"}, pool)
    assert {r.outcome for name in ("a-1", "c-1") for r in found[name].values()} == {Outcome.DONE}
    assert {r.reason for r in found["b-1"].values()} == {REASONS[b"KILL"].format("its beginning")}


def test_workers_have_no_torch(tmp_path: Path) -> None:
    with Processes(loaded, workers=1, seconds=60) as processes:
        names = processes.submit(str(tmp_path)).result()
    assert "deepscan.checks.classifier" in names
    assert not {name for name in names if name.partition(".")[0] in ("torch", "transformers")}


def loaded(folder: str, enter: Enter) -> frozenset[str]:
    """Examine a picture with all checks, the classifier's part included, and say which modules that took."""
    from deepscan.checks.catalogue import SPECS
    from deepscan.engine.runner import read_stamp
    from tests import fake_pack, media_factory

    path = media_factory.write_jpeg(Path(folder), "a.jpg", seed=1)
    data = path.read_bytes()
    item = MediaItem(
        Path(folder), PurePosixPath("a.jpg"), MediaKind.IMAGE, "jpeg", len(data), hashlib.sha256(data).hexdigest()
    )
    task = Task(item, SPECS, fake_pack.make_card(), ScanOptions(), None, read_stamp(item))
    examined = examine(task, enter)
    assert sum(r.outcome is Outcome.DONE for r in examined.results) > 5
    return frozenset(sys.modules)
