"""``deepscan baseline``: accept what a scan has found, so that only what is new fails from now on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepscan.ci import baseline
from deepscan.cli.reading import read_report, refuse_scanned
from deepscan.reports.base import make_folder, open_output
from deepscan.text import clean, plural


def baseline_command(
    source: Annotated[Path, typer.Argument(metavar="CASE_OR_JSON", help="A case file, or a report.json.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The baseline to write.")],
) -> None:
    """Write the files that a scan has found something in as a baseline for `deepscan scan --baseline`.

    A file is known by the hash of its content, as long as its verdict grows no stronger and rests on nothing new.
    """
    with read_report(source) as report:
        refuse_scanned(report, output.parent, [output.name], beside=False)
        make_folder(output.parent)
        with open_output(output) as stream:
            number = baseline.write(report.items, stream)
    typer.echo(f"Wrote {clean(str(output), limit=None)}: {plural(number, 'file')} known.", err=True)
