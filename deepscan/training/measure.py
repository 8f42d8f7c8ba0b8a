"""Scoring of held-out pictures, as they are and after what a re-save does to them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from deepscan.errors import MediaError
from deepscan.media.frames import Pixels
from deepscan.media.images import load_rgb
from deepscan.media.quality import Quality, measure
from deepscan.media.resaving import AS_IT_IS, ROBUSTNESS, Form
from deepscan.models.card import Preprocessing, View
from deepscan.models.preprocess import fit
from deepscan.training.data import Record
from deepscan.training.export import logits_of
from deepscan.training.metrics import Labels, Rates, Scores, auc, rates

log = logging.getLogger(__name__)

Crop = Callable[[Pixels], Pixels]
"""Cuts out of a picture what a model wants to see."""

BATCH = 64
LOOKED_AT = 2000
"""Held-out pictures that are looked at during a run."""


_WANTED = ("JPEG 70", "half size")
DISTORTIONS: Mapping[str, Form] = {
    form.name: form for form in (AS_IT_IS, *(f for f in ROBUSTNESS if f.name in _WANTED))
}
"""What a picture goes through before it is scored: what a messenger or a web site does to it."""


@dataclass(frozen=True, slots=True, eq=False)
class FormScores:
    """What the network says of n pictures under one form.

    ``logits`` are differences of shape (n,), NaN where a picture cannot be decoded or a scan would not score it;
    ``qualities`` those of the crops that were scored.
    """

    logits: Scores
    qualities: list[Quality | None]


def score(
    model: torch.nn.Module, records: Sequence[Record], rule: Preprocessing, view: View, crop: Crop
) -> dict[str, FormScores]:
    """Score ``records`` under each of :data:`DISTORTIONS`; pictures that cannot be decoded are listed in the log.

    ``crop`` cuts out what the model wants to see; it is found once, on the picture as it is. Crops smaller than
    ``view`` allows are not scored, as a scan does not score them.
    """
    found = {name: FormScores(np.full(len(records), np.nan), [None for _ in records]) for name in DISTORTIONS}
    for start in range(0, len(records), BATCH):
        crops: dict[int, Pixels] = {}
        for i, record in enumerate(records[start : start + BATCH], start):
            try:
                crops[i] = crop(load_rgb(record.path))
            except MediaError as e:
                log.warning("%s Left out.", e)
        for name, form in DISTORTIONS.items():
            after = {i: form.change(pixels).pixels for i, pixels in crops.items()}
            kept = {i: pixels for i, pixels in after.items() if min(pixels.shape[:2]) >= view.min_side}
            if not kept:
                continue
            batch = torch.from_numpy(np.stack([fit(pixels, rule) for pixels in kept.values()]))
            found[name].logits[list(kept)] = logits_of(model, batch, rule).numpy()
            for i, pixels in kept.items():
                found[name].qualities[i] = measure(pixels)
    return found


class Held:
    """Held-out pictures, cut out and resized once, that a network is measured on many times while it learns.

    At most :data:`LOOKED_AT` of them, the first by the hash of their names, so that a look takes seconds.
    """

    def __init__(self, records: Sequence[Record], rule: Preprocessing, crop: Crop) -> None:
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
