"""The check of metadata: what a file says about itself, what editors left in it, and what cannot be true of it.

The marks of generators are another check's (:mod:`deepscan.checks.generator_marks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from deepscan.checks.base import CheckSpec, Subject
from deepscan.checks.contradictions import (
    IMPOSSIBLE_DATE,
    MODIFIED_FIRST,
    OTHER_SIZE,
    OTHER_TIME,
    as_evidence,
    find_contradictions,
)
from deepscan.checks.editors import Trade, find_editors
from deepscan.checks.fields import Field, State, read_fields
from deepscan.checks.marks.catalogue import find_marks
from deepscan.checks.reading.embedded import READ, Embedded, Entry, read_embedded
from deepscan.media.containers import CONTAINERS
from deepscan.text import clean, plural
from deepscan.types import (
    CheckResult,
    Evidence,
    Family,
    Finding,
    JSONValue,
    Level,
    MediaItem,
    MediaKind,
    Outcome,
    PointsTo,
)

STATEMENTS, EDITOR, UNREADABLE = "DS-META-001", "DS-META-003", "DS-META-009"

SPEC = CheckSpec(
    id="metadata",
    title="Metadata, and the marks of editors in it",
    family=Family.METADATA,
    version="2",
    kinds=frozenset({MediaKind.IMAGE, MediaKind.VIDEO}),
    codes=(STATEMENTS, EDITOR, MODIFIED_FIRST, IMPOSSIBLE_DATE, OTHER_SIZE, OTHER_TIME, UNREADABLE),
)

_VALUE_SHOWN = 1_000
_EDITING = frozenset({Trade.EDITOR, Trade.DEVELOPER, Trade.VIDEO})
_NAMES = {
    "make": "make",
    "model": "model",
    "lens": "lens",
    "software": "software",
    "datetime_original": "taken",
    "gps": "place",
}


class Metadata:
    """Reads EXIF, XMP, IPTC, text chunks, comments and container tags; decodes no picture."""

    @property
    def spec(self) -> CheckSpec:
        """What it is."""
        return SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """It applies to the containers whose metadata can be read: "not read" must not look like "none there"."""
        if item.container in READ:
            return None
        title = CONTAINERS[item.container].with_article if item.container in CONTAINERS else item.container
        return f"This is {title}, and deepscan reads no metadata from such files."

    def run(self, subject: Subject) -> CheckResult:
        """Read and judge the metadata of one file."""
        with subject.open() as file:
            embedded = read_embedded(file, subject.item.container)
        return CheckResult(SPEC.id, SPEC.version, Outcome.DONE, tuple(judge(embedded)))


def judge(embedded: Embedded) -> Iterator[Finding]:
    """The findings on what was read, in the order of their codes."""
    marks = find_marks(embedded.entries)
    fields = read_fields(embedded, ignore={mark.entry for mark in marks if mark.holds_settings})
    yield from _statements(fields)
    yield from _editors(embedded.entries)
    yield from find_contradictions({field.name: field for field in fields}, embedded)
    yield from _unreadable(fields, embedded)


def _statements(fields: Sequence[Field]) -> Iterator[Finding]:
    present = [field for field in fields if field.state is State.PRESENT]
    if not present:
        return
    main = [f"{_NAMES[f.name]} {_shown(f.value)}" for f in present if f.name in _NAMES]
    says = "; ".join(main) if main else plural(len(present), "technical field")
    yield Finding(
        STATEMENTS,
        Level.INFO,
        PointsTo.NEITHER,
        f"The file says about itself: {says}. Anyone can write, change or remove such statements.",
        tuple(as_evidence(_bounded(field)) for field in present),
    )


def _shown(value: JSONValue) -> str:
    if isinstance(value, Mapping):
        return f"{value['latitude']}, {value['longitude']}"
    return f'"{clean(str(value), 80)}"'


def _bounded(field: Field) -> Field:
    if not isinstance(field.value, str):
        return field
    return Field(field.name, field.state, clean(field.value, _VALUE_SHOWN), field.source)


def _editors(entries: Sequence[Entry]) -> Iterator[Finding]:
    found = find_editors(entries)
    for level, words, editors in (
        (Level.WEAK, "It does not show what was changed", [e for e in found if e.trade in _EDITING]),
        (Level.INFO, "Converting changes no content by itself", [e for e in found if e.trade not in _EDITING]),
    ):
        if not editors:
            continue
        names = ", ".join(f'{e.name}, {e.trade} ("{clean(e.entry.text, 60)}")' for e in editors)
        usual = (
            "; raw developers usually turn a camera's raw file into a picture, with its tones and colours adjusted"
            if any(e.trade is Trade.DEVELOPER for e in editors)
            else ""
        )
        yield Finding(
            EDITOR,
            level,
            PointsTo.EDITED if level is Level.WEAK else PointsTo.NEITHER,
            f"The file names what wrote it: {names}. {words}{usual}.",
            tuple(
                Evidence(
                    "program",
                    {
                        "name": e.name,
                        "kind": str(e.trade),
                        "source": f"{e.entry.source} {clean(e.entry.key, 60)}".strip(),
                        "value": clean(e.entry.text),
                    },
                )
                for e in editors
            ),
        )


def _unreadable(fields: Sequence[Field], embedded: Embedded) -> Iterator[Finding]:
    damaged = [field for field in fields if field.state is State.UNREADABLE]
    reasons = dict.fromkeys((p.source, clean(p.reason)) for p in embedded.problems)
    reasons |= dict.fromkeys((field.source or "", clean(field.reason or "")) for field in damaged)
    if not reasons:
        return
    yield Finding(
        UNREADABLE,
        Level.INFO,
        PointsTo.NEITHER,
        "The file holds metadata that cannot be read, which is not the same as having none: "
        + " ".join(reason for _, reason in list(reasons)[:3]),
        tuple(Evidence("unreadable", {"source": source, "reason": reason}) for source, reason in list(reasons)[:50]),
    )
