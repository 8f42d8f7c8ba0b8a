"""Scoring of held-out pictures, as they are and after what a re-save does to them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from deepscan.errors import MediaError
from deepscan.media.frames import Pixels
from deepscan.media.images import load_rgb
from deepscan.media.resaving import AS_IT_IS, ROBUSTNESS, Form
from deepscan.models.card import Preprocessing
from deepscan.models.preprocess import fit
from deepscan.training.data import Record
from deepscan.training.export import logits_of
from deepscan.training.metrics import Labels, Rates, Scores, auc, rates

log = logging.getLogger(__name__)

BATCH = 64
LOOKED_AT = 2000
"""Held-out pictures that are looked at during a run."""


_WANTED = ("JPEG 70", "half size")
DISTORTIONS: Mapping[str, Form] = {
    form.name: form for form in (AS_IT_IS, *(f for f in ROBUSTNESS if f.name in _WANTED))
}
"""What a picture goes through before it is scored: what a messenger or a web site does to it."""


def score(
    model: torch.nn.Module,
    records: Sequence[Record],
    rule: Preprocessing,
    crop: Callable[[Pixels], Pixels],
) -> dict[str, Scores]:
    """Logit differences of shape (n,) for ``records``, for each of :data:`DISTORTIONS`.

    NaN where a picture cannot be decoded (listed in the log). ``crop`` cuts out what the model wants to see; it is
    found once, on the picture as it is.
    """
    logits = {name: np.full(len(records), np.nan) for name in DISTORTIONS}
    for start in range(0, len(records), BATCH):
        crops, places = [], []
        for i, record in enumerate(records[start : start + BATCH], start):
            try:
                crops.append(crop(load_rgb(record.path)))
            except MediaError as e:
                log.warning("%s Left out.", e)
                continue
            places.append(i)
        for name, form in DISTORTIONS.items() if crops else ():
            batch = np.stack([fit(form.change(pixels).pixels, rule) for pixels in crops])
            logits[name][places] = logits_of(model, torch.from_numpy(batch), rule).numpy()
    return logits


class Held:
    """Held-out pictures, cut out and resized once, that a network is measured on many times while it learns.

    At most :data:`LOOKED_AT` of them, the first by the hash of their names, so that a look takes seconds.
    """

    def __init__(self, records: Sequence[Record], rule: Preprocessing, crop: Callable[[Pixels], Pixels]) -> None:
        chosen = sorted(records, key=lambda r: hashlib.sha256(r.path.name.encode()).digest())[:LOOKED_AT]
        self._rule = rule
        self._fake: Labels = np.array([r.fake for r in chosen])
        self._records, self._crop = chosen, crop
        self._batch: NDArray[np.uint8] | None = None

    def auc(self, model: torch.nn.Module) -> float:
        """The area under the ROC curve; 0.5 where the pictures are of one class."""
        if len(set(self._fake.tolist())) < 2:
            return 0.5
        if self._batch is None:
            self._batch = np.stack([fit(self._crop(load_rgb(r.path)), self._rule) for r in self._records])
        device = next(model.parameters()).device
        was_training = model.training
        model.eval()
        try:
            parts = [torch.from_numpy(self._batch[i : i + BATCH]).to(device) for i in range(0, len(self._fake), BATCH)]
            logits = torch.cat([logits_of(model, part, self._rule).cpu() for part in parts]).numpy()
        finally:
            model.train(was_training)
        return auc(np.nan_to_num(logits), self._fake)


def by_source(records: Sequence[Record], scores: Scores, threshold: float) -> dict[str, Rates]:
    """Rates for all pictures together and for each source; NaN scores are left out."""
    fake: Labels = np.array([r.fake for r in records])
    sources = np.array([r.source for r in records])
    scored = ~np.isnan(scores)
    groups = {"all": scored} | {s: scored & (sources == s) for s in sorted(set(sources.tolist()))}
    return {name: rates(scores[mask], fake[mask], threshold) for name, mask in groups.items()}
