"""Scoring labelled pictures exactly as a scan would: the same decoding, faces, margins, refusals and network.

A picture counts with its highest face, as it does in a scan. What a scan would not score is not scored here either,
and has its reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deepscan.errors import DeviceError
from deepscan.evaluation.cutting import Crop, Order, prepare_all
from deepscan.evaluation.measures import probability
from deepscan.media.quality import Quality
from deepscan.media.resaving import AS_IT_IS, Form
from deepscan.models.card import ModelCard
from deepscan.models.loader import OutOfMemoryError
from deepscan.training.calibrate import log_odds
from deepscan.training.data import Record
from deepscan.training.metrics import Scores

if TYPE_CHECKING:
    from deepscan.models.loader import Network

log = logging.getLogger(__name__)

BATCH = 64
"""Crops that wait for one call of the network."""

DIGITS = 4
"""Decimal places of a probability, as reports and thresholds have them."""

Progress = Callable[[int, int], None]
"""Told how many pictures are done, of how many."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one pack says of a list of pictures under one form, in their order.

    ``logits`` has shape (n,), the logit of fake minus that of real before calibration, NaN where nothing was scored;
    ``reasons`` says why, and is None elsewhere. ``qualities`` are those of the crop that decided. ``unreadable`` has
    the places of the pictures that could not be decoded.
    """

    logits: Scores
    reasons: tuple[str | None, ...]
    qualities: tuple[Quality | None, ...]
    unreadable: frozenset[int] = frozenset()

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Where there is a number."""
        return ~np.isnan(self.logits)

    def log_odds(self, card: ModelCard) -> Scores:
        """Calibrated log-odds of fake, shape (n,)."""
        return log_odds(self.logits, card.calibration)

    def of(self, chosen: NDArray[np.int64]) -> Answers:
        """The answers on the pictures at these places, in their order."""
        places = {int(old): new for new, old in enumerate(chosen)}
        return Answers(
            self.logits[chosen],
            tuple(self.reasons[i] for i in chosen),
            tuple(self.qualities[i] for i in chosen),
            frozenset(places[i] for i in self.unreadable if i in places),
        )

    def chances(self, card: ModelCard) -> Scores:
        """Calibrated probabilities, shape (n,), rounded as a scan rounds what it compares to thresholds."""
        return np.asarray(np.round(probability(self.log_odds(card)), DIGITS))


def score(
    records: Sequence[Record],
    networks: Sequence[Network],
    *,
    forms: Sequence[Form] = (),
    changed: frozenset[int] = frozenset(),
    as_crops: bool = False,
    faces: str = "haar",
    workers: int | None = 0,
    progress: Progress = lambda done, total: None,
) -> tuple[dict[str, Answers], ...]:
    """Score pictures with every network: as they are, and those whose index is in ``changed`` under ``forms`` too.

    Each picture is decoded once, and its faces are looked for once, in the picture as it is: a form moves them along,
    so that a robustness table shows what the form does to the network. ``as_crops`` takes every picture for a face
    already cut out; ``faces`` names the finder; ``workers`` is as for
    :func:`deepscan.evaluation.cutting.prepare_all`.

    Returns:
        For each network, answers by the name of the form. A form has answers for the pictures in ``changed`` only.
    """
    cards = tuple(network.card for network in networks)
    names = (AS_IT_IS.name, *(form.name for form in forms))
    books = [_Book(network, len(records), names) for network in networks]
    orders = [
        Order(record.path, cards, names if index in changed else names[:1], as_crops, faces)
        for index, record in enumerate(records)
    ]
    for index, crops in enumerate(prepare_all(orders, workers)):
        if crops.unreadable is not None:
            log.warning("%s Left out.", crops.unreadable)
            for book in books:
                book.refuse(index, crops.unreadable)
        for (place, form), reason in crops.reasons.items():
            books[place].reasons[form][index] = reason
        for crop in crops.crops:
            books[crop.card].ask(index, crop)
        progress(index + 1, len(records))
    return tuple(book.answers() for book in books)


class _Book:
    """What one network was asked and has answered."""

    def __init__(self, network: Network, count: int, forms: Sequence[str]) -> None:
        self.network, self.count = network, count
        self.reasons: dict[str, dict[int, str]] = {form: {} for form in forms}
        self._logits = {form: np.full(count, np.nan) for form in forms}
        self._qualities: dict[str, dict[int, Quality]] = {form: {} for form in forms}
        self._unreadable: set[int] = set()
        self._waiting: list[tuple[int, Crop]] = []

    def refuse(self, index: int, reason: str) -> None:
        """The picture cannot be read: nothing of it is scored under any form."""
        self._unreadable.add(index)
        for reasons in self.reasons.values():
            reasons[index] = reason

    def ask(self, index: int, crop: Crop) -> None:
        """Put a crop of a picture to the network, now or with the next batch."""
        self._waiting.append((index, crop))
        if len(self._waiting) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        """Of several faces of a picture the highest counts."""
        if not self._waiting:
            return
        answers = _logits(self.network, np.stack([crop.pixels for _, crop in self._waiting]))
        for (index, crop), logit in zip(self._waiting, answers, strict=True):
            logits = self._logits[crop.form]
            if np.isnan(logit):
                self.reasons[crop.form].setdefault(index, "The network gave no number.")
            elif np.isnan(logits[index]) or logit > logits[index]:
                logits[index] = logit
                self._qualities[crop.form][index] = crop.quality
        self._waiting.clear()

    def answers(self) -> dict[str, Answers]:
        """All there are."""
        self._flush()
        return {
            form: Answers(
                logits,
                tuple(self.reasons[form].get(i) if np.isnan(logits[i]) else None for i in range(self.count)),
                tuple(self._qualities[form].get(i) for i in range(self.count)),
                frozenset(self._unreadable),
            )
            for form, logits in self._logits.items()
        }


def _logits(network: Network, batch: NDArray[np.uint8]) -> tuple[float, ...]:
    """Logits, in ever smaller bites where memory is short."""
    while True:
        alone = network.chunk == 1
        try:
            return network.logits(batch)
        except OutOfMemoryError as e:
            if alone:
                raise DeviceError(f"{e}", "Use another device.") from e
