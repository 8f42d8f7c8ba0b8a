"""How evidence is opened: for reading only, leaving no trace where the system allows it, and never waiting."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_READ_ONLY = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)  # do not wait for a writer where a pipe has taken a file's place
    | getattr(os, "O_NOCTTY", 0)
)


def open_descriptor(path: str | Path) -> int:
    """A descriptor for reading, which does not move the file's access time where that may be asked for.

    Only a file's owner may ask (open(2), O_NOATIME). Raises OSError.
    """
    try:
        return os.open(path, _READ_ONLY | getattr(os, "O_NOATIME", 0))
    except PermissionError:
        return os.open(path, _READ_ONLY)


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading, as :func:`open_descriptor` does. Raises OSError."""
    return open(path, "rb", opener=lambda name, _: open_descriptor(name))
