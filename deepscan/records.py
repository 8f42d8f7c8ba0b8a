"""Records that stand beside the answers in a report: what accepts a file, and what seals the bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A file whose verdict was known and accepted before: it ends no scan with exit code 1, and stays in the report.

    ``source`` is ``baseline`` or ``suppression``; a suppression has a reason, an author and an expiry (ISO 8601 date).
    """

    sha256: str
    source: str
    reason: str | None = None
    author: str | None = None
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """What a written ``report.json`` says of its own bytes, so that a change can be found, and where.

    ``links`` are those of the hash chain (:mod:`deepscan.reports.chain`), one for every entry; ``head`` is its head;
    ``sha256`` is of all bytes of the file before this value.
    """

    method: str
    links: tuple[str, ...]
    head: str
    sha256: str
