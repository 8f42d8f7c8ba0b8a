"""A whole scan: what the command line and Python call, and what its result amounts to."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from pathlib import Path

from deepscan.checks import catalogue
from deepscan.config import ScanOptions
from deepscan.engine.casefile import CaseFile
from deepscan.engine.events import Events, Silent
from deepscan.engine.evidence import Target, refuse_evidence
from deepscan.engine.session import Session
from deepscan.engine.sources import Source
from deepscan.errors import EXIT_CLEAN, EXIT_FOUND, EXIT_INCOMPLETE
from deepscan.models import face_packs, packs
from deepscan.types import Call, ItemReport, Level, ScanReport

LEVELS = {Call.WEAK: Level.WEAK, Call.MODERATE: Level.MODERATE, Call.STRONG: Level.STRONG}
"""The calls that ``--fail-on`` compares."""


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
        case: The case file: finished files are stored in it at once, and unchanged ones answered from it. A private
            one, gone with the report, when None.
        output: The folder exhibits go to (``options.exhibits``); it may not be or lie in a folder of evidence.
        events: Told what happens while it happens.
        argv: The command line, for the run record.

    Returns:
        The report, one item or one skipped file for every file found. It reads the case file while it is gone through.
        ``finished`` is False when the scan was interrupted (KeyboardInterrupt): what was finished is in it and in the
        case file.

    Raises:
        UsageError: a path or a check does not exist, or there is nothing to scan.
        ModelError: the model or the device cannot be used.
        CaseFileError: the case file cannot be used.
        OutputError: the case file or an exhibit cannot be written.
        KeyboardInterrupt: the scan was interrupted before anything was answered; an earlier report stays what it is.
    """
    options, events = options or ScanOptions(), events or Silent()
    targets = [Target("output folder", output, folder=True)] if output else []
    targets += [Target("case file", case)] if case else []
    refuse_evidence((*paths, *listed), targets)
    selected = catalogue.select(options.checks, options.skip)
    face_packs.finder(options.faces)  # before any file is opened: its weights may not be there
    pack = None
    # Who skips the classifier gets no model found, hashed and loaded to learn that it has no further part to run.
    if any(spec.id in catalogue.OF_MODEL for spec in catalogue.fitting(selected, options.checks, None)):
        pack = packs.find(options.model, fake_label=options.fake_label, offline=options.offline)
    selected = catalogue.fitting(selected, options.checks, pack.card if pack else None)
    source = Source(paths, listed, options)
    count = source.count(events)
    with CaseFile.open(case) as file:
        return Session(options, selected, pack, file, output, events).run(source, count, argv)


def exit_code(report: ScanReport, fail_on: Level | None) -> int:
    """The exit code a report deserves: found, else incomplete, else clean (:mod:`deepscan.errors` names them).

    A flagged file that a baseline or a suppression accepts (``report.known``) is not found again. A file counts as not
    examined when it was skipped though it is media, when a check on it failed or timed out, or
    when only a part of it could be read.
    """
    failing = {call for call, level in LEVELS.items() if fail_on is not None and level.rank >= fail_on.rank}
    known = {known.sha256 for known in report.known}
    complete = report.finished and not any(s.code.incomplete for s in report.skipped)
    for item in report.items:
        if item.verdict.call in failing and item.item.sha256 not in known:
            return EXIT_FOUND
        complete = complete and not item.incomplete
    return EXIT_CLEAN if complete else EXIT_INCOMPLETE


def worst_first(items: Iterable[ItemReport], most: int | None = None) -> list[ItemReport]:
    """Items with the strongest verdicts first, then the undetermined ones, then by model score and name.

    ``most`` is how many are wanted; no more are held in memory then.
    """
    order = [Call.STRONG, Call.MODERATE, Call.WEAK, Call.UNDETERMINED, Call.NO_EVIDENCE]

    def rank(item: ItemReport) -> tuple[int, float, str]:
        return order.index(item.verdict.call), -(item.verdict.score or 0.0), str(item.item.name)

    return sorted(items, key=rank) if most is None else heapq.nsmallest(most, items, key=rank)
