"""A hash chain over the entries of a report: each link covers an entry and the link before it.

::

    link 0  =  SHA-256 of "deepscan chain 1"
    link n  =  SHA-256 of  link n-1, a newline, and the text of entry n
    head    =  SHA-256 of  the last link, a newline, and the text of the record of the run

Links are written in lower-case hexadecimal and hashed in that form. The text of an entry is its JSON on one line, in
UTF-8, exactly as ``report.json`` and ``report.jsonl`` have it; entries count through the examined files first and then
through the skipped ones. An entry that is changed, left out, added or moved breaks every link from there on.
"""

from __future__ import annotations

import hashlib

METHOD = "deepscan chain 1"
"""Names the method, and is what the first link is made of."""


class Chain:
    """A chain under way."""

    def __init__(self) -> None:
        self._last = hashlib.sha256(METHOD.encode()).hexdigest()

    def link(self, text: str) -> str:
        """Add an entry by its text; returns its link."""
        self._last = hashlib.sha256(f"{self._last}\n{text}".encode()).hexdigest()
        return self._last

    def head(self, run: str) -> str:
        """The head over all entries so far and the text of the record of the run; the chain stays as it is."""
        return hashlib.sha256(f"{self._last}\n{run}".encode()).hexdigest()
