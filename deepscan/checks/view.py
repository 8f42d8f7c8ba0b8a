"""The picture as it was examined, reduced: what a report shows so that a reader sees what its answers are about.

A report never opens evidence; where exhibits are kept, this check leaves it a small copy of the pixels that all other
checks were given (upright, the middle frame of a film), and the size that boxes in the results refer to.
"""

from __future__ import annotations

from deepscan.checks.base import CheckSpec, NotApplicableError, Subject
from deepscan.checks.exhibits import reduced
from deepscan.config import SAMPLING
from deepscan.types import CheckResult, Evidence, Family, Finding, Level, MediaItem, MediaKind, PointsTo, Where

VIEW = "DS-STRUCT-040"

SIDE = 640
"""Pixels of the copy's longer side, at most."""

SPEC = CheckSpec(
    id="view",
    title="A small copy of the picture as it was examined, for the report",
    family=Family.STRUCTURE,
    version="1",
    kinds=frozenset({MediaKind.IMAGE, MediaKind.VIDEO}),
    codes=(VIEW,),
    options=(*SAMPLING, "exhibits"),
)


class View:
    """Keeps a small copy; says nothing about the picture."""

    spec = SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """It applies to every picture and video."""
        del item
        return None

    def run(self, subject: Subject) -> CheckResult:
        """Keep the copy.

        Raises:
            NotApplicableError: no exhibits are kept.
            MediaError: the file cannot be decoded.
        """
        if not subject.keeps_exhibits:
            raise NotApplicableError("No exhibits are kept (--exhibits), so no copy for the report either.")
        reading = subject.reading()
        film = subject.item.kind is MediaKind.VIDEO
        frame = reading.frames[len(reading.frames) // 2 if film else 0]
        height, width = frame.pixels.shape[:2]
        path = subject.exhibit("view", reduced(frame.pixels, SIDE), photograph=True)
        what = f"the frame at {frame.seconds:.2f} s" if film and frame.seconds is not None else "the picture"
        if not film and len(reading.frames) > 1:
            what = "the first frame or page"
        finding = Finding(
            VIEW,
            Level.INFO,
            PointsTo.NEITHER,
            f"The copy shows {what} as it was examined: {width} x {height} pixels, upright.",
            (Evidence("view", {"width": width, "height": height}, Where(frame.index, frame.seconds), path),),
        )
        return SPEC.done((finding,), partial=reading.problem)
