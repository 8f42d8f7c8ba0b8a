"""Programs that name themselves in turn, and places that state one field differently."""

from __future__ import annotations

from collections.abc import Iterator

from deepscan.checks.contradictions.base import Statements, as_evidence, note
from deepscan.checks.editors import program_of
from deepscan.checks.fields import disagreements
from deepscan.text import clean
from deepscan.types import Evidence, Finding

DIFFERS, SEVERAL_PROGRAMS = "DS-META-008", "DS-META-013"

_WORDS = {
    "datetime_original": "the time at which it was taken",
    "datetime_digitized": "the time at which it was digitised",
    "datetime_modified": "the time at which it was changed",
    "gps": "its place",
}
"""Fields that people call otherwise."""

_LATEST = 100
"""Entries of a history that are looked at, from its end."""


def differs(said: Statements) -> Iterator[Finding]:
    """Two places of one file state a field differently."""
    for first, other in disagreements(said.embedded):
        yield note(
            DIFFERS,
            f"The file states {_WORDS.get(first.name, first.name)} twice and differently, as {first.source} and as "
            f"{other.source}; deepscan takes the first. A program that changed one place and left the other "
            "explains it.",
            (as_evidence(first), as_evidence(other)),
        )


def several_programs(said: Statements) -> Iterator[Finding]:
    """The last program in Adobe's history is not the one that EXIF names."""
    history = list(said.every("XMP", "stEvt:softwareAgent"))[-_LATEST:]
    agents = [agent for agent in history if program_of(agent)]
    software = said.exif("Software")
    last, named = (program_of(agents[-1]) if agents else None), program_of(software or "")
    if last is None or named is None or software is None or last == named:
        return
    yield note(
        SEVERAL_PROGRAMS,
        f'The history in XMP ends with {last} ("{clean(agents[-1], 60)}"), and EXIF names {named} '
        f'("{clean(software, 60)}"): more than one program wrote the file in turn. It does not show what was changed.',
        (
            *said.quoted("EXIF", "Software"),
            Evidence("XMP history", [clean(agent, 80) for agent in agents[-20:]]),
            *said.quoted("XMP", "xmp:CreatorTool"),
        ),
    )
