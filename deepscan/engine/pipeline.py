"""From files to their reports, as fast as workers and model allow and with no more under way than they need.

Three things go on at once: worker processes decode and run the checks, a thread runs the model on batches that mix
files, and the thread that calls :meth:`Pipeline.run` hands out files and puts answers together. Nothing waits for the
slowest file: reports leave as soon as they are complete, and the case file has them in order.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import BatchCheck, Check, CheckSpec, Illustrated, LooksAgain, Sample, Samples
from deepscan.config import ScanOptions
from deepscan.engine.batching import Batcher, Scored
from deepscan.engine.events import Events
from deepscan.engine.executors import Executor, Pending, WorkerLost
from deepscan.engine.loading import Loading
from deepscan.engine.looks import lightened, lost_look, without_pixels
from deepscan.engine.runner import (
    Examined,
    Task,
    caught,
    failure,
    failures,
    is_lasting,
    planned,
    read_stamp,
    storable,
)
from deepscan.engine.stages import SHARED, Loss
from deepscan.engine.subject import store_exhibit
from deepscan.engine.verdict import decide
from deepscan.media.frames import Pixels
from deepscan.models.card import ModelCard
from deepscan.text import clean
from deepscan.types import CheckResult, ItemReport, MediaItem

log = logging.getLogger(__name__)

BATCH_SIZES = {"cpu": 32, "mps": 64, "cuda": 256}
"""Samples in a batch with ``--batch-size auto``, by kind of device."""

WAITING_BATCHES = 4
"""Batches' worth of samples that may wait for the model before no more files are begun."""

MOST_TRIES = 4
"""Workers that one file may take down before the rest of its checks are given up."""

RETRY_SHARE = 0.25
"""Part of the time limit that a file has after it took a worker down: with it, the time spent on one file is bounded by
twice the limit, however many of its stages hang.
"""

_TICK = 0.5  # seconds until lost workers are looked for again


@dataclass(frozen=True, slots=True)
class Job:
    """A file to be examined: its place in the order of discovery, and the results that are there already."""

    position: int
    item: MediaItem
    known: Mapping[str, CheckResult] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A file's report; ``passing`` are the checks that failed for a reason that another try may not meet."""

    position: int
    report: ItemReport
    passing: frozenset[str]


@dataclass(slots=True, eq=False)
class _Open:
    """A file under way, and what is still missing."""

    job: Job
    task: Task
    pending: Pending[Examined] | None
    results: dict[str, CheckResult]
    passing: set[str] = field(default_factory=set)
    tries: int = 1
    unlucky: bool = False
    waiting: dict[str, tuple[Samples, float]] = field(default_factory=dict)
    scores: dict[str, dict[int, float | Exception]] = field(default_factory=dict)
    looked_again: set[str] = field(default_factory=set)
    done_looking: set[str] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        return self.pending is None and not self.waiting


