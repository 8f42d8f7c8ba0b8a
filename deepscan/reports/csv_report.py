r"""The report as tables: a row per file; a row per face, frame or page; and for films a row per frame and per track.

RFC 4180: UTF-8 without a byte order mark, commas, CRLF, a header row. Columns are added at the end only, and
``docs/report-schema.md`` describes them. A table is for reading and filtering: text is made harmless in it (control
characters become visible, cells that a spreadsheet would take for a formula get an apostrophe), which cannot be undone.
``report.json`` holds every name exactly.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO, TypeAlias

from deepscan.reports.troubles import together
from deepscan.reports.words import accepted
from deepscan.text import clean, timecode
from deepscan.types import CheckResult, Document, ItemReport, Outcome, Score, Skipped

FILES = "report.csv"
PARTS = "report.parts.csv"
FRAMES = "report.frames.csv"
TRACKS = "report.tracks.csv"

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
    "known",
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
    "track",
    "timecode",
)
"""Of :data:`PARTS`."""

FRAME_COLUMNS = ("path", "root", "sha256", "check", "frame", "seconds", "timecode", "shot", "faces", "score", "meaning")
"""Of :data:`FRAMES`."""

TRACK_COLUMNS = (
    "path",
    "root",
    "sha256",
    "check",
    "track",
    "kind",
    "shot",
    "start",
    "end",
    "start_timecode",
    "end_timecode",
    "frames",
    "score",
    "meaning",
    "level",
    "clips",
)
"""Of :data:`TRACKS`. ``clips`` are the stretches in which the score stays at or above a threshold, as timecodes."""

Cell: TypeAlias = str | int | float | None

_Row: TypeAlias = dict[str, Cell]
"""Cells by their columns."""

# Where a spreadsheet starts to read a formula: at the start of a cell, past white space and quotes, and after a
# semicolon, because spreadsheets split cells there in locales with a decimal comma (OWASP, "CSV Injection"). U+FF1D and
# the like are the full-width forms, which Excel takes for the plain ones in East Asian locales. Control and invisible
# characters need no mention: clean() has made them visible before.
_SIGN = re.compile("[=+@\\-\uff1d\uff0b\uff0d\uff20\u2212]")
_FORMULA = re.compile(f"(^|;)(?=[\\s\"']*{_SIGN.pattern})")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class CsvReport:
    """``report.csv``, a row per file; a row per face, frame or page; for films a row per frame and per track."""

    id: str = "csv"
    title: str = "Tables: a row per file, a row per face, frame or page; for films a row per frame and per track"
    names: tuple[str, ...] = (FILES, PARTS, FRAMES, TRACKS)

    def render(self, report: Document, name: str, stream: TextIO) -> None:
        """Write one of the tables; ``stream`` must not translate line ends. Raises ValueError for another name."""
        self.render_together(report, {name: stream})

    def render_together(self, report: Document, streams: Mapping[str, TextIO]) -> None:
        """Write several of the tables, going through the report once. Raises ValueError for another name."""
        for name in streams:
            if name not in self.names:
                raise ValueError(f"the CSV report has no file {name!r}")
        tables = [(_Table(stream, _COLUMNS[name]), name) for name, stream in streams.items()]
        known = {known.sha256: accepted(known) for known in report.known}
        for examined in report.items:
            for table, name in tables:
                if name == FILES:
                    table.add(_examined(examined) | {"known": known.get(examined.item.sha256)})
                else:
                    table.add(*_rows(examined, _ROWS[name]))
        for skipped in report.skipped:
            for table, name in tables:
                if name == FILES:
                    table.add(_skipped(skipped))


def harmless(text: str) -> str:
    """Text as a cell: one line, nothing invisible, and no formula. A plain number such as ``-1.5`` stays a number."""
    shown = clean(text, limit=None)
    # The first search is quick, and enough for most cells.
    return shown if not _SIGN.search(shown) or _NUMBER.fullmatch(shown) else _FORMULA.sub(r"\1'", shown)


class _Table:
    """A table under way."""

    def __init__(self, stream: TextIO, columns: Sequence[str]) -> None:
        self._columns = columns
        self._writer = csv.writer(stream, dialect="excel", lineterminator="\r\n")
        self._writer.writerow(columns)

    def add(self, *rows: _Row) -> None:
        for row in rows:
            self._writer.writerow([_cell(row.get(column)) for column in self._columns])


def _cell(value: Cell) -> Any:
    return harmless(value) if isinstance(value, str) else value


def _examined(report: ItemReport) -> _Row:
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
        "partial": _reasons((r.partial, r.check) for r in report.results if r.partial is not None),
    }


def _skipped(skipped: Skipped) -> _Row:
    return {
        "path": skipped.path.as_posix(),
        "status": "skipped",
        "reason": f"{skipped.code.value}: {skipped.reason}",
    }


def _ended(results: Iterable[CheckResult], outcome: Outcome) -> str:
    """The checks that ended so, with the reason where they have one."""
    if outcome is Outcome.DONE:
        return "; ".join(result.check for result in results if result.outcome is outcome)
    return _reasons((result.reason or "", result.check) for result in results if result.outcome is outcome)


def _reasons(given: Iterable[tuple[str, str]]) -> str:
    """Reasons, each once and after all the checks that give it; ``given`` is (reason, check)."""
    return "; ".join(f"{', '.join(checks)}: {reason}" for reason, checks in together(given).items())


def _rows(report: ItemReport, rows_of: Callable[[CheckResult], Iterator[_Row]]) -> Iterator[_Row]:
    """The rows of every check result of a file, each with the file and the check it belongs to."""
    item = report.item
    for result in report.results:
        for row in rows_of(result):
            yield {
                "path": str(item.name),
                "root": item.root.as_posix(),
                "sha256": item.sha256,
                "check": result.check,
                **row,
            }


def _part_rows(result: CheckResult) -> Iterator[_Row]:
    for part in result.parts:
        seconds, box = part.where.seconds, part.where.box
        row: _Row = {
            "kind": part.kind,
            "frame": part.where.frame,
            "seconds": seconds,
            "reason": part.reason,
            "track": part.track,
            "timecode": None if seconds is None else timecode(seconds),
        }
        if box:
            row |= {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
        yield row | _score(part.score)


def _frame_rows(result: CheckResult) -> Iterator[_Row]:
    for frame in result.film.frames if result.film else ():
        yield {
            "frame": frame.frame,
            "seconds": frame.seconds,
            "timecode": frame.timecode,
            "shot": frame.shot,
            "faces": frame.faces,
            **_score(frame.score),
        }


def _track_rows(result: CheckResult) -> Iterator[_Row]:
    if result.film is None:
        return
    for track in result.film.tracks:
        spans = [clip.span for clip in result.film.clips if clip.track == track.number]
        yield {
            "track": track.number,
            "kind": track.kind,
            "shot": track.shot,
            "start": track.span.start,
            "end": track.span.end,
            "start_timecode": track.span.start_timecode,
            "end_timecode": track.span.end_timecode,
            "frames": track.looked_at,
            **_score(track.score),
            "level": track.level.value,
            "clips": "; ".join(f"{span.start_timecode} to {span.end_timecode}" for span in spans),
        }


def _score(score: Score | None) -> _Row:
    return {"score": score.value, "meaning": score.meaning.value} if score else {}


_COLUMNS = {FILES: FILE_COLUMNS, PARTS: PART_COLUMNS, FRAMES: FRAME_COLUMNS, TRACKS: TRACK_COLUMNS}
_ROWS = {PARTS: _part_rows, FRAMES: _frame_rows, TRACKS: _track_rows}
