"""The report as JSON, as ``report.schema.json`` describes it.

Laid out for people and for programs: the record of the run is indented by 2, and ``items`` and ``skipped`` have one
entry a line, so that ``grep`` and ``diff`` answer per file and a report of a million files is never one string in
memory. It is one JSON document all the same, ends with a newline, and its keys stand in the declared order.

Characters that a terminal or an editor would act on or hide are escaped (:mod:`deepscan.reports.json_text`), so that
looking at a report is harmless and reading it back is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from deepscan.reports.json_text import dump
from deepscan.reports.schema import escape, item_to_json, run_to_json, skipped_to_json
from deepscan.types import Document, JSONValue


class JsonReport:
    """``report.json``: everything, exactly; :mod:`deepscan.reports.schema` reads it back."""

    id: str = "json"
    title: str = "JSON: everything, for programs"
    names: tuple[str, ...] = ("report.json",)

    def render(self, report: Document, name: str, stream: TextIO) -> None:
        """Write the document. Raises ValueError for another name."""
        if name not in self.names:
            raise ValueError(f"the JSON report has no file {name!r}")
        run = dump(run_to_json(report.run), indent=2).replace("\n", "\n  ")
        stream.write(f'{{\n  "schema": {dump(escape(report.schema))},\n  "run": {run},\n')
        _list(stream, "items", map(item_to_json, report.items))
        _list(stream, "skipped", map(skipped_to_json, report.skipped))
        stream.write(f'  "finished": {dump(report.finished)}\n}}\n')


def _list(stream: TextIO, name: str, entries: Iterable[JSONValue]) -> None:
    stream.write(f'  "{name}": [')
    separator = "\n    "
    for entry in entries:
        stream.write(separator + dump(entry))
        separator = ",\n    "
    stream.write("],\n" if separator == "\n    " else "\n  ],\n")
