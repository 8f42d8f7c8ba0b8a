"""JPEG ghosts: how well the map tells a pasted part from the rest, beside error levels, and pictures apart."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score

from deepscan.checks.ela import error_levels
from deepscan.checks.ghosts import find_ghosts
from deepscan.media.luma import Plane
from tests.benchmarks.evidence.compression import never_compressed
from tests.benchmarks.table import Table

PICTURES = 20
PAIRS = ((50, 75), (50, 90), (65, 75), (65, 90), (80, 90), (90, 75))

Values = NDArray[np.float32]


def tables(data: Path) -> Iterable[Table]:
    """One table; parts of a quarter of the side, pasted on the grid."""
    # Every fifth, so that pictures of all folders are among them.
    planes = [np.asarray(p.convert("L")) for p in islice(never_compressed(data), 0, 5 * PICTURES, 5)]
    measures: dict[str, Callable[[Plane], Values]] = {
        "ghosts": lambda plane: find_ghosts(plane).depth,
        "error levels": lambda plane: error_levels(plane).map,
    }
    rows = []
    for first, last in PAIRS:
        cases = [_pasted(plane, first, last) for plane in planes]
        found = [float(np.mean([_auc(measure(p), place) for p, place in cases])) for measure in measures.values()]
        edited = [find_ghosts(p).intensity for p, _ in cases]
        single = [find_ghosts(_saved(plane, last)).intensity for plane in planes]
        told = float(roc_auc_score([0] * len(single) + [1] * len(edited), single + edited))
        rows.append((first, last, len(cases), *found, told))
    return [
        Table(
            "JPEG ghosts of a pasted part",
            ("part saved at", "picture saved at", "pictures", "AUC of places: ghosts", "error levels", "of pictures"),
            rows,
            note="AUC: 0.5 is chance. Of places: the part against the rest of its picture. Of pictures: the intensity "
            "with a part pasted against the same picture saved once. All pictures had been seen.",
        )
    ]


def _pasted(plane: Plane, first: int, last: int) -> tuple[Plane, tuple[slice, slice]]:
    """The plane with a part that was saved at another quality before, saved; and where, in blocks."""
    rows, columns = (max(3, side // 8 // 4) for side in plane.shape)
    top, left = rows, columns
    part = np.s_[8 * top : 8 * (top + rows), 8 * left : 8 * (left + columns)]
    whole = plane.copy()
    whole[part] = _saved(plane, first)[part]
    return _saved(whole, last), np.s_[top : top + rows, left : left + columns]


def _saved(plane: Plane, quality: int) -> Plane:
    held = io.BytesIO()
    Image.fromarray(plane).save(held, "JPEG", quality=quality)
    return np.asarray(Image.open(held))


def _auc(values: Values, place: tuple[slice, slice]) -> float:
    inside = np.zeros(values.shape, bool)
    inside[place] = True
    smooth = cv2.blur(values, (3, 3))
    return float(roc_auc_score(inside.ravel(), smooth.ravel()))
