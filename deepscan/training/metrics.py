"""What a set of scores is worth: AUC, error rates, thresholds at stated false-alarm rates. Pure functions over arrays.

Curves come from scikit-learn; here is only what it lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.types import JSONValue

Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rates:
    """How one set of scored pictures came out at one threshold; None where the set lacks the class it needs.

    ``auc`` is the area under the ROC curve, ``eer`` the equal error rate; ``false_alarms`` is the share of real
    pictures at or above the threshold, ``recall`` that of fakes.
    """

    real: int
    fake: int
    auc: float | None
    eer: float | None
    false_alarms: float | None
    recall: float | None


def rates(scores: Scores, fake: Labels, threshold: float) -> Rates:
    """Measure scores of shape (n,) against labels of shape (n,), True for fake."""
    real_scores, fake_scores = scores[~fake], scores[fake]
    both = len(real_scores) > 0 and len(fake_scores) > 0
    return Rates(
        real=len(real_scores),
        fake=len(fake_scores),
        auc=auc(scores, fake) if both else None,
        eer=equal_error_rate(scores, fake) if both else None,
        false_alarms=_share(real_scores, threshold),
        recall=_share(fake_scores, threshold),
    )


def auc(scores: Scores, fake: Labels) -> float:
    """Area under the ROC curve. Both classes must be there."""
    from sklearn.metrics import roc_auc_score

    return round(float(roc_auc_score(fake, scores)), 4)


def equal_error_rate(scores: Scores, fake: Labels) -> float:
    """The error where false alarms and misses are equally frequent. Both classes must be there."""
    from sklearn.metrics import roc_curve

    false_alarms, hits, _ = roc_curve(fake, scores)
    misses = 1 - hits
    at = int(np.argmin(np.abs(misses - false_alarms)))
    return round(float((misses[at] + false_alarms[at]) / 2), 4)


def cllr(log_odds: Scores, fake: Labels) -> float:
    """The cost of log likelihood ratios (natural logarithm) in bits: 0 is perfect, 1 says nothing, more misleads.

    Source: N. Brümmer and J. du Preez, "Application-independent evaluation of speaker detection", Computer Speech and
    Language 20 (2006). Both classes must be there.
    """
    lost_fake = np.logaddexp(0, -log_odds[fake]).mean()
    lost_real = np.logaddexp(0, log_odds[~fake]).mean()
    return float((lost_fake + lost_real) / 2 / np.log(2))


def threshold_at(sets: Sequence[Scores], false_alarm_rate: float) -> float | None:
    """The lowest threshold that keeps the false alarms of *every* set of real pictures at or below a rate.

    The worst set decides, so that a source that looks easy cannot buy alarms on one that looks hard. Sets too small
    to show the rate at all (fewer than one expected alarm) are judged by their highest score only when no larger set
    exists; None when there is none. A threshold is rounded up to four digits, as scores are.
    """
    large = [s for s in sets if len(s) * false_alarm_rate >= 1] or [s for s in sets if len(s)]
    if not large:
        return None
    worst = 0.0
    for scores in large:
        allowed = int(len(scores) * false_alarm_rate)
        worst = max(worst, float(np.sort(scores)[::-1][allowed]))
    # Strictly above the first score that may not alarm; 1e-6 absorbs that 0.0169 is stored as a little less.
    threshold = (np.floor(worst * 1e4 + 1e-6) + 1) / 1e4
    return round(float(threshold), 4) if threshold <= 1 else None


def upper_bound(alarms: int, total: int, confidence: float = 0.95) -> float:
    """Upper end of the one-sided Clopper-Pearson interval of a share: what the true rate could still be."""
    from scipy.stats import beta

    return 1.0 if alarms >= total else round(float(beta.ppf(confidence, alarms + 1, total - alarms)), 4)


def as_json(measured: Rates) -> dict[str, JSONValue]:
    """The rates as a JSON object."""
    return {name: getattr(measured, name) for name in measured.__dataclass_fields__}


def _share(scores: Scores, threshold: float) -> float | None:
    return round(float((scores >= threshold).mean()), 4) if len(scores) else None
