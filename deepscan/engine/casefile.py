"""The case file: every answer the moment it is given, in one SQLite database that is the source of every report.

**What a kill leaves.** Each :meth:`CaseFile.add` is a transaction of its own, in write-ahead-log mode with
``synchronous=NORMAL``: a process killed at any instant loses nothing that ``add`` had returned from, because the system
keeps what it was given. A power cut may cost the last answers (the log is brought to the disk at checkpoints, not at
every answer), never the rest; they are scanned again. ``FULL`` would wait for the disk at every file to save them.
Answers that were stored before and are entered again (:meth:`CaseFile.repeat`) wait for each other: a kill can take up
to :data:`MOST_WAITING` of them out of the report of that run, and none out of the case file.

**Who may write.** One process, the one that holds the lock of :mod:`deepscan.engine.caselock`. Readers (``read_only``)
need no lock, change nothing and may look on while a scan runs. After a clean end the log is folded in and the lock file
removed: a case at rest is one plain file that can be read from read-only media.

**What is reported.** The entries, which say what belongs to a report, are those of the last run that has any: a run
that ends before its first answer (its model cannot be loaded) leaves the report of the one before. Answers of earlier
runs stay for reuse (:mod:`deepscan.engine.reuse`), each with the keys of the checks in it that may be reused.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from deepscan.engine import casefile_tables as tables
from deepscan.engine.casefile_connection import Connection
from deepscan.engine.casefile_errors import other_version
from deepscan.engine.casefile_stored import ITEMS, SKIPPED, Rows, StoredReport
from deepscan.engine.casefile_tables import MAGIC as MAGIC
from deepscan.engine.casefile_text import Reader, as_now, beginning, dump
from deepscan.engine.stored import Stored
from deepscan.errors import CaseFileError
from deepscan.reports.schema import (
    SCHEMA_VERSION,
    escape,
    item_to_json,
    run_from_json,
    run_to_json,
    skipped_to_json,
)
from deepscan.reports.upgrades import STEPS
from deepscan.types import ItemReport, MediaItem, Outcome, RunInfo, ScanReport, Skipped

if TYPE_CHECKING:  # it knows the checks, and a report is rendered without them
    from deepscan.engine.fingerprints import Wanted

HELD = 1000
"""Files up to which a report is held in memory as a whole."""

MOST_WAITING = 500
"""Answers that may wait to be entered again, all in one transaction: each would cost as much as finding it."""


@dataclass(frozen=True, slots=True)
class _Again:
    """An answer to be entered again, and when its file was last changed where that is another moment now."""

    position: int
    answer: int
    modified: int | None


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer about certain bytes. ``here`` says whether it was about a file in the same place; ``keys`` are those of
    its checks that may be reused; ``read`` gives the report; ``modified`` is when its file was last changed.
    """

    id: int
    here: bool
    fingerprint: str
    keys: Mapping[str, str]
    read: Callable[[], ItemReport]
    modified: int | None = None


