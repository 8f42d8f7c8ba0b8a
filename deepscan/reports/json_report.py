"""The report as JSON, as ``report.schema.json`` describes it.

Laid out for people and for programs: the record of the run is indented by 2, and ``items`` and ``skipped`` have one
entry a line, so that ``grep`` and ``diff`` answer per file and a report of a million files is never one string in
memory. It is one JSON document all the same, ends with a newline, and its keys stand in the declared order.

The seal at its end is made while it is written: the links of the hash chain over the entries
(:mod:`deepscan.reports.chain`), and the SHA-256 of every byte of the file up to that hash itself.

Characters that a terminal or an editor would act on or hide are escaped (:mod:`deepscan.reports.json_text`), so that
looking at a report is harmless and reading it back is exact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TextIO

from deepscan.reports.chain import METHOD, Chain, closing
from deepscan.reports.json_text import dump
from deepscan.reports.schema import escape, item_to_json, known_to_json, run_to_json, skipped_to_json
from deepscan.types import Document, JSONValue

SEALED = '"sha256": "'
"""What stands before the last value of the file, which is the hash of all bytes up to it."""

END = '"\n  }\n}\n'
"""What stands after it."""


class JsonReport:
    """``report.json``: everything, exactly; :mod:`deepscan.reports.schema` reads it back."""

    id: str = "json"
    title: str = "JSON: everything, for programs"
    names: tuple[str, ...] = ("report.json",)

    def render(self, report: Document, name: str, stream: TextIO) -> None:
        """Write the document. Raises ValueError for another name."""
        if name not in self.names:
            raise ValueError(f"the JSON report has no file {name!r}")
        digest = hashlib.sha256()
        for text in _texts(report):
            digest.update(text.encode())
            stream.write(text)
        stream.write(digest.hexdigest() + END)


def _texts(report: Document) -> Iterator[str]:
    """The document up to the hash over it."""
    run = dump(run_to_json(report.run), indent=2).replace("\n", "\n  ")
    yield f'{{\n  "schema": {dump(escape(report.schema))},\n  "run": {run},\n'
    chain, links = Chain(), list[str]()
    yield from _list("items", map(item_to_json, report.items), chain, links)
    yield from _list("skipped", map(skipped_to_json, report.skipped), chain, links)
    yield f'  "finished": {dump(report.finished)},\n'
    yield '  "known": ['
    yield ",".join(f"\n    {dump(known_to_json(known))}" for known in report.known)
    yield "\n  ],\n" if report.known else "],\n"
    yield f'  "seal": {{\n    "method": {dump(METHOD)},\n    "links": ['
    yield ",".join(f'\n      "{link}"' for link in links)
    yield "\n    " if links else ""
    yield f'],\n    "head": "{chain.head(closing(report))}",\n    {SEALED}'


def _list(name: str, entries: Iterable[JSONValue], chain: Chain, links: list[str]) -> Iterator[str]:
    yield f'  "{name}": ['
    separator = "\n    "
    for entry in entries:
        text = dump(entry)
        links.append(chain.link(text))
        yield separator + text
        separator = ",\n    "
    yield "],\n" if separator == "\n    " else "\n  ],\n"
