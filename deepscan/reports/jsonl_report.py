"""The report as JSON Lines: a line per file, in the order of the scan, written while it runs where that is asked for.

The first line names the schema. Then every examined file has a line, with the fields of an entry of ``items`` in
``report.json``, then every skipped one, with those of ``skipped``; ``link`` is its place in the hash chain
(:mod:`deepscan.reports.chain`). The last line is the closing record with the head of the chain: where it is missing,
the report is not whole.
"""

from __future__ import annotations

from typing import TextIO

from deepscan.reports.chain import Chain, closing
from deepscan.reports.json_text import dump
from deepscan.reports.schema import SCHEMA_VERSION, escape, item_to_json, skipped_to_json
from deepscan.types import Document, ItemReport

LINK, HEAD = ', "link": "', ', "head": "'
"""What stands between the text that is hashed and its hash."""


class JsonLinesReport:
    """``report.jsonl``: everything, a line per file."""

    id: str = "jsonl"
    title: str = "JSON Lines: a line per file, as they finish"
    names: tuple[str, ...] = ("report.jsonl",)

    def render(self, report: Document, name: str, stream: TextIO) -> None:
        """Write the lines. Raises ValueError for another name."""
        if name not in self.names:
            raise ValueError(f"the JSON Lines report has no file {name!r}")
        lines = JsonLines(stream, report.schema)
        for item in report.items:
            lines.examined(item)
        lines.end(report)


class JsonLines:
    """A report of JSON Lines under way. Skipped files wait for the end, so that the same scan gives the same lines."""

    def __init__(self, stream: TextIO, schema: str = SCHEMA_VERSION) -> None:
        self._stream = stream
        self._chain = Chain()
        stream.write(first_line(schema))

    def examined(self, item: ItemReport) -> None:
        """Write the line of an examined file at once, through every buffer that the stream has."""
        self._entry(dump(item_to_json(item)))
        self._stream.flush()

    def end(self, report: Document) -> None:
        """Write the lines of the skipped files and the last line, when all examined ones are written."""
        for skipped in report.skipped:
            self._entry(dump(skipped_to_json(skipped)))
        last = closing(report)
        self._stream.write(f'{last[:-1]}{HEAD}{self._chain.head(last)}"}}\n')

    def _entry(self, text: str) -> None:
        self._stream.write(f'{text[:-1]}{LINK}{self._chain.link(text)}"}}\n')


def first_line(schema: str) -> str:
    """The line that names the schema."""
    return dump({"schema": escape(schema)}) + "\n"
