"""From candidates to reports, in the order of discovery: the only place with a wide ``except``.

Workers decode and run the checks; this process runs the model on batches that mix files. Whatever goes wrong with one
file becomes a reason in its own report.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepscan.checks import catalogue
from deepscan.checks.base import BatchCheck, Check, CheckSpec, NotApplicableError, Sample, Samples, Subject
from deepscan.checks.redaction import redact_results
from deepscan.config import ScanOptions
from deepscan.engine.batching import Attempt, Batcher
from deepscan.engine.events import Events
from deepscan.engine.executors import Executor, Pending, WorkerLost
from deepscan.engine.plan import not_applicable, plan
from deepscan.engine.subject import FileSubject
from deepscan.engine.verdict import decide
from deepscan.errors import MediaError, OutputError, UnreadableError
from deepscan.media.faces import HaarFinder
from deepscan.models.card import ModelCard
from deepscan.text import clean
from deepscan.types import CheckResult, ItemReport, MediaItem, Outcome

log = logging.getLogger(__name__)

BATCH_SIZES = {"cpu": 32, "mps": 64, "cuda": 256}
"""Samples in a batch with ``--batch-size auto``, by kind of device."""


Stamp: TypeAlias = tuple[int, int, int, int]
"""Size in bytes, times of the last change of content and of anything in nanoseconds, and inode."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker needs to know to examine one file with some of the checks; pickled.

    ``stamp`` is the file's when it was handed out: answers about a file that changed meanwhile would stand beside the
    hash of other bytes.
    """

    item: MediaItem
    checks: tuple[CheckSpec, ...]
    card: ModelCard | None
    options: ScanOptions
    output: Path | None
    stamp: Stamp | None


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """What a worker found: finished results, and for each batch check the samples it wants scored.

    ``lasting`` is False when some check failed for a reason that another try may not meet.
    """

    results: tuple[CheckResult, ...]
    samples: Mapping[str, tuple[Samples, float]]
    lasting: bool = True


def examine(task: Task) -> Examined:
    """Run the checks of a task on its file, each on its own: runs in a worker.

    Raises:
        OutputError: an exhibit cannot be written. That ends the scan: the disk is full for all files alike.
    """
    subject = FileSubject(task.item, task.options, _finder(), task.output)
    results: list[CheckResult] = []
    samples: dict[str, tuple[Samples, float]] = {}
    lasting = True
    for check in catalogue.build(task.checks, catalogue.Kit(task.options, task.card)):
        started = time.perf_counter()
        answer = _answer(check, subject)
        seconds = round(time.perf_counter() - started, 4)
        if isinstance(answer, Samples):
            samples[check.spec.id] = (answer, seconds)
            continue
        if isinstance(answer, Exception):
            lasting = lasting and is_lasting(answer)
            answer = failure(check.spec, answer, task.item)
        results.append(replace(answer, seconds=seconds))
    if task.options.redact_location and any(result.findings for result in results):
        # The metadata check leaves places out by itself; here they go from what other checks quote.
        results = redact_results(subject, results)
    if task.stamp is None or read_stamp(task.item) != task.stamp:
        gone = UnreadableError("The file changed or vanished while it was examined.")
        return Examined(tuple(failure(spec, gone, task.item) for spec in task.checks), {}, lasting=False)
    return Examined(tuple(results), samples, lasting)


def read_stamp(item: MediaItem) -> Stamp | None:
    """The file's stamp as it is now; None when it is gone, or is no longer of the size that was hashed."""
    try:
        now = item.path.stat()
    except OSError:
        return None
    stamp = (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino)
    return stamp if now.st_size == item.size else None


def _answer(check: Check | BatchCheck, subject: Subject) -> CheckResult | Samples | Exception:
    """One check on one file; whatever it raises comes back as a value."""
    try:
        return check.samples(subject) if isinstance(check, BatchCheck) else _storable(check.run(subject))
    except OutputError:
        raise
    except (Exception, SystemExit) as e:  # a check, or a library below it, that ends the program ends only itself
        return e if isinstance(e, Exception) else RuntimeError(f"it tried to end the program with {e.code}")


def is_lasting(error: Exception) -> bool:
    """Whether the same bytes would fail the same way again, so that the failure may be answered from the case file.

    A file that breaks its format does; a disk that cannot be read, a lack of memory, a lost worker or a fault of
    deepscan's own may not.
    """
    cause = error.__cause__
    unlucky = isinstance(cause, MemoryError) or (isinstance(cause, OSError) and cause.errno is not None)
    return isinstance(error, NotApplicableError) or (isinstance(error, MediaError) and not unlucky)


