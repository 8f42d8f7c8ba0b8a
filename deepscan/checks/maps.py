"""Checks that draw a map or a spectrum of a picture and measure how strong it is, and decide nothing.

Such a check is a function that measures; what is the same for all of them stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deepscan.checks.base import CheckSpec, NotApplicableError, Subject
from deepscan.checks.exhibits import look_and_ignore
from deepscan.checks.scope import only_jpeg, only_pictures
from deepscan.media.frames import Pixels
from deepscan.types import CheckResult, Evidence, Finding, Level, Meaning, MediaItem, PointsTo, Score


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """What was measured: a summary, an ``intensity`` in [0, 1], numbers, and how the map is drawn.

    ``label`` names the map and ``shows`` says what its values are. ``draw`` is called where exhibits are kept.
    """

    label: str
    shows: str
    measured: Evidence
    summary: str
    intensity: float
    draw: Callable[[], Pixels]


@dataclass(frozen=True, slots=True)
class MapCheck:
    """A check that gives one finding of level ``info`` with a map as its exhibit.

    ``measure`` raises NotApplicableError, or MediaError where the picture cannot be decoded. ``look_for`` and
    ``ignore`` stand beside the map. ``applies_to`` begins the sentence for other files ("This is drawn of").
    """

    spec: CheckSpec
    measure: Callable[[Subject], Map]
    look_for: str
    ignore: str
    applies_to: str
    jpeg_only: bool = False

    def why_not(self, item: MediaItem) -> str | None:
        """Single pictures alone can be mapped, and what JPEG left only in a JPEG."""
        return only_jpeg(item, self.applies_to) if self.jpeg_only else only_pictures(item, self.applies_to)

    def run(self, subject: Subject) -> CheckResult:
        """Measure the picture (the first page or frame).

        Raises:
            NotApplicableError: it is too small for this map.
            MediaError: it cannot be decoded.
        """
        found = self.measure(subject)
        path = subject.exhibit(self.spec.id, found.draw()) if subject.keeps_exhibits else None
        evidence = (
            Evidence(found.label, found.shows, exhibit=path),
            found.measured,
            *look_and_ignore(self.look_for, self.ignore),
        )
        finding = Finding(self.spec.codes[0], Level.INFO, PointsTo.NEITHER, found.summary, evidence)
        score = Score(found.intensity, Meaning.INTENSITY)
        return self.spec.done((finding,), score)


def first_picture(subject: Subject, least: int, purpose: str) -> Pixels:
    """The pixels of the first page or frame, of at least ``least`` pixels on both sides.

    Raises:
        NotApplicableError: it is smaller; ``purpose`` is what for ("a map of its noise").
        MediaError: it cannot be decoded.
    """
    pixels = subject.reading().frames[0].pixels
    refuse_small(pixels.shape[1], pixels.shape[0], least, purpose)
    return pixels


def refuse_small(width: int, height: int, least: int, purpose: str) -> None:
    """Raise NotApplicableError where a side has fewer than ``least`` pixels."""
    if min(width, height) < least:
        raise NotApplicableError(
            f"The picture is {width} x {height} pixels, too small for {purpose}: {least} x {least} are needed."
        )
