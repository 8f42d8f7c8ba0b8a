"""The values of the domain: frozen, standard library only, no rules that need a picture, a model or a disk.

``not_applicable``, ``failed``, ``timed_out`` and a clean ``done`` are four different answers everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeAlias, TypeVar, Union

from deepscan.deferred import Deferred
from deepscan.records import Known, Seal
from deepscan.terms import Basis, Call, Family, Level, Meaning, MediaKind, Outcome, PointsTo, SkipCode

__all__ = (
    "Basis",
    "Box",
    "Call",
    "CheckInfo",
    "CheckResult",
    "Clip",
    "Deferred",
    "Document",
    "Entries",
    "Evidence",
    "Family",
    "Film",
    "FilmFrame",
    "Finding",
    "ItemReport",
    "JSONValue",
    "Known",
    "Level",
    "Meaning",
    "MediaItem",
    "MediaKind",
    "Outcome",
    "Part",
    "PointsTo",
    "RunInfo",
    "ScanReport",
    "Score",
    "Seal",
    "SkipCode",
    "Skipped",
    "Span",
    "Track",
    "Verdict",
    "Where",
)

JSONValue: TypeAlias = Union[str, int, float, bool, "Sequence[JSONValue]", "Mapping[str, JSONValue]", None]
"""What may stand in a report's free fields."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright picture (EXIF orientation applied); ``x``, ``y`` is its top left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Where:
    """Where in a file something is. ``frame`` counts from 0 in presentation order (or pages of a TIFF), ``seconds`` is
    the presentation time, ``box`` is in pixels of the upright frame.
    """

    frame: int | None = None
    seconds: float | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One file, as identified by its bytes.

    ``name`` is relative to ``root`` and is what reports print; ``container`` is a lower-case format name
    (:mod:`deepscan.media.identify` lists them); ``size`` is in bytes; ``sha256`` is lower-case hexadecimal.
    """

    root: Path
    name: PurePosixPath
    kind: MediaKind
    container: str
    size: int
    sha256: str

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.root / self.name


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not examined, with the reason: one of these or one :class:`ItemReport` exists for every file."""

    path: Path
    code: SkipCode
    reason: str


