"""``deepscan report``: render a case file or a report.json again, without scanning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from deepscan.cli import options as o
from deepscan.cli.delivery import Delivery
from deepscan.config import RunOptions
from deepscan.engine.casefile import MAGIC, CaseFile
from deepscan.errors import InputError, UsageError
from deepscan.reports import base
from deepscan.reports.schema import load
from deepscan.text import clean
from deepscan.types import Document

STDOUT = "-"
"""What ``-o`` takes for standard output."""


def report_command(
    source: Annotated[
        Path, typer.Argument(metavar="CASE_OR_JSON", help="A case file, or a report.json that deepscan wrote.")
    ],
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="DIR|-", help="The folder to write into, or - for standard output."),
    ],
    formats: Annotated[
        str,
        typer.Option("--format", metavar="NAMES", help=f"Reports to write, with commas: {', '.join(base.FORMATS)}."),
    ] = "csv,json",
    style: o.StyleOption = None,
    seal: o.SealOption = None,
    sign: o.SignOption = None,
) -> None:
    """Write the reports of an earlier scan again, without scanning.

    Only one format can go to standard output, and of a format with several files only the main one does.
    """
    names = tuple(name for word in formats.split(",") if (name := word.strip()))
    base.choose(names)
    if output == STDOUT and len(set(names)) > 1:
        raise UsageError(
            "Only one report can go to standard output.", "Choose one with --format, or name a folder with -o."
        )
    folder = None if output == STDOUT else Path(output)
    setting = o.setting(style, exhibits=source.parent)
    delivery = Delivery.chosen(names, folder, setting, RunOptions(seal=bool(seal), sign=str(sign) if sign else None))
    with read_report(source) as report:
        if folder is not None:
            refuse_evidence(report, folder, (*base.file_names(names), "exhibits"))
        for sentence in delivery.carry(report, source.parent):
            typer.echo(sentence, err=True)
        for path in delivery.deliver(report):
            typer.echo(f"Wrote {clean(str(path), limit=None)}", err=True)


def refuse_evidence(report: Document, folder: Path, names: Sequence[str]) -> None:
    """Refuse to write files over or into what was scanned, where it still lies. Raises OutputError."""
    from deepscan.engine.scan import refuse_inside_evidence

    for name in names:
        refuse_inside_evidence([Path(path) for path in report.run.paths], folder / name, "report")


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
