"""JSON Lines on standard output while a scan runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deepscan.engine.events import Events
from deepscan.reports.live import LiveLines, live_lines
from deepscan.types import Document, ItemReport, Skipped


class Tee:
    """Passes events on, and writes a line for every file that is examined."""

    def __init__(self, events: Events, lines: LiveLines) -> None:
        self._events = events
        self._lines = lines

    def discovered(self, files: int, *, complete: bool) -> None:
        """Passed on."""
        self._events.discovered(files, complete=complete)

    def skipped(self, skipped: Skipped) -> None:
        """Passed on; its line comes at the end."""
        self._events.skipped(skipped)

    def examined(self, report: ItemReport, *, reused: bool) -> None:
        """Written and passed on."""
        self._lines.examined(report)
        self._events.examined(report, reused=reused)

    def scored(self, samples: int) -> None:
        """Passed on."""
        self._events.scored(samples)

    def note(self, message: str) -> None:
        """Passed on."""
        self._events.note(message)

    def end(self, report: Document) -> None:
        """Write the last lines."""
        self._lines.end(report)


@contextmanager
def lines(events: Events, *, wanted: bool) -> Iterator[Events]:
    """The events themselves, or with lines on standard output while the block runs."""
    if not wanted:
        yield events
        return
    with live_lines(sys.stdout) as live:
        yield Tee(events, live)
