"""Statements of a file that cannot all be true. Each has an innocent cause more often than not, and none says more
than weak. A new one is a function from :class:`Statements` to findings, and its name in :data:`RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from deepscan.checks.contradictions import cameras, dates, picture, programs
from deepscan.checks.contradictions.base import Statements, as_evidence
from deepscan.checks.editors import Editor
from deepscan.checks.fields import Field
from deepscan.checks.reading.embedded import Embedded
from deepscan.types import Finding

__all__ = ["CODES", "RULES", "as_evidence", "find_contradictions"]

RULES: tuple[tuple[str, Callable[[Statements], Iterator[Finding]]], ...] = (
    (dates.MODIFIED_FIRST, dates.modified_first),
    (dates.IMPOSSIBLE_DATE, dates.impossible_dates),
    (picture.OTHER_SIZE, picture.other_size),
    (dates.OTHER_TIME, dates.other_time),
    (programs.DIFFERS, programs.differs),
    (cameras.BEFORE_CAMERA, cameras.before_camera),
    (cameras.INCOMPLETE, cameras.incomplete),
    (picture.OTHER_WAY_UP, picture.other_way_up),
    (programs.SEVERAL_PROGRAMS, programs.several_programs),
    (cameras.NOTES_LOST, cameras.notes_lost),
    (picture.OTHER_COLOURS, picture.other_colours),
    (dates.OTHER_CLOCK, dates.other_clock),
    (cameras.OTHER_MAKER, cameras.other_maker),
)
"""The code that each rule gives, and the rule, in the order of the codes."""

CODES = tuple(code for code, _ in RULES)


def find_contradictions(
    fields: Mapping[str, Field],
    embedded: Embedded,
    editors: Sequence[Editor] = (),
    now: datetime | None = None,
) -> Iterator[Finding]:
    """Contradictions among the statements of a file. ``now`` is a naive time in UTC, the clock's by default."""
    said = Statements(fields, embedded, editors, now or datetime.now(UTC).replace(tzinfo=None))
    for _, rule in RULES:
        yield from rule(said)
