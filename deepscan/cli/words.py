"""A report in sentences: what was found, what it rests on, and what it does not show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from deepscan.text import clean, plural, size
from deepscan.types import Basis, Call, Evidence, Finding, ItemReport, Level, MediaItem, Outcome, PointsTo, ScanReport

OUTCOMES = {
    Outcome.DONE: "Done",
    Outcome.NOT_APPLICABLE: "Not applicable",
    Outcome.FAILED: "Could not be examined",
    Outcome.TIMED_OUT: "Gave up",
}

_OF = {
    PointsTo.GENERATED: "of AI generation or manipulation",
    PointsTo.EDITED: "of editing",
    PointsTo.AUTHENTIC: "of a camera's own picture",
    PointsTo.NEITHER: "",
}
_BASES = {
    Basis.DECLARED: "the file says so itself",
    Basis.MODEL: "by the model's score alone",
    Basis.CORROBORATED: "two independent kinds of evidence agree",
    Basis.CONFLICT: "the evidence contradicts itself",
    Basis.OBSERVED: "by traces in the file",
    Basis.BELOW_THRESHOLD: "the model's score is below its threshold",
    Basis.NO_USABLE_CHECK: "no check that can tell applied to this file",
}
_TERMS = {"non-commercial": "for research and other non-commercial use only"}
ABSENCE = "The absence of findings does not show that a picture is authentic."
"""Ends every report."""

MAX_VALUE = 160
"""Characters of one piece of evidence in the terminal."""


MAX_UNEXAMINED = 10
"""Files named in the terminal of those that could not be examined."""

MAX_WHY = 180
"""Characters of the reason beside a file in the summary table."""


def verdict(item: ItemReport) -> str:
    """The verdict in a sentence."""
    v = item.verdict
    match v.call:
        case Call.UNDETERMINED:
            text = f"Undetermined: {_BASES[v.basis]}."
        case Call.NO_EVIDENCE:
            text = f"No evidence found: {_BASES[v.basis]}."
        case _:
            text = f"{v.call.capitalize()} evidence {_OF[v.points_to]}: {_BASES[v.basis]}."
    if v.score is not None and v.threshold is not None:
        text += f" Model score {v.score:.2f}, threshold {v.threshold:.2f}."
    return text


def call(item: ItemReport) -> str:
    """The verdict in two words: how much, and of what."""
    v = item.verdict
    return v.call if v.points_to is PointsTo.NEITHER else f"{v.call}, {v.points_to}"


def because(item: ItemReport) -> str:
    """Why a file has its verdict, in a line: the findings it rests on, or the reasons nothing could be said."""
    found = [
        finding.summary
        for result in item.results
        for finding in result.findings
        if finding.code in item.verdict.because and finding.level is not Level.INFO
    ]
    if found:
        return _cut(" ".join(found))
    reasons = [
        f"{result.check}: {result.reason}"
        for result in item.results
        if result.outcome in (Outcome.FAILED, Outcome.TIMED_OUT)
    ] or [f"{result.check}: {result.reason}" for result in item.results if result.outcome is Outcome.NOT_APPLICABLE]
    return _cut(" ".join(reasons[-1:])) or _BASES[item.verdict.basis]


def _cut(text: str) -> str:
    return text if len(text) <= MAX_WHY else text[: MAX_WHY - 1] + "…"


def about(item: MediaItem) -> str:
    """What a file is, in a line."""
    return f"{item.container} {item.kind}, {size(item.size)}, SHA-256 {item.sha256}"


def evidence(finding: Finding) -> Iterator[str]:
    """The proof under a finding, a line each, bounded."""
    for piece in finding.evidence:
        if isinstance(piece.value, Mapping):
            lines = [f"{clean(name)}: {clean(str(value), MAX_VALUE)}" for name, value in piece.value.items()]
            together = f"{piece.label}{_where(piece)}: {'; '.join(lines)}"
            short = len(together) <= MAX_VALUE
            yield together if short else f"{piece.label}{_where(piece)}:"
            yield from () if short else (f"  {line}" for line in lines)
        else:
            yield f"{piece.label}: {clean(str(piece.value), MAX_VALUE)}{_where(piece)}"
        if piece.exhibit:
            yield f"  see {piece.exhibit}"


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
    calls = Counter(item.verdict.call for item in report.items)
    yield f"{plural(len(report.items) + len(report.skipped), 'file')}: {len(report.items):,} examined."
    for call in (Call.STRONG, Call.MODERATE, Call.WEAK, Call.NO_EVIDENCE, Call.UNDETERMINED):
        if calls[call]:
            yield f"  {call:<13} {calls[call]:>7,}"
    partly = sum(item.incomplete for item in report.items)
    if partly:
        yield f"  {partly:,} of them could be examined only in part."
    for code, number in sorted(Counter(s.code for s in report.skipped).items()):
        mark = "NOT EXAMINED" if code.incomplete else "left out"
        yield f"  {mark}: {plural(number, 'file')} ({code})"


def unexamined(report: ScanReport) -> Iterator[str]:
    """Files that should have been examined and were not, a line each with its reason, as far as there is room."""
    missed = [skipped for skipped in report.skipped if skipped.code.incomplete]
    for skipped in missed[:MAX_UNEXAMINED]:
        yield f"  {clean(str(skipped.path))}: {_cut(skipped.reason)}"
    if len(missed) > MAX_UNEXAMINED:
        yield f"  … and {len(missed) - MAX_UNEXAMINED:,} more: the reports have them all."


def limits(report: ScanReport) -> Iterator[str]:
    """What the reader must know before drawing conclusions."""
    if report.run.model is not None and report.run.model.get("licence_class") != "open":
        name, licence = report.run.model.get("name"), report.run.model.get("licence")
        terms = _TERMS.get(str(report.run.model.get("licence_class")), "licence unknown")
        yield f"Model {clean(str(name))}, {terms}: {clean(str(licence)).rstrip('.')}."
    yield ABSENCE
