"""The pictures that belong to a report: which they are, and how they are opened."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deepscan.types import ItemReport

# The paths that the engine gives to exhibits. Any other path (a case file may come from anyone) is not followed: it
# could name a file of the reader's own, and the report would hold it.
_EXHIBIT = re.compile(r"exhibits/[0-9A-Za-z][0-9A-Za-z._-]{0,150}\.(?:png|jpg)")


def exhibits(item: ItemReport) -> Iterator[str]:
    """The paths of all pictures that belong to a file."""
    for result in item.results:
        yield from result.exhibits


def is_exhibit(path: str) -> bool:
    """Whether a path is one that the engine gives to exhibits."""
    return _EXHIBIT.fullmatch(path) is not None


def open_exhibit(folder: Path, path: str) -> BinaryIO | None:
    """An exhibit, opened for reading; None where there is no such regular file."""
    if not is_exhibit(path):
        return None
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        # O_NOFOLLOW: a link in the folder of exhibits could lead to any file of the reader's.
        stream = os.fdopen(os.open(folder / path, flags), "rb")
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    return None
