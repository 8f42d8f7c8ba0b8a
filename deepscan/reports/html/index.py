"""The index of an HTML report: what its table shows of every file, column by column, and the words for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from deepscan import explain
from deepscan.errors import UsageError
from deepscan.reports import words
from deepscan.reports.html.islands import Texts
from deepscan.reports.schema import escape
from deepscan.text import plural
from deepscan.types import Family, ItemReport, JSONValue, RunInfo, SkipCode, Skipped

NOT_EXAMINED, LEFT_OUT = "not-examined", "left-out"
"""What stands in the column of calls for a file that was skipped: it should have been examined, or not."""

CALLS: tuple[str, ...] = (*words.CALLS, NOT_EXAMINED, LEFT_OUT)
"""The words of the column of calls, in the order that the table begins in; the column holds places in it."""


@dataclass(slots=True)
class Index:
    """Columns of equal length, a row per file; numbers are places in :data:`CALLS` or in the table of texts."""

    run: RunInfo
    name: list[str] = field(default_factory=list)
    root: list[int] = field(default_factory=list)
    call: list[int] = field(default_factory=list)
    points: list[int] = field(default_factory=list)
    account: list[int] = field(default_factory=list)
    why: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    container: list[int] = field(default_factory=list)
    size: list[int | None] = field(default_factory=list)
    score: list[float | None] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    partial: list[int] = field(default_factory=list)
    part: list[int] = field(default_factory=list)
    texts: Texts = field(default_factory=Texts)
    skips: Counter[SkipCode] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    _accounts: dict[tuple[str, tuple[str, ...], tuple[str, ...]], int] = field(default_factory=dict)

    @property
    def families(self) -> dict[str, Family]:
        """The family of every check of the run."""
        return {check.id: check.family for check in self.run.checks}

    def add(self, report: ItemReport, part: int) -> None:
        """A row for an examined file, whose details lie in a part."""
        item, verdict = report.item, report.verdict
        codes = sorted({finding.code for result in report.results for finding in result.findings})
        self.found.update(codes)
        self._row(str(item.name), item.root.as_posix(), CALLS.index(verdict.call), words.because(report))
        self.points.append(self.texts.place(verdict.points_to))
        self.account.append(self._account(report))
        self.kind.append(self.texts.place(item.kind))
        self.container.append(self.texts.place(item.container))
        self.size.append(item.size)
        self.score.append(None if verdict.score is None else round(verdict.score, 4))
        self.sha256.append(item.sha256)
        self.codes.append(self.texts.place(" ".join(codes)))
        self.partial.append(int(report.incomplete))
        self.part.append(part)

    def skip(self, skipped: Skipped) -> None:
        """A row for a file that was not examined."""
        self.skips[skipped.code] += 1
        call = NOT_EXAMINED if skipped.code.incomplete else LEFT_OUT
        self._row(skipped.path.name, skipped.path.parent.as_posix(), CALLS.index(call), skipped.reason)
        nothing = self.texts.place("")
        for column in (self.points, self.kind, self.container, self.codes):
            column.append(nothing)
        self.account.append(-1)
        self.size.append(None)
        self.score.append(None)
        self.sha256.append("")
        self.partial.append(0)
        self.part.append(-1)

    def _row(self, name: str, root: str, call: int, why: str) -> None:
        self.name.append(escape(name))
        self.root.append(self.texts.place(root))
        self.call.append(call)
        self.why.append(self.texts.place(words.cut(why)))

    def _account(self, report: ItemReport) -> int:
        behind = words.families_behind(report, self.families)
        key = (
            words.verdict_alone(report.verdict),
            words.does_not_show(report.verdict, behind),
            words.would_settle(report.verdict, behind),
        )
        return self._accounts.setdefault(key, len(self._accounts))

    def counts(self) -> dict[str, int]:
        """How many files got which call, in the order of :data:`CALLS`."""
        counted = Counter(self.call)
        return {name: counted[place] for place, name in enumerate(CALLS)}

    def gravest_first(self) -> list[int]:
        """The rows in the order that the table begins in."""
        return sorted(range(len(self.name)), key=lambda i: (self.call[i], -(self.score[i] or 0.0), self.name[i]))

    def as_json(self) -> JSONValue:
        """All columns, and the texts they refer to."""
        columns: dict[str, Sequence[JSONValue]] = {
            "name": self.name,
            "root": self.root,
            "call": self.call,
            "points": self.points,
            "account": self.account,
            "why": self.why,
            "kind": self.kind,
            "container": self.container,
            "size": self.size,
            "score": self.score,
            "sha256": self.sha256,
            "codes": self.codes,
            "partial": self.partial,
            "part": self.part,
        }
        return {"texts": self.texts.all(), "calls": list(CALLS), **columns}

    def words(self) -> JSONValue:
        """What the page says about verdicts, checks and findings: each sentence once."""
        return {
            "accounts": [
                {"sentence": sentence, "not_shown": list(not_shown), "settle": list(settle)}
                for sentence, not_shown, settle in self._accounts
            ],
            "calls": {str(call): said for call, said in words.CALLS.items()}
            | {NOT_EXAMINED: "Not examined", LEFT_OUT: "Left out"},
            "families": {str(family): said for family, said in words.FAMILIES.items()},
            "outcomes": {str(outcome): said for outcome, said in words.OUTCOMES.items()},
            "checks": {
                check.id: {"title": check.title, "family": str(check.family), "version": check.version}
                for check in self.run.checks
            },
            "pages": dict(self._pages()),
        }

    def _pages(self) -> Iterator[tuple[str, JSONValue]]:
        for code in sorted(self.found):
            try:
                page = explain.page(code)
            except UsageError:  # a finding of a check from another package: it has no page here
                continue
            yield code, {"title": page.title, "parts": [[heading, text] for heading, text in page.parts]}

    def kinds(self) -> str:
        """How many files of which kind were examined, in words: ``12 images, 1 video``."""
        counted = Counter(place for place, part in zip(self.kind, self.part, strict=True) if part >= 0)
        return ", ".join(sorted(plural(number, self.texts.text(place)) for place, number in counted.items()))

    def text(self, place: int) -> str:
        """What a column that refers to the table of texts says."""
        return self.texts.text(place)
