"""``deepscan checks``: what runs on a file, what it costs, and what kind of evidence it gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from deepscan.cli.models import FormatOption, OutputFormat
from deepscan.types import JSONValue

if TYPE_CHECKING:
    from deepscan.checks.base import CheckSpec

checks_app = typer.Typer(help="List the checks that a scan can run.", no_args_is_help=True, rich_markup_mode=None)

_HEAD = ("check", "default", "cost", "family", "looks at", "what it does")


@checks_app.command("list")
def list_checks(output: FormatOption = OutputFormat.TEXT) -> None:
    """List every check: whether it runs by default, its cost, its family of evidence, and what it applies to."""
    # The catalogue loads NumPy: --help stays quick.
    from deepscan.checks import catalogue

    specs = catalogue.all_specs()
    if output is OutputFormat.JSON:
        typer.echo(json.dumps([_as_json(spec) for spec in specs], indent=2, ensure_ascii=False))
        return
    rows = [_HEAD, *(_row(spec) for spec in specs)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(spec: CheckSpec) -> tuple[str, ...]:
    return (spec.id, "yes" if spec.default else "no", spec.cost, spec.family, spec.looks_at_words, spec.title)


def _as_json(spec: CheckSpec) -> dict[str, JSONValue]:
    return {
        "id": spec.id,
        "title": spec.title,
        "family": str(spec.family),
        "version": spec.version,
        "default": spec.default,
        "cost": str(spec.cost),
        "looks_at": spec.looks_at_words,
        "kinds": sorted(str(kind) for kind in spec.kinds),
        "codes": list(spec.codes),
    }
