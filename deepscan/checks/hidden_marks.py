"""The check of hidden marks: what generators hide in pixels, a record in the lowest bits or an invisible watermark."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import CheckSpec, Cost, Subject
from deepscan.checks.generator_marks import UNSIGNED
from deepscan.checks.marks.catalogue import find_marks
from deepscan.checks.marks.rule import UNNAMED, Mark
from deepscan.checks.marks.stealth import Hidden, entries_of, find_hidden
from deepscan.checks.marks.watermark import MESSAGES, WAYS, Match, find_messages, needed
from deepscan.config import SAMPLING
from deepscan.errors import LimitError, UnreadableError, UnsupportedError
from deepscan.media.images import Stored, read_stored
from deepscan.text import clean
from deepscan.types import CheckResult, Evidence, Family, Finding, JSONValue, Level, MediaItem, MediaKind, PointsTo

RECORD, WATERMARK = "DS-MARK-005", "DS-MARK-006"

SPEC = CheckSpec(
    id="hidden_marks",
    title="Marks of generators hidden in pixels",
    family=Family.METADATA,
    version="2",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(RECORD, WATERMARK),
    cost=Cost.HIGH,
    looks_at="pictures of one frame; hidden records in PNG and lossless WebP",
    options=SAMPLING,
)


class HiddenMarks:
    """Reads pixels at their own size for what was hidden there on purpose."""

    spec = SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """It applies to pictures."""
        return None if item.kind is MediaKind.IMAGE else "Marks are hidden in pictures, and this is a video."

    def run(self, subject: Subject) -> CheckResult:
        """Look for hidden marks. Raises MediaError."""
        return SPEC.done(_findings(subject))


def _findings(subject: Subject) -> Iterator[Finding]:
    stored = _stored(subject)
    pixels = stored.pixels
    if pixels is None:
        reading = subject.reading()
        if len(reading.frames) > 1:
            return
        pixels = reading.frames[0].pixels
    if stored.lossless:
        hidden = find_hidden(pixels)
        if hidden is not None:
            yield _of_record(hidden)
    yield from _of_watermarks(pixels)


def _stored(subject: Subject) -> Stored:
    """The picture with its transparency; what cannot be decoded is left to the reading that all checks share."""
    try:
        with subject.open() as file:
            return read_stored(file, subject.item.path, subject.item.container)
    except (UnreadableError, UnsupportedError, LimitError):
        return Stored(None, lossless=False)


def _of_record(hidden: Hidden) -> Finding:
    try:
        text = hidden.text()
    except (UnreadableError, LimitError) as e:
        return Finding(
            RECORD,
            Level.MODERATE,
            PointsTo.GENERATED,
            f'The picture begins, in {hidden.place}, with the words "{hidden.signature}", under which programs of '
            f"Stable Diffusion hide their settings; the settings cannot be read. {e.message} {UNSIGNED}",
            (Evidence("hidden record", _told(hidden, None, "", e.message)),),
        )
    marks = find_marks(entries_of(text))
    mark = next((m for m in marks if m.holds_settings), next(iter(marks), None))
    generator = mark.generator if mark is not None else UNNAMED
    return Finding(
        RECORD,
        Level.STRONG,
        PointsTo.GENERATED,
        f"A record of {generator} is hidden in {hidden.place}: "
        f'"{clean(mark.settings.get("prompt", text) if mark is not None else text, 120)}". {UNSIGNED}',
        (Evidence("hidden record", _told(hidden, mark, text, None)),),
    )


def _told(hidden: Hidden, mark: Mark | None, text: str, problem: str | None) -> JSONValue:
    told: dict[str, JSONValue] = {
        "generator": mark.generator if mark is not None else UNNAMED,
        "rule": mark.rule if mark is not None else None,
        "source": f"{hidden.place}, {hidden.signature}",
        "signed": False,
    }
    if problem is not None:
        return {**told, "unreadable": problem}
    return {**told, "proof": clean(text, 200), **(mark.settings if mark is not None else {})}


def _of_watermarks(pixels: NDArray[np.uint8]) -> Iterator[Finding]:
    for match in find_messages(pixels):
        if match.matching >= needed(len(match.message.bits)):
            yield _of_watermark(match)


def _of_watermark(match: Match) -> Finding:
    message, bits = match.message, len(match.message.bits)
    chance = match.chance * WAYS * len(MESSAGES)
    return Finding(
        WATERMARK,
        Level.STRONG,
        PointsTo.GENERATED,
        f"The pixels carry the invisible watermark that the code of {message.generator} writes: {match.matching} of "
        f"the {bits} bits of its message match, which happens by chance in about {chance:.0e} of pictures. {UNSIGNED}",
        (
            Evidence(
                "invisible watermark",
                {
                    "generator": message.generator,
                    "message": message.name,
                    "matching_bits": match.matching,
                    "bits": bits,
                    "needed": needed(bits),
                    "chance_of_a_match": float(f"{chance:.2g}"),
                    "signed": False,
                },
            ),
        ),
    )
