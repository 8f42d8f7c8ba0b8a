"""What a trained network is worth: calibrated on one held-out part, measured on the other, written into its card."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepscan.errors import TrainingError
from deepscan.media.frames import Pixels
from deepscan.media.resaving import AS_IT_IS
from deepscan.models import card as cards
from deepscan.models.calibration import Calibration
from deepscan.models.card import ModelCard, Preprocessing, View
from deepscan.models.coverage import Limits, Stratum
from deepscan.text import plural
from deepscan.training import calibrate, likelihood, measure
from deepscan.training.data import Record
from deepscan.training.export import golden_vectors
from deepscan.training.folds import halves
from deepscan.training.measure import FormScores
from deepscan.training.metrics import Labels, Scores, as_json, cllr
from deepscan.training.options import TrainOptions
from deepscan.training.shortcuts import trivial_scores
from deepscan.training.splits import Split
from deepscan.training.survey import FEATURES, Survey

log = logging.getLogger(__name__)

WORST_FORM = "in the worst of their forms: " + ", ".join(measure.DISTORTIONS)
"""How the card says what a false-alarm rate was measured on."""

MIN_SIDE, MIN_PART = 48, 1 / 3
"""Shortest side in pixels of a crop that a pack trained here accepts, or this part of its input where that is less:
below it, enlarging has replaced what the network looks for."""


def view_of(options: TrainOptions, rule: Preprocessing) -> View:
    """What the pack will want to see."""
    return View(options.subject, options.margin, min(MIN_SIDE, round(rule.width * MIN_PART)))


def refuse_small(survey: Survey, view: View) -> None:
    """Raise where a scan would score none of the pictures, and say how many it would not.

    Raises:
        TrainingError: every picture is smaller than the pack will accept.
    """
    sides = survey.features[:, [FEATURES.index("width"), FEATURES.index("height")]].min(axis=1)
    small = int((sides < view.min_side).sum())
    if small == len(sides):
        raise TrainingError(
            f"Every picture is smaller than the {view.min_side} pixels that the pack will need to score one.",
            "Train at a smaller --size: a third of it is needed, and at most 48.",
        )
    if small:
        log.warning(
            "%s smaller than the %d pixels that the pack will need to score one: learnt from, but in no error rate.",
            plural(small, "picture"),
            view.min_side,
        )


def cropper(view: View) -> measure.Crop:
    """What the scan would cut out of a training picture; the whole picture where it would find no face."""
    if view.subject == "frame":
        return lambda pixels: pixels
    from deepscan.media.faces import HaarFinder
    from deepscan.models.preprocess import cut, with_margin

    finder = HaarFinder()

    def crop(pixels: Pixels) -> Pixels:
        faces = finder.find(pixels)
        if not faces:
            return pixels
        return cut(pixels, with_margin(faces[0].box, view, pixels.shape[1], pixels.shape[0]))

    return crop


def appraise(
    model: Any, rule: Preprocessing, parts: Split, options: TrainOptions, sha256: str
) -> tuple[ModelCard, Scores]:
    """Calibrate on one held-out part, measure on the other, and write down both; the test part's scores beside it.

    Limits of quality come first: what lies outside is in no number, as a scan does not score it. Likelihood ratios come
    from two halves of the calibration part. The test part can only drop a threshold.

    Raises:
        TrainingError: too little of a part can be scored.
    """
    view = view_of(options, rule)
    crop = cropper(view)
    calibrating, testing = (measure.score(model, part, rule, view, crop) for part in (parts.calibration, parts.test))
    limits = likelihood.limits(calibrating)
    held, tested = _inside(parts.calibration, calibrating, limits), _inside(parts.test, testing, limits)
    _refuse_too_few(held, "calibration")
    _refuse_too_few(tested, "test")
    calibration, tried = calibrate.choose(
        held.plain[held.scored],
        held.fake[held.scored],
        [r.group for r, scored in zip(held.records, held.scored, strict=True) if scored],
        options.calibration,
        options.seed,
    )
    thresholds = calibrate.thresholds(held.reals_by_source(calibration), tested.reals(calibration), WORST_FORM)
    levels = {str(t.level): t.probability for t in thresholds} or {"half": 0.5}
    trivial = measure.by_source(parts.test, trivial_scores(parts.train, parts.test), 0.5)
    odds = calibrate.log_odds(tested.plain[tested.scored], calibration)
    card = ModelCard(
        format=cards.CARD_FORMAT,
        name=options.name,
        version="1",
        architecture=type(model).__name__,
        preprocessing=rule,
        view=view,
        labels=("Real", "Fake"),
        fake_label="Fake",
        calibration=calibration,
        thresholds=thresholds,
        coverage=_coverage(parts),
        data=options.data_note or "Not stated by whoever trained this pack.",
        licence=options.licence,
        licence_class=options.licence_class,
        metrics={
            "measured_on": "the test part of the data set, which chose no threshold and could only drop a level",
            "thresholds": dict(levels),
            "test": tested.rates(calibration, levels),
            "calibration": {
                "calibrated_on": "the calibration part of the data set",
                "method": calibration.method,
                "cllr_by_method": dict(tried),
                "cllr": round(cllr(odds, tested.fake[tested.scored]), 4),
                "not_covered": round(1 - float(tested.scored.mean()), 4),
            },
            "trivial_classifier_auc": {source: measured.auc for source, measured in trivial.items()},
            "trained_on": {"pictures": len(parts.train), "parameters": sum(p.numel() for p in model.parameters())},
        },
        provenance={},
        weights_sha256=sha256,
        golden=golden_vectors(model, rule),
        tolerance=1e-2,
        limits=limits,
        strata=_ratios(parts.calibration, calibrating, calibration, limits, options.seed),
    )
    return card, tested.chances(calibration)[AS_IT_IS.name]


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """One held-out part: ``logits`` by form, of shape (n,), NaN where a scan would not score a picture of it."""

    records: Sequence[Record]
    fake: Labels
    logits: Mapping[str, Scores]

    @property
    def plain(self) -> Scores:
        """Logits of the pictures as they are."""
        return self.logits[AS_IT_IS.name]

    @property
    def scored(self) -> Labels:
        """Which pictures have one."""
        return ~np.isnan(self.plain)

    def chances(self, calibration: Calibration) -> dict[str, Scores]:
        """Probabilities by form."""
        return {form: calibrate.apply(values, calibration) for form, values in self.logits.items()}

    def reals_by_source(self, calibration: Calibration) -> dict[str, Scores]:
        """The probabilities of real pictures by source and form."""
        sources = np.array([r.source for r in self.records])
        return {
            f"{source}, {form}": values[~self.fake & (sources == source) & ~np.isnan(values)]
            for form, values in self.chances(calibration).items()
            for source in sorted(set(sources.tolist()))
        }

    def reals(self, calibration: Calibration) -> list[Scores]:
        """The probabilities of real pictures, an array for each form that has any."""
        found = [values[~self.fake & ~np.isnan(values)] for values in self.chances(calibration).values()]
        return [values for values in found if len(values)]

    def rates(self, calibration: Calibration, levels: Mapping[str, float]) -> dict[str, Any]:
        """Error rates by level, form and source."""
        chances = self.chances(calibration)
        return {
            level: {
                form: {s: as_json(r) for s, r in measure.by_source(self.records, values, at).items()}
                for form, values in chances.items()
            }
            for level, at in levels.items()
        }


def _inside(records: Sequence[Record], answers: Mapping[str, FormScores], limits: Limits) -> _Held:
    """A part, less what lies outside the limits."""
    kept = {form: np.where(likelihood.covered(a, limits), a.logits, np.nan) for form, a in answers.items()}
    return _Held(records, np.array([r.fake for r in records]), kept)


def _refuse_too_few(held: _Held, part: str) -> None:
    for side, words in ((held.fake, "fake"), (~held.fake, "real")):
        if not (held.scored & side).any():
            raise TrainingError(
                f"None of the {words} pictures of the {part} part can be scored: they cannot be read, or a scan would "
                "not score them.",
                "Check the data set: pictures must be large enough, and of the kind that --subject says.",
            )


def _ratios(
    records: Sequence[Record],
    answers: Mapping[str, FormScores],
    calibration: Calibration,
    limits: Limits,
    seed: int,
) -> tuple[Stratum, ...]:
    """Likelihood ratios from the calibration part alone: one half of its groups fits lines, the other bounds them."""
    fake = np.array([r.fake for r in records])
    if min(int(fake.sum()), int((~fake).sum())) < 2 * likelihood.LEAST or len({r.group for r in records}) < 2:
        return ()
    first, second = (
        likelihood.gather(answers, calibration, limits, fake, half) for half in halves(records, fake, seed)
    )
    return likelihood.strata(first, second, "the calibration part of the data set, groups that fitted no line")


def _coverage(parts: Split) -> str:
    fakes = sorted({r.source for r in parts.train if r.fake})
    reals = sorted({r.source for r in parts.train if not r.fake})
    return (
        f"Trained and measured on fakes of {', '.join(fakes)} and real pictures of {', '.join(reals)}. "
        "Generators and manipulations that are not named here were not measured: a low score says nothing about them."
    )
