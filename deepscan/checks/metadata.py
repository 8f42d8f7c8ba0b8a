"""The check of metadata: what a file says about itself, what editors left in it, and what cannot be true of it.

The marks of generators are another check's (:mod:`deepscan.checks.generator_marks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from deepscan.checks.base import CheckSpec, Subject
from deepscan.checks.contradictions import CODES, as_evidence, find_contradictions
from deepscan.checks.editors import Editor, Trade, find_editors
from deepscan.checks.fields import Field, State, read_fields
from deepscan.checks.marks.catalogue import find_marks
from deepscan.checks.reading.embedded import READ, Embedded
from deepscan.checks.reading.exiftool import read_with_exiftool
from deepscan.checks.redaction import redact, sensitive
from deepscan.checks.scope import NO_METADATA, only
from deepscan.checks.second_reader import OTHER_READING, compare
from deepscan.errors import MediaError
from deepscan.text import clean, plural
from deepscan.types import CheckResult, Evidence, Family, Finding, JSONValue, Level, MediaItem, MediaKind, PointsTo

STATEMENTS, EDITOR, UNREADABLE = "DS-META-001", "DS-META-003", "DS-META-009"

SPEC = CheckSpec(
    id="metadata",
    title="Metadata, and the marks of editors in it",
    family=Family.METADATA,
    version="4",
    kinds=frozenset({MediaKind.IMAGE, MediaKind.VIDEO}),
    codes=tuple(sorted((STATEMENTS, EDITOR, UNREADABLE, OTHER_READING, *CODES))),
    options=("exiftool",),
)

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
    """Reads EXIF, XMP, IPTC, text chunks, comments and container tags; decodes no picture.

    Args:
        exiftool: Have ExifTool read the file too, and report where it reads otherwise.
        redact_location: Say that a place is stated, and not which.
    """

    spec = SPEC

    def __init__(self, *, exiftool: bool = False, redact_location: bool = False) -> None:
        self._exiftool = exiftool
        self._redact_location = redact_location

    def why_not(self, item: MediaItem) -> str | None:
        """It applies to the containers whose metadata can be read: "not read" must not look like "none there"."""
        return only(item, READ, NO_METADATA)

    def run(self, subject: Subject) -> CheckResult:
        """Read and judge the metadata of one file."""
        second: Mapping[str, JSONValue] = {}
        partial = None
        embedded = subject.embedded()
        if self._exiftool:
            try:
                with subject.open() as file:
                    second = read_with_exiftool(file)
            except MediaError as e:
                partial = f"ExifTool was asked for as a second reader and did not read this file. {e.message}"
        fields = _fields(embedded)
        findings = sorted((*judge(embedded, fields), *compare(fields, second)), key=lambda finding: finding.code)
        if self._redact_location:
            findings = redact(findings, sensitive(embedded, fields, second))
        return SPEC.done(findings, partial=partial)


def judge(embedded: Embedded, fields: Sequence[Field] | None = None) -> Iterator[Finding]:
    """The findings on what was read. ``fields`` are its fields, where they are known already."""
    fields = _fields(embedded) if fields is None else fields
    editors = find_editors(embedded.entries)
    yield from _statements(fields)
    yield from _editors(editors)
    yield from find_contradictions({field.name: field for field in fields}, embedded, editors)
    yield from _unreadable(fields, embedded)


def _fields(embedded: Embedded) -> tuple[Field, ...]:
    marks = find_marks(embedded.entries)
    return read_fields(embedded, ignore={mark.entry for mark in marks if mark.holds_settings})


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
        tuple(as_evidence(field) for field in present),
    )


def _shown(value: JSONValue) -> str:
    if isinstance(value, Mapping):
        return f"{value['latitude']}, {value['longitude']}"
    return f'"{clean(str(value), 80)}"'


def _editors(found: Sequence[Editor]) -> Iterator[Finding]:
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
