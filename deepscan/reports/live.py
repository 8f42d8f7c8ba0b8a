"""JSON Lines to standard output while a scan runs: whoever reads them has each file the moment it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from deepscan.reports.base import output_error, unchanged
from deepscan.reports.jsonl_report import JsonLines
from deepscan.types import Document, ItemReport


class LiveLines:
    """The lines of a scan under way.

    Both methods raise OutputError when the stream cannot be written to, and BrokenPipeError when its reader has gone.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        with _translated():
            self._lines = JsonLines(stream)

    def examined(self, item: ItemReport) -> None:
        """A file is answered."""
        with _translated():
            self._lines.examined(item)

    def end(self, report: Document) -> None:
        """The scan has ended: the skipped files, and the record of the run."""
        with _translated():
            self._lines.end(report)
            self._stream.flush()


@contextmanager
def live_lines(stream: TextIO) -> Iterator[LiveLines]:
    """Lines to a stream, in UTF-8 and without translation of line ends, while the block runs."""
    with unchanged(stream) as plain:
        yield LiveLines(plain)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as e:
        raise output_error("Standard output", e) from e
