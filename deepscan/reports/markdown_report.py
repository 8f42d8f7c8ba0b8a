"""The report as a summary in GitHub's Markdown, for pull requests and ``$GITHUB_STEP_SUMMARY``.

It fits where it goes: at most :data:`MAX_ROWS` files of a kind are named and the rest is counted, which keeps it under
the mebibyte that a step summary may have. Everything that comes from a file stands in a code span, where Markdown has
no markup, mentions, links or HTML; a fence longer than any run of back quotes in it keeps it there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TextIO

from deepscan.reports import words
from deepscan.reports.titles import titles
from deepscan.reports.troubles import causes
from deepscan.text import clean, plural
from deepscan.types import Call, Document, ItemReport, Known, Skipped

MAX_ROWS = 200
"""Files named in each of the lists."""

MAX_NAME, MAX_REASON = 300, 200
"""Characters of a name and of a reason."""

_FLAGGED = tuple(call for call in words.CALLS if call is not Call.NO_EVIDENCE)


class MarkdownReport:
    """``report.md``: the counts, and the files that matter first."""

    id: str = "markdown"
    title: str = "Markdown: a summary for pull requests and step summaries"
    names: tuple[str, ...] = ("report.md",)

    def render(self, report: Document, name: str, stream: TextIO) -> None:
        """Write the summary; goes through the files once for every call. Raises ValueError for another name."""
        if name not in self.names:
            raise ValueError(f"the Markdown report has no file {name!r}")
        stream.writelines(f"{line}\n" for line in _lines(report))


def code(text: str, limit: int = MAX_NAME) -> str:
    """Untrusted text as a code span."""
    shown = clean(text, limit) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    # A space next to the fence where the text begins or ends with a back quote; Markdown takes one of each away.
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def _lines(report: Document) -> Iterator[str]:
    calls = Counter(item.verdict.call for item in report.items)
    partly = sum(item.incomplete for item in report.items)
    left_out = Counter(skipped.code for skipped in report.skipped)
    yield "## deepscan"
    yield ""
    yield f"{plural(len(report.items) + len(report.skipped), 'file')}, {len(report.items):,} examined."
    if not report.finished:
        yield ""
        yield "**The scan was interrupted: files are missing.**"
    yield ""
    yield "| | files |"
    yield "|---|---:|"
    yield from (f"| {call} | {calls[call]:,} |" for call in words.CALLS if calls[call])
    if partly:
        yield f"| examined only in part | {partly:,} |"
    known = {known.sha256: known for known in report.known}
    if known:
        yield f"| accepted before | {sum(item.item.sha256 in known for item in report.items):,} |"
    for skip, number in words.missing_first(left_out):
        yield f"| {'**not examined**' if skip.incomplete else 'left out'}: {skip} | {number:,} |"
    yield ""
    flagged = sum(calls[call] for call in _FLAGGED)
    yield from _list("### What was found", (_found(item, known) for item in _worst(report)), flagged)
    missed = sum(number for skip, number in left_out.items() if skip.incomplete)
    yield from _list("### Not examined", map(_missed, _unexamined(report)), missed)
    quiet = (_found(item, known) for item in report.items if item.verdict.call is Call.NO_EVIDENCE)
    yield from _details("No evidence found", quiet, calls[Call.NO_EVIDENCE])
    others = (_missed(skipped) for skipped in report.skipped if not skipped.code.incomplete)
    yield from _details("Left out", others, sum(left_out.values()) - missed)
    yield f"deepscan {code(report.run.version)}, {code(report.run.started)}."
    yield words.ABSENCE


def _worst(report: Document) -> Iterator[ItemReport]:
    for call in _FLAGGED:
        yield from (item for item in report.items if item.verdict.call is call)


def _unexamined(report: Document) -> Iterator[Skipped]:
    return (skipped for skipped in report.skipped if skipped.code.incomplete)


def _found(item: ItemReport, known: Mapping[str, Known]) -> str:
    why = "; ".join(_why(item))
    accepted = known.get(item.item.sha256)
    if accepted is not None:
        why += f" ({code(words.accepted(accepted))})"
    said = f"**{words.call(item)}**, {words.BASES[item.verdict.basis]}"
    return f"{code(str(item.item.name))}: {said}{f': {why}' if why else ''}"


def _why(item: ItemReport) -> Iterator[str]:
    known = titles()
    for found in item.verdict.because:
        yield f"{code(found)} {known[found]}" if found in known else code(found)
    for cause in causes(item):
        yield f"{', '.join(map(code, cause.checks))} {cause.kind}: {code(cause.reason, MAX_REASON)}"


def _missed(skipped: Skipped) -> str:
    return f"{code(skipped.path.as_posix())}: {skipped.code}: {code(skipped.reason, MAX_REASON)}"


def _list(head: str, rows: Iterable[str], number: int) -> Iterator[str]:
    if number:
        yield head
        yield ""
        yield from (f"- {row}" for row in islice(rows, MAX_ROWS))
        if number > MAX_ROWS:
            yield f"- … and {number - MAX_ROWS:,} more: the other reports have them all."
        yield ""


def _details(title: str, rows: Iterable[str], number: int) -> Iterator[str]:
    yield from _list(f"<details><summary>{title}: {plural(number, 'file')}</summary>", rows, number)
    if number:
        yield "</details>"
        yield ""
