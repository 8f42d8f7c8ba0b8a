"""What people see: progress while a scan runs, and an account of what it found. rich lives here and nowhere else."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console as RichConsole
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from deepscan.cli import words
from deepscan.cli.account import Account
from deepscan.engine.events import Silent
from deepscan.errors import OutputError
from deepscan.text import duration, plural
from deepscan.types import Call, ItemReport, ScanReport, Skipped

PLAIN_SECONDS = 10.0
"""Seconds between progress lines when the error stream is no terminal."""

MIN_FOR_ESTIMATE = 10
"""Files after the first that must be answered before the time left is estimated."""


class Terminal(RichConsole):
    """A terminal that leaves a closed pipe to the error boundary."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program with exit code 1, which here means that something was found."""
        raise BrokenPipeError


class Console:
    """The terminal of one command: words to stderr, and the summary to stdout unless data goes there."""

    def __init__(self, *, quiet: bool, colour: bool, stdout_is_data: bool, verbose: bool = False) -> None:
        self._quiet, self._verbose = quiet, verbose
        no_colour = not colour or bool(os.environ.get("NO_COLOR"))
        self._err = Terminal(stderr=True, no_color=no_colour, highlight=False)
        out = sys.stderr if stdout_is_data else sys.stdout
        self._out = Terminal(file=out, no_color=no_colour, highlight=False, soft_wrap=False)

    @contextmanager
    def events(self) -> Iterator[Silent]:
        """Progress while the block runs: a live bar on a terminal, plain lines elsewhere, nothing when quiet."""
        if self._quiet:
            yield Silent()
        elif self._err.is_terminal:
            with _Bar(self._err) as bar:
                yield bar
        else:
            lines = _Lines(self._err)
            yield lines
            lines.end()

    def summary(self, report: ScanReport, written: tuple[Path, ...]) -> None:
        """The account of a scan: every check of a single file, or the worst files of many."""
        if self._quiet:
            return
        try:
            self._summary(report, written)
        except BrokenPipeError:
            raise
        except OSError as e:
            raise OutputError(f"Standard output cannot be written: {e.strerror}.", "Check what reads it.") from e

    def _summary(self, report: ScanReport, written: tuple[Path, ...]) -> None:
        account = Account(self._out, verbose=self._verbose)
        if len(report.items) == 1 and not report.skipped:
            account.file(report.items[0], {check.id: check.family for check in report.run.checks})
            for line in words.accepted(report):
                account.line(line)
        elif len(report.skipped) == 1 and not report.items:
            account.skipped(report.skipped[0])
        else:
            account.folder(report)
        for line in words.limits(report):
            account.line(line, "dim")
        account.written(written)


class _Bar(Silent):
    """A live progress bar."""

    def __init__(self, console: RichConsole) -> None:
        self._tally = _Tally()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[tally]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> _Bar:
        self._progress.start()
        self._task = self._progress.add_task("scanning", total=None, tally="")
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def _update(self, done: int = 0) -> None:
        assert self._task is not None
        self._progress.update(self._task, advance=done, tally=str(self._tally))

    def discovered(self, files: int, *, complete: bool) -> None:
        assert self._task is not None
        self._progress.update(self._task, total=files if complete else None)

    def skipped(self, skipped: Skipped) -> None:
        self._update(done=1)

    def examined(self, report: ItemReport, *, reused: bool) -> None:
        self._tally.add(report, reused=reused)
        self._update(done=1)

    def scored(self, samples: int) -> None:
        self._tally.samples += samples
        self._update()

    def note(self, message: str) -> None:
        self._progress.console.print(Text(message))


class _Lines(Silent):
    """Plain lines, one every few seconds."""

    def __init__(self, console: RichConsole) -> None:
        self._console, self._tally = console, _Tally()
        self._total = self._done = 0
        self._said: int | None = None
        self._last = time.monotonic()

    def _line(self) -> None:
        left = ""
        begun, spent = self._tally.since_first
        # The first answers come late (workers and model start), and then many at once: no guess from a handful.
        if begun >= MIN_FOR_ESTIMATE and self._done < self._total:
            left = f", {duration(spent / begun * (self._total - self._done))} left"
        self._console.print(Text(f"{self._done:,} of {plural(self._total, 'file')}, {self._tally}{left}"))
        self._last, self._said = time.monotonic(), self._done

    def _step(self) -> None:
        self._done += 1
        if self._total > 1 and time.monotonic() - self._last >= PLAIN_SECONDS:
            self._line()

    def end(self) -> None:
        """The last line; a single file's account says it all."""
        if self._done and self._total > 1 and self._said != self._done:
            self._line()

    def discovered(self, files: int, *, complete: bool) -> None:
        self._total = files

    def skipped(self, skipped: Skipped) -> None:
        self._step()

    def examined(self, report: ItemReport, *, reused: bool) -> None:
        self._tally.add(report, reused=reused)
        self._step()

    def scored(self, samples: int) -> None:
        self._tally.samples += samples

    def note(self, message: str) -> None:
        self._console.print(Text(message))


class _Tally:
    """What has been seen so far."""

    def __init__(self) -> None:
        self.samples = self.faces = self.findings = self.reused = 0
        self._examined = 0
        self._started = time.monotonic()
        self._first: float | None = None

    @property
    def since_first(self) -> tuple[int, float]:
        """Files examined after the first one, and the seconds they took."""
        if self._first is None:
            return 0, 0.0
        return self._examined - 1, time.monotonic() - self._first

    def add(self, report: ItemReport, *, reused: bool) -> None:
        """Count one file's answer; faces only where it is examined now, for those of stored answers are not read."""
        if reused:
            self.reused += 1
        else:
            self._first = self._first or time.monotonic()
            self._examined += 1
            self.faces += sum(part.kind == "face" for result in report.results for part in result.parts)
        self.findings += report.verdict.call in (Call.WEAK, Call.MODERATE, Call.STRONG)

    def __str__(self) -> str:
        words = [plural(self.faces, "face")] if self._examined or not self.reused else []
        words.append(f"{self.findings:,} with findings")
        if self.samples:
            words.append(f"{self.samples / max(time.monotonic() - self._started, 1e-3):.1f} images/s")
        if self.reused:
            words.append(f"{self.reused:,} answered from the case file")
        return ", ".join(words)
