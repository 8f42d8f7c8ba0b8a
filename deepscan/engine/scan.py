"""A whole scan: discovery, identification, reuse, the runner, the case file. The command line and Python call this."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from deepscan import __version__
from deepscan.checks import catalogue
from deepscan.checks.base import CheckSpec
from deepscan.config import ScanOptions, as_json, result_options
from deepscan.engine.casefile import CaseFile
from deepscan.engine.events import Events, Silent
from deepscan.engine.executors import Executor, Inline, Processes
from deepscan.engine.pipeline import Job, Pipeline, automatic_workers
from deepscan.engine.runner import Examined, Task, examine
from deepscan.engine.verdict import DEFAULT_POLICY
from deepscan.errors import EXIT_CLEAN, EXIT_FOUND, EXIT_INCOMPLETE, InputError, NothingToScanError, OutputError
from deepscan.media.discover import Candidate, walk
from deepscan.media.identify import identify
from deepscan.models import card as cards
from deepscan.models import packs
from deepscan.models.packs import Pack
from deepscan.text import clean
from deepscan.types import (
    Call,
    CheckInfo,
    ItemReport,
    JSONValue,
    Level,
    MediaItem,
    RunInfo,
    ScanReport,
    Skipped,
)

if TYPE_CHECKING:
    from deepscan.models.loader import Network

LIBRARIES = (
    "torch",
    "transformers",
    "pillow",
    "pillow-heif",
    "opencv-python-headless",
    "exifread",
    "c2pa-python",
    "numpy",
    "scipy",
)
"""Libraries whose versions the run record names: they decode, read and score."""

LEVELS = {Call.WEAK: Level.WEAK, Call.MODERATE: Level.MODERATE, Call.STRONG: Level.STRONG}
"""The calls that ``--fail-on`` compares."""

SMALL_SCAN = 2
"""Up to so many files, one worker is started instead of one per core: starting a worker takes half a second."""


def scan(
    paths: Sequence[Path],
    options: ScanOptions | None = None,
    *,
    listed: Sequence[Path] = (),
    case: Path | None = None,
    output: Path | None = None,
    events: Events | None = None,
    argv: Sequence[str] = (),
) -> ScanReport:
    """Examine files and folders.

    Args:
        paths: Files and folders, in the order of the report.
        options: What to do with them; the defaults when None.
        listed: More of them, from a list that may be older than the folder it describes: what is not there any more is
            skipped with its reason, where a missing one of ``paths`` is an error.
        case: The case file: finished files are stored in it at once, and unchanged ones answered from it. In memory
            when None.
        output: The folder exhibits go to (``options.exhibits``); it may not lie inside the evidence.
        events: Told what happens while it happens.
        argv: The command line, for the run record.

    Returns:
        The report, one item or one skipped file for every file found. ``finished`` is False when the scan was
        interrupted (KeyboardInterrupt): what was finished is in it and in the case file.

    Raises:
        UsageError: a path or a check does not exist, or there is nothing to scan.
        ModelError: the model or the device cannot be used.
        CaseFileError: the case file cannot be used.
        OutputError: the case file or an exhibit cannot be written.
    """
    options, events = options or ScanOptions(), events or Silent()
    refuse_inside_evidence((*paths, *listed), output, "output folder")
    refuse_inside_evidence((*paths, *listed), case, "case file")
    selected = catalogue.select(options.checks, options.skip)
    pack = None
    if any(spec.id == "classifier" for spec in selected):
        pack = packs.find(options.model, fake_label=options.fake_label, offline=options.offline)
    found = _discovered(paths, listed, options, events)
    with CaseFile.open(case) as file:
        return _Scan(options, selected, pack, file, output, events, argv, paths).run(found)


def exit_code(report: ScanReport, fail_on: Level | None) -> int:
    """The exit code a report deserves: found, else incomplete, else clean (:mod:`deepscan.errors` names them).

    A file counts as not examined when it was skipped though it is media, when a check on it failed or timed out, or
    when only a part of it could be read.
    """
    if fail_on is not None:
        failing = {call for call, level in LEVELS.items() if level.rank >= fail_on.rank}
        if any(item.verdict.call in failing for item in report.items):
            return EXIT_FOUND
    complete = report.finished and not any(s.code.incomplete for s in report.skipped)
    if complete and not any(item.incomplete for item in report.items):
        return EXIT_CLEAN
    return EXIT_INCOMPLETE


def refuse_inside_evidence(paths: Sequence[Path], target: Path | None, what: str) -> None:
    """Refuse to write over a file or into a folder that is being scanned: evidence is never written to.

    Raises:
        OutputError: ``target`` is or lies inside one of ``paths``.
    """
    if target is None:
        return
    place = target.resolve()
    for path in paths:
        if place == path.resolve() and not path.is_dir():
            raise OutputError(
                f"The {what} {clean(str(target))} is a file that is to be scanned.",
                "deepscan never writes to evidence: name another place.",
            )
        if path.is_dir() and place.is_relative_to(path.resolve()):
            raise OutputError(
                f"The {what} {clean(str(target))} lies inside {clean(str(path))}, which is to be scanned.",
                "deepscan never writes into evidence: name a folder outside of it.",
            )


def _discovered(
    paths: Sequence[Path], listed: Sequence[Path], options: ScanOptions, events: Events
) -> list[Candidate | Skipped]:
    found: list[Candidate | Skipped] = []
    for entry in walk(paths, options, listed=listed):
        found.append(entry)
        if len(found) % 500 == 0:
            events.discovered(len(found), complete=False)
    if not found:
        shown = ", ".join(clean(str(path)) for path in paths) or "the list"
        raise NothingToScanError(f"There are no files in {shown}.", "Name a folder or a file that holds media.")
    events.discovered(len(found), complete=True)
    return found


@dataclass(slots=True)
class _Scan:
    """One scan under way."""

    options: ScanOptions
    selected: tuple[CheckSpec, ...]
    pack: Pack | None
    case: CaseFile
    output: Path | None
    events: Events
    argv: Sequence[str]
    paths: Sequence[Path]

    def run(self, found: Sequence[Candidate | Skipped]) -> ScanReport:
        fingerprint = self._fingerprint()
        record = self._record(self.case.last_run())
        self.case.begin(record)
        finished = False

        def load() -> Network | None:
            nonlocal record
            if self.pack is None:
                return None
            network = self._load(self.pack)
            record = replace(record, device=network.device, precision=network.precision)
            self.case.amend(record)
            return network

        try:
            for report, reused in self._answers(found, fingerprint, load):
                self.events.examined(report, reused=reused)
            finished = True
        except KeyboardInterrupt:
            self.events.note("Interrupted: what was finished is kept.")
        if finished:
            self.case.finish(replace(record, finished=_now()))
        return self.case.report()

    def _answers(
        self, found: Sequence[Candidate | Skipped], fingerprint: str, load: Callable[[], Network | None]
    ) -> Iterator[tuple[ItemReport, bool]]:
        """Reports as they become complete, each in the case file already, and whether it was there before."""
        stored: list[ItemReport] = []

        def unanswered() -> Iterator[Job]:
            for position, item in self._items(found):
                report = self._reusable(item, fingerprint)
                if report is None:
                    yield Job(position, item)
                else:
                    self.case.add(position, report, fingerprint)
                    stored.append(report)

        # Nothing is started, and no model loaded, until a file needs it.
        jobs = unanswered()
        first = next(jobs, None)
        yield from self._reused(stored)
        if first is None:
            return
        network = load()
        card = self.pack.card if self.pack else None
        pipeline = Pipeline(
            catalogue.build(self.selected, catalogue.Kit(self.options, card, network)),
            card,
            self.options,
            self.output if self.options.exhibits else None,
            self.events,
            network.device if network else "cpu",
        )
        with self._executor(len(found)) as executor:
            for answer in pipeline.run(chain([first], jobs), executor):
                yield from self._reused(stored)
                self.case.add(answer.position, answer.report, fingerprint, reusable=not answer.passing)
                yield answer.report, False
        yield from self._reused(stored)

    @staticmethod
    def _reused(stored: list[ItemReport]) -> Iterator[tuple[ItemReport, bool]]:
        while stored:
            yield stored.pop(0), True

    def _reusable(self, item: MediaItem, fingerprint: str) -> ItemReport | None:
        """The stored answer, unless an exhibit it shows is no longer where this report would look for it."""
        report = self.case.reuse(item, fingerprint)
        if report is None or self.output is None or not self.options.exhibits:
            return report
        exhibits = (e.exhibit for r in report.results for f in r.findings for e in f.evidence if e.exhibit)
        return report if all((self.output / exhibit).is_file() for exhibit in exhibits) else None

    def _items(self, found: Sequence[Candidate | Skipped]) -> Iterator[tuple[int, MediaItem]]:
        for position, entry in enumerate(found):
            answer = identify(entry, self.options) if isinstance(entry, Candidate) else entry
            if isinstance(answer, Skipped):
                self.case.skip(position, answer)
                self.events.skipped(answer)
            else:
                yield position, answer

    def _executor(self, files: int) -> Executor[Task, Examined]:
        workers = self.options.workers
        if workers is None:
            workers = 1 if files <= SMALL_SCAN else automatic_workers()
        if workers == 0:
            return Inline(examine)
        return Processes(examine, workers=workers, seconds=self.options.file_seconds, memory=self.options.max_memory)

    def _load(self, pack: Pack) -> Network:
        from deepscan.models.loader import load

        network = load(pack, device=self.options.device, precision=self.options.precision)
        for note in network.notes:
            self.events.note(note)
        return network

    def _fingerprint(self) -> str:
        """Everything an answer depends on besides the file itself."""
        parts: dict[str, JSONValue] = {
            "deepscan": __version__,
            "checks": [[spec.id, spec.version] for spec in self.selected],
            "options": {k: v for k, v in result_options(self.options).items() if k not in ("model", "checks", "skip")},
            "policy": DEFAULT_POLICY.version,
            "card": cards.to_json(self.pack.card) if self.pack else None,
            "weights": self.pack.sha256 if self.pack else None,
            "trust list": _digest(self.options.trust_list),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _record(self, before: RunInfo | None) -> RunInfo:
        """The record as far as it is known at the start; a scan answered from the case file alone loads no model, and
        its scores are those of the run before.
        """
        scored = before if before is not None and self.pack is not None else None
        return RunInfo(
            tool="deepscan",
            version=__version__,
            started=_now(),
            finished=None,
            argv=tuple(self.argv),
            options=as_json(self.options),
            checks=tuple(CheckInfo(s.id, s.title, s.family, s.version) for s in self.selected),
            model=cards.to_json(self.pack.card) if self.pack else None,
            device=scored.device if scored else None,
            precision=scored.precision if scored else None,
            libraries=_libraries(),
            host={
                "name": platform.node(),
                "system": platform.system(),
                "machine": platform.machine(),
                "python": sys.version.split()[0],
            },
            paths=tuple(map(str, self.paths)),
        )


def worst_first(items: Sequence[ItemReport]) -> list[ItemReport]:
    """Items with the strongest verdicts first, then the undetermined ones, then by model score and name."""
    order = [Call.STRONG, Call.MODERATE, Call.WEAK, Call.UNDETERMINED, Call.NO_EVIDENCE]
    return sorted(items, key=lambda i: (order.index(i.verdict.call), -(i.verdict.score or 0.0), str(i.item.name)))


def _digest(path: str | None) -> str | None:
    """The SHA-256 of a file that answers depend on: its name alone would not tell that it has changed."""
    if path is None:
        return None
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as e:
        raise InputError(f"{clean(path)} cannot be read: {e.strerror or e}.", "Name a file that can be read.") from e


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
