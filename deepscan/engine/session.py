"""One scan under way: what is known already is answered from the case file, and the rest goes through the pipeline."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from deepscan.checks import catalogue
from deepscan.checks.base import CheckSpec
from deepscan.config import ScanOptions
from deepscan.engine import record
from deepscan.engine.casefile import CaseFile
from deepscan.engine.events import Events
from deepscan.engine.executors import Executor, Inline, Processes
from deepscan.engine.fingerprints import Fingerprints
from deepscan.engine.loading import Loading
from deepscan.engine.pipeline import Answer, Job, Pipeline
from deepscan.engine.reuse import known, mentions
from deepscan.engine.runner import Examined, Task, examine
from deepscan.engine.sources import Found, Source
from deepscan.engine.verdict import decide
from deepscan.machine import usable_cores
from deepscan.media.discover import Candidate
from deepscan.media.identify import identify
from deepscan.models.packs import Pack
from deepscan.types import CheckResult, ItemReport, MediaItem, RunInfo, ScanReport, Skipped

if TYPE_CHECKING:
    from deepscan.models.loader import Network

SMALL_SCAN = 2
"""Up to so many files, one worker is started instead of one per core: starting a worker takes half a second."""

MOST_HELD = 10_000
"""Copies of files under way that may wait for their answers; with more, finding files waits too."""

MOST_FAILED = 10_000
"""Files whose passing failures are remembered for their copies; of the oldest, a copy is tried again."""

_Entry: TypeAlias = "tuple[int, MediaItem, int | None]"
"""Place in the order of discovery, the file, and when it was last changed."""


@dataclass(slots=True)
class Session:
    """One scan under way.

    Bytes are examined once: while a file is under way, its copies wait in ``held`` for the answer.
    """

    options: ScanOptions
    selected: tuple[CheckSpec, ...]
    pack: Pack | None
    case: CaseFile
    output: Path | None
    events: Events
    _prints: Fingerprints = field(init=False)
    _open: dict[int, _Entry] = field(default_factory=dict, init=False)
    _busy: set[str] = field(default_factory=set, init=False)
    _held: dict[str, list[_Entry]] = field(default_factory=dict, init=False)
    _holding: int = field(default=0, init=False)
    _ready: deque[_Entry] = field(default_factory=deque, init=False)
    _failed: dict[str, Mapping[str, CheckResult]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._prints = Fingerprints(self.options, self.selected, self.pack)

    def run(self, source: Source, count: int, argv: Iterable[str]) -> ScanReport:
        """Scan; see :func:`deepscan.engine.scan.scan`.

        Raises:
            KeyboardInterrupt: nothing was answered yet: the report there is would be of the run before.
        """
        run = record.begin(self.options, self.selected, self.pack, tuple(argv), source.paths, self.case.last_run())
        self.case.begin(run)
        try:
            with closing(source.files(self.case.path)) as files:
                run = self._answer_all(files, count, run)
            self.case.finish(replace(run, finished=record.now()))
        except KeyboardInterrupt:
            if not self.case.has_answers:
                raise
            self.events.note("Interrupted: what was finished is kept.")
        return self.case.report()

    def _answer_all(self, files: Iterator[Found], count: int, run: RunInfo) -> RunInfo:
        """Answer every file. Returns the record with what became known."""
        jobs = self._jobs(files)
        # Nothing is started, and no model loaded, until a file needs it.
        first = next(jobs, None)
        if first is None:
            return run
        with self._executor(count) as executor:
            executor.warm_up()
            loading = model = Loading(self._load) if self.pack else None
            if loading is not None and self.options.workers == 0:
                loading.network()  # what this process does by itself, it does one after the other
            for answer in self._pipeline(model).run(chain([first], _once_over(model, jobs)), executor):
                if loading is not None:
                    run, loading = self._amended(run, loading.network()), None
                self._store(answer)
            return run if loading is None else self._amended(run, loading.network())

    def _pipeline(self, model: Loading | None) -> Pipeline:
        card = self.pack.card if self.pack else None
        checks = catalogue.build(self.selected, catalogue.Kit(self.options, card, model))
        return Pipeline(checks, card, self.options, self._exhibits, self.events, model)

    def _amended(self, run: RunInfo, network: Network) -> RunInfo:
        """The record with what became of the model."""
        for note in network.notes:
            self.events.note(note)
        run = replace(run, device=network.device, precision=network.precision)
        self.case.amend(run)
        return run

    @property
    def _exhibits(self) -> Path | None:
        return self.output if self.options.exhibits else None

    def _jobs(self, files: Iterator[Found]) -> Iterator[Job | None]:
        """What is not known of the files, and None where that waits for an answer under way."""
        for found in files:
            yield from self._jobs_of(found)
            yield from self._released()
            while self._holding >= MOST_HELD:
                yield None
                yield from self._released()
        while self._busy:
            yield None
            yield from self._released()

    def _released(self) -> Iterator[Job]:
        """The copies of files that were answered meanwhile."""
        while self._ready:
            yield from self._jobs_for(self._ready.popleft())

    def _jobs_of(self, found: Found) -> Iterator[Job]:
        """The job that answers a file that was found, unless it is left out, known or has to wait."""
        if isinstance(found.entry, Skipped):
            self.case.skip(found.position, found.entry)
            self.events.skipped(found.entry)
        else:
            yield from self._jobs_for((found.position, found.entry, found.modified), trusted=found.trusted)

    def _jobs_for(self, entry: _Entry, *, trusted: bool = False) -> Iterator[Job]:
        """The job that answers a file, unless it is known or has to wait for a copy of it.

        A ``trusted`` file is read before anything new is said of it: that must not stand beside the hash of bytes that
        may be gone.
        """
        position, item, modified = entry
        if item.sha256 in self._busy:
            if trusted:
                yield from self._jobs_after_reading(entry)
                return
            self._held.setdefault(item.sha256, []).append(entry)
            self._holding += 1
            return
        wanted = self._prints.of(item)
        found = known(self.case, item, wanted, self.selected, self._exhibits)
        if found.answer is not None:
            stored, report = found.answer
            self.case.repeat(position, stored, modified=modified)
            self.events.examined(report, reused=True)
            return
        results = {**self._failed_before(item), **found.results}
        missing = [spec for spec in self.selected if spec.id not in results]
        if not missing:
            report = self._report(item, results)
            self.case.add(
                position, report, wanted, passing=frozenset(results) - frozenset(found.results), modified=modified
            )
            self.events.examined(report, reused=True)
            return
        if trusted:
            yield from self._jobs_after_reading(entry)
            return
        if not all(spec.by_name for spec in missing):
            self._busy.add(item.sha256)
        self._open[position] = entry
        yield Job(position, item, results)

    def _jobs_after_reading(self, entry: _Entry) -> Iterator[Job]:
        """The job for a file that was trusted so far."""
        position, item, modified = entry
        yield from self._jobs_of(Found(position, identify(Candidate(item.root, item.name), self.options), modified))

    def _failed_before(self, item: MediaItem) -> Mapping[str, CheckResult]:
        """What failed on the same bytes in this scan, and is not to be had from the case file: once is enough."""
        return self._failed.get(item.sha256, {})

    def _report(self, item: MediaItem, results: Mapping[str, CheckResult]) -> ItemReport:
        ordered = tuple(results[spec.id] for spec in self.selected)
        families = {spec.id: spec.family for spec in self.selected}
        thresholds = self.pack.card.thresholds if self.pack else ()
        lowest = min((t.probability for t in thresholds), default=None)
        return ItemReport(item, ordered, decide(ordered, families, threshold=lowest))

    def _store(self, answer: Answer) -> None:
        _, item, modified = self._open.pop(answer.position)
        wanted = self._prints.of(item)
        failed_before = frozenset(self._failed_before(item))
        self.case.add(answer.position, answer.report, wanted, passing=answer.passing | failed_before, modified=modified)
        self.events.examined(answer.report, reused=False)
        name = (item.name.name,)
        failed = {r.check: r for r in answer.report.results if r.check in answer.passing and not mentions(r, name)}
        if failed:
            self._failed[item.sha256] = {**self._failed_before(item), **failed}
            if len(self._failed) > MOST_FAILED:
                del self._failed[next(iter(self._failed))]
        self._busy.discard(item.sha256)
        waiting = self._held.pop(item.sha256, [])
        self._holding -= len(waiting)
        self._ready.extend(waiting)

    def _executor(self, files: int) -> Executor[Task, Examined]:
        workers = self.options.workers
        if workers is None:
            workers = 1 if files <= SMALL_SCAN else usable_cores()
        if workers == 0:
            return Inline(examine)
        return Processes(examine, workers=workers, seconds=self.options.file_seconds, memory=self.options.max_memory)

    def _load(self) -> Network:
        from deepscan.models.lanes import compute_alone
        from deepscan.models.loader import load

        assert self.pack is not None
        compute_alone()  # the other cores are the workers'
        return load(self.pack, device=self.options.device, precision=self.options.precision)


def _once_over(model: Loading | None, jobs: Iterator[Job | None]) -> Iterator[Job | None]:
    """The jobs, once the model is there: to find them stores what is known of other files, and a model that cannot be
    loaded must leave the report there was.
    """
    while model is not None and not model.is_over:
        yield None
    yield from jobs
