"""The case file: every answer the moment it is given, in one SQLite database that is the source of every report.

**What a kill leaves.** Each :meth:`CaseFile.add` is a transaction of its own, in write-ahead-log mode with
``synchronous=NORMAL``: a process killed at any instant loses nothing that ``add`` had returned from, because the system
keeps what it was given. A power cut may cost the last answers (the log is brought to the disk at checkpoints, not at
every answer), never the rest; they are scanned again. ``FULL`` would wait for the disk at every file to save them.

**Who may write.** One process, the one that holds the lock of :mod:`deepscan.engine.caselock`. Readers (``read_only``)
need no lock, change nothing and may look on while a scan runs. After a clean end the log is folded in and the lock file
removed: a case at rest is one plain file that can be read from read-only media.

**What is reused.** The answer for the same name, bytes (size, SHA-256, kind, container) and fingerprint, unless a
check timed out, or failed for a reason that may have gone (a disk that could not be read, a lost worker): those are
tried again. A file that breaks its format is answered. Answers of earlier runs stay for reuse; the entries, which say
what belongs to a report, are those of the last run only.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from deepscan.engine.casefile_stored import ITEMS, SKIPPED, Rows, StoredReport
from deepscan.engine.caselock import Lock
from deepscan.errors import CaseFileError, DeepscanError, OutputError, ReportError
from deepscan.reports.schema import (
    escape,
    item_from_json,
    item_to_json,
    parse,
    run_from_json,
    run_to_json,
    skipped_from_json,
    skipped_to_json,
)
from deepscan.text import clean
from deepscan.types import ItemReport, JSONValue, MediaItem, Outcome, RunInfo, ScanReport, Skipped

logger = logging.getLogger(__name__)

APPLICATION_ID = 0x44534346
"""``DSCF`` in the file's header: https://www.sqlite.org/pragma.html#pragma_application_id ."""

CASE_VERSION = 1  # the layout of the tables below (``user_version``)

MAGIC = b"SQLite format 3\0"
"""The first bytes of every case file that is not empty."""

_TABLES = {
    "runs": "CREATE TABLE runs (id INTEGER PRIMARY KEY, info TEXT NOT NULL, finished INTEGER NOT NULL)",
    # Names and roots are escaped as in reports, because SQLite's text is UTF-8 and file names need not be.
    "answers": (
        "CREATE TABLE answers (id INTEGER PRIMARY KEY, root TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, "
        "fingerprint TEXT NOT NULL, reusable INTEGER NOT NULL, report TEXT NOT NULL, "
        "UNIQUE (sha256, name, fingerprint, root))"
    ),
    "entries": (
        "CREATE TABLE entries (position INTEGER PRIMARY KEY, answer INTEGER REFERENCES answers (id), skipped TEXT, "
        "CHECK ((answer IS NULL) <> (skipped IS NULL)))"
    ),
}

_REUSE = (
    "SELECT report FROM answers WHERE sha256 = ? AND name = ? AND fingerprint = ? AND reusable ORDER BY root = ? DESC"
)
_STORE = (
    "INSERT INTO answers (root, name, sha256, fingerprint, reusable, report) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (sha256, name, fingerprint, root) DO UPDATE SET reusable = excluded.reusable, report = excluded.report"
)
_FIND = "SELECT id FROM answers WHERE root = ? AND name = ? AND sha256 = ? AND fingerprint = ?"

_WAIT = 2.0  # seconds to wait for another program that reads the case file, before it is called busy

_T = TypeVar("_T")


