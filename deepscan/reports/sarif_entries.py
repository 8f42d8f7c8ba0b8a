"""What one file adds to a SARIF log, as JSON text: results, artifact, notifications, and the rules they name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePath
from typing import Final
from urllib.parse import quote

from deepscan.reports import words
from deepscan.reports.json_text import dump
from deepscan.reports.schema import escape
from deepscan.reports.titles import pages
from deepscan.reports.troubles import Kind, troubles
from deepscan.text import clean
from deepscan.types import Finding, ItemReport, JSONValue, Known, Level, Skipped

MAX_MESSAGE = 1_000
"""Characters of a message: viewers show about so many."""

LEVELS = {Level.INFO: "none", Level.WEAK: "note", Level.MODERATE: "warning", Level.STRONG: "error"}
"""The words of SARIF (3.27.10) for how much a finding is worth."""

BASES: Final[dict[str, JSONValue]] = {"%SRCROOT%": {"description": {"text": "The folder that deepscan was called in."}}}
"""What relative addresses start from. Absolute ones are ``file:`` addresses."""

_PER_ENTRY = 12  # bytes of comma, line end and indentation


@dataclass(slots=True)
class Entry:
    """What one file adds to a run."""

    results: list[str] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    rules: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes it adds at most: a rule that the run has already is not written again."""
        texts = (*self.results, *self.artifacts, *self.notifications, *self.rules.values())
        return sum(len(text.encode()) + _PER_ENTRY for text in texts)


def examined(report: ItemReport, most: int, known: Known | None = None) -> Iterator[Entry]:
    """The entry of an examined file, or several where it has more than ``most`` findings."""
    findings = [finding for result in report.results for finding in result.findings if finding.level is not Level.INFO]
    for start in range(0, max(1, len(findings)), most):
        part = findings[start : start + most]
        yield Entry(
            [dump(_result(report, finding, known)) for finding in part],
            [dump(_artifact(report))],
            [] if start else [dump(notice) for notice in _notices(report)],
            {finding.code: rule(finding.code) for finding in part},
        )


def left_out(skipped: Skipped) -> Entry:
    """The entry of a file that was not examined."""
    words = f"{_shown(skipped.path.as_posix())}: {_shown(skipped.reason)}"
    level = "error" if skipped.code.incomplete else "note"
    return Entry(notifications=[dump(_notice(str(skipped.code), level, words, skipped.path))])


@cache
def rule(code: str) -> str:
    """The rule of a finding code, with its page as help."""
    page = pages().get(code)
    if page is None:  # a check of another package
        return dump({"id": escape(code), "shortDescription": {"text": _shown(code)}})
    plain = page.body.replace("**", "").replace("`", "")
    return dump(
        {
            "id": code,
            "shortDescription": {"text": page.title},
            "fullDescription": {"text": page.title},
            "help": {"text": plain, "markdown": page.body},
            "properties": {"tags": ["media-forensics"]},
        }
    )


def address(path: PurePath) -> str:
    """A path as the URI reference of SARIF: its bytes, percent-encoded; ``file:`` where it is absolute."""
    text = path.as_posix()
    try:
        data = text.encode("utf-8", "surrogateescape")  # the bytes that the name has on the disk
    except UnicodeEncodeError:  # half of a pair, which no file name on POSIX gives
        data = text.encode("utf-8", "surrogatepass")
    shown = quote(data, safe="/")
    if path.is_absolute():
        return f"file://{'' if shown.startswith('/') else '/'}{shown}"
    return shown


def _location(path: PurePath) -> dict[str, JSONValue]:
    return {"uri": address(path)} if path.is_absolute() else {"uri": address(path), "uriBaseId": "%SRCROOT%"}


def _physical(path: PurePath) -> JSONValue:
    # GitHub shows no result without a line, and a picture has none.
    return {"physicalLocation": {"artifactLocation": _location(path), "region": {"startLine": 1}}}


def _artifact(report: ItemReport) -> JSONValue:
    item, verdict = report.item, report.verdict
    return {
        "location": _location(item.path),
        "length": item.size,
        "hashes": {"sha-256": item.sha256},
        "properties": {
            "name": _shown(str(item.name)),
            "container": escape(item.container),
            "call": str(verdict.call),
            "pointsTo": str(verdict.points_to),
            "basis": str(verdict.basis),
            "score": verdict.score,
            "because": [escape(code) for code in verdict.because],
        },
    }


def _result(report: ItemReport, finding: Finding, accepted: Known | None) -> JSONValue:
    item, verdict = report.item, report.verdict
    known = hashlib.sha256(f"{item.sha256} {escape(finding.code)}".encode()).hexdigest()
    summary = _shown(finding.summary)
    text = f"{_shown(str(item.name))}: {summary} (verdict: {verdict.call}, {verdict.points_to}; {verdict.basis})"
    suppressions: dict[str, JSONValue] = {}
    if accepted is not None:
        entry: JSONValue = {"kind": "external", "status": "accepted", "justification": words.accepted(accepted)}
        suppressions = {"suppressions": [entry]}
    return {
        "ruleId": escape(finding.code),
        "level": LEVELS[finding.level],
        "message": {"text": _plain(text)},
        "locations": [_physical(item.path)],
        # GitHub matches alerts by primaryLocationLineHash alone; the other one says what it is.
        "partialFingerprints": {"primaryLocationLineHash": f"{known[:16]}:1", "deepscan/contentAndCode/v1": known},
        **suppressions,
        "properties": {"pointsTo": str(finding.points_to), "sha256": item.sha256},
    }


def _notices(report: ItemReport) -> Iterator[JSONValue]:
    for trouble in troubles(report):
        words = f"{_shown(str(report.item.name))}: {trouble.check} {trouble.kind}: {_shown(trouble.reason)}"
        level = "warning" if trouble.kind is Kind.IN_PART else "error"
        yield _notice(f"{trouble.check}/{trouble.kind.replace(' ', '-')}", level, words, report.item.path)


def _notice(kind: str, level: str, words: str, path: PurePath) -> JSONValue:
    where: JSONValue = [{"physicalLocation": {"artifactLocation": _location(path)}}]
    return {
        "descriptor": {"id": escape(kind)},
        "level": level,
        "message": {"text": _plain(words)},
        "locations": where,
    }


def _shown(text: str) -> str:
    return clean(text, MAX_MESSAGE)


def _plain(text: str) -> str:
    """Text of a message as it is meant: there, brackets make links and braces place holders (SARIF 3.11.5, 3.11.6)."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace("{", "{{").replace("}", "}}")
