"""The check of generator marks: what generators of pictures and videos leave about themselves in metadata.

A mark is a declaration, and not signed. Marks are grouped by the generator they name, so that five entries of one
program read as one declaration; labels that name no generator have findings of their own, which say whom they stand by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from deepscan.checks.base import CheckSpec, Cost, Subject
from deepscan.checks.marks.catalogue import find_marks
from deepscan.checks.marks.rule import Claim, Mark
from deepscan.checks.reading.embedded import READ
from deepscan.checks.scope import NO_METADATA, only
from deepscan.text import clean
from deepscan.types import CheckResult, Evidence, Family, Finding, JSONValue, Level, MediaItem, MediaKind, PointsTo

RECORD, NAME, SOURCE_TYPE, LABEL = "DS-MARK-001", "DS-MARK-002", "DS-MARK-003", "DS-MARK-004"

SPEC = CheckSpec(
    id="marks",
    title="Marks of generators in metadata",
    family=Family.METADATA,
    version="1",
    kinds=frozenset({MediaKind.IMAGE, MediaKind.VIDEO}),
    codes=(RECORD, NAME, SOURCE_TYPE, LABEL),
    cost=Cost.LOW,
    looks_at="pictures and videos whose metadata can be read",
    options=(),
)

UNSIGNED = "The mark is not signed: anyone can write or remove it."


class GeneratorMarks:
    """Reads metadata entries and holds them against the rules of every dialect; decodes no picture."""

    spec = SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """It applies to the containers whose metadata can be read."""
        return only(item, READ, NO_METADATA)

    def run(self, subject: Subject) -> CheckResult:
        """Find the marks of one file."""
        marks = find_marks(subject.embedded().entries)
        return SPEC.done(judge(marks))


def judge(marks: Sequence[Mark]) -> Iterator[Finding]:
    """One finding a generator, by its strongest claim, then one for each kind of label that names none."""
    own = [mark for mark in marks if mark.claim in (Claim.RECORD, Claim.NAME)]
    groups = by_generator(own)
    for generator, group in groups.items():
        yield _of_generator(generator, group)
    for claim, code in ((Claim.SOURCE_TYPE, SOURCE_TYPE), (Claim.LABEL, LABEL)):
        labels = [mark for mark in marks if mark.claim is claim]
        if labels:
            yield _of_label(code, labels, tuple(groups))


def by_generator(marks: Sequence[Mark]) -> Mapping[str, Sequence[Mark]]:
    """The marks of each generator, records first; where just one is named for certain, the vague ones are its own.

    ComfyUI's and Fooocus' savers write A1111's form too: beside their own record it is no second generator.
    """
    certain = tuple(dict.fromkeys(mark.generator for mark in marks if not mark.vague))
    groups: dict[str, list[Mark]] = {}
    for mark in sorted(marks, key=lambda mark: mark.claim is not Claim.RECORD):
        name = certain[0] if mark.vague and len(certain) == 1 else mark.generator
        groups.setdefault(name, []).append(mark)
    return groups


def _of_generator(generator: str, marks: Sequence[Mark]) -> Finding:
    first = marks[0]
    level = max((mark.level for mark in marks), key=lambda level: level.rank)
    if first.claim is Claim.RECORD:
        code, says = RECORD, f"The file holds a record of {generator}: {first.what} in {first.place}"
        says += _told(first) or f' ("{clean(first.entry.text, 80)}")'
    else:
        code = NAME
        says = f"The file names {generator} where programs sign: {first.what} in {first.place}"
        says += f' ("{clean(first.entry.text, 80)}")'
    more = "" if level is Level.STRONG else " The record holds no step that makes a picture, only ones that handle it."
    return Finding(code, level, PointsTo.GENERATED, f"{says}. {UNSIGNED}{more}", tuple(map(as_evidence, marks)))


def _told(mark: Mark) -> str:
    shown = [
        f'{words} "{clean(mark.settings[name], 80)}"'
        for name, words in (("prompt", "prompt"), ("model", "model"), ("seed", "seed"), ("size", "size"))
        if name in mark.settings
    ]
    return f", with {', '.join(shown)}" if shown else ""


def _of_label(code: str, marks: Sequence[Mark], generators: Sequence[str]) -> Finding:
    first = max(marks, key=lambda mark: mark.level.rank)
    if code == SOURCE_TYPE:
        says = f"The file's digital source type says that it is {first.what}: {first.place} ({_quoted(first)})."
    else:
        says = f"The file carries an AI label of China's standard GB 45438, {_degree(first)}: {first.place}."
    if len(generators) == 1:
        says += f" It stands beside the mark of {generators[0]}, which says the same."
    elif not generators:
        says += " It does not name the generator."
    return Finding(code, first.level, PointsTo.GENERATED, f"{says} {UNSIGNED}", tuple(map(as_evidence, marks)))


def _quoted(mark: Mark) -> str:
    return f'"{clean(mark.entry.text, 120)}"'


def _degree(mark: Mark) -> str:
    words = {"1": "generated", "2": "possibly generated", "3": "suspected to be generated"}
    label = mark.settings.get("label", "")
    return f'"{label}" ({words[label]})' if label in words else f'"{clean(label, 40)}"'


def as_evidence(mark: Mark) -> Evidence:
    """A mark in its normal form: whose, where, the file's own words, and what it tells of the making."""
    told: dict[str, JSONValue] = {
        "generator": mark.generator,
        "rule": mark.rule,
        "source": mark.place,
        "proof": mark.proof,
        "signed": False,
    }
    return Evidence("generator mark", {**told, **mark.settings})