class CaseFile:
    """An open case file, used from one thread. Made by :meth:`open`; a context manager that closes it.

    All methods raise OutputError when the disk is full or may not be written to, and CaseFileError when the file is
    damaged or another program holds it.
    """

    def __init__(self, shown: str, connection: sqlite3.Connection, lock: Lock | None, *, read_only: bool) -> None:
        self._shown = shown
        self._connection = connection
        self._lock = lock
        self._read_only = read_only
        self._run: int | None = None

    @classmethod
    def open(cls, path: Path | None, *, read_only: bool = False) -> CaseFile:
        """Open a case file, or make one; in memory when ``path`` is None.

        A reader (``read_only``) makes nothing, takes no lock, and sees what a scan under way has finished so far.

        Raises:
            CaseFileError: another scan holds it, or it is no case file, from a newer version, damaged, or (reading)
                not there.
            OutputError: it cannot be made or written to.
        """
        if path is None:
            return cls._over("in memory", ":memory:", None, read_only=False)
        shown, real = clean(str(path)), path.resolve()
        if real.exists() and not real.is_file():
            raise CaseFileError(f"The case file {shown} is a folder or a device.", "Name a file with --case.")
        if read_only:
            if not real.exists():
                raise CaseFileError(f"There is no case file {shown}.", "Check the path.")
            _require_magic(real, shown)
            return cls._over(shown, f"{real.as_uri()}?mode=ro", None, read_only=True)
        try:
            real.parent.mkdir(parents=True, exist_ok=True)
            lock = Lock.take(real.with_name(real.name + ".lock"))
        except OSError as e:
            raise _not_written(shown, e.strerror or str(e)) from e
        if lock is None:
            raise CaseFileError(
                f"The case file {shown} is in use by another deepscan.",
                "Wait until that scan has ended, or name another file with --case.",
            )
        try:
            _require_magic(real, shown)
            return cls._over(shown, str(real), lock, read_only=False)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _over(cls, shown: str, database: str, lock: Lock | None, *, read_only: bool) -> CaseFile:
        with _translated(shown, read_only=read_only):
            connection = sqlite3.connect(database, timeout=_WAIT, isolation_level=None, uri=read_only)
        case = cls(shown, connection, lock, read_only=read_only)
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
        if not fresh and application != APPLICATION_ID:
            raise _not_a_case_file(self._shown)
        if version > CASE_VERSION:
            raise CaseFileError(
                f"The case file {self._shown} was written by a newer version of deepscan.",
                "Use that version, or name another file with --case.",
            )
        if fresh and self._read_only:
            raise CaseFileError(f"The case file {self._shown} is empty.", "Scan into it first.")
        # Also refuses tables, views and triggers that are not ours: nothing of a prepared file runs.
        if not fresh and (version != CASE_VERSION or found != _TABLES):
            raise _damaged(self._shown, "its tables are not those of a case file")
        if self._read_only:
            return
        execute("PRAGMA foreign_keys = ON")
        execute("PRAGMA synchronous = NORMAL")
        execute("PRAGMA journal_mode = WAL")
        if fresh:
            with self._transaction():
                execute(f"PRAGMA application_id = {APPLICATION_ID}")
                execute(f"PRAGMA user_version = {CASE_VERSION}")
                for statement in _TABLES.values():
                    execute(statement)

    def __enter__(self) -> CaseFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Fold in the log and give the lock back. Loses nothing when that fails: the next opening does it."""
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

    def begin(self, run: RunInfo) -> None:
        """Begin a run: from here on, reports are of this run, and not finished. Answers of earlier runs stay."""
        with self._transaction():
            self._connection.execute("DELETE FROM entries")
            info = _dump(run_to_json(run))
            self._run = self._connection.execute("INSERT INTO runs (info, finished) VALUES (?, 0)", (info,)).lastrowid

    def last_run(self) -> RunInfo | None:
        """The record of the newest run, finished or not; None in a new case file."""
        with self._translated():
            rows = self._connection.execute("SELECT info FROM runs ORDER BY id DESC LIMIT 1").fetchall()
        return self._read(rows[0][0], run_from_json) if rows else None

    def amend(self, run: RunInfo, *, finished: bool = False) -> None:
        """Correct the record of the run under way: what was not known when it began, such as the device."""
        with self._transaction():
            values = (_dump(run_to_json(run)), finished, self._begun())
            self._connection.execute("UPDATE runs SET info = ?, finished = ? WHERE id = ?", values)

    def finish(self, run: RunInfo) -> None:
        """End the run that began: every file is answered. A run that is not finished counts as interrupted."""
        self.amend(run, finished=True)

    def reuse(self, item: MediaItem, fingerprint: str) -> ItemReport | None:
        """The stored answer for an unchanged file, with ``item`` as it is now; None when it must be examined.

        ``fingerprint`` stands for everything else an answer depends on: options, check versions, the model's weights
        and card, the policy of verdicts. The same file under another root is the same file.
        """
        key = (item.sha256, escape(str(item.name)), fingerprint, escape(item.root.as_posix()))
        with self._translated():
            rows = self._connection.execute(_REUSE, key).fetchmany(1)
        if not rows:
            return None
        stored = self._item(rows[0][0])
        unchanged = replace(stored.item, root=item.root) == item
        return replace(stored, item=item) if unchanged else None

    def add(self, position: int, report: ItemReport, fingerprint: str, *, reusable: bool = True) -> None:
        """Store the answer for the file at a place in the order of discovery; it survives a kill once this returns.

        ``reusable`` is False for an answer that another try may better (a check failed for a passing reason): it is
        in the report of this run, and :meth:`reuse` does not give it. A check that timed out is never reused.

        Raises:
            ValueError: that place has its answer already.
            TypeError: a value in the report is no JSON (:func:`deepscan.reports.schema.item_to_json`).
        """
        self._begun()
        item, document = report.item, _dump(item_to_json(report))
        reusable = reusable and not any(r.outcome is Outcome.TIMED_OUT for r in report.results)
        key = (escape(item.root.as_posix()), escape(str(item.name)), item.sha256, fingerprint)
        with self._transaction():
            self._connection.execute(_STORE, (*key, reusable, document))
            ((answer,),) = self._connection.execute(_FIND, key).fetchall()
            self._enter(position, answer, None)

    def skip(self, position: int, skipped: Skipped) -> None:
        """Store that the file at a place in the order of discovery was not examined, and why. Raises as :meth:`add`."""
        self._begun()
        document = _dump(skipped_to_json(skipped))
        with self._transaction():
            self._enter(position, None, document)

    @contextmanager
    def stored(self) -> Iterator[StoredReport]:
        """The result of the last run, read entry by entry while the block runs. Raises CaseFileError when none was."""
        with self._transaction("DEFERRED"):  # one moment of it, even while a scan goes on
            rows = self._connection.execute("SELECT info, finished FROM runs ORDER BY id DESC LIMIT 1").fetchall()
            if not rows:
                raise CaseFileError(f"The case file {self._shown} holds no run.", "Scan into it first.")
            ((info, finished),) = rows
            items = Rows(self._connection, "report", ITEMS, self._item, self._translated)
            skipped = Rows(self._connection, "skipped", SKIPPED, self._skip, self._translated)
            yield StoredReport(self._read(info, run_from_json), items, skipped, bool(finished))

    def report(self) -> ScanReport:
        """The whole result of the last run, in memory. Raises CaseFileError when there has been none."""
        with self.stored() as stored:
            return ScanReport(stored.schema, stored.run, tuple(stored.items), tuple(stored.skipped), stored.finished)

    def _begun(self) -> int:
        if self._run is None:
            raise ValueError("no run has begun in this case file")
        return self._run

    def _enter(self, position: int, answer: int | None, skipped: str | None) -> None:
        try:
            self._connection.execute("INSERT INTO entries VALUES (?, ?, ?)", (position, answer, skipped))
        except sqlite3.IntegrityError as e:
            raise ValueError(f"place {position} in the order of discovery has its answer already") from e

    def _item(self, text: object) -> ItemReport:
        return self._read(text, item_from_json)

    def _skip(self, text: object) -> Skipped:
        return self._read(text, skipped_from_json)

    def _read(self, text: object, read: Callable[[JSONValue], _T]) -> _T:
        if not isinstance(text, str):
            raise _damaged(self._shown, "an answer is missing")
        try:
            return read(parse(text))
        except ReportError as e:
            raise _damaged(self._shown, e.message) from e
        except ValueError as e:
            raise _damaged(self._shown, str(e)) from e

    def _translated(self) -> contextlib.AbstractContextManager[None]:
        return _translated(self._shown, read_only=self._read_only)

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


def _require_magic(path: Path, shown: str) -> None:
    """Refuse what is no database before SQLite sees it: it takes a file of one byte for an empty one."""
    try:
        with path.open("rb") as stream:
            head = stream.read(len(MAGIC))
    except FileNotFoundError:
        return
    except OSError as e:
        raise CaseFileError(f"The case file {shown} cannot be read: {e.strerror or e}.", "Check your rights.") from e
    if head not in (b"", MAGIC):
        raise _not_a_case_file(shown)


def _dump(document: JSONValue) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@contextmanager
def _translated(shown: str, *, read_only: bool) -> Iterator[None]:
    """Turn what SQLite says into a sentence. Mistakes of the caller (ProgrammingError) stay what they are."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.DatabaseError as e:
        raise _sentence(shown, e, read_only=read_only) from e


