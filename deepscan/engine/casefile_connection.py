"""An open case file as SQLite sees it: how it is opened, what is refused, and what a transaction is."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from deepscan.engine import casefile_tables as tables
from deepscan.engine.casefile_errors import (
    damaged,
    not_a_case_file,
    not_written,
    other_version,
    require_magic,
    translated,
)
from deepscan.engine.caselock import Lock
from deepscan.errors import CaseFileError
from deepscan.text import clean

logger = logging.getLogger(__name__)

_WAIT = 2.0  # seconds to wait for another program that reads the case file, before it is called busy


class Connection:
    """A connection to a case file. Made by :meth:`open`; a context manager that closes it."""

    def __init__(
        self, path: Path | None, shown: str, connection: sqlite3.Connection, lock: Lock | None, *, read_only: bool
    ) -> None:
        self.path = path
        self._shown = shown
        self._connection = connection
        self._lock = lock
        self._read_only = read_only
        self._shared = False
        """Whether a report reads from this, which then stays open as long as the report."""

    @classmethod
    def open(cls, path: Path | None, *, read_only: bool = False) -> Self:
        """Open a case file, or make one; a private one that is gone with its last report when ``path`` is None.

        A reader (``read_only``) makes nothing, takes no lock, and sees what a scan under way has finished so far.

        Raises:
            CaseFileError: another scan holds it, or it is no case file, from another version, damaged, or (reading)
                not there.
            OutputError: it cannot be made or written to.
        """
        if path is None:
            # SQLite's temporary database: on the disk where it grows, without a name, gone when it is closed.
            return cls._over(None, "(a temporary one)", "", None, read_only=False)
        shown, real = clean(str(path)), path.resolve()
        if real.exists() and not real.is_file():
            raise CaseFileError(f"The case file {shown} is a folder or a device.", "Name a file with --case.")
        if read_only:
            if not real.exists():
                raise CaseFileError(f"There is no case file {shown}.", "Check the path.")
            require_magic(real, shown)
            return cls._over(real, shown, f"{real.as_uri()}?mode=ro", None, read_only=True)
        try:
            real.parent.mkdir(parents=True, exist_ok=True)
            lock = Lock.take(real.with_name(real.name + ".lock"))
        except OSError as e:
            raise not_written(shown, e.strerror or str(e)) from e
        if lock is None:
            raise CaseFileError(
                f"The case file {shown} is in use by another deepscan.",
                "Wait until that scan has ended, or name another file with --case.",
            )
        try:
            require_magic(real, shown)
            return cls._over(real, shown, str(real), lock, read_only=False)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _over(cls, path: Path | None, shown: str, database: str, lock: Lock | None, *, read_only: bool) -> Self:
        with translated(shown, read_only=read_only):
            connection = sqlite3.connect(
                database, timeout=_WAIT, isolation_level=None, uri=read_only, check_same_thread=path is not None
            )
        case = cls(path, shown, connection, lock, read_only=read_only)
        if path is None:
            weakref.finalize(case, connection.close)
        try:
            with case._translated():
                case._prepare()
        except BaseException:
            connection.close()
            raise
        return case

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA trusted_schema = OFF")  # a case file may come from anyone
        ((application,),) = execute("PRAGMA application_id")
        ((version,),) = execute("PRAGMA user_version")
        found = dict(execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
        fresh = not application and not version and not found
        if not fresh and application != tables.APPLICATION_ID:
            raise not_a_case_file(self._shown)
        if version > tables.CASE_VERSION:
            raise other_version(self._shown, "newer")
        if 0 < version < tables.CASE_VERSION:
            raise other_version(self._shown, "older")
        if fresh and self._read_only:
            raise CaseFileError(f"The case file {self._shown} is empty.", "Scan into it first.")
        # Also refuses tables, views and triggers that are not ours: nothing of a prepared file runs.
        if not fresh and (version != tables.CASE_VERSION or found != tables.TABLES):
            raise damaged(self._shown, "its tables are not those of a case file")
        if self._read_only:
            return
        execute("PRAGMA foreign_keys = ON")
        execute("PRAGMA synchronous = NORMAL")
        execute("PRAGMA journal_mode = WAL")
        if fresh:
            with self._transaction():
                execute(f"PRAGMA application_id = {tables.APPLICATION_ID}")
                execute(f"PRAGMA user_version = {tables.CASE_VERSION}")
                for statement in tables.TABLES.values():
                    execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Fold in the log and give the lock back. Loses nothing when that fails: the next opening does it.

        A private one that a report reads from stays open as long as that report.
        """
        if self._shared:
            return
        try:
            if not self._read_only:
                self._connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as e:
            # A reader is still looking on, or the disk is full: the log stays beside the file, whole.
            logger.debug("case file %s keeps its log: %s", self._shown, e)
        finally:
            self._connection.close()
            if self._lock:
                self._lock.release()
                self._lock = None
            self._read_only = True

    def _translated(self) -> contextlib.AbstractContextManager[None]:
        return translated(self._shown, read_only=self._read_only)

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        """Everything in the block, or nothing of it."""
        with self._translated():
            try:  # around BEGIN too: Ctrl-C may arrive between it and the next line
                self._connection.execute(f"BEGIN {kind}")
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk has ended it already
                    self._connection.execute("ROLLBACK")
                raise
