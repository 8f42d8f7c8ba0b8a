"""What SQLite says about a case file, as sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepscan.engine.casefile_tables import MAGIC
from deepscan.errors import CaseFileError, DeepscanError, OutputError
from deepscan.text import clean


@contextmanager
def translated(shown: str, *, read_only: bool) -> Iterator[None]:
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
            return not_a_case_file(shown)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return CaseFileError(
                f"The case file {shown} is held by another program.", "Close that program, or wait until it is done."
            )
        case sqlite3.SQLITE_FULL:
            return not_written(shown, "the disk is full")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_PERM:
            if not read_only:
                return not_written(shown, str(e))
            return CaseFileError(
                f"The case file {shown} cannot be read: {clean(str(e))}.",
                "If a scan into it was cut off, copy it and the -wal file beside it to a folder you may write to.",
            )
    return damaged(shown, str(e))


def require_magic(path: Path, shown: str) -> None:
    """Refuse what is no database before SQLite sees it: it takes a file of one byte for an empty one.

    Raises:
        CaseFileError: it is none, or cannot be read.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(len(MAGIC))
    except FileNotFoundError:
        return
    except OSError as e:
        raise CaseFileError(f"The case file {shown} cannot be read: {e.strerror or e}.", "Check your rights.") from e
    if head not in (b"", MAGIC):
        raise not_a_case_file(shown)


def not_written(shown: str, why: str) -> OutputError:
    """The error for a case file that cannot be written to."""
    return OutputError(
        f"The case file {shown} cannot be written: {clean(why)}.",
        "Free some space or check your rights there, or name a file on another disk with --case.",
    )


def not_a_case_file(shown: str) -> CaseFileError:
    """The error for any other file."""
    return CaseFileError(
        f"{shown} is not a deepscan case file, and was left as it is.", "Name another file with --case."
    )


def other_version(shown: str, age: str) -> CaseFileError:
    """The error for a case file of an ``older`` or ``newer`` deepscan."""
    return CaseFileError(
        f"The case file {shown} was written by {'a newer' if age == 'newer' else 'an older'} version of deepscan.",
        "Use that version, or name another file with --case.",
    )


def damaged(shown: str, why: str) -> CaseFileError:
    """The error for a case file that does not hold together."""
    return CaseFileError(
        f"The case file {shown} is damaged: {clean(why)}.",
        "Remove it and scan again, or name another file with --case.",
    )
