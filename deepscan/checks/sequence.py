"""How a face changes over time, by the sequence head of a pack: only where the pack in use has one.

A film is looked at in a few stretches of evenly spaced frames; in each, faces are followed and cut out, and the head
reads the features that the pack's network has for them (:mod:`deepscan.models.sequence`). A stretch counts with its
highest face, and the film with its stretches pooled as frames are (:mod:`deepscan.media.film.pooling`).

The head hears what the classifier's network sees, so both are one kind of evidence and never corroborate each other;
that is why this check is of the model's family, and why it gives no score beside the classifier's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Sample, Samples, Subject
from deepscan.errors import ModelError
from deepscan.media.frames import Sampling
from deepscan.media.video import read_video
from deepscan.models import describe
from deepscan.models.card import ModelCard, SequenceCard, Threshold
from deepscan.models.sequence import film_score, runs, stretches
from deepscan.text import clean, plural, timecode
from deepscan.types import CheckResult, Evidence, Family, Finding, Level, MediaItem, MediaKind, PointsTo, Where

RESEMBLES, BELOW = "DS-MODEL-005", "DS-MODEL-006"

SPEC = CheckSpec(
    id="sequence",
    title="How a face changes over time, by a trained sequence model",
    family=Family.MODEL,
    version="1",
    kinds=frozenset({MediaKind.VIDEO}),
    codes=(RESEMBLES, BELOW),
    cost=Cost.HIGH,
    looks_at="videos, with a pack that has a sequence head",
    options=("faces", "fake_label", "precision"),
)


class Scorer(Protocol):
    """What the check needs of a loaded model (:class:`deepscan.models.loader.Network`)."""

    def sequence_probabilities(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Shape (n, length * height, width, 3) uint8 to (n,) probabilities."""


class Sequences:
    """The batch check around a pack's sequence head.

    Args:
        card: The pack's card.
        network: The loaded model, or None where samples are only cut out.
    """

    def __init__(self, card: ModelCard, network: Scorer | None = None) -> None:
        self.card = card
        self.network = network

    @property
    def spec(self) -> CheckSpec:
        """What it is."""
        return SPEC

    @property
    def _head(self) -> SequenceCard:
        assert self.card.sequence is not None
        return self.card.sequence

    def why_not(self, item: MediaItem) -> str | None:
        """A sentence where the pack has no head."""
        if self.card.sequence is None:
            return f"The model {clean(self.card.name)} has no sequence head (deepscan train --sequence makes one)."
        return None

    def samples(self, subject: Subject) -> Samples:
        """Cut the faces out of each stretch.

        Raises:
            NotApplicableError: the film is too short, or no face can be followed in it.
            MediaError: the file cannot be decoded.
        """
        footage = subject.reading().footage
        planned = stretches(footage.seconds, self._head) if footage is not None else ()
        if not planned:
            raise NotApplicableError("The film is too short for the sequence model.")
        samples: list[Sample] = []
        problems: dict[str, None] = {}
        for number, moments in enumerate(planned, 1):
            reading = read_video(subject.item.path, Sampling(moments=moments))
            if reading.problem:
                problems[clean(reading.problem)] = None
            samples += (
                Sample("stretch", Where(None, run.start, run.box), run.pixels, track=number)
                for run in runs(reading.frames, subject.faces, self.card, self._head.length)
            )
        problem = " ".join(problems) or None
        if not samples:
            what = "No face could be followed" if self.card.view.subject == "face" else "Too few frames are different"
            raise NotApplicableError(
                f"{what} in the {plural(len(planned), 'stretch', 'stretches')} of the film that were looked at.",
                partial=problem,
            )
        return Samples(tuple(samples), problem=problem)

    def score(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities of fake for a batch of runs; see ``Network.sequence_probabilities``."""
        if self.network is None:
            raise ModelError("The sequence check was asked for scores where no model is loaded.")
        return self.network.sequence_probabilities(batch)

    def conclude(self, item: MediaItem, samples: Samples, scores: Sequence[float]) -> CheckResult:
        """One result from the scores of one film's runs, in the order of its samples.

        Raises:
            ModelError: a score is not a number.
        """
        if not np.isfinite(scores).all():
            raise ModelError(f"The sequence head of {clean(self.card.name)} gave no number for a part of this film.")
        total = round(film_score([s.track or 0 for s in samples.samples], scores), 4)
        reached = [t for t in self._head.thresholds if total >= t.probability]
        best = max(reached, key=lambda t: (t.level.rank, t.probability), default=None)
        looked_at = len({s.track for s in samples.samples})
        evidence = tuple(
            Evidence("stretch", {"from": timecode(s.where.seconds or 0.0), "probability": round(float(v), 4)}, s.where)
            for s, v in zip(samples.samples, scores, strict=True)
        )
        finding = Finding(
            RESEMBLES if best else BELOW,
            best.level if best else Level.INFO,
            PointsTo.GENERATED if best else PointsTo.NEITHER,
            self._words(total, looked_at, best),
            evidence,
        )
        return SPEC.done((finding,), partial=samples.problem)

    def _words(self, total: float, looked_at: int, best: Threshold | None) -> str:
        head = self._head
        sentences = [
            f"A sequence model, which reads how {describe.noun(self.card)}s change over {head.length * head.step:g} s, "
            f"gives this film a probability of {total:g} of being generated or manipulated, from "
            f"{plural(looked_at, 'stretch', 'stretches')} of it.",
        ]
        if best is not None:
            sentences += [
                f"That is at or above {best.probability:g}, its threshold for {best.level} evidence.",
                f"{describe.share(best.false_alarms or 0.0)} of the real clips it was measured on reached that "
                f"threshold ({clean(best.measured_on)}).",
            ]
        elif not head.beats_pooling:
            sentences.append(
                "On held-out clips it told fakes no better than the pooled scores of single frames do, so it is no "
                "evidence."
            )
        elif head.thresholds:
            lowest = min(t.probability for t in head.thresholds)
            sentences.append(f"That is below {lowest:g}, its lowest threshold; it does not show that it is authentic.")
        else:
            sentences.append("Its card sets no threshold, so this says nothing by itself.")
        sentences.append("It reads what the classifier's network sees, and is no second kind of evidence beside it.")
        return " ".join(sentences)