@dataclass(frozen=True, slots=True)
class Score:
    """A number in [0, 1] and what it measures."""

    value: float
    meaning: Meaning

    def __post_init__(self) -> None:
        if not 0.0 <= self.value <= 1.0:
            raise ValueError(f"a score lies in [0, 1], got {self.value!r}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of proof under a finding. ``exhibit`` is a picture, its path relative to the report."""

    label: str
    value: JSONValue
    where: Where | None = None
    exhibit: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. ``code`` is stable and documented in ``docs/findings.md``."""

    code: str
    level: Level
    points_to: PointsTo
    summary: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """The answer for one face, frame or page of a file.

    ``score`` is None exactly when this part was left out, and ``reason`` then says why. ``track`` is the number of the
    :class:`Track` it belongs to, in a film.
    """

    kind: str
    where: Where
    score: Score | None
    reason: str | None = None
    track: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a film: seconds of presentation time, and the same as timecodes (``01:02:03.456``)."""

    start: float
    end: float
    start_timecode: str
    end_timecode: str

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a span does not run backwards, got {self.start!r} to {self.end!r}")


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """One frame of a film that was looked at.

    ``shot`` counts the shots from 1, ``faces`` are the ones scored in it, and ``score`` is the highest in the frame.
    """

    frame: int
    seconds: float
    timecode: str
    shot: int
    faces: int
    score: Score | None


@dataclass(frozen=True, slots=True)
class Track:
    """One face followed through a shot of a film (``kind`` face), or a shot as a whole (``frame``).

    ``number`` counts from 1 in the order of appearance, ``shot`` says in which shot it is, ``looked_at`` counts its
    scored frames, and ``level`` is the evidence that its ``score`` amounts to by itself. ``best`` are the frames in
    which it is seen best, best first; ``exhibit`` is a sheet of them, its path relative to the report.
    """

    number: int
    kind: str
    shot: int
    span: Span
    looked_at: int
    score: Score | None
    level: Level
    best: tuple[Where, ...] = ()
    exhibit: str | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of a film worth looking at: where a track's score stays at or above a threshold."""

    span: Span
    track: int
    score: Score
    level: Level


@dataclass(frozen=True, slots=True)
class Film:
    """How a film was looked at, and what was found in it when.

    ``reader`` is the library that read it; ``seconds`` how long it lasts and ``total`` how many frames it has, where
    that is known; ``sampling`` says in a sentence how frames were chosen, and ``budget`` how many might have been
    looked at. ``cuts`` are the times at which a new shot begins. ``exhibit`` is a picture of the timeline.
    """

    reader: str
    seconds: float | None
    total: int | None
    sampling: str
    budget: int
    cuts: tuple[float, ...]
    frames: tuple[FilmFrame, ...]
    tracks: tuple[Track, ...]
    clips: tuple[Clip, ...]
    exhibit: str | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended on one file.

    A reason exists exactly when the outcome is not ``done``; findings, score and parts exist only when it is.
    ``partial`` says why a check that is done, or found nothing that applies, saw only a part of the file (a damaged
    end, a limit): such a file counts as not fully examined. ``seconds`` is wall-clock time. ``film`` is what a check
    found over time in a video or animation.
    """

    check: str
    version: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    score: Score | None = None
    parts: tuple[Part, ...] = ()
    reason: str | None = None
    partial: str | None = None
    seconds: float = 0.0
    film: Film | None = None

    def __post_init__(self) -> None:
        if (self.outcome is Outcome.DONE) == bool(self.reason):
            raise ValueError(f"{self.check}: a reason exists exactly when the outcome is not done")
        if self.outcome is not Outcome.DONE and (self.findings or self.score or self.parts or self.film):
            raise ValueError(f"{self.check}: findings, score, parts and film exist only when the outcome is done")
        if self.partial is not None and self.outcome not in (Outcome.DONE, Outcome.NOT_APPLICABLE):
            raise ValueError(f"{self.check}: what failed has a reason, and is not partial")

    @property
    def exhibits(self) -> tuple[str, ...]:
        """The paths of all pictures that belong to the result, relative to the report."""
        film = (self.film.exhibit, *(track.exhibit for track in self.film.tracks)) if self.film else ()
        return tuple(filter(None, (*film, *(e.exhibit for finding in self.findings for e in finding.evidence))))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the results of one file add up to.

    ``score`` and ``threshold`` are the model's, when it ran; ``because`` holds the codes of the findings it rests on.
    """

    call: Call
    points_to: PointsTo
    basis: Basis
    score: float | None = None
    threshold: float | None = None
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemReport:
    """Everything said about one file. ``results`` may be a :class:`Deferred`, which is read when it is looked at."""

    item: MediaItem
    results: Sequence[CheckResult]
    verdict: Verdict

    @property
    def incomplete(self) -> bool:
        """Whether some check could not be carried out, or only on a part of the file: never a clean answer."""
        if isinstance(self.results, Deferred) and self.results.complete:
            return False
        return any(r.outcome in (Outcome.FAILED, Outcome.TIMED_OUT) or r.partial is not None for r in self.results)


@dataclass(frozen=True, slots=True)
class CheckInfo:
    """A check as the run record names it."""

    id: str
    title: str
    family: Family
    version: str


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The record of a run: enough to repeat it.

    ``started`` and ``finished`` are ISO 8601 in UTC; ``model`` is the pack's card as its file has it, with the hash of
    the weights; ``options`` are all of the scan; ``paths`` are what was to be scanned, as they were given.
    """

    tool: str
    version: str
    started: str
    finished: str | None
    argv: tuple[str, ...]
    options: Mapping[str, JSONValue]
    checks: tuple[CheckInfo, ...]
    model: Mapping[str, JSONValue] | None
    device: str | None
    precision: str | None
    libraries: Mapping[str, str]
    host: Mapping[str, str]
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScanReport:
    """The whole result of a scan, which every report renders.

    ``finished`` is False when the scan was interrupted; ``schema`` is :data:`deepscan.reports.schema.SCHEMA_VERSION`;
    ``known`` are files that a baseline or a suppression accepts. ``seal`` is that of the file a report was read from,
    and no part of what it says: two reports are equal without it.
    ``items`` and ``skipped`` may be read from a case file as they are gone through: of very many files, go through them
    once and keep what is needed.
    """

    schema: str
    run: RunInfo
    items: Sequence[ItemReport]
    skipped: Sequence[Skipped]
    finished: bool
    known: tuple[Known, ...] = ()
    seal: Seal | None = field(default=None, compare=False)


_Entry = TypeVar("_Entry", covariant=True)


class Entries(Protocol[_Entry]):
    """What can be counted and gone through, as often as is needed, without being held in memory."""

    def __iter__(self) -> Iterator[_Entry]: ...

    def __len__(self) -> int: ...


class Document(Protocol):
    """What a report is made of: a :class:`ScanReport`, or the same read entry by entry from a case file."""

    @property
    def schema(self) -> str:
        """:data:`deepscan.reports.schema.SCHEMA_VERSION`."""

    @property
    def run(self) -> RunInfo:
        """The record of the run."""

    @property
    def items(self) -> Entries[ItemReport]:
        """The examined files, in the order they were found."""

    @property
    def skipped(self) -> Entries[Skipped]:
        """The files that were not examined, in the order they were found."""

    @property
    def finished(self) -> bool:
        """False when the scan was interrupted."""

    @property
    def known(self) -> tuple[Known, ...]:
        """Files that a baseline or a suppression accepts."""
