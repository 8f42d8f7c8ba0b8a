"""The yardstick: what a classifier reaches on the same pictures that sees only file and picture statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepscan.training.boosting import crossed
from deepscan.training.data import Record
from deepscan.training.metrics import Scores, auc
from deepscan.training.shortcuts import features

LEAST = 20
"""Pictures of each class below which nothing can be learnt from the others."""


def trivial_aucs(records: Sequence[Record], seed: int = 0) -> dict[str, float | None]:
    """The area under its ROC curve for all pictures (``all``) and for each source, None where a class is missing.

    Each picture is scored by a classifier trained on the other groups (five folds of whole groups), so that it is
    measured on pictures it has not seen, as a pack is. The pictures must be readable.
    """
    fake = np.array([r.fake for r in records])
    sources = np.array([r.source for r in records])
    scores = _scores(records, seed)
    found: dict[str, float | None] = {}
    for name in ("all", *sorted(set(sources.tolist()))):
        part = np.full(len(records), True) if name == "all" else sources == name
        both = scores is not None and len(set(fake[part].tolist())) == 2
        found[name] = auc(scores[part], fake[part]) if both and scores is not None else None
    return found


def _scores(records: Sequence[Record], seed: int) -> Scores | None:
    fake = np.array([r.fake for r in records])
    if min(int(fake.sum()), int((~fake).sum())) < LEAST:
        return None
    return crossed(features(records), fake, np.array([r.group for r in records]), seed)
