"""From a picture to what networks want to see of it, in this process or in several.

The steps are those of a scan, from the same functions: decode, find faces, add the margin, refuse what is too small,
bring to the input size.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from deepscan.errors import LimitError, MediaError, UnreadableError
from deepscan.machine import usable_cores
from deepscan.media.frames import Pixels
from deepscan.media.images import load_rgb
from deepscan.media.limits import MAX_FACES
from deepscan.media.quality import Quality, measure
from deepscan.media.resaving import AS_IT_IS, ROBUSTNESS, Changed, Form
from deepscan.models import face_packs
from deepscan.models.card import ModelCard
from deepscan.models.preprocess import cut, fit, with_margin
from deepscan.text import clean
from deepscan.training.data import is_there
from deepscan.types import Box

FORMS = {form.name: form for form in (AS_IT_IS, *ROBUSTNESS)}
"""Forms by name: what crosses to another process is a name."""

SERIAL_UP_TO = 200
"""Pictures up to which other processes are not worth their start."""

AHEAD = 8
"""Pictures handed out to each worker before their crops are taken in: memory is bounded."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to cut out of one picture: for which cards, under which forms."""

    path: Path
    cards: tuple[ModelCard, ...]
    forms: tuple[str, ...]
    as_crops: bool
    faces: str = "haar"


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One input for the network of the card at place ``card``, with its quality before it was resized."""

    card: int
    form: str
    pixels: Pixels
    quality: Quality


@dataclass(slots=True, eq=False)
class Crops:
    """What came of one order. ``unreadable`` says why there is nothing at all; ``reasons`` why a card gets nothing of
    the picture under a form.
    """

    crops: list[Crop] = field(default_factory=list)
    reasons: dict[tuple[int, str], str] = field(default_factory=dict)
    unreadable: str | None = None


def prepare(order: Order) -> Crops:
    """Carry out one order. The faces are looked for once, in the picture as it is; forms move them along."""
    found = Crops()
    try:
        if not is_there(order.path):
            raise UnreadableError(f"{clean(str(order.path))} is missing or empty.")
        pixels = load_rgb(order.path)
    except MediaError as e:
        found.unreadable = e.message
        return found
    looks_for_faces = not order.as_crops and any(card.view.subject == "face" for card in order.cards)
    boxes = [face.box for face in face_packs.finder(order.faces).find(pixels)[:MAX_FACES]] if looks_for_faces else []
    for name in order.forms:
        after = FORMS[name].change(pixels)
        for place, card in enumerate(order.cards):
            whole = order.as_crops or card.view.subject == "frame"
            _take(found, place, card, FORMS[name], after, None if whole else boxes)
    return found


def prepare_all(orders: Sequence[Order], workers: int | None) -> Iterator[Crops]:
    """Carry out orders, in their order; ``workers`` 0 is this process, None as many as there are cores when it pays."""
    if workers is None:
        workers = 0 if len(orders) <= SERIAL_UP_TO else usable_cores()
    if workers == 0:
        yield from map(prepare, orders)
        return
    source = iter(orders)
    rest: Iterable[Order] = ()
    with _pool(workers) as pool:
        waiting: deque[tuple[Order, Future[Crops]]] = deque()
        try:
            while True:
                while len(waiting) < AHEAD * workers and (order := next(source, None)) is not None:
                    waiting.append((order, pool.submit(prepare, order)))
                if not waiting:
                    return
                yield waiting[0][1].result()
                waiting.popleft()
        except BrokenProcessPool:
            rest = [order for order, _ in waiting]
    # A decoder ended its process, and took what was under way with it: those alone, then on with the others.
    for order in rest:
        yield _alone(order)
    yield from prepare_all(list(source), workers)


def _alone(order: Order) -> Crops:
    """Carry out an order that may end the process."""
    with _pool(1) as pool:
        try:
            return pool.submit(prepare, order).result()
        except BrokenProcessPool:
            return Crops(unreadable=f"{clean(str(order.path))} ended the process that decoded it.")


def _pool(workers: int) -> ProcessPoolExecutor:
    # Not forked: torch has threads, and a fork of them may wait for ever.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_one_thread)


def _one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)


def _take(found: Crops, place: int, card: ModelCard, form: Form, after: Changed, boxes: Sequence[Box] | None) -> None:
    """Cut out what one card wants to see; ``boxes`` None when that is all of the picture."""
    height, width = after.pixels.shape[:2]
    if boxes is None:
        regions = [Box(0, 0, width, height)]
    else:
        moved = [box for b in boxes if (box := after.box(b)) is not None]
        regions = [with_margin(box, card.view, width, height) for box in moved]
    reason: str | None = "No face was found."
    for region in regions:
        crop = cut(after.pixels, region)
        quality = measure(crop)
        refusal = card.refusal(quality)
        if refusal is None:
            try:
                found.crops.append(Crop(place, form.name, fit(crop, card.preprocessing), quality))
            except LimitError as e:
                refusal = e.message
            else:
                reason = None
        if reason is not None and refusal is not None:
            reason = refusal
    if reason is not None:
        found.reasons[place, form.name] = reason
