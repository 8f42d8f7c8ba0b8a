"""The real files with known answers: which there are, and what is expected of them."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from deepscan.media.signatures import HEAD_BYTES, detect


def rows(folder: Path) -> list[dict[str, str]]:
    """The expected answers of a folder."""
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def readable(path: Path) -> bool:
    """Whether its bytes are of a container that deepscan examines."""
    with path.open("rb") as file:
        container = detect(file.read(HEAD_BYTES), path.stat().st_size)
    return container is not None and container.readable


def media_files(folder: Path) -> Iterator[Path]:
    """Everything under a folder that deepscan examines, in one order on every machine."""
    for parent, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = Path(parent) / name
            if path.suffix != ".csv" and readable(path):
                yield path
