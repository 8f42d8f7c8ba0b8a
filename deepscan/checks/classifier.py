"""The classifier: how much the faces, or the whole picture, resemble what a model learnt to call fake.

The network is passed in by the process that has it; workers use the same class without one, to cut out and resize.

How one file's score is made of many:

- One picture: the highest of its faces, because one swapped face makes the picture a forgery; the summary names it.
- Pages of a TIFF: the highest page, for the same reason.
- Frames in time (video, animation): faces are followed through each shot, every track has a score of its own, and the
  film that of its highest track (:mod:`deepscan.media.film.pooling` says how, and why not the mean or the maximum).

``points_to`` is ``generated`` for every model: a classifier has one number for "fake", which its training may have
filled with generated faces, swaps and composites alike, and it cannot say which of them it saw. The card's coverage,
quoted in the finding, is all there is to tell them apart.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import CheckSpec, Keep, NotApplicableError, Sample, Samples, Subject
from deepscan.checks.film import again as film_again
from deepscan.checks.film.result import Bars, facts_of, film_of, total_of, value_of
from deepscan.checks.film.samples import cut_short, followed, joined, settled
from deepscan.checks.film.timeline import with_timeline
from deepscan.checks.scoring.findings import MAX_EVIDENCE, Answer, Worth, below, changes, resembles, what_scored
from deepscan.checks.scoring.maps import Explained, with_maps
from deepscan.checks.scoring.stability import Stability, as_samples, undecided, variants
from deepscan.config import SAMPLING
from deepscan.errors import LimitError, ModelError
from deepscan.media.frames import Face, Frame, Pixels, Reading
from deepscan.media.limits import MAX_FACES, TURN_SECONDS
from deepscan.media.quality import measure
from deepscan.models.card import ModelCard
from deepscan.models.coverage import log_odds, stratum_of
from deepscan.models.preprocess import cut, fit, with_margin
from deepscan.text import clean, plural
from deepscan.types import Box, CheckResult, Family, Film, Meaning, MediaItem, MediaKind, Outcome, Part, Score, Where

SPEC = CheckSpec(
    id="classifier",
    title="Resemblance to generated or manipulated pictures, by a trained model",
    family=Family.MODEL,
    version="4",
    kinds=frozenset({MediaKind.IMAGE, MediaKind.VIDEO}),
    codes=("DS-MODEL-001", "DS-MODEL-002", "DS-MODEL-003", "DS-MODEL-004"),
    options=(*SAMPLING, "precision", "fake_label", "faces", "stability", "exhibits"),
)

DIGITS = 4
"""Decimal places of a probability in results: what the network gives is the same to about six."""


class Scorer(Protocol):
    """What the check needs of a loaded model (:class:`deepscan.models.loader.Network`)."""

    def probabilities(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Shape (n, height, width, 3) uint8 to (n,) probabilities."""