def _storable(result: CheckResult) -> CheckResult:
    """The result, if every value in it can be written down: a check may come from another package."""
    for finding in result.findings:
        for evidence in finding.evidence:
            json.dumps(evidence.value, allow_nan=False)
    return result


def failure(spec: CheckSpec, error: Exception, item: MediaItem) -> CheckResult:
    """The result of a check that raised: ``not_applicable`` when it said so, else ``failed`` with a sentence."""
    match error:
        case NotApplicableError():
            return not_applicable(spec, str(error), error.partial)
        case MediaError():
            reason = error.message
        case WorkerLost(timed_out=True):
            return CheckResult(spec.id, spec.version, Outcome.TIMED_OUT, reason=str(error))
        case WorkerLost():
            reason = str(error)
        case _:
            # A fault of deepscan or of a library, not of the file alone: the log has the trace.
            log.debug("%s failed on %s", spec.id, clean(str(item.name)), exc_info=error)
            reason = f"Unexpected {type(error).__name__}: {clean(str(error)) or 'no message'}."
    return CheckResult(spec.id, spec.version, Outcome.FAILED, reason=reason)


@cache
def _finder() -> HaarFinder:
    return HaarFinder()


@dataclass(slots=True, eq=False)
class _Open:
    """A file under way: its place in the order, and what is still missing."""

    position: int
    item: MediaItem
    task: Task
    pending: Pending[Examined] | None
    results: dict[str, CheckResult]
    lasting: bool = True
    waiting: dict[str, tuple[Samples, float]] = field(default_factory=dict)
    scores: dict[str, dict[int, float | Exception]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return self.pending is None and not self.waiting


class Runner:
    """Runs the checks over many files.

    Args:
        checks: All selected checks, in the order of the report; batch checks with their model.
        card: The model's card, for workers that cut out samples.
        options: What the user asked for.
        output: The folder exhibits go to, or None.
        events: Told about scored samples and notes.
        device: The kind of device, which decides the automatic batch size.
    """

    def __init__(
        self,
        checks: Sequence[Check | BatchCheck],
        card: ModelCard | None,
        options: ScanOptions,
        output: Path | None,
        events: Events,
        device: str = "cpu",
    ) -> None:
        self._checks = {check.spec.id: check for check in checks}
        self._card, self._options, self._output, self._events = card, options, output, events
        self._families = {check.spec.id: check.spec.family for check in checks}
        self._threshold = min((t.probability for t in card.thresholds), default=None) if card else None
        size = options.batch_size or BATCH_SIZES.get(device.partition(":")[0], 32)
        self._batchers = {
            check.spec.id: Batcher(self._attempt(check), size, events.note)
            for check in checks
            if isinstance(check, BatchCheck)
        }
        self._open: deque[_Open] = deque()
        self._by_position: dict[int, _Open] = {}

    def run(
        self, items: Iterable[tuple[int, MediaItem]], executor: Executor[Task, Examined]
    ) -> Iterator[tuple[int, ItemReport, bool]]:
        """Examine ``(position, item)`` pairs; yields ``(position, report, lasting)`` in the same order.

        ``lasting`` is False for a report in which some check failed for a reason that another try may not meet.

        Memory is bounded: no more files are under way than the workers and one batch need.
        """
        # Enough to keep workers and batches busy; a film's samples fill batches alone.
        limit = 2 * executor.width + 2 * max((b.size for b in self._batchers.values()), default=1)
        ahead = 2 * executor.width
        source = iter(items)
        exhausted = False
        while not exhausted or self._open:
            while not exhausted and len(self._open) < limit and self._under_way() < ahead:
                entry = next(source, None)
                if entry is None:
                    exhausted = True
                else:
                    self._begin(*entry, executor)
            self._collect(executor)
            if (exhausted and not self._under_way()) or len(self._open) >= limit:
                self._deliver_rest()
            while self._open and self._open[0].complete:
                done = self._open.popleft()
                del self._by_position[done.position]
                yield done.position, self._report(done), done.lasting

    def _under_way(self) -> int:
        return sum(entry.pending is not None for entry in self._open)

    def _begin(self, position: int, item: MediaItem, executor: Executor[Task, Examined]) -> None:
        wanted, settled = plan(item, list(self._checks.values()))
        specs = tuple(self._checks[name].spec for name in wanted)
        task = Task(item, specs, self._card, self._options, self._output, read_stamp(item))
        entry = _Open(
            position=position,
            item=item,
            task=task,
            pending=executor.submit(task) if specs else None,
            results={result.check: result for result in settled},
        )
        self._open.append(entry)
        self._by_position[position] = entry

    def _collect(self, executor: Executor[Task, Examined]) -> None:
        """Take in the oldest answer from the workers, and all others that are ready."""
        waiting = [entry for entry in self._open if entry.pending is not None]
        for number, entry in enumerate(waiting):
            assert entry.pending is not None
            if number and not entry.pending.is_ready():
                continue
            self._take_in(entry, self._examined(entry, executor))
        for name, batcher in self._batchers.items():
            self._deliver(name, batcher.full())

    def _examined(self, entry: _Open, executor: Executor[Task, Examined]) -> Examined:
        assert entry.pending is not None
        try:
            return entry.pending.result()
        except OutputError:
            raise
        except Exception as e:
            return self._one_by_one(entry, e, executor)

    def _one_by_one(self, entry: _Open, error: Exception, executor: Executor[Task, Examined]) -> Examined:
        """A file took its worker down: run each check alone, so that the guilty one is named and the others answer."""
        specs = entry.task.checks
        if len(specs) == 1:
            return Examined((failure(specs[0], error, entry.item),), {}, is_lasting(error))
        log.info("%s took its worker down (%s): each check alone now.", clean(str(entry.item.name)), error)
        results: list[CheckResult] = []
        samples: dict[str, tuple[Samples, float]] = {}
        lasting = True
        for spec in specs:
            try:
                alone = executor.submit(replace(entry.task, checks=(spec,))).result()
            except OutputError:
                raise
            except Exception as e:
                results.append(failure(spec, e, entry.item))
                lasting = False
            else:
                lasting = lasting and alone.lasting
                results += alone.results
                samples |= alone.samples
        return Examined(tuple(results), samples, lasting)

    def _take_in(self, entry: _Open, examined: Examined) -> None:
        entry.pending = None
        entry.lasting = examined.lasting
        entry.results |= {result.check: result for result in examined.results}
        for name, (samples, seconds) in examined.samples.items():
            entry.waiting[name] = (_without_pixels(samples), seconds)
            entry.scores[name] = {}
            for index, sample in enumerate(samples.samples):
                self._batchers[name].add((entry.position, index), sample.pixels)
            self._conclude_if_complete(name, entry)

    def _deliver_rest(self) -> None:
        for name, batcher in self._batchers.items():
            self._deliver(name, batcher.rest())

    def _deliver(self, name: str, answers: Iterator[tuple[tuple[int, int], float | Exception]]) -> None:
        count = 0
        for (position, index), answer in answers:
            entry = self._by_position[position]
            entry.scores[name][index] = answer
            self._conclude_if_complete(name, entry)
            count += 1
        if count:
            self._events.scored(count)

    def _conclude_if_complete(self, name: str, entry: _Open) -> None:
        samples, seconds = entry.waiting[name]
        scores = entry.scores[name]
        if len(scores) < len(samples.samples):
            return
        check = self._checks[name]
        assert isinstance(check, BatchCheck)
        started = time.perf_counter()
        result = self._concluded(check, entry, samples, [scores[i] for i in range(len(scores))])
        entry.results[name] = replace(result, seconds=round(seconds + time.perf_counter() - started, 4))
        del entry.waiting[name], entry.scores[name]

    def _concluded(
        self, check: BatchCheck, entry: _Open, samples: Samples, scores: Sequence[float | Exception]
    ) -> CheckResult:
        errors = [score for score in scores if isinstance(score, Exception)]
        if errors:
            entry.lasting = False
            return failure(check.spec, errors[0], entry.item)
        try:
            return _storable(
                check.conclude(entry.item, samples, [score for score in scores if not isinstance(score, Exception)])
            )
        except Exception as e:
            entry.lasting = is_lasting(e)
            return failure(check.spec, e, entry.item)

    @staticmethod
    def _attempt(check: BatchCheck) -> Attempt:
        def attempt(batch: NDArray[np.uint8]) -> NDArray[np.float32] | Exception:
            try:
                return check.score(batch)
            except Exception as e:
                return e

        return attempt

    def _report(self, entry: _Open) -> ItemReport:
        results = tuple(entry.results[name] for name in self._checks)
        return ItemReport(entry.item, results, decide(results, self._families, threshold=self._threshold))


def _without_pixels(samples: Samples) -> Samples:
    """The samples as :meth:`BatchCheck.conclude` needs them, without the pixels that wait in the batch."""
    nothing = np.empty((0, 0, 3), np.uint8)
    return replace(samples, samples=tuple(Sample(s.kind, s.where, nothing) for s in samples.samples))


def automatic_workers() -> int:
    """As many worker processes as there are processor cores for this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
