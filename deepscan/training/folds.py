"""Parts of a set that share no group, for what is fitted on one of them and measured on another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deepscan.errors import InputError
from deepscan.training.data import Record
from deepscan.training.metrics import Labels

FOLDS = 5

Places = NDArray[np.int64]


def folds(fake: Labels, groups: NDArray[np.str_], seed: int) -> tuple[tuple[Places, Places], ...]:
    """Five folds of whole groups as (places of the rest, places of the fold), both classes in every part.

    Empty where a class has fewer groups than there are folds, or is missing in a part.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if min(len(set(groups[fake].tolist())), len(set(groups[~fake].tolist()))) < FOLDS:
        return ()
    divided = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    found = tuple(divided.split(groups, fake, groups))
    both = all(len(set(fake[rest].tolist())) == 2 for rest, _ in found)
    return found if both else ()


def halves(records: Sequence[Record], fake: Labels, seed: int) -> tuple[Labels, Labels]:
    """Two halves of whole groups as masks of shape (n,), every source and class in both as far as groups allow.

    Raises:
        InputError: there is one group only.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    groups = np.array([r.group for r in records])
    if len(set(groups.tolist())) < 2:
        raise InputError(
            "One group spans the whole data set, and nothing would be left to measure on.",
            "Give the pictures groups of their own (the column group of a list).",
        )
    kinds = np.array([f"{r.source} {r.fake}" for r in records])
    _, places = np.unique(kinds, return_inverse=True)
    divided = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    _, second = next(iter(divided.split(np.zeros(len(records)), _few(places, fake), groups)))
    other = np.isin(np.arange(len(records)), second)
    return ~other, other


def _few(places: Places, fake: Labels) -> Places:
    """Strata of one picture cannot be halved: those count by their class alone."""
    rare = np.bincount(places)[places] < 2
    return np.where(rare, -1 - fake.astype(int), places)
