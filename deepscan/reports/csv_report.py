r"""The report as two tables: a row per file, and a row per face, frame or page.

RFC 4180: UTF-8 without a byte order mark, commas, CRLF, a header row. Columns are added at the end only, and
``docs/report-schema.md`` describes them. A table is for reading and filtering: text is made harmless in it (control
characters become visible, cells that a spreadsheet would take for a formula get an apostrophe), which cannot be undone.
``report.json`` holds every name exactly.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, TypeAlias

from deepscan.text import clean
from deepscan.types import CheckResult, ItemReport, Outcome, Part, ScanReport, Skipped

FILES = "report.csv"
PARTS = "report.parts.csv"

FILE_COLUMNS = (
    "path",
    "root",
    "status",
    "kind",
    "container",
    "size",
    "sha256",
    "call",
    "points_to",
    "basis",
    "score",
    "threshold",
    "because",
    "findings",
    "done",
    "not_applicable",
    "failed",
    "timed_out",
    "reason",
    "partial",
)
"""Of :data:`FILES`. ``root`` joined with ``path`` is the file; a skipped file has no root."""

PART_COLUMNS = (
    "path",
    "root",
    "sha256",
    "check",
    "kind",
    "frame",
    "seconds",
    "x",
    "y",
    "width",
    "height",
    "score",
    "meaning",
    "reason",
)
"""Of :data:`PARTS`."""

Cell: TypeAlias = str | int | float | None

# Where a spreadsheet starts to read a formula: at the start of a cell, past white space and quotes, and after a
# semicolon, because spreadsheets split cells there in locales with a decimal comma (OWASP, "CSV Injection"). U+FF1D and
# the like are the full-width forms, which Excel takes for the plain ones in East Asian locales. Control and invisible
# characters need no mention: clean() has made them visible before.
_FORMULA = re.compile("(^|;)(?=[\\s\"']*[=+@\\-\uff1d\uff0b\uff0d\uff20\u2212])")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class CsvReport:
    """``report.csv``, a row per file, and ``report.parts.csv``, a row per face, frame or page."""

    id: str = "csv"
    title: str = "Tables: a row per file, and a row per face, frame or page"
    names: tuple[str, ...] = (FILES, PARTS)

    def render(self, report: ScanReport, name: str, stream: TextIO) -> None:
        """Write one of the two tables; ``stream`` must not translate line ends. Raises ValueError for another name."""
        if name not in self.names:
            raise ValueError(f"the CSV report has no file {name!r}")
        if name == FILES:
            _write(stream, FILE_COLUMNS, _file_rows(report))
        else:
            _write(stream, PART_COLUMNS, _part_rows(report.items))


def harmless(text: str) -> str:
    """Text as a cell: one line, nothing invisible, and no formula. A plain number such as ``-1.5`` stays a number."""
    shown = clean(text, limit=None)
    return shown if _NUMBER.fullmatch(shown) else _FORMULA.sub(r"\1'", shown)


def _write(stream: TextIO, columns: tuple[str, ...], rows: Iterable[dict[str, Cell]]) -> None:
    writer = csv.writer(stream, dialect="excel", lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])


def _cell(value: Cell) -> Any:
    return harmless(value) if isinstance(value, str) else value


def _file_rows(report: ScanReport) -> Iterator[dict[str, Cell]]:
    for examined in report.items:
        yield _examined(examined)
    for skipped in report.skipped:
        yield _skipped(skipped)


def _examined(report: ItemReport) -> dict[str, Cell]:
    item, verdict = report.item, report.verdict
    return {
        "path": str(item.name),
        "root": item.root.as_posix(),
        "status": "examined",
        "kind": item.kind.value,
        "container": item.container,
        "size": item.size,
        "sha256": item.sha256,
        "call": verdict.call.value,
        "points_to": verdict.points_to.value,
        "basis": verdict.basis.value,
        "score": verdict.score,
        "threshold": verdict.threshold,
        "because": "; ".join(verdict.because),
        "findings": "; ".join(f"{f.code} ({f.level.value})" for r in report.results for f in r.findings),
        **{outcome.value: _ended(report.results, outcome) for outcome in Outcome},
        "partial": "; ".join(f"{r.check}: {r.partial}" for r in report.results if r.partial is not None),
    }


def _skipped(skipped: Skipped) -> dict[str, Cell]:
    return {
        "path": skipped.path.as_posix(),
        "status": "skipped",
        "reason": f"{skipped.code.value}: {skipped.reason}",
    }


def _ended(results: Iterable[CheckResult], outcome: Outcome) -> str:
    """The checks that ended so, each with its reason where it has one."""
    return "; ".join(f"{r.check}: {r.reason}" if r.reason else r.check for r in results if r.outcome is outcome)


def _part_rows(reports: Iterable[ItemReport]) -> Iterator[dict[str, Cell]]:
    for report in reports:
        for result in report.results:
            for part in result.parts:
                yield _part(report, result, part)


def _part(report: ItemReport, result: CheckResult, part: Part) -> dict[str, Cell]:
    row: dict[str, Cell] = {
        "path": str(report.item.name),
        "root": report.item.root.as_posix(),
        "sha256": report.item.sha256,
        "check": result.check,
        "kind": part.kind,
        "frame": part.where.frame,
        "seconds": part.where.seconds,
        "reason": part.reason,
    }
    if part.where.box:
        box = part.where.box
        row |= {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
    if part.score:
        row |= {"score": part.score.value, "meaning": part.score.meaning.value}
    return row
