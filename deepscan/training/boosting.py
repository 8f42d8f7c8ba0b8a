"""Gradient boosting over a few numbers a picture: what trivial classifiers and searches for shortcuts are made of.

Everything runs on one thread. The tables are small, and the threads of a library that wait for each other by spinning
cost minutes as soon as another program holds one of the cores.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from deepscan.training.folds import folds
from deepscan.training.metrics import Labels, Scores


class Boosted:
    """Gradient boosting (scikit-learn's histogram version) that was fitted to a table of shape (n, features)."""

    def __init__(self, table: NDArray[np.float64], fake: Labels, seed: int = 0) -> None:
        """Fit. ``fake`` is of shape (n,) and holds both classes; leaves hold fewer pictures where few are there."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        leaf = min(20, 1 + len(table) // 20)
        with threadpool_limits(limits=1):
            self._model: Any = HistGradientBoostingClassifier(random_state=seed, max_iter=100, min_samples_leaf=leaf)
            self._model.fit(table, fake)

    def scores(self, table: NDArray[np.float64]) -> Scores:
        """The probability of fake for each row: (n,)."""
        with threadpool_limits(limits=1):
            found: Scores = self._model.predict_proba(table)[:, 1]
        return found


def crossed(table: NDArray[np.float64], fake: Labels, groups: NDArray[np.str_], seed: int = 0) -> Scores | None:
    """Scores of shape (n,), each from a classifier that saw none of the picture's group, in five folds of groups.

    None where a class has fewer groups than there are folds, or is missing outside one of them.
    """
    scores = np.zeros(len(table))
    parts = folds(fake, groups, seed)
    for train, test in parts:
        scores[test] = Boosted(table[train], fake[train], seed).scores(table[test])
    return scores if parts else None
