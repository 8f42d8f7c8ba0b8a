"""Whether the files a report is about are what they were when they were examined."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from deepscan.custody.faults import Fault, Kind
from deepscan.custody.measure import measure
from deepscan.errors import InputError
from deepscan.text import clean
from deepscan.types import Document, MediaItem


def check_evidence(report: Document, folder: Path) -> Iterator[Fault]:
    """Read every examined file under ``folder`` and compare its size and SHA-256; nothing when all are the same.

    ``folder`` stands for the folder that was scanned. Where several were, each is looked for in it under its own name.
    Nothing is written, and links are followed as the scan did.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {clean(str(folder))}.", "Name the folder that holds the evidence.")
    for examined in report.items:
        fault = _check(examined.item, folder)
        if fault is not None:
            yield fault


def _check(item: MediaItem, folder: Path) -> Fault | None:
    path = _place(item, folder)
    shown = clean(str(item.name))
    if path is None:
        return Fault(Kind.MISSING, shown, "it is not in the folder")
    try:
        size, digest = measure(path)
    except OSError as e:
        return Fault(Kind.UNREADABLE, shown, f"it cannot be read: {clean(e.strerror or str(e))}")
    if size != item.size:
        return Fault(Kind.CHANGED, shown, f"it has {size:,} bytes, and had {item.size:,}")
    if digest != item.sha256:
        return Fault(Kind.CHANGED, shown, f"its SHA-256 is {digest}, and was {item.sha256}")
    return None


def _place(item: MediaItem, folder: Path) -> Path | None:
    if ".." in item.name.parts or item.name.is_absolute():
        return None  # no scan gives such a name: nothing outside of the folder is looked at
    roots = (PurePosixPath(), PurePosixPath(item.root.name))
    return next((path for root in roots if os.path.lexists(path := folder / root / item.name)), None)
