"""The report that a case file holds, read entry by entry: memory holds one of them, however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from deepscan.reports.schema import SCHEMA_VERSION
from deepscan.types import ItemReport, Known, RunInfo, Skipped

_T = TypeVar("_T")

ITEMS = "FROM entries LEFT JOIN answers ON answers.id = answer WHERE answer IS NOT NULL"
SKIPPED = "FROM entries WHERE skipped IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Rows(Generic[_T]):
    """Entries of a case file in the order of discovery, read anew each time they are gone through.

    ``read`` turns the stored text into a value, and ``translated`` the errors of SQLite into sentences.
    """

    connection: sqlite3.Connection
    column: str
    source: str
    read: Callable[[object], _T]
    translated: Callable[[], AbstractContextManager[None]]

    def __iter__(self) -> Iterator[_T]:
        with self.translated():
            for (text,) in self.connection.execute(f"SELECT {self.column} {self.source} ORDER BY position"):
                yield self.read(text)

    def __len__(self) -> int:
        with self.translated():
            ((number,),) = self.connection.execute(f"SELECT COUNT(*) {self.source}")
        return int(number)


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A :class:`deepscan.types.Document` over an open case file; it can be read as long as that is open."""

    run: RunInfo
    items: Rows[ItemReport]
    skipped: Rows[Skipped]
    finished: bool
    schema: str = SCHEMA_VERSION
    known: tuple[Known, ...] = ()
