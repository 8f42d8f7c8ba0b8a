"""What a set of scores is worth. Pure functions over arrays; scikit-learn has most of it, and here is the rest.

Scores are calibrated log-odds of "fake" at even prior odds (natural logarithm): positive means fake. With even prior
odds they are log likelihood ratios as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.training.metrics import Labels, Scores, cllr, upper_bound

CLASSES = ("real", "fake")
ECE_BINS = 15
"""Bins of equal width, as in Guo et al., "On Calibration of Modern Neural Networks", ICML 2017."""

LOW_RATES = (0.01, 0.001)
"""The false-alarm rates at which recall is stated."""

LOG_ODDS_LIMIT = 50.0
"""Log-odds beyond this are cut: e^50 to 1 is certainty, and its exponential is still a number."""


@dataclass(frozen=True, slots=True)
class ClassReport:
    """One line of the familiar classification report; ``support`` counts pictures."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Decisions:
    """How a set came out at one threshold.

    ``report`` has ``real``, ``fake``, ``macro avg`` and ``weighted avg``; ``confusion`` is
    ((real called real, real called fake), (fake called real, fake called fake)); ``false_alarms`` is the share of real
    pictures called fake, ``false_alarms_bound`` the upper end of its one-sided 95 % Clopper-Pearson interval. Numbers
    that need a class that is missing are None.
    """

    name: str
    threshold: float
    accuracy: float
    balanced_accuracy: float | None
    report: Mapping[str, ClassReport]
    confusion: tuple[tuple[int, int], tuple[int, int]]
    false_alarms: float | None
    false_alarms_bound: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """What needs no threshold; every number but the counts is None where a class is missing.

    ``recall_at`` has, for each rate of :data:`LOW_RATES` as text, the share of fakes found at that share of false
    alarms, or None where fewer real pictures than one expected alarm cannot show the rate. ``ece_even`` is the
    calibration error with both classes weighted alike, which is what the card's calibration is for; ``ece`` is over the
    set as it is.
    """

    real: int
    fake: int
    auc: float | None
    average_precision: float | None
    eer: float | None
    recall_at: Mapping[str, float | None]
    ece: float | None
    ece_even: float | None
    cllr: float | None
    cllr_min: float | None


def probability(log_odds: Scores) -> Scores:
    """Probabilities of fake at even prior odds, shape (n,)."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -LOG_ODDS_LIMIT, LOG_ODDS_LIMIT))))


def ranking(log_odds: Scores, fake: Labels) -> Ranking:
    """Measure log-odds of shape (n,), none of them NaN, against labels of shape (n,), True for fake."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    real_count, fake_count = int((~fake).sum()), int(fake.sum())
    if not real_count or not fake_count:
        nothing = {f"{rate:g}": None for rate in LOW_RATES}
        return Ranking(real_count, fake_count, None, None, None, nothing, None, None, None, None)
    chances = probability(log_odds)
    even = np.where(fake, 0.5 / fake_count, 0.5 / real_count)
    return Ranking(
        real=real_count,
        fake=fake_count,
        auc=_rounded(roc_auc_score(fake, log_odds)),
        average_precision=_rounded(average_precision_score(fake, log_odds)),
        eer=_rounded(equal_error_rate(log_odds, fake)),
        recall_at={f"{rate:g}": recall_at(log_odds, fake, rate) for rate in LOW_RATES},
        ece=_rounded(calibration_error(chances, fake, np.full(len(fake), 1 / len(fake)))),
        ece_even=_rounded(calibration_error(chances, fake, even)),
        cllr=_rounded(cllr(log_odds, fake)),
        cllr_min=_rounded(cllr(pav(log_odds, fake), fake)),
    )


