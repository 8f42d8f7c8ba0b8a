"""The report as JUnit XML, for CI servers that show test results: a test case per file.

A file fails where its verdict is at or above the run's ``fail_on``; it is an error where it should have been examined
and was not, or a check on it failed; it is skipped where it was left out on purpose, or its verdict was accepted
before. All else passes. XML 1.0 has no place for control characters, surrogates and two non-characters: they become
visible escapes (:func:`deepscan.text.clean`), and long text is cut.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from deepscan.reports import words
from deepscan.reports.troubles import causes
from deepscan.text import clean
from deepscan.types import Call, Document, ItemReport, Level, Skipped

MAX_TEXT = 2000
"""Characters of a name, a message or a reason."""

LEVELS = {Call.WEAK: Level.WEAK, Call.MODERATE: Level.MODERATE, Call.STRONG: Level.STRONG}

_NO_CHARACTER = re.compile("[\ufffe\uffff]")  # https://www.w3.org/TR/xml/#charsets


class JUnitReport:
    """``report.junit.xml``: a test case per file."""

    id: str = "junit"
    title: str = "JUnit XML: a test case per file, for CI servers"
    names: tuple[str, ...] = ("report.junit.xml",)

    def render(self, report: Document, name: str, stream: TextIO) -> None:
        """Write the file; goes through the entries twice, to count first. Raises ValueError for another name."""
        if name not in self.names:
            raise ValueError(f"the JUnit report has no file {name!r}")
        fail_on = _fail_on(report)
        known = {known.sha256: words.accepted(known) for known in report.known}
        counts, seconds = _count(report, fail_on, known)
        suite = {
            "name": "deepscan",
            "tests": str(len(report.items) + len(report.skipped)),
            "failures": str(counts["failure"]),
            "errors": str(counts["error"]),
            "skipped": str(counts["skipped"]),
            "time": f"{seconds:.3f}",
            "timestamp": _timestamp(report.run.started),
            "hostname": report.run.host.get("name") or "localhost",
        }
        stream.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n  <testsuite{_attributes(suite)}>\n')
        stream.write("    <properties>\n")
        properties = {"deepscan": report.run.version, "fail_on": str(report.run.options.get("fail_on", ""))}
        for key, value in (properties | {"finished": str(report.finished).lower()}).items():
            stream.write(f"      <property{_attributes({'name': key, 'value': value})}/>\n")
        stream.write("    </properties>\n")
        stream.writelines(_cases(report, fail_on, known))
        stream.write("  </testsuite>\n</testsuites>\n")


def _fail_on(report: Document) -> Level | None:
    """The level from which the run fails. A report that does not say so is read with the default, moderate."""
    word = report.run.options.get("fail_on")
    return None if word == "never" else Level(word) if word in list(Level) else Level.MODERATE


def _count(report: Document, fail_on: Level | None, known: Mapping[str, str]) -> tuple[Counter[str], float]:
    """How many cases end in a failure, an error, skipped, or well (""); and the seconds of all."""
    counts = Counter(_left_out(skipped) for skipped in report.skipped)
    seconds = 0.0
    for item in report.items:
        counts[_examined(item, fail_on, known)[0]] += 1
        seconds += _seconds(item)
    return counts, seconds


def _cases(report: Document, fail_on: Level | None, known: Mapping[str, str]) -> Iterator[str]:
    for item in report.items:
        kind, message, kind_of = _examined(item, fail_on, known)
        case = {"classname": _folder(item), "name": str(item.item.name), "time": f"{_seconds(item):.3f}"}
        yield _case(case, kind, message, kind_of, "\n".join(_details(item)))
    for skipped in report.skipped:
        kind = _left_out(skipped)
        case = {"classname": skipped.path.parent.as_posix(), "name": skipped.path.name, "time": "0.000"}
        message = f"{'Not examined' if kind == 'error' else 'Left out'}: {_safe(skipped.reason)}"
        yield _case(case, kind, message, str(skipped.code), "")


def _left_out(skipped: Skipped) -> str:
    return "error" if skipped.code.incomplete else "skipped"


def _examined(item: ItemReport, fail_on: Level | None, known: Mapping[str, str]) -> tuple[str, str, str]:
    verdict = item.verdict
    level = LEVELS.get(verdict.call)
    if fail_on is not None and level is not None and level.rank >= fail_on.rank:
        if item.item.sha256 in known and not item.incomplete:
            return "skipped", f"{verdict.call} evidence, {known[item.item.sha256]}", "accepted"
        because = ", ".join(verdict.because)
        return "failure", f"{verdict.call} evidence, {verdict.points_to} ({verdict.basis}): {because}", verdict.call
    if item.incomplete:
        return "error", f"Examined only in part; the verdict so far is {verdict.call}", "incomplete"
    return "", "", ""


def _details(item: ItemReport) -> Iterator[str]:
    yield f"{item.item.container} {item.item.kind}, {item.item.size} bytes, SHA-256 {item.item.sha256}"
    yield f"verdict: {item.verdict.call}, {item.verdict.points_to}, {item.verdict.basis}"
    for cause in causes(item):
        yield f"{', '.join(cause.checks)} {cause.kind}: {_safe(cause.reason)}"
    for result in item.results:
        for finding in result.findings:
            yield f"{finding.code} ({finding.level}, {finding.points_to}): {_safe(finding.summary)}"


def _case(attributes: dict[str, str], kind: str, message: str, kind_of: str, details: str) -> str:
    head = f"    <testcase{_attributes(attributes)}"
    if not kind:
        return f"{head}/>\n"
    text = "\n".join(escape(_safe(line)) for line in details.splitlines())
    inner = f"<{kind}{_attributes({'type': kind_of, 'message': message})}>{text}</{kind}>"
    return f"{head}>\n      {inner}\n    </testcase>\n"


def _attributes(values: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(_safe(value) or '-')}" for name, value in values.items())


def _safe(text: str) -> str:
    """Text that XML can hold, in one line."""
    return _NO_CHARACTER.sub(lambda m: f"\\u{ord(m[0]):04x}", clean(text, MAX_TEXT))


def _folder(item: ItemReport) -> str:
    return item.item.path.parent.as_posix()


def _seconds(item: ItemReport) -> float:
    return sum(result.seconds for result in item.results)


def _timestamp(text: str) -> str:
    """The start as JUnit writes it: to the second, in UTC, without a time zone."""
    return clean(text)[:19]