class Pipeline:
    """Runs the checks over many files.

    Args:
        checks: All selected checks, in the order of the report; batch checks with their model.
        card: The model's card, for workers that cut out samples.
        options: What the user asked for.
        output: The folder exhibits go to, or None.
        events: Told about scored samples and notes.
        model: The model that is being loaded, where there is one: nothing is scored before, and its device decides the
            automatic batch size.
    """

    def __init__(
        self,
        checks: Sequence[Check | BatchCheck],
        card: ModelCard | None,
        options: ScanOptions,
        output: Path | None,
        events: Events,
        model: Loading | None = None,
    ) -> None:
        self._checks = {check.spec.id: check for check in checks}
        self._card, self._options, self._output, self._events = card, options, output, events
        self._families = {check.spec.id: check.spec.family for check in checks}
        self._threshold = min((t.probability for t in card.thresholds), default=None) if card else None
        size = options.batch_size or BATCH_SIZES["cpu"]
        # Asked once and not for every file: what a protocol asks of a class costs more than taking in a score.
        self._batching = {check.spec.id: check for check in checks if isinstance(check, BatchCheck)}
        self._looking = {name: check for name, check in self._batching.items() if isinstance(check, LooksAgain)}
        self._batchers = {n: Batcher(partial(caught, _scores, c), size) for n, c in self._batching.items()}
        self._open: dict[int, _Open] = {}
        self._specs: dict[tuple[str, ...], tuple[CheckSpec, ...]] = {}  # one tuple for all files: it is sent with each
        self._with_workers: dict[int, _Open] = {}
        self._touched: set[int] = set()
        self._scoring: tuple[str, Future[Scored]] | None = None
        self._awake = threading.Event()
        self._loading = model
        if model is not None:
            model.when_over(self._awake.set)

    def run(self, jobs: Iterable[Job | None], executor: Executor[Task, Examined]) -> Iterator[Answer]:
        """Examine files; yields their reports as they become complete.

        Memory is bounded: no more files are under way than the workers and one batch need. A None among ``jobs`` says
        that there is nothing to begin before something else is done.

        Raises:
            ModelError, DeviceError: the model cannot be loaded.
        """
        source = iter(jobs)
        exhausted = False
        with ThreadPoolExecutor(1, "model") as model:
            while not exhausted or self._open:
                self._awake.clear()
                self._take_in_model()
                # Enough to keep workers and batches busy; a film's samples fill batches alone.
                limit = 2 * executor.width + 2 * max((b.size for b in self._batchers.values()), default=1)
                idle = False
                while not (exhausted or idle) and self._has_room(limit, 2 * executor.width):
                    try:
                        job = next(source)
                    except StopIteration:
                        exhausted = True
                    else:
                        idle = job is None
                        if job is not None:
                            self._begin(job, executor)
                self._take_in_examined(executor)
                self._take_in_scores(executor)
                # A short batch is scored only when nothing can come to fill it.
                stuck = (exhausted or idle or len(self._open) >= limit) and not self._with_workers
                self._hand_to(model, partial=stuck)
                complete = [position for position in sorted(self._touched) if self._open[position].complete]
                self._touched.clear()
                for position in complete:
                    yield self._answer(self._open.pop(position))
                if not complete and self._open:
                    self._awake.wait(_TICK)

    def _take_in_model(self) -> None:
        if self._loading is None or not self._loading.is_over:
            return
        kind = self._loading.network().device.partition(":")[0]
        self._loading = None
        for batcher in self._batchers.values():
            batcher.size = self._options.batch_size or BATCH_SIZES.get(kind, BATCH_SIZES["cpu"])

    def _has_room(self, limit: int, ahead: int) -> bool:
        backlog = any(len(b) >= WAITING_BATCHES * b.size for b in self._batchers.values())
        return len(self._open) < limit and len(self._with_workers) < ahead and not backlog

    def _begin(self, job: Job, executor: Executor[Task, Examined]) -> None:
        missing = [check for name, check in self._checks.items() if name not in job.known]
        wanted, settled, passing = planned(job.item, missing)
        specs = self._specs.setdefault(wanted, tuple(self._checks[name].spec for name in wanted))
        task = Task(job.item, specs, self._card, self._options, self._output, read_stamp(job.item))
        results = {**job.known, **{result.check: result for result in settled}}
        entry = self._open[job.position] = _Open(job, task, None, results, passing)
        self._touched.add(job.position)
        if specs:
            self._submit(entry, task, executor)

    def _submit(self, entry: _Open, task: Task, executor: Executor[Task, Examined], share: float = 1.0) -> None:
        entry.task = task
        entry.pending = executor.submit(task, share=share)
        entry.pending.when_ready(self._awake.set)
        self._with_workers[entry.job.position] = entry

    def _take_in_examined(self, executor: Executor[Task, Examined]) -> None:
        for position, entry in tuple(self._with_workers.items()):
            if entry.pending is None or not entry.pending.is_ready():
                continue
            answer = caught(entry.pending.result)
            entry.pending = None
            del self._with_workers[position]
            self._touched.add(position)
            if isinstance(answer, WorkerLost):
                self._after_loss(entry, answer, executor)
            elif isinstance(answer, Exception):
                self._take_in(entry, failures(entry.task.checks, answer, entry.job.item), executor)
            else:
                self._take_in(entry, answer, executor)

    def _after_loss(self, entry: _Open, error: WorkerLost, executor: Executor[Task, Examined]) -> None:
        """A file took its worker down: its stage is named and not tried again, and the other checks answer."""
        task, item = entry.task, entry.job.item
        log.info("%s: %s", clean(str(item.name)), error)
        if not (error.stage or error.timed_out or entry.unlucky):  # killed from outside, more likely than by the file
            entry.unlucky = True
            self._submit(entry, task, executor, RETRY_SHARE)
            return
        guilty = tuple(spec for spec in task.checks if spec.id == error.stage)
        rest = tuple(spec for spec in task.checks if spec.id != error.stage)
        known = bool(guilty) or error.stage in SHARED - task.lost.keys()
        if not known or entry.tries >= MOST_TRIES:
            self._take_in(entry, failures(task.checks, error, item), executor)
            return
        self._take_in(entry, failures(guilty, error, item), executor)
        if rest:
            entry.tries += 1
            lost = {**task.lost, error.stage: Loss(str(error), error.timed_out)}
            self._submit(entry, replace(task, checks=rest, lost=lost), executor, RETRY_SHARE)

    def _take_in(self, entry: _Open, examined: Examined, executor: Executor[Task, Examined]) -> None:
        for result in examined.results:
            if result.check in entry.looked_again:  # what was seen before stands
                self._add_look(entry, result.check, lost_look(result.reason), 0.0)
                entry.done_looking.add(result.check)
                if result.check in examined.passing:  # told now, and looked at once more by the next scan
                    entry.passing.add(result.check)
                self._conclude_if_complete(result.check, entry, executor)
                continue
            entry.results[result.check] = result
            if result.check in examined.passing:
                entry.passing.add(result.check)
        for name, (taken, spent) in examined.samples.items():
            if name in entry.looked_again:
                new = self._add_look(entry, name, taken, spent)
            else:
                entry.scores[name], new = {}, taken.samples
                entry.waiting[name] = (taken if self._draws(name) else without_pixels(taken), spent)
            for index, sample in enumerate(new, len(entry.waiting[name][0].samples) - len(new)):
                self._batchers[name].add((entry.job.position, index), sample.pixels)
            self._conclude_if_complete(name, entry, executor)

    def _add_look(self, entry: _Open, name: str, taken: Samples, spent: float) -> Sequence[Sample]:
        """Join what a further look gave to what there was; returns the samples that are new, with their pixels."""
        first, before = entry.waiting[name]
        samples = caught(self._looking[name].joined, first, taken, entry.task.moments)
        if isinstance(samples, Exception):
            samples = self._no_further(entry, name, samples)
        new = samples.samples[len(first.samples) :]
        if not self._draws(name):
            samples = replace(samples, samples=(*first.samples, *without_pixels(samples).samples[len(first.samples) :]))
        entry.waiting[name] = (samples, spent + before)
        return new

    def _hand_to(self, model: ThreadPoolExecutor, *, partial: bool) -> None:
        """Give the model its next batch when it has none; the one after waits here, where it can still grow."""
        for name, batcher in self._batchers.items():
            if self._loading is None and self._scoring is None and (rows := batcher.take(partial=partial)):
                future = model.submit(batcher.score, rows)
                self._scoring = name, future
                future.add_done_callback(lambda _: self._awake.set())

    def _take_in_scores(self, executor: Executor[Task, Examined]) -> None:
        if self._scoring is None or not self._scoring[1].done():
            return
        name, scored = self._scoring[0], self._scoring[1].result()
        self._scoring = None
        for note in scored.notes:
            self._events.note(note)
        for (position, index), answer in scored.answers:
            entry = self._open[position]
            self._touched.add(position)
            entry.scores[name][index] = answer
            self._conclude_if_complete(name, entry, executor)
        self._events.scored(len(scored.answers))

    def _conclude_if_complete(self, name: str, entry: _Open, executor: Executor[Task, Examined]) -> None:
        scores = entry.scores[name]
        wanted = len(entry.waiting[name][0].samples)
        if len(scores) < wanted or (name in self._looking and self._looks_again(name, entry, executor)):
            return
        started = time.perf_counter()
        samples, seconds = entry.waiting[name]
        result = self._concluded(self._batching[name], entry, samples, [scores[i] for i in range(len(scores))])
        entry.results[name] = replace(result, seconds=round(seconds + time.perf_counter() - started, 4))
        del entry.waiting[name], entry.scores[name]

    def _draws(self, name: str) -> bool:
        """Whether a check will want the pixels of its samples once they are scored."""
        return self._output is not None and isinstance(self._checks[name], Illustrated)

    def _illustrated(
        self, check: BatchCheck, entry: _Open, samples: Samples, scores: Sequence[float], result: CheckResult
    ) -> CheckResult:
        output, item = self._output, entry.job.item
        if output is None or not isinstance(check, Illustrated):
            return result
        return check.illustrate(result, samples, scores, lambda name, pixels: store_exhibit(output, item, name, pixels))

    def _looks_again(self, name: str, entry: _Open, executor: Executor[Task, Examined]) -> bool:
        """Whether a check that has all its scores wants to see more of the film first, and was sent to it."""
        check, samples = self._looking[name], entry.waiting[name][0]
        values = [value for _, value in sorted(entry.scores[name].items()) if not isinstance(value, Exception)]
        busy = entry.pending is not None or name in entry.done_looking or len(values) < len(samples.samples)
        if busy:
            return False
        seconds = entry.waiting[name][1]
        moments = caught(lambda: check.again(samples, values, seconds))
        if isinstance(moments, Exception):
            entry.waiting[name] = (self._no_further(entry, name, moments), seconds)
            return False
        if not moments:
            return False
        if self._draws(name):
            entry.waiting[name] = (lightened(samples, values), seconds)
        entry.looked_again.add(name)
        self._submit(entry, replace(entry.task, checks=(self._checks[name].spec,), moments=moments), executor)
        return True

    def _no_further(self, entry: _Open, name: str, error: Exception) -> Samples:
        """What there is of a film whose check failed to look further: the samples, and that as their problem."""
        entry.done_looking.add(name)
        said = failure(self._checks[name].spec, error, entry.job.item)
        samples = entry.waiting[name][0]
        lost = lost_look(said.reason).problem
        return replace(samples, problem=f"{samples.problem} {lost}" if samples.problem else lost)

    def _concluded(
        self, check: BatchCheck, entry: _Open, samples: Samples, scores: Sequence[float | Exception]
    ) -> CheckResult:
        errors = [score for score in scores if isinstance(score, Exception)]
        values = [score for score in scores if not isinstance(score, Exception)]
        item = entry.job.item

        def conclude() -> CheckResult:
            result = check.conclude(item, samples, values)
            return storable(self._illustrated(check, entry, samples, values, result))

        answer = errors[0] if errors else caught(conclude)
        if not isinstance(answer, Exception):
            return answer
        if errors or not is_lasting(answer):
            entry.passing.add(check.spec.id)
        return failure(check.spec, answer, item, "the model" if errors else "")

    def _answer(self, entry: _Open) -> Answer:
        results = tuple(entry.results[name] for name in self._checks)
        verdict = decide(results, self._families, threshold=self._threshold)
        return Answer(entry.job.position, ItemReport(entry.job.item, results, verdict), frozenset(entry.passing))


def _scores(check: BatchCheck, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
    """What a check gives for a batch; it may come from another package, so that is looked at. Raises ValueError."""
    scores = np.asarray(check.score(np.stack(pictures)), np.float32)
    if scores.shape != (len(pictures),):
        raise ValueError(f"it gave scores of shape {scores.shape} for a batch of {len(pictures)}")
    return scores
