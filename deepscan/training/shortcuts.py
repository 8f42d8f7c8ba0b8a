"""What a classifier reaches that never looks at a face: the yardstick a network must clearly beat.

Public sets differ in file size, sharpness and framing between their classes, and a network finds that before it finds
a forgery. The features here are what such a shortcut would use.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from deepscan.errors import TrainingError
from deepscan.media.images import load_rgb
from deepscan.training.boosting import Boosted, crossed
from deepscan.training.data import Record
from deepscan.training.metrics import Scores, auc
from deepscan.training.splits import Split
from deepscan.training.survey import FEATURES as OF_FILE
from deepscan.training.survey import Survey

READABLE_AUC = 0.9
"""From this AUC on, a classifier that sees the files only is said to read the label off them."""

_LEAST = 20

FEATURES = ("bytes per pixel", "width", "height", "sharpness", "brightness", "contrast", "saturation")


def features(records: Sequence[Record]) -> NDArray[np.float64]:
    """File and picture statistics of shape (n, len(FEATURES)): nothing about faces."""
    return np.array([_measure(r) for r in records], np.float64).reshape(len(records), len(FEATURES))


def trivial_scores(train: Sequence[Record], test: Sequence[Record]) -> Scores:
    """Train gradient boosting on the features of ``train`` and score ``test``: (n,) probabilities of fake."""
    return Boosted(features(train), np.array([r.fake for r in train])).scores(features(test))


def file_shortcut(survey: Survey, parts: Split) -> tuple[float | None, str]:
    """How well the label can be read off the files alone, without a look at the pictures, and off what.

    Gradient boosting over :data:`deepscan.training.survey.FEATURES` (container, size, bytes per pixel, JPEG tables)
    learns on the training part and is measured on the calibration part; where that has fewer than 20 pictures of a
    class, it is measured on both by cross-validation over whole groups. The AUC is None where too few groups are there
    for that. The feature that is named has the highest AUC alone.
    """
    rows = {record.path: row for record, row in zip(survey.records, survey.features, strict=True)}
    train, held = parts.train, parts.calibration
    enough = min(sum(r.fake for r in held), sum(not r.fake for r in held)) >= _LEAST
    judged = held if enough else (*train, *held)
    table, fake = np.stack([rows[r.path] for r in judged]), np.array([r.fake for r in judged])
    if enough:
        learnt = Boosted(np.stack([rows[r.path] for r in train]), np.array([r.fake for r in train]))
        scores: Scores | None = learnt.scores(table)
    else:
        scores = crossed(table, fake, np.array([r.group for r in judged]))
    if scores is None:
        return None, ""
    alone = [max(a, 1 - a) for a in (auc(table[:, i], fake) for i in range(len(OF_FILE)))]
    return auc(scores, fake), OF_FILE[int(np.argmax(alone))]


def refuse_shortcut(found: float | None, feature: str) -> None:
    """Raise where :func:`file_shortcut` could read the label off the files.

    Raises:
        TrainingError: it could; the sentence says off what.
    """
    if found is not None and found >= READABLE_AUC:
        raise TrainingError(
            f"The label of this data set can be read off its files without a look at the pictures (AUC {found:.2f} on "
            f"held-out pictures, mostly from: {feature}). A network learns that before it learns anything about "
            "forgeries, and its error rates would mean nothing elsewhere.",
            "Make both classes alike (same container, size and quality), or go on with --accept-shortcut.",
        )


def _measure(record: Record) -> tuple[float, ...]:
    pixels = load_rgb(record.path)
    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    saturation = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)[..., 1]
    return (
        record.path.stat().st_size / (width * height),
        float(width),
        float(height),
        float(np.log1p(np.var(cv2.Laplacian(grey, cv2.CV_64F)))),
        float(np.mean(grey)),
        float(np.std(grey)),
        float(np.mean(saturation)),
    )
