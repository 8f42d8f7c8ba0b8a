"""``deepscan diff``: which verdicts changed between two reports, and what changed them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deepscan.cli.models import FormatOption, OutputFormat
from deepscan.cli.reading import read_report
from deepscan.errors import EXIT_CLEAN, EXIT_FOUND
from deepscan.reports.differences import Change, Difference, differences
from deepscan.reports.json_text import dump
from deepscan.reports.run_changes import RunChanges
from deepscan.reports.schema import escape
from deepscan.text import clean
from deepscan.types import Document, JSONValue

OldArgument = Annotated[Path, typer.Argument(metavar="OLD", help="A case file or a report.json.")]
NewArgument = Annotated[Path, typer.Argument(metavar="NEW", help="A later one.")]

VERDICTS = (Change.VERDICT, Change.ADDED, Change.REMOVED)
"""What ends the command with exit code 1: verdicts that are new, gone, or others."""


def diff_command(old: OldArgument, new: NewArgument, output: FormatOption = OutputFormat.TEXT) -> None:
    """List the files whose verdict changed between two reports, and what can have changed it.

    Ends with 0 when every file has the verdict that it had, 1 when one has another, is new or is gone, and 2 when a
    report cannot be read. With --format json every difference is a line.
    """
    with read_report(old) as before, read_report(new) as after:
        raise typer.Exit(tell(before, after, output))


def tell(before: Document, after: Document, output: OutputFormat = OutputFormat.TEXT, *, strict: bool = False) -> int:
    """Print what differs; returns the exit code. ``strict``: findings that differ under the same verdict count too."""
    counts = Counter[Change]()
    for found in differences(before, after):
        counts[found.change] += 1
        typer.echo(_line(found) if output is OutputFormat.JSON else _text(found))
    if output is OutputFormat.TEXT:
        words = ", ".join(f"{counts[change]:,} {change}" for change in Change if counts[change])
        typer.echo(f"Differences: {words or 'none'}.", err=True)
        for change in RunChanges.between(before.run, after.run).every():
            typer.echo(f"  {change}", err=True)
    return EXIT_FOUND if any(counts[change] for change in (Change if strict else VERDICTS)) else EXIT_CLEAN


def _text(found: Difference) -> str:
    verdicts = f"{found.before or '-'}  ->  {found.after or '-'}"
    lines = [f"{found.change.upper():<8}  {clean(found.name)}", f"          {verdicts}"]
    if found.checks:
        lines.append(f"          in: {clean(', '.join(found.checks))}")
    return "\n".join([*lines, *(f"          because: {cause}" for cause in found.causes)])


def _line(found: Difference) -> str:
    document: dict[str, JSONValue] = json.loads(json.dumps(asdict(found)))
    return dump(document | {"name": escape(found.name), "checks": [escape(check) for check in found.checks]})
