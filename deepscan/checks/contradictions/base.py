"""What the rules of contradictions are given, and the form of what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from deepscan.checks.editors import Editor
from deepscan.checks.fields import Field, State, moment
from deepscan.checks.reading.embedded import Embedded
from deepscan.text import clean
from deepscan.types import Evidence, Finding, JSONValue, Level, PointsTo

_SHOWN, _VALUE_SHOWN = 200, 1_000


@dataclass(frozen=True, slots=True)
class Statements:
    """Everything one file states: ``fields`` in their normal form, all of ``embedded``, the ``editors`` that name
    themselves, and ``now``, the naive time in UTC that counts as the present.
    """

    fields: Mapping[str, Field]
    embedded: Embedded
    editors: Sequence[Editor]
    now: datetime

    def when(self, name: str) -> datetime | None:
        """A date field as a naive time."""
        return moment(self.fields[name].value) if self.fields[name].state is State.PRESENT else None

    def exif(self, tag: str) -> str | None:
        """The text of an EXIF tag."""
        return self.first("EXIF", tag)

    def first(self, source: str, key: str) -> str | None:
        """The first text that one place has under a name."""
        return next(self.every(source, key), None)

    def every(self, source: str, key: str) -> Iterator[str]:
        """All texts that one place has under a name, in their order."""
        return (e.text for e in self.embedded.entries if e.source == source and e.key == key)

    def shown(self, *names: str) -> tuple[Evidence, ...]:
        """Fields as evidence."""
        return tuple(as_evidence(self.fields[name]) for name in names)

    def quoted(self, source: str, *keys: str) -> tuple[Evidence, ...]:
        """Entries as evidence, those that are there."""
        texts = ((key, self.first(source, key)) for key in keys)
        return tuple(Evidence(f"{source} {key}", clean(text, _SHOWN)) for key, text in texts if text is not None)


def as_evidence(field: Field) -> Evidence:
    """A field in its normal form."""
    value = clean(field.value, _VALUE_SHOWN) if isinstance(field.value, str) else field.value
    return Evidence(field.name, {"state": str(field.state), "value": value, "source": field.source})


def note(code: str, summary: str, evidence: Sequence[Evidence]) -> Finding:
    """A finding that informs and speaks for nothing."""
    return Finding(code, Level.INFO, PointsTo.NEITHER, summary, tuple(evidence))


def trace(code: str, summary: str, evidence: Sequence[Evidence]) -> Finding:
    """A finding that is weak evidence of editing."""
    return Finding(code, Level.WEAK, PointsTo.EDITED, summary, tuple(evidence))


def size_evidence(label: str, size: tuple[int, int]) -> Evidence:
    """A width and a height in pixels."""
    return Evidence(label, list[JSONValue](size))