def decisions(name: str, chances: Scores, fake: Labels, threshold: float) -> Decisions:
    """Measure probabilities of shape (n,), at least one, at a threshold: at or above it a picture is called fake."""
    from sklearn.metrics import classification_report, confusion_matrix

    called = chances >= threshold
    table = confusion_matrix(fake, called, labels=[False, True])
    # Averages over both classes, whether they are there or not, as the report of scikit-learn has them.
    found = classification_report(
        fake, called, labels=[False, True], target_names=CLASSES, output_dict=True, zero_division=0.0
    )
    report = {
        line: ClassReport(
            _rounded(values["precision"]),
            _rounded(values["recall"]),
            _rounded(values["f1-score"]),
            int(values["support"]),
        )
        for line, values in found.items()
        if isinstance(values, Mapping)
    }
    real_count, fake_count = int(table[0].sum()), int(table[1].sum())
    false_alarms = table[0, 1] / real_count if real_count else None
    recall = table[1, 1] / fake_count if fake_count else None
    return Decisions(
        name=name,
        threshold=threshold,
        accuracy=_rounded((table[0, 0] + table[1, 1]) / len(fake)),
        balanced_accuracy=None if false_alarms is None or recall is None else _rounded((1 - false_alarms + recall) / 2),
        report=report,
        confusion=((int(table[0, 0]), int(table[0, 1])), (int(table[1, 0]), int(table[1, 1]))),
        false_alarms=None if false_alarms is None else _rounded(false_alarms),
        false_alarms_bound=upper_bound(int(table[0, 1]), real_count) if real_count else None,
        recall=None if recall is None else _rounded(recall),
    )


def equal_error_rate(scores: Scores, fake: Labels) -> float:
    """The error at which false alarms and misses are equally frequent, on the straight line between the two points of
    the ROC curve that enclose it. Both classes must be there.
    """
    from sklearn.metrics import roc_curve

    false_alarms, hits, _ = roc_curve(fake, scores, drop_intermediate=False)
    gap = false_alarms - (1 - hits)  # rises from -1 to 1
    after = int(np.argmax(gap >= 0))
    if after == 0 or gap[after] == 0:
        return float(false_alarms[after])
    part = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(false_alarms[after - 1] + part * (false_alarms[after] - false_alarms[after - 1]))


def recall_at(scores: Scores, fake: Labels, false_alarm_rate: float) -> float | None:
    """The largest share of fakes found while at most this share of real pictures is called fake; None where the real
    pictures are too few to show it.
    """
    from sklearn.metrics import roc_curve

    if (~fake).sum() * false_alarm_rate < 1 or not fake.any():
        return None
    false_alarms, hits, _ = roc_curve(fake, scores, drop_intermediate=False)
    return _rounded(float(hits[false_alarms <= false_alarm_rate + 1e-12].max()))


def calibration_error(chances: Scores, fake: Labels, weights: Scores) -> float:
    """Expected calibration error: the weighted mean over the bins of |share of fakes - mean probability|.

    ``weights`` has shape (n,) and adds up to 1.
    """
    bins = np.minimum((chances * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = np.bincount(bins, weights * (fake - chances), ECE_BINS)
    return float(np.abs(gaps).sum())


def pav(scores: Scores, fake: Labels) -> Scores:
    """The log likelihood ratios of shape (n,) that the pool-adjacent-violators algorithm makes of scores: the best
    that any rising function of the scores could have said, knowing the answers. Infinite where one class is alone.
    """
    from sklearn.isotonic import IsotonicRegression

    weights = np.where(fake, 0.5 / fake.sum(), 0.5 / (~fake).sum())
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(scores, fake.astype(float), sample_weight=weights)
    fitted = np.where(fitted < 1e-12, 0.0, np.where(fitted > 1 - 1e-12, 1.0, fitted))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(fitted) - np.log1p(-fitted))


def reliability(chances: Scores, fake: Labels, bins: int = 10) -> tuple[tuple[float, float, int], ...]:
    """For each bin of equal width that holds something: mean probability, share of fakes, and count."""
    where = np.minimum((chances * bins).astype(int), bins - 1)
    return tuple(
        (_rounded(chances[where == b].mean()), _rounded(fake[where == b].mean()), int((where == b).sum()))
        for b in range(bins)
        if (where == b).any()
    )


def curve(scores: Scores, fake: Labels, points: int = 400) -> tuple[tuple[float, float], ...]:
    """The ROC curve as (false alarms, recall), thinned to about ``points``; empty where a class is missing."""
    from sklearn.metrics import roc_curve

    if fake.all() or not fake.any():
        return ()
    false_alarms, hits, _ = roc_curve(fake, scores)
    step = max(1, len(false_alarms) // points)
    keep: NDArray[np.int64] = np.unique(np.append(np.arange(0, len(false_alarms), step), len(false_alarms) - 1))
    return tuple((_rounded(false_alarms[i], 5), _rounded(hits[i], 5)) for i in keep)


def summary_of(values: Sequence[float]) -> tuple[float, float]:
    """The middle 95 % of bootstrapped values."""
    low, high = np.percentile(np.asarray(values), [2.5, 97.5])
    return _rounded(low), _rounded(high)


def _rounded(value: float, digits: int = 4) -> float:
    return round(float(value), digits)
