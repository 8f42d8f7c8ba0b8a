"""``deepscan config``: which settings are in force here, and where each comes from."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import typer

from deepscan.cli.models import FormatOption, OutputFormat
from deepscan.config import SIZES, RunOptions, ScanOptions, find_settings, from_settings
from deepscan.text import clean, exact_size

config_app = typer.Typer(help="Show the settings of this folder.", no_args_is_help=True, rich_markup_mode=None)


@config_app.command("show")
def show(output: FormatOption = OutputFormat.TEXT) -> None:
    """Show every option of a scan, its value, and where it was set: default, a file, or the environment.

    What stands on the command line of a scan goes before all of them.
    """
    found = find_settings(Path.cwd())
    scan, around = from_settings(ScanOptions(), found), from_settings(RunOptions(), found)
    rows = [
        (
            f.name.replace("_", "-"),
            getattr(options, f.name),
            found[f.name].source if f.name in found else "default",
        )
        for options in (scan, around)
        for f in fields(options)
    ]
    if output is OutputFormat.JSON:
        document = {name: {"value": _plain(value), "from": source} for name, value, source in rows}
        typer.echo(json.dumps(document, indent=2))
        return
    width = max(len(name) for name, _, _ in rows)
    shown = [(name, clean(as_written(name, value)), clean(source)) for name, value, source in rows]
    values = max(len(value) for _, value, _ in shown)
    for name, value, source in shown:
        typer.echo(f"{name:<{width}}  {value:<{values}}  {source}")


def as_written(name: str, value: object) -> str:
    """A value as it would be written in a variable; ``unset`` and ``nothing`` where there is none to write."""
    if value is None:
        return "unset"
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "nothing"
    if isinstance(value, int) and name.replace("-", "_") in SIZES:
        return exact_size(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: object) -> object:
    return [str(part) for part in value] if isinstance(value, tuple) else value
