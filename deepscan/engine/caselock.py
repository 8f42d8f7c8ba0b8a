"""One writer at a time: an advisory lock on a file of its own beside the case file.

The system itself takes the lock back when the process ends, killed or not, so nothing is ever left locked. It is
``flock`` on a separate file because POSIX record locks, which SQLite uses on its own files, are lost as soon as the
same process opens and closes the file elsewhere, as a scan of the folder that the case file lies in would. A child made
by ``fork`` shares the lock and would keep it when its parent is killed: workers are spawned, not forked.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


class Lock:
    """A lock that is held until :meth:`release`, or until the process ends."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    @classmethod
    def take(cls, path: Path) -> Lock | None:
        """The lock, or None when someone holds it. Raises OSError where files cannot be made or locked."""
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
            try:
                if not _lock(handle):
                    os.close(handle)
                    return None
                # Between our open and our lock, the last holder may have removed this file: then it locks nobody out.
                if _is_at(handle, path):
                    return cls(path, handle)
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)

    def release(self) -> None:
        """Remove the file while it is still locked, then let go."""
        # Windows removes no open file; a lock file left there locks nobody out.
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._handle)


def _lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False
