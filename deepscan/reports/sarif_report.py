"""The report as SARIF 2.1.0 (OASIS, March 2020), for GitHub code scanning and other viewers of static analysis.

A rule per finding code, a result per finding that is more than ``info``, an artifact per examined file, a notification
per file that was not examined and per check that failed. A result is known again by the content of its file and its
code, not by the file's name.

GitHub refuses a file of more than 10 MB or 20 runs and a run of more than 25,000 results, and shows 5,000 results of a
run. So a run ends at 5,000 results, each run has a category of its own, and where the main file is full,
``report.2.sarif`` and so on go on: :meth:`SarifReport.split`. Standard output takes all runs in one document.
https://docs.github.com/en/code-security/code-scanning/troubleshooting-sarif-uploads/results-exceed-limit
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TextIO

from deepscan.reports import sarif_entries as entries
from deepscan.reports.json_text import dump
from deepscan.reports.sarif_entries import Entry
from deepscan.reports.schema import escape
from deepscan.types import Document, JSONValue

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
MAIN = "report.sarif"

MAX_RESULTS = 5_000
"""Results of a run: GitHub shows so many."""

MAX_RUNS = 20
"""Runs of a file that GitHub takes."""

MAX_BYTES = 9_500_000
"""Bytes of a file. GitHub takes 10 MB after gzip; no file is taken to compress at all."""

_RUN_ROOM = 2_000  # bytes for the frame of a run, and of the document


@dataclass(slots=True)
class _Run:
    """A run being filled: what it lists is JSON text already. ``size`` is in bytes, from above."""

    size: int
    results: list[str] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    rules: dict[str, str] = field(default_factory=dict)

    def has_room(self, entry: Entry) -> bool:
        return len(self.results) + len(entry.results) <= MAX_RESULTS and self.size + entry.size <= MAX_BYTES

    def add(self, entry: Entry) -> None:
        self.artifacts.extend(entry.artifacts)
        self.results.extend(entry.results)
        self.notifications.extend(entry.notifications)
        self.rules.update(entry.rules)
        self.size += entry.size


class SarifReport:
    """``report.sarif``, and more files where one is full."""

    id: str = "sarif"
    title: str = "SARIF 2.1.0: findings for GitHub code scanning"
    names: tuple[str, ...] = (MAIN,)

    def render(self, report: Document, name: str, stream: TextIO) -> None:
        """Write every run into one document. Raises ValueError for another name."""
        if name not in self.names:
            raise ValueError(f"the SARIF report has no file {name!r}")
        stream.writelines(_log(report, enumerate(_runs(report), 1)))

    def split(self, report: Document) -> Iterator[tuple[str, Iterator[str]]]:
        """The files within GitHub's limits, each with its name and its text, which is to be taken before the next."""
        batch: list[tuple[int, _Run]] = []
        room, files = 0, 1
        for number, run in enumerate(_runs(report), 1):
            if batch and (room + run.size > MAX_BYTES or len(batch) == MAX_RUNS):
                yield _file(files), _log(report, batch)
                batch, room, files = [], 0, files + 1
            batch.append((number, run))
            room += run.size
        yield _file(files), _log(report, batch)

    def is_piece(self, name: str) -> bool:
        """Whether a file of this name is one that :meth:`split` may give, besides the main one."""
        return re.fullmatch(r"report\.([2-9]|[1-9][0-9]{1,5})\.sarif", name) is not None


def _file(number: int) -> str:
    return MAIN if number == 1 else f"report.{number}.sarif"


def _runs(report: Document) -> Iterator[_Run]:
    frame = len(_invocation(report).encode()) + _RUN_ROOM
    run = _Run(frame)
    known = {known.sha256: known for known in report.known}
    examined = chain.from_iterable(
        entries.examined(item, MAX_RESULTS, known.get(item.item.sha256)) for item in report.items
    )
    for entry in chain(examined, map(entries.left_out, report.skipped)):
        if run.size > frame and not run.has_room(entry):
            yield run
            run = _Run(frame)
        run.add(entry)
    yield run


def _log(report: Document, runs: Iterable[tuple[int, _Run]]) -> Iterator[str]:
    yield f'{{\n  "$schema": "{SCHEMA}",\n  "version": "{VERSION}",\n  "runs": ['
    separator = "\n"
    for number, run in runs:
        yield separator
        yield from _run(report, number, run)
        separator = ",\n"
    yield "\n  ]\n}\n"


def _run(report: Document, number: int, run: _Run) -> Iterator[str]:
    driver = dump({"name": "deepscan", "version": escape(report.run.version)})
    yield f'    {{\n      "tool": {{"driver": {driver[:-1]}, "rules": ['
    yield from _list([rule for _, rule in sorted(run.rules.items())])
    yield f']}}}},\n      "automationDetails": {dump({"id": f"deepscan/{number}/"})},\n'
    yield '      "columnKind": "unicodeCodePoints",\n'
    yield f'      "originalUriBaseIds": {dump(entries.BASES)},\n'
    yield f'      "invocations": [{_invocation(report)[:-1]}, "toolExecutionNotifications": ['
    yield from _list(run.notifications)
    yield ']}],\n      "artifacts": ['
    yield from _list(run.artifacts)
    yield '],\n      "results": ['
    yield from _list(run.results)
    yield "]\n    }"


def _list(texts: list[str]) -> Iterator[str]:
    for index, text in enumerate(texts):
        yield f"{',' if index else ''}\n        {text}"
    if texts:
        yield "\n      "


def _invocation(report: Document) -> str:
    run = report.run
    times = {"startTimeUtc": run.started, "endTimeUtc": run.finished}
    record: dict[str, JSONValue] = {
        "executionSuccessful": report.finished,
        "arguments": [escape(word) for word in run.argv],
        **{name: escape(time).replace("+00:00", "Z") for name, time in times.items() if time is not None},
    }
    return dump(record)
