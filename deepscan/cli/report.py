"""``deepscan report``: render a case file or a report.json again, without scanning."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from deepscan.cli import options as o
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
        typer.Option("--format", metavar="NAMES", help=f"Reports to write, with commas: {', '.join(base.RENDERERS)}."),
    ] = "csv,json",
    style: o.StyleOption = None,
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
    setting = o.setting(style, exhibits=source.parent)
    with read_report(source) as report:
        if output == STDOUT:
            base.write_stdout(report, names[0], sys.stdout, setting)
            return
        for path in base.write(report, names, Path(output), setting):
            typer.echo(f"Wrote {clean(str(path), limit=None)}", err=True)


@contextmanager
def read_report(source: Path) -> Iterator[Document]:
    """The result in a case file or a report.json, while the block runs; which of them it is, its first bytes say.

    A case file is read entry by entry, however large it is.

    Raises:
        InputError: there is no such file, or it cannot be read.
        CaseFileError: it is a SQLite file, and no case file, or a damaged one.
        ReportError: it is anything else, and no report of deepscan.
    """
    shown = clean(str(source))
    try:
        with source.open("rb") as stream:
            head = stream.read(len(MAGIC))
    except IsADirectoryError as e:
        raise InputError(f"{shown} is a folder.", "Name the case file or the report.json in it.") from e
    except OSError as e:
        raise InputError(f"{shown} cannot be read: {e.strerror or e}.", "Check the path.") from e
    if head != MAGIC:
        yield load(source)
        return
    with CaseFile.open(source, read_only=True) as case, case.stored() as stored:
        yield stored
