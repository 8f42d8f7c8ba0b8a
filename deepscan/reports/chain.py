"""A hash chain over the entries of a report: each link covers an entry and the link before it.

::

    link 0  =  SHA-256 of "deepscan chain 1"
    link n  =  SHA-256 of  link n-1, a newline, and the text of entry n
    head    =  SHA-256 of  the last link, a newline, and the text of the closing record

Links are written in lower-case hexadecimal and hashed in that form. The text of an entry is its JSON on one line, in
UTF-8, exactly as ``report.json`` and ``report.jsonl`` have it; entries count through the examined files first and then
through the skipped ones. An entry that is changed, left out, added or moved breaks every link from there on. The
closing record says all that is not said of a file: :func:`closing`, the last line of ``report.jsonl`` without its head.
"""

from __future__ import annotations

import hashlib

from deepscan.reports.json_text import dump
from deepscan.reports.schema import escape, known_to_json, run_to_json
from deepscan.types import Document

METHOD = "deepscan chain 1"
"""Names the method, and is what the first link is made of."""

FIRST = hashlib.sha256(METHOD.encode()).hexdigest()
"""Link 0."""


def link_after(last: str, text: str) -> str:
    """The link of an entry, by its text and the link before it."""
    return hashlib.sha256(f"{last}\n{text}".encode("utf-8", "surrogateescape")).hexdigest()


def closing(report: Document) -> str:
    """The text of the closing record of a report."""
    return dump(
        {
            "schema": escape(report.schema),
            "run": run_to_json(report.run),
            "finished": report.finished,
            "known": [known_to_json(known) for known in report.known],
            "examined": len(report.items),
            "skipped": len(report.skipped),
        }
    )


class Chain:
    """A chain under way."""

    def __init__(self) -> None:
        self._last = FIRST

    def link(self, text: str) -> str:
        """Add an entry by its text; returns its link."""
        self._last = link_after(self._last, text)
        return self._last

    def head(self, text: str) -> str:
        """The head over all entries so far and the text of the closing record; the chain stays as it is."""
        return link_after(self._last, text)