class CaseFile(Connection):
    """An open case file, used from one thread. Made by :meth:`open`; a context manager that closes it.

    All methods raise OutputError when the disk is full or may not be written to, and CaseFileError when the file is
    damaged or another program holds it.
    """

    _run: int | None = None
    _answering = False

    @cached_property
    def _waiting(self) -> list[_Again]:
        """Answers that are still to be entered again."""
        return []

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self._shown)

    # Writing.

    def begin(self, run: RunInfo) -> None:
        """Begin a run. From its first answer on, reports are of this run, and not finished; the answers stay."""
        self._enter_waiting()
        with self._transaction():
            values = (dump(run_to_json(run)), SCHEMA_VERSION, tables.BEGUN)
            statement = "INSERT INTO runs (info, schema, state) VALUES (?, ?, ?)"
            self._run = self._connection.execute(statement, values).lastrowid
        self._answering = False

    def amend(self, run: RunInfo) -> None:
        """Correct the record of the run under way: what was not known when it began, such as the device."""
        with self._transaction():
            values = (dump(run_to_json(run)), self._begun())
            self._connection.execute("UPDATE runs SET info = ? WHERE id = ?", values)

    def finish(self, run: RunInfo) -> None:
        """End the run that began: every file is answered. A run that is not finished counts as interrupted."""
        with self._entering():
            self._start_answering()
            values = (dump(run_to_json(run)), tables.FINISHED, self._begun())
            self._connection.execute("UPDATE runs SET info = ?, state = ? WHERE id = ?", values)

    @property
    def has_answers(self) -> bool:
        """Whether the run under way has an answer, so that a report would be of it."""
        self._enter_waiting()
        with self._translated():
            ((state,),) = self._connection.execute("SELECT state FROM runs WHERE id = ?", (self._begun(),))
        return bool(state != tables.BEGUN)

    def add(
        self,
        position: int,
        report: ItemReport,
        wanted: Wanted,
        *,
        passing: frozenset[str] = frozenset(),
        modified: int | None = None,
    ) -> None:
        """Store the answer for the file at a place in the order of discovery; it survives a kill once this returns.

        Args:
            position: The place.
            report: The answer.
            wanted: What it was made with.
            passing: The checks that another try may better (they failed for a passing reason): what they say is in the
                report of this run, and not reused. What a check that timed out says never is.
            modified: When the file was last changed, in nanoseconds, if that is known.

        Raises:
            ValueError: that place has its answer already.
            TypeError: a value in the report is no JSON (:func:`deepscan.reports.schema.item_to_json`).
        """
        self._begun()
        item, document = report.item, dump(item_to_json(report))
        never = passing | {r.check for r in report.results if r.outcome is Outcome.TIMED_OUT}
        keys = dump({check: key for check, key in wanted.keys.items() if check not in never})
        place = (escape(item.root.as_posix()), escape(str(item.name)), item.sha256, wanted.fingerprint)
        with self._entering():
            self._connection.execute(tables.STORE, (*place, modified, keys, document))
            ((answer,),) = self._connection.execute(tables.FIND, place).fetchall()
            self._enter(position, answer, None)

    def repeat(self, position: int, answer: StoredAnswer, *, modified: int | None = None) -> None:
        """Enter an answer that is stored already, for a place in the order of discovery. Raises as :meth:`add`.

        It may wait for others, so that a kill can lose it: the next scan finds it again as this one did. Whatever is
        stored or read next has it.
        """
        self._begun()
        changed = modified is not None and modified != answer.modified
        self._waiting.append(_Again(position, answer.id, modified if changed else None))
        if len(self._waiting) >= MOST_WAITING:
            self._enter_waiting()

    def skip(self, position: int, skipped: Skipped) -> None:
        """Store that the file at a place in the order of discovery was not examined, and why. Raises as :meth:`add`."""
        self._begun()
        document = dump(skipped_to_json(skipped))
        with self._entering():
            self._enter(position, None, document)

    def _enter_waiting(self) -> None:
        if self._waiting:
            with self._entering():
                pass

    @contextmanager
    def _entering(self) -> Iterator[None]:
        """A transaction in which what waits is entered first."""
        with self._transaction():
            for again in self._waiting:
                if again.modified is not None:
                    self._connection.execute(tables.TOUCH, (again.modified, again.answer))
                self._start_answering()
                with self._one_answer(again.position):
                    self._connection.execute(tables.REPEAT, (again.position, again.answer))
            yield
        self._waiting.clear()  # when Ctrl-C prevents this, the same is entered once more, which changes nothing

    def _enter(self, position: int, answer: int | None, skipped: str | None) -> None:
        self._start_answering()
        with self._one_answer(position):
            self._connection.execute(tables.ENTER, (position, answer, skipped))

    @contextmanager
    def _one_answer(self, position: int) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as e:
            raise ValueError(f"place {position} in the order of discovery has its answer already") from e

    def _start_answering(self) -> None:
        """Within a transaction: with its first answer, a run takes the place of the one before."""
        if not self._answering:
            ((state,),) = self._connection.execute("SELECT state FROM runs WHERE id = ?", (self._begun(),))
            # Asked once more, because the transaction of a first answer may have failed.
            if state == tables.BEGUN:
                self._connection.execute("DELETE FROM entries")
                self._connection.execute("UPDATE runs SET state = ? WHERE id = ?", (tables.ANSWERING, self._run))
            self._answering = state != tables.BEGUN

    # Reading.

    def last_run(self) -> RunInfo | None:
        """The record of the run that a report would be of; None in a new case file, or after another version's run."""
        row = self._reported()
        if row is None or row[2] != SCHEMA_VERSION:
            return None
        return self._reader.read(row[1], run_from_json)

    def same_bytes(self, item: MediaItem) -> Iterator[StoredAnswer]:
        """Stored answers about a file's bytes, those for the same name and place first; never very many."""
        name, root = escape(str(item.name)), escape(item.root.as_posix())
        with self._translated():
            rows = self._connection.execute(tables.SAME_BYTES, (item.sha256, name, root)).fetchall()
        for answer, its_root, its_name, fingerprint, keys, report in rows:
            here, read = (its_name, its_root) == (name, root), partial(self._reader.item, report)
            yield StoredAnswer(answer, here, fingerprint, self._reader.keys(keys), read)

    def same_place(self, root: Path, name: str, modified: int) -> MediaItem | None:
        """The file that was last answered under this name and had been changed at just that nanosecond."""
        self._enter_waiting()
        with self._translated():
            place = (escape(name), escape(root.as_posix()), modified)
            rows = self._connection.execute(tables.SAME_PLACE, place).fetchall()
        return self._reader.file(rows[0][0]) if rows else None

    def whole(self, item: MediaItem, wanted: Wanted) -> StoredAnswer | None:
        """The answer about just this file that is all that is wanted: it is what a scan would store again.

        Told from the beginning of its text; its report is read as :meth:`Reader.item_in_parts` does.
        """
        place = (escape(item.root.as_posix()), escape(str(item.name)), item.sha256, wanted.fingerprint)
        with self._translated():
            rows = self._connection.execute(tables.WHOLE, place).fetchall()
        for answer, modified, keys, report in rows:
            if keys == dump(wanted.keys) and isinstance(report, str) and report.startswith(beginning(item)):
                read = partial(self._reader.item_in_parts, report)
                return StoredAnswer(answer, True, wanted.fingerprint, wanted.keys, read, modified)
        return None

    @contextmanager
    def stored(self) -> Iterator[StoredReport]:
        """The result of the last run, read entry by entry while the block runs; results when they are looked at.

        Raises:
            CaseFileError: there has been no run.
        """
        self._enter_waiting()
        with self._transaction("DEFERRED"):  # one moment of it, even while a scan goes on
            row = self._reported()
            if row is None:
                raise CaseFileError(f"The case file {self._shown} holds no run.", "Scan into it first.")
            _, info, schema, state = row
            if schema != SCHEMA_VERSION and schema not in STEPS:
                raise other_version(self._shown, "newer" if schema > SCHEMA_VERSION else "older")
            in_parts = schema == SCHEMA_VERSION
            read = self._reader.item_in_parts if in_parts else partial(self._reader.item, schema=schema)
            items = Rows(self._connection, "report", ITEMS, read, self._translated)
            skipped = Rows(self._connection, "skipped", SKIPPED, self._reader.skipped, self._translated)
            run = self._reader.read(info, lambda document: run_from_json(as_now(schema, "run", document)))
            yield StoredReport(run, items, skipped, state == tables.FINISHED)

    def report(self) -> ScanReport:
        """The whole result of the last run. Of more than :data:`HELD` files, it is read from the case file while it is
        gone through, also after this one has been closed; of a run that still goes on it has what is there then.

        Raises:
            CaseFileError: there has been no run.
        """
        with self.stored() as stored:
            items: Sequence[ItemReport]
            skipped: Sequence[Skipped]
            row = self._reported()
            assert row is not None
            if len(stored.items) + len(stored.skipped) <= HELD:
                items = tuple(replace(stored.items, read=partial(self._reader.item, schema=row[2])))
                skipped = tuple(stored.skipped)
            else:
                items, skipped = _sequences(self._reopener(row[0]))
                self._shared = self.path is None
            return ScanReport(stored.schema, stored.run, items, skipped, stored.finished)

    def _reopener(self, run: int) -> _Opener:
        """What opens this case file for reading, as long as it reports that run."""
        path = self.path
        if path is None:
            return lambda: contextlib.nullcontext(self)

        @contextmanager
        def opened() -> Iterator[CaseFile]:
            with CaseFile.open(path, read_only=True) as case:
                row = case._reported()
                if row is None or row[0] != run:
                    raise CaseFileError(
                        f"The case file {self._shown} has been scanned into again since this report was asked for.",
                        "Render the report anew with deepscan report.",
                    )
                yield case

        return opened

    def _reported(self) -> tuple[int, str, str, int] | None:
        """The newest run that has answers, else the newest: its number, record, schema and state."""
        with self._translated():
            rows = self._connection.execute(tables.REPORTED).fetchall()
        return rows[0] if rows else None

    def _begun(self) -> int:
        if self._run is None:
            raise ValueError("no run has begun in this case file")
        return self._run


_Opener: TypeAlias = Callable[[], "contextlib.AbstractContextManager[CaseFile]"]


def _sequences(opened: _Opener) -> tuple[Stored[ItemReport], Stored[Skipped]]:
    """What a case file holds as sequences that open it for each use."""

    @contextmanager
    def items() -> Iterator[Rows[ItemReport]]:
        with opened() as case, case.stored() as stored:
            yield stored.items

    @contextmanager
    def skipped() -> Iterator[Rows[Skipped]]:
        with opened() as case, case.stored() as stored:
            yield stored.skipped

    return Stored(items), Stored(skipped)
