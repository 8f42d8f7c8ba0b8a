"""From logits to probabilities, and to thresholds whose false-alarm rates were measured on other pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from deepscan.models.calibration import ISOTONIC, Calibration
from deepscan.models.card import Threshold
from deepscan.training.folds import folds
from deepscan.training.metrics import Labels, Scores, cllr, threshold_at, upper_bound
from deepscan.types import Level

AUTO, KEEP = "auto", "keep"
FITTED = ("platt", "temperature", ISOTONIC)
"""Ways to fit a calibration, the simplest that is enough for most networks first."""

CHOICES = (AUTO, *FITTED)
"""What may be asked for; :data:`KEEP` leaves the calibration of a card as it is."""

LEAST_TO_CHOOSE = 100
"""Pictures of each class below which the difference between two ways to calibrate is noise."""

CURVE_POINTS, LEAST_IN_BIN = 40, 15
"""How fine an isotonic curve may be, and pictures in each of its bins before they are pooled."""

TARGETS = ((Level.WEAK, 0.05), (Level.MODERATE, 0.01))
"""Levels and the false-alarm rate each is aimed at on the calibration part. Strong is left out on purpose: evidence.md
asks for at most 0.5 % on hard real photographs before a model may say it alone, and a few hundred pictures cannot show
that."""


def choose(
    logits: Scores, fake: Labels, groups: Sequence[str], method: str = AUTO, seed: int = 0
) -> tuple[Calibration, Mapping[str, float]]:
    """Fit the calibration that is asked for, or with ``auto`` the one with the least Cllr on groups it has not seen.

    Args:
        logits: (n,) logit differences, none of them NaN.
        fake: (n,) labels.
        groups: The group of each picture: a fold takes whole groups.
        method: One of :data:`CHOICES`.
        seed: Of the folds.

    Returns:
        The calibration, fitted to all pictures; and the Cllr of each method over five folds, in the order in which
        they are preferred where they are equal. Empty where one was asked for, or where a class has fewer than
        :data:`LEAST_TO_CHOOSE` pictures or fewer groups than there are folds: it is Platt's then.
    """
    if method != AUTO:
        return fit(logits, fake, method), {}
    enough = min(int(fake.sum()), int((~fake).sum())) >= LEAST_TO_CHOOSE
    parts = folds(fake, np.asarray(groups), seed) if enough else ()
    if not parts:
        return fit(logits, fake), {}
    found = {}
    for name in FITTED:
        held = np.zeros(len(logits))
        for learnt, other in parts:
            held[other] = log_odds(logits[other], fit(logits[learnt], fake[learnt], name))
        found[name] = round(cllr(held, fake), 4)
    return fit(logits, fake, min(found, key=lambda name: found[name])), found


def fit(logits: Scores, fake: Labels, method: str = "platt") -> Calibration:
    """Fit a calibration to logit differences of shape (n,), both classes weighted alike.

    Both classes count the same, so that a probability does not repeat how many fakes the data set happened to hold.
    ``platt`` is logistic regression of the label on the logit (temperature and bias), ``temperature`` the same without
    a bias, ``isotonic`` a rising curve.
    """
    if method == ISOTONIC:
        return _isotonic(logits, fake)
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6, class_weight="balanced", fit_intercept=method == "platt")
    model.fit(logits.reshape(-1, 1), fake)
    # A slope of zero or below would turn the scores around: the network learnt nothing then, and its card says so.
    slope = max(float(model.coef_[0, 0]), 1e-2)
    bias = float(model.intercept_[0]) if method == "platt" else 0.0
    return Calibration(method, round(1 / slope, 4), round(bias, 4))


def log_odds(logits: Scores, calibration: Calibration) -> Scores:
    """Calibrated log-odds of shape (n,) from logit differences of shape (n,); NaN stays NaN."""
    return np.array([calibration.log_odds(float(logit)) for logit in logits], float)


def apply(logits: Scores, calibration: Calibration) -> Scores:
    """Probabilities of shape (n,) from logit differences of shape (n,), rounded as a scan rounds them."""
    return np.round([calibration.probability(float(logit)) for logit in logits], 4)


def _isotonic(logits: Scores, fake: Labels) -> Calibration:
    """A curve through at most :data:`CURVE_POINTS` points, by pool-adjacent-violators over bins of equally many.

    One picture of each class is added at both ends, so that no score is worth more than so many pictures can show
    (Laplace's rule of succession, as Brümmer's BOSARIS does it). Between its points, from the lowest logit to the
    highest, the curve is a line that rises, so that it ranks as the network does.
    """
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(logits, kind="stable")
    weight = np.where(fake, 0.5 / fake.sum(), 0.5 / (~fake).sum())[order]
    count = min(CURVE_POINTS, max(2, len(logits) // LEAST_IN_BIN))
    bins = [part for part in np.array_split(np.arange(len(logits)), count) if len(part)]
    centres = np.array([logits[order][b].mean() for b in bins])
    fakes = np.array([(weight[b] * fake[order][b]).sum() for b in bins])
    reals = np.array([(weight[b] * ~fake[order][b]).sum() for b in bins])
    fakes[[0, -1]] += 0.5 / fake.sum()
    reals[[0, -1]] += 0.5 / (~fake).sum()
    total = fakes + reals
    shares = IsotonicRegression().fit_transform(centres, fakes / total, sample_weight=total)
    blocks = np.unique(shares)
    places = [float(np.average(centres[shares == block], weights=total[shares == block])) for block in blocks]
    if len(blocks) < 2:  # nothing rises: the network learnt nothing, and every score is worth as much
        blocks, places = np.repeat(blocks, 2), [0.0, 0.0]
    places[0], places[-1] = float(logits.min()), float(logits.max())
    points = {round(x, 5): round(float(np.log(y / (1 - y))), 4) for x, y in zip(places, blocks, strict=True)}
    if len(points) < 2:
        return fit(logits, fake)
    return Calibration(ISOTONIC, 1.0, 0.0, tuple(points.items()))


def thresholds(
    calibration_real: Mapping[str, Scores], test_real: Sequence[Scores], measured_on: str, noun: str = "pictures"
) -> tuple[Threshold, ...]:
    """Pick a threshold per level on the calibration part, and measure its false alarms on the test part.

    ``calibration_real`` holds the probabilities of real pictures by source and distortion: the worst of them decides.
    ``test_real`` holds those of the test part, one array for each distortion. A level whose measured false alarms, at
    the upper end of their 95 % interval, pass twice the aim is left out.
    """
    found: list[Threshold] = []
    for level, aim in TARGETS:
        threshold = threshold_at(list(calibration_real.values()), aim)
        if threshold is None:
            continue
        # A level is never easier to reach than the one below it, whose threshold a small source may have set.
        threshold = max(threshold, 0.5, *(lower.probability for lower in found))
        # The same pictures in every form: the worst form counts, they are not pooled as if they were more pictures.
        alarms, total = max(((int((real >= threshold).sum()), len(real)) for real in test_real), key=_share)
        bound = upper_bound(alarms, total)
        if bound > 2 * aim:
            continue
        note = f"{alarms} of {total} held-out real {noun} ({measured_on}); 95 % upper bound {bound:.1%}"
        found.append(Threshold(level, threshold, round(alarms / total, 5), note))
    return tuple(found)


def _share(counted: tuple[int, int]) -> float:
    alarms, total = counted
    return alarms / total
