"""The tables of an evaluation on the terminal, and its progress."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from deepscan.cli.console import PLAIN_SECONDS, Terminal
from deepscan.evaluation.result import Evaluation, FormRow, LedgerRow, PackResult, Part
from deepscan.text import clean, plural

UNREADABLE_SHOWN = 20

LEAST_WIDTH = 80
"""Columns in which every table has room for its names and numbers."""


class EvaluationConsole:
    """The terminal of one evaluation: words to stderr, tables to stdout unless data goes there."""

    def __init__(self, *, quiet: bool, colour: bool, stdout_is_data: bool) -> None:
        self._quiet = quiet
        no_colour = not colour or bool(os.environ.get("NO_COLOR"))
        self._err = Terminal(stderr=True, no_color=no_colour, highlight=False)
        self._out = Terminal(file=sys.stderr if stdout_is_data else sys.stdout, no_color=no_colour, highlight=False)
        # On a narrower terminal lines break there: rich would leave out what does not fit.
        self._out.width = max(self._out.width, LEAST_WIDTH)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """A live bar on a terminal, plain lines every few seconds elsewhere, nothing when quiet."""
        if self._quiet:
            yield lambda what, done, total: None
        elif self._err.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            with Progress(*columns, console=self._err, transient=True) as bar:
                task = bar.add_task("pictures", total=None)
                yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
        else:
            yield _Lines(self._err)

    def show(self, found: Evaluation, written: Sequence[Path]) -> None:
        """All tables, pack by pack, and what to know before reading them."""
        if self._quiet:
            return
        counts = (
            f"{plural(found.real, 'real picture')} and {plural(found.fake, 'fake')} in {plural(found.groups, 'group')}"
        )
        self._line(f"{found.dataset}: {counts}.", "bold")
        for note in found.notes:
            self._line(note, "yellow")
        for path, reason in found.unreadable[:UNREADABLE_SHOWN]:
            self._line(f"Left out: {path}: {reason}", "yellow")
        if len(found.unreadable) > UNREADABLE_SHOWN:
            self._line(f"Left out as well: {plural(len(found.unreadable) - UNREADABLE_SHOWN, 'picture')}.", "yellow")
        for pack in found.packs:
            self._pack(pack, found)
        for comparison in found.comparisons:
            self._line("")
            title = f"{comparison.first} minus {comparison.second}, on {plural(comparison.pictures, 'picture')}"
            rows = [
                (
                    d.name.replace("_", " "),
                    f"{d.difference:+.4f}",
                    _interval(d.interval, 4),
                    f"{d.sides_with_first:.1%}",
                )
                for d in comparison.differences
            ]
            self._table(title, ("number", "difference", "95 % interval", "draws in which the first is larger"), rows)
        for file in written:
            self._line(f"Wrote {clean(str(file), limit=None)}", "dim")

    def _pack(self, pack: PackResult, found: Evaluation) -> None:
        self._line("")
        self._line(f"{pack.name} ({pack.card_name}, {pack.device}, {pack.precision})", "bold")
        for reason, count in pack.not_scored.items():
            self._line(f"Not scored: {plural(count, 'picture')}. {reason}", "yellow")
        for point in pack.operating:
            self._table(
                f"At {point.threshold:g} ({point.name}): accuracy {point.accuracy:.4f}, balanced "
                f"{_number(point.balanced_accuracy)}",
                ("", "precision", "recall", "f1-score", "support"),
                [
                    (line, f"{r.precision:.4f}", f"{r.recall:.4f}", f"{r.f1:.4f}", f"{r.support:,}")
                    for line, r in point.report.items()
                ],
            )
            (right, alarms), (missed, hits) = point.confusion
            self._line(
                f"Confusion: real called real {right:,}, called fake {alarms:,}; fake called real {missed:,}, "
                f"called fake {hits:,}."
            )
        parts = (pack.whole, *pack.by_source, *pack.by_group)
        self._table(
            "Without a threshold (at 1 %: recall at so many false alarms)",
            ("source", "scored", "AUC", "95 %", "AP", "EER", "at 1 %", "at 0.1 %"),
            [_ranking(part) for part in parts],
        )
        self._table(
            "Probabilities, and the AUC of a classifier that sees no face (trivial)",
            ("source", "ECE", "Cllr", "95 %", "least Cllr", "trivial", "of pictures"),
            [_calibration(part, found) for part in parts],
        )
        self._table(
            f"At {pack.first_threshold:g}, its first threshold ({pack.first_level})",
            ("source", "false alarms", "95 %", "at most", "recall", "95 %", "accuracy"),
            [_decided(part) for part in parts],
        )
        if pack.robustness:
            self._table(
                f"Robustness, {plural(pack.robustness[0].pictures, 'picture')}",
                ("form", "AUC", "loss", "false alarms", "recall", "flips", "to fake", "to real", "not scored"),
                [_form(row) for row in pack.robustness],
            )
        self._table(
            "False-alarm ledger",
            ("reals of", "level", "scored", "alarms", "rate", "at most", "card says", "holds"),
            [_ledger(row) for row in pack.ledger],
        )

    def _table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False, title=Text(title), title_justify="left")
        for number, column in enumerate(head):
            first = number == 0
            table.add_column(
                Text(column), justify="left" if first else "right", overflow="fold", min_width=10 if first else None
            )
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._line("")
        self._out.print(table)

    def _line(self, line: str, style: str = "") -> None:
        self._out.print(Text(line, style=style), soft_wrap=True)


class _Lines:
    """Plain lines of progress, one every few seconds, and one whenever something else begins."""

    def __init__(self, console: Terminal) -> None:
        self._console, self._what, self._last = console, "", time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != self._what or time.monotonic() - self._last >= PLAIN_SECONDS:
            self._console.print(Text(f"{what}: {done:,} of {total:,}"))
            self._what, self._last = what, time.monotonic()


def _spaced(number: str) -> str:
    return number.replace("_", " ")


def _ranking(part: Part) -> tuple[str, ...]:
    r = part.ranking
    low, lower = r.recall_at.values()
    return (
        part.name, f"{part.scored:,}", _number(r.auc), _interval(part.intervals.auc), _number(r.average_precision),
        _share(r.eer), _share(low), _share(lower),
    )  # fmt: skip


def _calibration(part: Part, found: Evaluation) -> tuple[str, ...]:
    r = part.ranking
    return (
        part.name, _number(r.ece), _number(r.cllr), _interval(part.intervals.cllr), _number(r.cllr_min),
        _number(found.trivial.get(part.name)), f"{part.pictures:,}",
    )  # fmt: skip


def _decided(part: Part) -> tuple[str, ...]:
    d = part.decisions
    if d is None:
        return (part.name, *("–" for _ in range(6)))
    return (
        part.name, _share(d.false_alarms), _shares(part.intervals.false_alarms), _share(d.false_alarms_bound),
        _share(d.recall), _shares(part.intervals.recall), _number(d.accuracy),
    )  # fmt: skip


def _form(row: FormRow) -> tuple[str, ...]:
    return (
        row.form, _number(row.auc), _number(row.loss), _share(row.false_alarms), _share(row.recall), _share(row.flips),
        _share(row.to_fake), _share(row.to_real), f"{row.not_scored:,}",
    )  # fmt: skip


def _ledger(row: LedgerRow) -> tuple[str, ...]:
    return (
        row.set, row.level, f"{row.scored:,}/{row.pictures:,}", f"{row.alarms:,}", _share(row.rate),
        _share(row.bound), _share(row.claimed), row.verdict,
    )  # fmt: skip


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _interval(value: tuple[float, float] | None, digits: int = 3) -> str:
    # Without spaces: on a narrow terminal rich may break lines at them, in headings only.
    return "–" if value is None else f"{value[0]:.{digits}f}..{value[1]:.{digits}f}"


def _shares(value: tuple[float, float] | None) -> str:
    return "–" if value is None else f"{100 * value[0]:.1f}..{100 * value[1]:.1f}%"
