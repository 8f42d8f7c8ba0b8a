"""The report as JSON, as ``report.schema.json`` describes it.

Laid out for people and for programs: the record of the run is indented by 2, and ``items`` and ``skipped`` have one
entry a line, so that ``grep`` and ``diff`` answer per file and a report of a million files is never one string in
memory. It is one JSON document all the same, ends with a newline, and its keys stand in the declared order.

Characters that a terminal or an editor would act on or hide (control codes, bidi overrides, zero-width marks) are
written as JSON's own escapes, so that looking at a report is harmless and reading it back is exact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TextIO

from deepscan.reports.schema import escape, item_to_json, run_to_json, skipped_to_json
from deepscan.types import JSONValue, ScanReport

# What text.clean() makes visible (Unicode categories Cc, Cf, Zl, Zp; a test compares), less what json escapes anyway.
_INVISIBLE = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f]"
)


class JsonReport:
    """``report.json``: everything, exactly; :mod:`deepscan.reports.schema` reads it back."""

    id: str = "json"
    title: str = "JSON: everything, for programs"
    names: tuple[str, ...] = ("report.json",)

    def render(self, report: ScanReport, name: str, stream: TextIO) -> None:
        """Write the document. Raises ValueError for another name."""
        if name not in self.names:
            raise ValueError(f"the JSON report has no file {name!r}")
        run = _dump(run_to_json(report.run), indent=2).replace("\n", "\n  ")
        stream.write(f'{{\n  "schema": {_dump(escape(report.schema))},\n  "run": {run},\n')
        _list(stream, "items", map(item_to_json, report.items))
        _list(stream, "skipped", map(skipped_to_json, report.skipped))
        stream.write(f'  "finished": {_dump(report.finished)}\n}}\n')


def _list(stream: TextIO, name: str, entries: Iterable[JSONValue]) -> None:
    stream.write(f'  "{name}": [')
    separator = "\n    "
    for entry in entries:
        stream.write(separator + _dump(entry))
        separator = ",\n    "
    stream.write("],\n" if separator == "\n    " else "\n  ],\n")


def _dump(value: JSONValue, indent: int | None = None) -> str:
    # ensure_ascii=False is safe: the schema has escaped every lone surrogate, so the text is valid UTF-8.
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    # Outside strings a JSON text is ASCII, so what is replaced here stands in a string, where this escape may stand.
    return text if text.isascii() and "\x7f" not in text else _INVISIBLE.sub(lambda m: json.dumps(m[0])[1:-1], text)
