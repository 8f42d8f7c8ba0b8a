"""A report in lines for the terminal. The sentences themselves are those of :mod:`deepscan.reports.words`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from deepscan.reports import words as said
from deepscan.reports.words import ABSENCE, cut, terms
from deepscan.text import clean, plural, size
from deepscan.types import Call, Evidence, Family, Finding, JSONValue, MediaItem, Outcome, ScanReport

MAX_VALUE = 400
"""Characters of one piece of evidence in the terminal: deepscan's own words on a map, and the 64 steps of a JPEG table,
are shorter.
"""

ONE_LINE = 160
"""Characters up to which a piece of several values stands in one line."""

MAX_UNEXAMINED = 10
"""Files named in the terminal of those that could not be examined."""


def about(item: MediaItem) -> str:
    """What a file is, in a line."""
    return f"{item.container} {item.kind}, {size(item.size)}, SHA-256 {item.sha256}"


MAX_ENTRIES = 8
"""Entries of a list in the terminal, where each is more than a word."""


def evidence(finding: Finding) -> Iterator[str]:
    """What a finding rests on, a line each, bounded."""
    for piece in finding.evidence:
        lines = _lines(piece.value)
        if lines is not None:
            together = f"{piece.label}{_where(piece)}: {'; '.join(lines)}"
            short = len(together) <= ONE_LINE
            yield together if short else f"{piece.label}{_where(piece)}:"
            yield from () if short else (f"  {line}" for line in lines)
        else:
            # A picture needs no value.
            shown = piece.value is None and piece.exhibit is not None
            value = "" if shown else f": {clean(_plain(piece.value), MAX_VALUE)}"
            yield f"{piece.label}{value}{_where(piece)}"
        if piece.exhibit:
            yield f"  see {piece.exhibit}"


def _lines(value: JSONValue) -> list[str] | None:
    """A mapping, or a list of more than words, as a line for each entry; None for what stands in one line."""
    if isinstance(value, Mapping):
        return [f"{clean(name)}: {clean(_plain(inner), MAX_VALUE)}" for name, inner in value.items()]
    if isinstance(value, list) and any(isinstance(entry, (Mapping, list)) for entry in value):
        lines = [clean(_plain(entry), MAX_VALUE) for entry in value[:MAX_ENTRIES]]
        return lines + ([f"and {len(value) - MAX_ENTRIES:,} more"] if len(value) > MAX_ENTRIES else [])
    return None


def _plain(value: JSONValue) -> str:
    """A free value as people write it, not as a program does."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _where(piece: Evidence) -> str:
    if piece.where is None:
        return ""
    parts = []
    if piece.where.seconds is not None:
        parts.append(f"at {piece.where.seconds:.2f} s")
    if piece.where.box is not None:
        b = piece.where.box
        parts.append(f"in the box {b.width} x {b.height} at ({b.x}, {b.y})")
    return f" ({', '.join(parts)})" if parts else ""


def counts(report: ScanReport) -> Iterator[str]:
    """How many files got which verdict, and what was not examined and why."""
    calls: Counter[Call] = Counter()
    partly = 0
    for item in report.items:
        calls[item.verdict.call] += 1
        partly += item.incomplete
    yield f"{plural(len(report.items) + len(report.skipped), 'file')}: {len(report.items):,} examined."
    for call in (Call.STRONG, Call.MODERATE, Call.WEAK, Call.NO_EVIDENCE, Call.UNDETERMINED):
        if calls[call]:
            yield f"  {call:<13} {calls[call]:>7,}"
    if partly:
        yield f"  {partly:,} of them could be examined only in part."
    if report.known:
        known = {known.sha256 for known in report.known}
        number = sum(item.item.sha256 in known for item in report.items)
        yield f"  {number:,} of them {'was' if number == 1 else 'were'} accepted before."
    for code, number in said.missing_first(Counter(s.code for s in report.skipped)):
        mark = "NOT EXAMINED" if code.incomplete else "left out"
        yield f"  {mark}: {plural(number, 'file')} ({code})"


def accepted(report: ScanReport) -> Iterator[str]:
    """By what the one file of a report is accepted, in a sentence; nothing when it is not."""
    (item,) = report.items
    for known in report.known:
        if known.sha256 == item.item.sha256:
            clause = said.accepted(known).rstrip(".")
            yield f"{clause[0].upper()}{clause[1:]}. So it does not end the scan with exit code 1."


def unexamined(report: ScanReport) -> Iterator[str]:
    """Files that should have been examined and were not, a line each with its reason, as far as there is room."""
    missed = [skipped for skipped in report.skipped if skipped.code.incomplete]
    for skipped in missed[:MAX_UNEXAMINED]:
        yield f"  {clean(str(skipped.path))}: {cut(skipped.reason)}"
    if len(missed) > MAX_UNEXAMINED:
        yield f"  … and {len(missed) - MAX_UNEXAMINED:,} more: a report (-o FOLDER) lists them all."


def limits(report: ScanReport) -> Iterator[str]:
    """What the reader must know before drawing conclusions. A model's terms are said of one file where it answered."""
    models = {check.id for check in report.run.checks if check.family is Family.MODEL}
    answered = (r.outcome is Outcome.DONE for item in report.items for r in item.results if r.check in models)
    if len(report.items) > 1 or any(answered):
        yield from terms(report.run)
    yield ABSENCE
