"""The account of a scan on a terminal: one file in full, or a folder with the gravest files first.

Everything is laid out for the width there is, from 60 columns to 200, and reads the same without colour: how much a
finding is worth is a word before it is a colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console as RichConsole
from rich.style import Style
from rich.text import Text

from deepscan.cli import words
from deepscan.engine.scan import worst_first
from deepscan.reports import words as said
from deepscan.reports.troubles import Kind, causes, together
from deepscan.text import clean, plural
from deepscan.types import (
    Call,
    CheckResult,
    Family,
    Finding,
    ItemReport,
    Level,
    Meaning,
    Outcome,
    ScanReport,
    Skipped,
)

WORST = 20
"""Files in the summary; the reports hold all."""

PROSE = 110
"""Columns of running text at most: longer lines are hard to read."""

WIDE = 90
"""Columns from which on the files of a folder stand in a table; below, each has lines of its own."""

COLOURS = {
    Call.STRONG: "bold red",
    Call.MODERATE: "red",
    Call.WEAK: "yellow",
    Call.UNDETERMINED: "magenta",
    Call.NO_EVIDENCE: "green",
}

_COUNTED = {**{str(call): style for call, style in COLOURS.items()}, "NOT": "yellow"}
_LEVELS = {Level.STRONG: "bold red", Level.MODERATE: "red", Level.WEAK: "yellow", Level.INFO: "dim"}
_TROUBLES = {
    Kind.FAILED: said.OUTCOMES[Outcome.FAILED],
    Kind.TIMED_OUT: said.OUTCOMES[Outcome.TIMED_OUT],
    Kind.IN_PART: "Examined only in part",
}
_LABEL = 11  # columns of the words that stand before a finding
_LINES = {Level.INFO: 2}  # of a finding, unless more is asked for
_MOST_LINES = 6
_SPARKS = "▁▂▃▄▅▆▇█"


class Account:
    """Writes to one console. ``verbose`` adds the evidence, and the reason of every check that did not apply."""

    def __init__(self, out: RichConsole, *, verbose: bool) -> None:
        self._out, self._verbose = out, verbose

    @property
    def _prose(self) -> int:
        return min(self._out.width, PROSE)

    def line(self, text: str, style: str = "", *, indent: int = 0, lines: int | None = None) -> None:
        """A paragraph, wrapped and indented; cut after so many lines."""
        self._hanging(Text(" " * indent), text, style, lines)

    def _hanging(self, label: Text, text: str, style: str = "", lines: int | None = None) -> None:
        """A paragraph that hangs on a label."""
        # Text objects, never markup: a file name may hold square brackets.
        width = max(20, self._prose - label.cell_len)
        parts = list(Text(text, style=style).wrap(self._out, width))
        if lines is not None and len(parts) > lines:
            parts = parts[:lines]
            _cut_off(parts[-1], width)
        for number, part in enumerate(parts):
            part.rstrip()
            self._out.print((label if number == 0 else Text(" " * label.cell_len)) + part, soft_wrap=True)

    def heading(self, text: str) -> None:
        """An empty line and a heading."""
        self._out.print()
        self.line(text, "bold")

    # One file.

    def file(self, item: ItemReport, families: Mapping[str, Family]) -> None:
        """All that is said about one file; ``families`` are those of the checks, by their ids."""
        self._out.print(_linked(clean(str(item.item.name)), item.item.path, "bold"), soft_wrap=True)
        self.line(words.about(item.item), "dim")
        self._out.print()
        self._verdict(item)
        self._found(item)
        for result in item.results:
            self._over_time(result)
        self._checks(item)
        behind = said.families_behind(item, families)
        self._list("What this does not show", said.does_not_show(item.verdict, behind)[:-1])
        self._list("What would settle it", said.would_settle(item.verdict, behind))
        self._out.print()

    def _verdict(self, item: ItemReport) -> None:
        bar = Text("| " if self._out.options.ascii_only else "▌ ", style=COLOURS[item.verdict.call])
        width = self._prose - bar.cell_len
        for number, part in enumerate(Text(said.verdict(item)).wrap(self._out, width)):
            part.rstrip()
            part.stylize(COLOURS[item.verdict.call] if number == 0 else "")
            self._out.print(bar + part, soft_wrap=True)

    def _found(self, item: ItemReport) -> None:
        found = [(finding, result) for result in item.results for finding in result.findings]
        found.sort(key=lambda pair: -pair[0].level.rank)
        if found:
            self.heading("Found")
        for finding, _ in found:
            self._finding(finding)

    def _finding(self, finding: Finding) -> None:
        label = Text(f"  {finding.level:<{_LABEL - 2}}", style=_LEVELS[finding.level])
        lines = None if self._verbose else _LINES.get(finding.level, _MOST_LINES)
        self._hanging(label, f"{finding.code} {finding.summary}", lines=lines)
        if self._verbose:
            for line in words.evidence(finding):
                inner = line.lstrip()
                self.line(inner, "dim", indent=_LABEL + len(line) - len(inner))

    def _over_time(self, result: CheckResult) -> None:
        scored = sorted(
            (part.where.seconds, part.score.value)
            for part in result.parts
            if part.where.seconds is not None and part.score is not None and part.score.meaning is Meaning.PROBABILITY
        )
        if len(scored) < 2:
            return
        self.heading(f"Over time ({result.check})")
        line = sparkline(scored, self._prose - 4, plain=self._out.options.ascii_only)
        self.line(line, indent=2)
        self.line(f"{scored[0][0]:.2f} s to {scored[-1][0]:.2f} s, from 0 (low) to 1 (high)", "dim", indent=2)
        for clip in result.film.clips if result.film else ():
            span = f"{clip.span.start_timecode} to {clip.span.end_timecode}"
            self.line(f"Worth looking at: {span}, track {clip.track}, score {clip.score.value:.2f}", indent=2)

    def _checks(self, item: ItemReport) -> None:
        """How the checks ended that found nothing; with reasons where something went wrong, or all when asked."""
        results = item.results
        self.heading("Examined")
        done = sum(result.outcome is Outcome.DONE for result in results)
        self.line(f"{done} of {plural(len(results), 'check')} carried out.", indent=2)
        for cause in causes(item):
            self.line(f"{_TROUBLES[cause.kind]}: {', '.join(cause.checks)}: {cause.reason}", "yellow", indent=2)
        silent = [r.check for r in results if r.outcome is Outcome.DONE and not r.findings]
        if silent:
            self.line(f"Nothing found: {', '.join(silent)}.", indent=2)
        unfit = [r for r in results if r.outcome is Outcome.NOT_APPLICABLE]
        if unfit and not self._verbose:
            self.line(f"Not applicable: {', '.join(r.check for r in unfit)} (--verbose says why).", "dim", indent=2)
        for reason, checks in together((r.reason, r.check) for r in unfit if self._verbose).items():
            self.line(f"Not applicable: {', '.join(checks)}: {reason}", "dim", indent=2)

    def _list(self, title: str, sentences: Iterable[str]) -> None:
        sentences = list(sentences)
        if sentences:
            self.heading(title)
        for sentence in sentences:
            self._hanging(Text("  - "), sentence)

    def skipped(self, skipped: Skipped) -> None:
        """A single file that was not examined."""
        self.line(clean(str(skipped.path)), "bold")
        self.line(f"Not examined ({skipped.code}): {skipped.reason}", "yellow", indent=2)

    # A folder.

    def folder(self, report: ScanReport) -> None:
        """The gravest files, how many got which verdict, and what was not examined."""
        telling = _Telling(report)
        shown, told, several = telling.gravest, telling.count, len(telling.roots) > 1
        names = [clean(str(item.item.path if several else item.item.name)) for item in shown]
        accepted = {known.sha256: f"({said.accepted(known)}) " for known in report.known}
        reasons = [accepted.get(item.item.sha256, "") + said.because(item) for item in shown]
        if self._out.width < WIDE:
            for item, name, why in zip(shown, names, reasons, strict=True):
                self._stacked(item, name, why)
        elif shown:
            self._table(shown, names, reasons)
        if told > len(shown):
            self.line(f"… and {plural(told - len(shown), 'file')} more: a report (-o FOLDER) lists them all.", "dim")
        if shown:
            self._out.print()
        for line in words.counts(report):
            self.line(line, _COUNTED.get(line.split()[0], ""))
        for line in words.unexamined(report):
            self._hanging(Text("  - "), line.strip())
        if not report.finished:
            self.line("The scan was interrupted: what was finished is kept, and the same command goes on.", "yellow")

    def _stacked(self, item: ItemReport, name: str, why: str) -> None:
        call = Text(said.call(item), style=COLOURS[item.verdict.call])
        self._out.print(call + Text("  ") + _linked(name, item.item.path, "bold"), soft_wrap=True)
        self.line(why, indent=2, lines=None if self._verbose else 3)

    def _table(self, shown: Sequence[ItemReport], names: Sequence[str], reasons: Sequence[str]) -> None:
        calls = max(len(said.call(item)) for item in shown)
        files = max(16, min(max(map(len, names)), (self._out.width - calls) * 2 // 5))
        widths = (calls, files, self._out.width - calls - files - 4)
        self._row(widths, [[Text(title, "dim")] for title in ("verdict", "file", "why")])
        for item, name, reason in zip(shown, names, reasons, strict=True):
            call = Text(said.call(item), style=COLOURS[item.verdict.call])
            file = list(_linked(name, item.item.path, "bold").wrap(self._out, files))
            why = list(Text(reason).wrap(self._out, widths[2]))
            lines = max(2, len(file))
            if len(why) > lines and not self._verbose:
                why = why[:lines]
                _cut_off(why[-1], widths[2])
            self._row(widths, [[call], file, why])

    def _row(self, widths: Sequence[int], cells: Sequence[Sequence[Text]]) -> None:
        for number in range(max(map(len, cells))):
            line = Text()
            for width, cell in zip(widths, cells, strict=True):
                part = cell[number].copy() if number < len(cell) else Text()
                part.rstrip()
                part.pad_right(width + 2 - part.cell_len)
                line += part
            line.rstrip()
            self._out.print(line, soft_wrap=True)

    def written(self, paths: Iterable[Path]) -> None:
        """The files that were written, as links where the terminal has them."""
        for path in paths:
            self._out.print(Text("Wrote ", "dim") + _linked(clean(str(path), limit=None), path, "dim"), soft_wrap=True)


class _Telling:
    """The files of a report whose verdict says something, the gravest of them first; the report is gone through once.

    ``count`` is how many they are, and ``roots`` are those of all files.
    """

    def __init__(self, report: ScanReport) -> None:
        self.count = 0
        self.roots: set[Path] = set()
        self.gravest = worst_first(self._of(report.items), WORST)

    def _of(self, items: Iterable[ItemReport]) -> Iterator[ItemReport]:
        for item in items:
            self.roots.add(item.item.root)
            if item.verdict.call is not Call.NO_EVIDENCE:
                self.count += 1
                yield item


def _cut_off(line: Text, width: int) -> None:
    """Mark a line as the last one shown of several, after a whole word where there is one."""
    if line.cell_len > width - 2:
        line.truncate(width - 1, overflow="crop")
        end = line.plain.rfind(" ")
        line.truncate(end if end > 0 else width - 2, overflow="crop")
    line.rstrip()
    line.append(" …")


def _linked(text: str, path: Path, style: str) -> Text:
    """A file's name, as a link to it on terminals that have links; on others the name."""
    return Text(text, style=Style.parse(style) + Style(link=path.absolute().as_uri()))


def sparkline(scored: Sequence[tuple[float, float]], width: int, *, plain: bool) -> str:
    """Scores in [0, 1] at their seconds, as a row of at most ``width`` marks: the highest score of each stretch.

    A stretch without a score is a space. ``plain`` writes digits (9 is 1.0) where there are no block characters.
    """
    begin, end = scored[0][0], scored[-1][0]
    columns = min(width, len(scored))
    highest: list[float | None] = [None] * columns
    for seconds, value in scored:
        at = min(columns - 1, int((seconds - begin) / (end - begin) * columns)) if end > begin else 0
        highest[at] = max(value, highest[at] or 0.0)
    marks = "0123456789" if plain else _SPARKS
    return "".join(" " if v is None else marks[min(len(marks) - 1, int(v * len(marks)))] for v in highest)
