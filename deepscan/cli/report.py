"""``deepscan report``: render a case file or a report.json again, without scanning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepscan.cli import options as o
from deepscan.cli.delivery import Delivery
from deepscan.cli.reading import read_report, refuse_scanned
from deepscan.config import RunOptions
from deepscan.errors import UsageError
from deepscan.reports import base
from deepscan.text import clean

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
    template: o.TemplateOption = None,
    seal: o.SealOption = None,
    sign: o.SignOption = None,
    timestamp: o.TimestampOption = None,
    offline: o.OfflineOption = False,
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
    setting = o.setting(style, template, exhibits=source.parent)
    around = RunOptions(seal=bool(seal), sign=str(sign) if sign else None, timestamp=timestamp)
    delivery = Delivery.chosen(names, folder, setting, around, offline=offline)
    with read_report(source) as report:
        if folder is not None:
            refuse_scanned(report, folder, (*base.file_names(names), "exhibits"))
        for sentence in delivery.carry(report, source.parent):
            typer.echo(sentence, err=True)
        for path in delivery.deliver(report):
            typer.echo(f"Wrote {clean(str(path), limit=None)}", err=True)
