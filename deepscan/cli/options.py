"""Options that commands share, and the words their values take."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

_LOGGER = logging.getLogger("deepscan")


def _set_up_logging(value: bool) -> bool:
    """Warnings to the error stream; with ``--debug`` everything, with tracebacks."""
    _LOGGER.setLevel(logging.DEBUG if value else logging.WARNING)
    if not _LOGGER.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("deepscan: %(message)s"))
        _LOGGER.addHandler(handler)
    return value


def debug_is_on() -> bool:
    """Whether ``--debug`` was given."""
    return _LOGGER.isEnabledFor(logging.DEBUG)


DebugOption = Annotated[
    bool, typer.Option("--debug", help="Show tracebacks and what happens inside.", callback=_set_up_logging)
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary; errors only.")]
NoColourOption = Annotated[
    bool, typer.Option("--no-color", "--no-colour", help="No colours (as the NO_COLOR variable does).")
]
FormatsOption = Annotated[
    str | None, typer.Option("--format", metavar="NAMES", help="Reports to write, with commas: csv, json.")
]
OutputOption = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="DIR|-", help="The folder to write reports into, or - for stdout."),
]


def words(value: str | None) -> tuple[str, ...] | None:
    """``"csv, json"`` as ``("csv", "json")``; None stays None."""
    return None if value is None else tuple(word.strip() for word in value.split(",") if word.strip())