def _sentence(shown: str, e: sqlite3.DatabaseError, *, read_only: bool) -> DeepscanError:
    code = getattr(e, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # the rest is the extended code
    match code:
        case sqlite3.SQLITE_NOTADB:
            return _not_a_case_file(shown)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return CaseFileError(
                f"The case file {shown} is held by another program.", "Close that program, or wait until it is done."
            )
        case sqlite3.SQLITE_FULL:
            return _not_written(shown, "the disk is full")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_PERM:
            if not read_only:
                return _not_written(shown, str(e))
            return CaseFileError(
                f"The case file {shown} cannot be read: {clean(str(e))}.",
                "If a scan into it was cut off, copy it and the -wal file beside it to a folder you may write to.",
            )
    return _damaged(shown, str(e))


def _not_written(shown: str, why: str) -> OutputError:
    return OutputError(
        f"The case file {shown} cannot be written: {clean(why)}.",
        "Free some space or check your rights there, or name a file on another disk with --case.",
    )


def _not_a_case_file(shown: str) -> CaseFileError:
    return CaseFileError(
        f"{shown} is not a deepscan case file, and was left as it is.", "Name another file with --case."
    )


def _damaged(shown: str, why: str) -> CaseFileError:
    return CaseFileError(
        f"The case file {shown} is damaged: {clean(why)}.",
        "Remove it and scan again, or name another file with --case.",
    )
