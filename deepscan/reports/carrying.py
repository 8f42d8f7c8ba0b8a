"""Pictures come along when a report is written into another folder, so that it shows the same there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deepscan.reports.base import make_folder, open_output, output_error
from deepscan.reports.exhibits import exhibits, open_exhibit
from deepscan.types import Document

NAMING = frozenset({"html", "json", "jsonl"})
"""The formats that name exhibits, by paths relative to the report."""

_BLOCK = 1 << 20


def carry(report: Document, formats: Sequence[str], source: Path, folder: Path) -> tuple[int, int]:
    """Copy the exhibits that a report names from one folder into another; nothing where it names none.

    Args:
        report: The result.
        formats: The formats that are written into ``folder``.
        source: The folder that the exhibits lie under.
        folder: The folder that the report goes to.

    Returns:
        How many were copied, and how many are not where they should be.

    Raises:
        OutputError: one cannot be written.
    """
    if NAMING.isdisjoint(formats) or source.resolve() == folder.resolve():
        return 0, 0
    if report.run.options.get("exhibits") is False:  # a pass over 100,000 entries is half of the time of a report
        return 0, 0
    copied = missing = 0
    done: set[str] = set()
    for item in report.items:
        for path in exhibits(item):
            if path in done:
                continue
            done.add(path)
            found = _copy(source, folder, path)
            copied, missing = copied + found, missing + (not found)
    return copied, missing


def _copy(source: Path, folder: Path, path: str) -> bool:
    """Copy one exhibit; False where it is not there."""
    stream = open_exhibit(source, path)
    if stream is None:
        return False
    target = folder / path
    make_folder(target.parent)
    with stream, open_output(target) as copy:
        try:
            while block := stream.read(_BLOCK):
                copy.buffer.write(block)
        except OSError as e:
            raise output_error(target, e) from e
    return True
