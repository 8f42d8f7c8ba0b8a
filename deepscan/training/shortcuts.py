"""What a classifier reaches that never looks at a face: the yardstick a network must clearly beat.

Public sets differ in file size, sharpness and framing between their classes, and a network finds that before it finds
a forgery. The features here are what such a shortcut would use.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from deepscan.media.images import load_rgb
from deepscan.training.data import Record
from deepscan.training.metrics import Scores

FEATURES = ("bytes per pixel", "width", "height", "sharpness", "brightness", "contrast", "saturation")


def features(records: Sequence[Record]) -> NDArray[np.float64]:
    """File and picture statistics of shape (n, len(FEATURES)): nothing about faces."""
    return np.array([_measure(r) for r in records], np.float64).reshape(len(records), len(FEATURES))


def trivial_scores(train: Sequence[Record], test: Sequence[Record]) -> Scores:
    """Train gradient boosting on the features of ``train`` and score ``test``: (n,) probabilities of fake."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(random_state=0, max_iter=100)
    model.fit(features(train), [r.fake for r in train])
    scores: Scores = model.predict_proba(features(test))[:, 1]
    return scores


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
