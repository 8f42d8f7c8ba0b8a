"""Size and hash of a file, read only."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path


def measure(path: Path) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a regular file. Raises OSError."""
    # A pipe that lies where a picture was must not be waited for.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(0, "it is no regular file")
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return stream.tell(), digest
