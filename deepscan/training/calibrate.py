"""From logits to probabilities, and to thresholds whose false-alarm rates were measured on other pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from deepscan.models.card import Calibration, Threshold
from deepscan.training.metrics import Labels, Scores, threshold_at, upper_bound
from deepscan.types import Level

TARGETS = ((Level.WEAK, 0.05), (Level.MODERATE, 0.01))
"""Levels and the false-alarm rate each is aimed at on the calibration part. Strong is left out on purpose: evidence.md
asks for at most 0.5 % on hard real photographs before a model may say it alone, and a few hundred pictures cannot show
that."""


def fit(logits: Scores, fake: Labels) -> Calibration:
    """Fit temperature and bias by logistic regression of the label on the logit (Platt 1999), classes weighted alike.

    Both classes count the same, so that a probability does not repeat how many fakes the data set happened to hold.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6, class_weight="balanced")
    model.fit(logits.reshape(-1, 1), fake)
    # A slope of zero or below would turn the scores around: the network learnt nothing then, and its card says so.
    slope = max(float(model.coef_[0, 0]), 1e-2)
    return Calibration("platt", round(1 / slope, 4), round(float(model.intercept_[0]), 4))


def apply(logits: Scores, calibration: Calibration) -> Scores:
    """Probabilities of shape (n,) from logit differences of shape (n,)."""
    exponent = np.clip(logits / calibration.temperature + calibration.bias, -60, 60)
    return np.asarray(np.round(1 / (1 + np.exp(-exponent)), 4))


def thresholds(
    calibration_real: Mapping[str, Scores], test_real: Sequence[Scores], measured_on: str
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
        note = f"{alarms} of {total} held-out real pictures ({measured_on}); 95 % upper bound {bound:.1%}"
        found.append(Threshold(level, threshold, round(alarms / total, 5), note))
    return tuple(found)


def _share(counted: tuple[int, int]) -> float:
    alarms, total = counted
    return alarms / total
