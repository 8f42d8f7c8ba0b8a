"""What a report for readers can be told besides the result: the voice it speaks in, and where its pictures lie."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Style(StrEnum):
    """The two voices of one result."""

    BRIEF = "brief"
    """Plain words: the verdict, what it rests on, what it does not show."""
    FULL = "full"
    """Everything: tables, methods, versions."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a report is to be written.

    ``style`` None leaves the choice to the report. ``exhibits`` is the folder that the paths of exhibits are relative
    to; ``folder`` is the one the report itself goes to, None for standard output. ``template`` is a folder
    of templates that stand in for the built-in ones.
    """

    style: Style | None = None
    exhibits: Path | None = None
    folder: Path | None = None
    template: Path | None = None


USUAL = Setting()
"""Nothing chosen: each report decides for itself."""