class Classifier:
    """The batch check around one model pack.

    Args:
        card: The pack's card, which says what the model looks at and what its scores are worth.
        network: The loaded model, or None where samples are only cut out.
        stability: Score gentle changes of every face or frame as well, and say whether the answer stays.
    """

    spec = SPEC

    def __init__(self, card: ModelCard, network: Scorer | None = None, *, stability: bool = False) -> None:
        self.card = card
        self.network = network
        self.stability = stability

    def why_not(self, item: MediaItem) -> str | None:
        """None: every picture and video may hold what the model looks at."""
        return None if item.kind in SPEC.kinds else f"The model does not look at files of kind {item.kind}."

    def samples(self, subject: Subject) -> Samples:
        """Cut out the faces, or take the frames, and resize them to the model's input.

        Raises:
            NotApplicableError: there is nothing in the file that this model looks at.
            MediaError: the file cannot be decoded.
        """
        reading = subject.reading()
        cutter = _Cutter(self.card, _kind_of(subject.item, reading), stability=self.stability)
        ends = time.monotonic() + TURN_SECONDS
        for number, frame in enumerate(reading.frames):
            if number and reading.footage is not None and time.monotonic() > ends:
                reading = cut_short(reading, number)
                break
            if self.card.view.subject == "face":
                cutter.take_faces(frame, subject)
            else:
                cutter.take_frame(frame)
        problem = clean(reading.problem) if reading.problem else None
        facts = facts_of(reading)
        more = facts is not None and bool(facts.left or facts.looks)
        if not cutter.samples and not more:
            raise NotApplicableError(
                self._why_nothing(cutter.done(), len(reading.frames), cutter.kind), partial=problem
            )
        samples = tuple(cutter.samples)
        if facts is not None:
            samples, sheets = followed(samples, reading, facts, subject)
            facts = replace(facts, sheets=sheets)
        if self.stability:
            samples = (*samples, *as_samples(samples, cutter.changed))
        return replace(cutter.done(), samples=samples, problem=problem, film=facts)

    def again(self, samples: Samples, scores: Sequence[float], seconds: float) -> tuple[float, ...]:
        """Times at which a film should be looked at next, or more closely."""
        if samples.film is None:
            return ()
        if samples.film.asked:
            return film_again.following(samples.film, seconds)
        if samples.film.looks:
            return ()
        rows = [
            (s.where.seconds, value)
            for s, value in zip(samples.samples, scores, strict=True)
            if s.where.seconds is not None and s.variant is None
        ]
        return film_again.moments(samples.film, rows, self._bars)

    def joined(self, first: Samples, more: Samples, asked: Sequence[float]) -> Samples:
        """The samples of a film that was looked at once more, at the moments that were asked for."""
        return joined(first, more, asked)

    @property
    def _bars(self) -> Bars:
        return [(t.probability, t.level) for t in self.card.thresholds]

    def score(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities of fake for a batch (n, height, width, 3) uint8; see ``Network.probabilities``."""
        if self.network is None:
            raise ModelError("The classifier was asked for scores where no model is loaded.")
        return self.network.probabilities(batch)

    def conclude(self, item: MediaItem, samples: Samples, scores: Sequence[float]) -> CheckResult:
        """One result from the scores of one file, in the order of its samples.

        Raises:
            ModelError: a score is not a number.
            NotApplicableError: a film that was looked at in turns has nothing that this model looks at.
        """
        samples = settled(samples)
        scored = self._parts(samples, scores, None)
        if not scored and samples.film is None:
            raise ValueError("conclude needs at least one sample")
        if not scored:
            looked_at = len(samples.film.looked_at) if samples.film else 0
            raise NotApplicableError(self._why_nothing(samples, looked_at, "frame"), partial=samples.problem)
        total, film = self._pooled(samples, scored)
        answer = Answer(self.card, total, scored, samples, self._worth(samples, scores), film)
        stability = self._stability(samples, scores, total)
        reached = stability.reached(self.card.thresholds)
        if stability.flips(self.card.thresholds):
            finding = undecided(self.card, stability, what_scored(answer))
        elif reached:
            best = max(reached, key=lambda t: (t.level.rank, t.probability))
            finding = resembles(answer, best)
        else:
            finding = below(answer)
        flips = finding.code == "DS-MODEL-004"
        if stability.changed and not flips:
            summary = f"{finding.summary} {stability.sentence()}"
            finding = replace(finding, summary=summary, evidence=(*finding.evidence, stability.evidence()))
        return CheckResult(
            check=SPEC.id,
            version=SPEC.version,
            outcome=Outcome.DONE,
            findings=(finding, *changes(film)),
            # A score that flips is no score: neither below the threshold nor above it.
            score=None if flips else Score(total, Meaning.PROBABILITY),
            parts=tuple(sorted((*scored, *samples.left_out), key=lambda part: part.where.frame or 0)),
            partial=samples.problem,
            film=film,
        )

    def illustrate(self, result: CheckResult, samples: Samples, scores: Sequence[float], keep: Keep) -> CheckResult:
        """The result with the timeline of a film, and maps of what moved the highest scores."""
        result = with_timeline(result, self._bars, keep)
        if not isinstance(self.network, Explained):
            return result
        plain = [i for i, sample in enumerate(samples.samples) if sample.variant is None]
        chosen = [samples.samples[i] for i in plain], [scores[i] for i in plain]
        return with_maps(result, self.card, self.network, *chosen, keep)

    def _why_nothing(self, samples: Samples, frames: int, kind: str) -> str:
        """The sentence for a file of which nothing was taken."""
        faces_only = self.card.view.subject == "face"
        looked_at = f"the {kind}" if frames == 1 else f"the {plural(frames, kind)} looked at"
        if faces_only and all(part.kind != "face" for part in samples.left_out):
            return f"No face was found in {looked_at}, and this model looks at faces only."
        needed = self.card.view.min_side
        if samples.largest >= needed:
            return f"Nothing in {looked_at} can be scored by this model. {samples.left_out[0].reason}"
        subject = f"Every face found in {looked_at}" if faces_only else looked_at[0].upper() + looked_at[1:]
        largest = f"the largest, with its margin, has {samples.largest}" if faces_only else f"at most {samples.largest}"
        verb = "is" if frames == 1 or faces_only else "are"
        return (
            f"{subject} {verb} too small for this model: {largest} of the {plural(needed, 'pixel')} "
            "needed on the shorter side."
        )

    def _parts(self, samples: Samples, scores: Sequence[float], variant: str | None) -> list[Part]:
        """The scored parts of one variant, or of the file as it is (None)."""
        return [
            Part(s.kind, s.where, Score(_rounded(value, self.card), Meaning.PROBABILITY), track=s.track)
            for s, value in zip(samples.samples, scores, strict=True)
            if s.variant == variant
        ]

    def _pooled(self, samples: Samples, scored: Sequence[Part]) -> tuple[float, Film | None]:
        """The file's score, and what is known of it over time: see the head of this module."""
        if samples.film is None or any(part.track is None for part in scored):
            return max(map(value_of, scored)), None
        film = film_of(samples.film, scored, self._bars)
        return total_of(film)[0], film

    def _stability(self, samples: Samples, scores: Sequence[float], total: float) -> Stability:
        names = dict.fromkeys(s.variant for s in samples.samples if s.variant is not None)
        return Stability(total, {name: self._pooled(samples, self._parts(samples, scores, name))[0] for name in names})

    def _worth(self, samples: Samples, scores: Sequence[float]) -> tuple[Worth, ...]:
        """The likelihood ratio of every face whose kind of picture the card knows, the highest first."""
        found = []
        for sample, value in zip(samples.samples, scores, strict=True):
            stratum = stratum_of(self.card.strata, sample.quality)
            if stratum is not None and sample.variant is None:
                found.append(Worth(sample.where, stratum, stratum.ratio(log_odds(value))))
        return tuple(sorted(found, key=lambda worth: -worth.ratio)[:MAX_EVIDENCE])


class _Cutter:
    """Collects the samples of one file, and what was left out and why."""

    def __init__(self, card: ModelCard, kind: str, *, stability: bool) -> None:
        self.card = card
        self.kind = kind
        self.stability = stability
        self.changed: list[tuple[Pixels, ...]] = []
        self.samples: list[Sample] = []
        self.left_out: list[Part] = []
        self.largest = 0

    def take_faces(self, frame: Frame, subject: Subject) -> None:
        """Every face of a frame, largest first, up to the limit."""
        faces = subject.faces(frame)
        if not faces:
            self._leave(self.kind, self._where(frame), f"No face was found in this {self.kind}.")
        height, width = frame.pixels.shape[:2]
        for number, face in enumerate(faces):
            if number < MAX_FACES:
                self._take("face", frame, with_margin(face.box, self.card.view, width, height), face)
            else:
                self._leave(
                    "face",
                    self._where(frame, face.box),
                    f"Only the {MAX_FACES} largest faces of a {self.kind} are scored.",
                )

    def take_frame(self, frame: Frame) -> None:
        """The whole frame."""
        height, width = frame.pixels.shape[:2]
        self._take(self.kind, frame, Box(0, 0, width, height), None)

    def done(self) -> Samples:
        """What was taken, as far as it is known yet."""
        return Samples(tuple(self.samples), tuple(self.left_out), largest=self.largest)

    def _take(self, kind: str, frame: Frame, region: Box, face: Face | None) -> None:
        where = self._where(frame, face.box if face else None)
        crop = cut(frame.pixels, region)
        quality = measure(crop)
        self.largest = max(self.largest, quality.side)
        if (refusal := self.card.refusal(quality)) is not None:
            self._leave(kind, where, refusal)
            return
        try:
            pixels = fit(crop, self.card.preprocessing)
            changed = variants(crop, self.card.preprocessing) if self.stability else ()
        except LimitError as e:
            self._leave(kind, where, e.message)
            return
        self.changed.append(changed)
        self.samples.append(Sample(kind, where, np.ascontiguousarray(pixels), quality, cut=face.cut if face else 0.0))

    def _leave(self, kind: str, where: Where, reason: str) -> None:
        self.left_out.append(Part(kind, where, None, reason))

    def _where(self, frame: Frame, box: Box | None = None) -> Where:
        return Where(None if self.kind == "picture" else frame.index, frame.seconds, box)


def _kind_of(item: MediaItem, reading: Reading) -> str:
    """``picture`` for a single one, ``frame`` where there is time, ``page`` else."""
    if item.kind is MediaKind.VIDEO or any(frame.seconds is not None for frame in reading.frames):
        return "frame"
    return "picture" if len(reading.frames) == 1 and reading.total in (None, 1) else "page"


def _rounded(value: float, card: ModelCard) -> float:
    if not math.isfinite(value):
        raise ModelError(
            f"The model {clean(card.name)} gave no number for a part of this file.", "Use --precision fp32."
        )
    return round(min(1.0, max(0.0, float(value))), DIGITS)
