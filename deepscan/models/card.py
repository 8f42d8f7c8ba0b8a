"""The model card: what a model needs, what it claims, and what it was measured at.

Facts about a model live here, beside its weights, and nowhere else. An unknown or missing field is refused, so that a
card of another version is never half understood.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from deepscan.errors import CorruptPackError
from deepscan.types import JSONValue, Level

CARD_FORMAT = "deepscan-pack/1"
CARD_NAME = "card.json"
WEIGHTS_NAME = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From a crop to a tensor, in this order: resize, centre crop, ``x * scale``, ``(x - mean) / std``.

    ``width`` and ``height`` are the model's input in pixels. ``shortest_edge`` is None to resize straight to the input
    (aspect ratio not kept), or the length in pixels the shorter side is resized to before the centre crop.
    ``resample`` is a Pillow filter name in lower case (``bilinear``, ``bicubic``, ``lanczos``, ``nearest``, ``box``,
    ``hamming``).
    """

    width: int
    height: int
    shortest_edge: int | None
    resample: str
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class View:
    """What the model wants to see.

    ``subject`` is ``face`` or ``frame`` (the whole picture). ``margin`` is the part of the face box's longer side that
    is added on each side of the box before it is cut out. ``min_side`` is the shortest side in pixels that a crop may
    have: smaller ones are left out with a reason.
    """

    subject: str
    margin: float
    min_side: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probability of fake = sigmoid(logit_difference / temperature + bias), from held-out data (Guo et al. 2017)."""

    method: str
    temperature: float
    bias: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """A finding of ``level`` is given from ``probability`` on; ``false_alarms`` is the measured share of real pictures
    at or above it, or None where nobody measured it (then ``level`` is weak).
    """

    level: Level
    probability: float
    false_alarms: float | None
    measured_on: str


@dataclass(frozen=True, slots=True)
class Golden:
    """A check that the weights, the preprocessing and the library still give what they gave when the pack was made.

    The input is the pattern of :func:`deepscan.models.preprocess.golden_input` for ``seed``; ``logit`` is the
    difference logit(fake) - logit(real) in fp32 before calibration.
    """

    seed: int
    logit: float


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model pack's card. ``labels`` is in the order of the model's outputs and ``fake_label`` one of them.

    ``coverage`` says which manipulations it was trained and measured on; ``licence_class`` is ``open``,
    ``non-commercial`` or ``unknown``; ``tolerance`` is how far a golden logit may move in fp32.
    ``metrics`` is what it was measured at; ``provenance`` how it was made (command line, seed, versions).
    """

    format: str
    name: str
    version: str
    architecture: str
    preprocessing: Preprocessing
    view: View
    labels: tuple[str, ...]
    fake_label: str
    calibration: Calibration
    thresholds: tuple[Threshold, ...]
    coverage: str
    data: str
    licence: str
    licence_class: str
    metrics: Mapping[str, JSONValue]
    provenance: Mapping[str, JSONValue]
    weights_sha256: str
    golden: tuple[Golden, ...]
    tolerance: float

    def __post_init__(self) -> None:
        if self.format != CARD_FORMAT:
            raise CorruptPackError(
                f"The model card has format {self.format!r}, and this deepscan reads {CARD_FORMAT!r}.",
                "Use a pack made for this version of deepscan.",
            )
        if self.fake_label not in self.labels:
            raise CorruptPackError(f"The model card names the fake label {self.fake_label!r}, which is not a label.")
        if len(self.labels) < 2:
            raise CorruptPackError("The model card has fewer than two labels.")
        if self.view.subject not in ("face", "frame"):
            raise CorruptPackError(f"The model card wants to see {self.view.subject!r}; only face and frame exist.")

    @property
    def fake_index(self) -> int:
        """Which output of the model means fake."""
        return self.labels.index(self.fake_label)


def to_json(card: ModelCard) -> dict[str, JSONValue]:
    """The card as the JSON object that ``card.json`` holds."""
    plain: dict[str, JSONValue] = json.loads(json.dumps(_plain(card)))
    return plain


def from_json(document: Mapping[str, JSONValue], source: str) -> ModelCard:
    """Read a card; ``source`` names it in errors.

    Raises:
        CorruptPackError: a field is missing, unknown, or of the wrong type.
    """
    card = _build(ModelCard, document, source, "")
    assert isinstance(card, ModelCard)
    return card


def load(folder: Path) -> ModelCard:
    """Read ``card.json`` of a pack folder. Raises CorruptPackError."""
    path = folder / CARD_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise CorruptPackError(f"The model card {path} cannot be read: {e}.") from e
    return from_json(document, str(path))


def save(card: ModelCard, folder: Path) -> None:
    """Write ``card.json`` into a pack folder."""
    text = json.dumps(to_json(card), indent=2, ensure_ascii=False) + "\n"
    (folder / CARD_NAME).write_text(text, encoding="utf-8")


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return value


def _build(kind: Any, value: Any, source: str, at: str) -> Any:
    """Build ``kind`` from JSON, strictly: the type hints of the dataclasses above are the schema."""
    if is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, Mapping):
            raise _wrong(source, at, "an object")
        hints = get_type_hints(kind)
        for name in value.keys() - hints.keys():
            raise CorruptPackError(f"{source}: unknown field {at}{name}.", "The card is of another version.")
        for name in hints.keys() - value.keys():
            raise CorruptPackError(f"{source}: field {at}{name} is missing.", "The card is of another version.")
        return kind(**{name: _build(hint, value[name], source, f"{at}{name}.") for name, hint in hints.items()})
    origin, args = get_origin(kind), get_args(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise _wrong(source, at, "a list")
        if args[-1] is not Ellipsis and len(value) != len(args):
            raise _wrong(source, at, f"a list of {len(args)}")
        return tuple(_build(args[0], v, source, f"{at}{i}.") for i, v in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise _wrong(source, at, "an object")
        return value
    if args:  # X | None
        return None if value is None else _build(args[0], value, source, at)
    if kind is Level:
        if value not in list(Level):
            raise _wrong(source, at, "one of " + ", ".join(Level))
        return Level(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _wrong(source, at, f"a {kind.__name__}")
    return value


def _wrong(source: str, at: str, wanted: str) -> CorruptPackError:
    return CorruptPackError(f"{source}: field {at.rstrip('.') or 'card'} is not {wanted}.", "The card is damaged.")
