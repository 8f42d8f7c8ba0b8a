"""The result of an earlier scan, read again by the commands that work on one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deepscan.engine.casefile import MAGIC, CaseFile
from deepscan.errors import InputError
from deepscan.reports.schema import load
from deepscan.text import clean
from deepscan.types import Document


def refuse_scanned(report: Document, folder: Path, names: Sequence[str], *, beside: bool = True) -> None:
    """Refuse to write files over or into what was scanned, where it still lies: as the scan did. Raises OutputError."""
    from deepscan.engine.evidence import Target, refuse_evidence

    targets = [Target("report", folder / name) for name in names]
    refuse_evidence([Path(path) for path in report.run.paths], targets, beside=beside)


@contextmanager
def read_report(source: Path) -> Iterator[Document]:
    """The result in a case file or a report.json, while the block runs; which of them it is, its first bytes say.

    A case file is read entry by entry, however large it is.

    Raises:
        InputError: there is no such file, or it cannot be read.
        CaseFileError: it is a SQLite file, and no case file, or a damaged one.
        ReportError: it is anything else, and no report of deepscan.
    """
    if not is_case_file(source):
        yield load(source)
        return
    with CaseFile.open(source, read_only=True) as case, case.stored() as stored:
        yield stored


def is_case_file(source: Path) -> bool:
    """Whether a file is a case file, or at least one of SQLite. Raises InputError when it cannot be read."""
    shown = clean(str(source))
    try:
        with source.open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except IsADirectoryError as e:
        raise InputError(f"{shown} is a folder.", "Name the case file or the report.json in it.") from e
    except OSError as e:
        raise InputError(f"{shown} cannot be read: {e.strerror or e}.", "Check the path.") from e
