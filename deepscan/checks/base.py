"""What a check is. A new one is a file in this folder, a line in ``catalogue.py``, and its cases in the tests.

Checks raise; they never catch broadly. ``engine/runner.py`` turns what they raise into ``failed`` or ``timed_out``
with a sentence, and goes on with the next check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.film.result import Facts
from deepscan.checks.reading.embedded import Embedded
from deepscan.media.film.tracks import Look
from deepscan.media.frames import Face, Frame, Pixels, Reading
from deepscan.media.luma import Luma
from deepscan.media.quality import Quality
from deepscan.types import CheckResult, Family, Finding, MediaItem, MediaKind, Outcome, Part, Score, Where


class NotApplicableError(Exception):
    """Raised by a check that finds, once it has looked, that it has nothing to say about this file.

    The message is the reason in the report: a sentence, such as "No face was found, and this model looks at faces."
    ``partial`` says why only a part of the file was looked at, when that is so.
    """

    def __init__(self, message: str, *, partial: str | None = None) -> None:
        super().__init__(message)
        self.partial = partial


class Cost(StrEnum):
    """What a check costs on a picture of 12 megapixels and one core, decoding apart."""

    LOW = "low"
    """Less than 10 ms."""
    MEDIUM = "medium"
    """Less than 100 ms."""
    HIGH = "high"
    """More."""


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """What the catalogue, the run record and ``deepscan checks`` know of a check.

    ``version`` changes whenever the same file could get another answer: stored results of other versions are not
    reused. ``codes`` are all finding codes the check can give. ``default`` says whether it runs when no checks are
    named; ``looks_at`` is what it applies to, in words, where that is less than all of its ``kinds``.

    Stored results are reused for other scans and for copies of a file: ``options`` are the names of the scan's options
    that change what the check says (None: any of them may), and ``by_name`` says that it looks at the file's name too.
    """

    id: str
    title: str
    family: Family
    version: str
    kinds: frozenset[MediaKind]
    codes: tuple[str, ...]
    cost: Cost = Cost.LOW
    default: bool = True
    looks_at: str = ""
    options: tuple[str, ...] | None = None
    by_name: bool = False

    @property
    def looks_at_words(self) -> str:
        """What it applies to, in words."""
        return self.looks_at or " and ".join(sorted(f"{kind}s" for kind in self.kinds))

    def done(
        self, findings: Iterable[Finding], score: Score | None = None, *, partial: str | None = None
    ) -> CheckResult:
        """The result of this check where it was carried out; ``partial`` as in :class:`deepscan.types.CheckResult`."""
        return CheckResult(self.id, self.version, Outcome.DONE, tuple(findings), score, partial=partial)


class Subject(Protocol):
    """One file as checks see it: read-only, decoded lazily and at most once however many checks ask."""

    @property
    def item(self) -> MediaItem:
        """The identified file."""

    def open(self) -> BinaryIO:
        """Open the file for reading; the caller closes it. Raises UnreadableError."""

    def reading(self) -> Reading:
        """The decoded frames (one for a plain picture). Raises UnreadableError, UnsupportedError, LimitError."""

    def luma(self) -> Luma:
        """The brightness of a picture: of a JPEG as its decoder gives it, of others the first frame's.

        Raises as :meth:`reading` does.
        """

    def embedded(self) -> Embedded:
        """The metadata of the file, of a container in :data:`deepscan.checks.reading.embedded.READ`.

        Raises:
            UnreadableError: the disk gives an error.
        """

    def faces(self, frame: Frame) -> tuple[Face, ...]:
        """The faces in one of the frames of :meth:`reading`, largest first."""

    def exhibit(self, name: str, pixels: Pixels, *, photograph: bool = False) -> str | None:
        """Store a picture as an exhibit of this file and return its path relative to the report.

        Returns None, and stores nothing, when the scan keeps no exhibits. ``name`` is a short identifier (``"ela"``).
        A ``photograph`` is there to be looked at only, and may be stored with loss.
        """

    @property
    def keeps_exhibits(self) -> bool:
        """Whether :meth:`exhibit` stores anything: checks skip the work of drawing when it does not."""


class Check(Protocol):
    """A check that answers by itself."""

    @property
    def spec(self) -> CheckSpec:
        """What it is."""

    def why_not(self, item: MediaItem) -> str | None:
        """A sentence when this check cannot apply to the file, told from the item alone; None when it may."""

    def run(self, subject: Subject) -> CheckResult:
        """Examine one file. Raises NotApplicableError, MediaError, or anything else that goes wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One input of a batch: pixels cropped and resized to the model's input, shape (height, width, 3) uint8 RGB.

    ``quality`` is that of the crop before it was resized, where the check has measured it; ``track`` is the number of
    the :class:`deepscan.types.Track` it belongs to, in a film, and ``look`` how the face looks that is followed there.
    ``variant`` names the gentle change of a sample that is scored only to see whether its answer stays; ``cut`` is the
    part of a face's box that lay outside the picture.
    """

    kind: str
    where: Where
    pixels: Pixels
    quality: Quality | None = None
    track: int | None = None
    variant: str | None = None
    look: Look | None = None
    cut: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What a batch check takes from one file: what it wants scored, what it left out and why, and facts of a film.

    ``largest`` is the shorter side in pixels of the largest crop, whether it was taken or not; 0 where there was none.
    """

    samples: tuple[Sample, ...]
    left_out: tuple[Part, ...] = ()
    problem: str | None = None
    film: Facts | None = None
    largest: int = 0


Keep: TypeAlias = Callable[[str, Pixels], str | None]
"""Stores a picture as an exhibit: :meth:`Subject.exhibit`, also where the file itself is not at hand."""


@runtime_checkable
class Illustrated(Protocol):
    """A batch check that draws what only its model can tell. Called after ``conclude``, when exhibits are kept."""

    def illustrate(self, result: CheckResult, samples: Samples, scores: Sequence[float], keep: Keep) -> CheckResult:
        """The result with exhibits; the samples have their pixels here, and scores are as for ``conclude``."""


@runtime_checkable
class BatchCheck(Protocol):
    """A check whose work is done in batches that mix files: ``samples`` in a worker, ``score`` where the model is."""

    @property
    def spec(self) -> CheckSpec:
        """What it is."""

    def why_not(self, item: MediaItem) -> str | None:
        """As :meth:`Check.why_not`."""

    def samples(self, subject: Subject) -> Samples:
        """Cut out what is to be scored. Raises NotApplicableError or MediaError. Loads no model."""

    def score(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score a batch of shape (n, height, width, 3) uint8; returns (n,) probabilities in [0, 1]."""

    def conclude(self, item: MediaItem, samples: Samples, scores: Sequence[float]) -> CheckResult:
        """Make one result of the scores of one file, in the order of its samples. Loads no model."""


@runtime_checkable
class LooksAgain(Protocol):
    """A batch check that may ask, whenever what it took of a film is scored, to look at more of it."""

    def again(self, samples: Samples, scores: Sequence[float], seconds: float) -> tuple[float, ...]:
        """Times in seconds at which frames are wanted as well; empty when nothing is. Loads no model.

        ``seconds`` is how long workers have been busy with the film so far.
        """

    def joined(self, first: Samples, more: Samples, asked: Sequence[float]) -> Samples:
        """What was taken before, and after it what is new in what was taken at the times asked for. Loads no model.

        ``more`` has nothing but a problem where the film could not be looked at again.
        """
