"""The model card: what a model needs, what it claims, and what it was measured at.

Facts about a model live here, beside its weights, and nowhere else. An unknown or missing field is refused, so that a
card of another version is never half understood. Cards of the first format stay valid: they claim nothing of what it
had no fields for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from deepscan import types
from deepscan.errors import CorruptPackError
from deepscan.models import calibration, coverage
from deepscan.models.calibration import Calibration
from deepscan.models.coverage import NO_LIMITS, Limits, Stratum
from deepscan.types import JSONValue, Level

if TYPE_CHECKING:
    from deepscan.media.quality import Quality

CARD_FORMAT = "deepscan-pack/3"
"""The format that is written."""
SECOND_FORMAT = "deepscan-pack/2"
"""The format whose calibration has no points. Older formats are read, and kept when such a card is written again."""
FIRST_FORMAT = "deepscan-pack/1"
"""The format without :data:`SINCE_SECOND` too."""
SINCE_SECOND = frozenset({"limits", "strata"})

CARD_NAME = "card.json"
WEIGHTS_NAME = "model.safetensors"
HEAD_NAME = "sequence.safetensors"
"""The weights of a pack's sequence head, where it has one."""

MAX_CARD_BYTES = 1024**2
"""Bytes of a card that are parsed."""

MAX_STEPS, MAX_STRETCHES, MAX_UNITS = 64, 16, 16_384
"""Frames of a stretch that a sequence head looks at, stretches of a film, and numbers in a layer of a head, at most."""

MIN_STEP, MAX_STEP = 0.01, 10.0
"""Seconds between the frames that a sequence head looks at."""

MAX_INPUT_SIDE = 4096
"""Pixels on a side of a model's input; a card that asks for more would fill the memory with one picture."""

STRONG_FALSE_ALARMS = 0.005
"""The largest measured share of false alarms at which a model alone may call its evidence strong (docs/evidence.md)."""

SCORE_TOLERANCE = 0.02
"""``score_tolerance`` of a card that leaves it out."""

RESAMPLING_NAMES = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
LICENCE_CLASSES = ("open", "non-commercial", "unknown")


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
class SequenceCard:
    """A head that reads the pack's features over time (:mod:`deepscan.models.sequence`), where a pack has one.

    It looks at ``stretches`` of a film, each of ``length`` frames ``step`` seconds apart; ``features`` is how many
    numbers the network has for a picture, ``hidden`` how many units the head has. Thresholds and calibration are its
    own. ``beats_pooling`` says whether, on held-out clips, it told fakes better than the frames' pooled scores do:
    a head that does not is heard, and is no evidence. ``metrics`` holds both figures and how many clips they rest on.
    """

    length: int
    step: float
    stretches: int
    features: int
    hidden: int
    calibration: Calibration
    thresholds: tuple[Threshold, ...]
    beats_pooling: bool
    metrics: Mapping[str, JSONValue]
    data: str
    weights_sha256: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model pack's card. ``labels`` is in the order of the model's outputs and ``fake_label`` one of them.

    ``coverage`` says which manipulations it was trained and measured on; ``licence_class`` is ``open``,
    ``non-commercial`` or ``unknown``; ``tolerance`` is how far a golden logit may move in fp32 on a CPU, and
    ``score_tolerance`` how far the probability of a golden input may in another precision or on another device.
    ``metrics`` is what it was measured at; ``provenance`` how it was made (command line, seed, versions). ``limits``
    is the quality a crop must have, ``strata`` what a score is worth by quality; a card may have neither. ``sequence``
    is a head for films, which most packs do not have. A card leaves out the last two where they are as they are here.
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
    limits: Limits = NO_LIMITS
    strata: tuple[Stratum, ...] = ()
    sequence: SequenceCard | None = None
    score_tolerance: float = SCORE_TOLERANCE

    def __post_init__(self) -> None:
        if self.format not in (CARD_FORMAT, SECOND_FORMAT, FIRST_FORMAT):
            raise CorruptPackError(
                f"The model card has format {self.format!r}, and this deepscan reads {FIRST_FORMAT!r} to "
                f"{CARD_FORMAT!r}.",
                "Use a pack made for this version of deepscan.",
            )
        if self.format != CARD_FORMAT and self.calibration.points:
            raise CorruptPackError(f"The model card has format {self.format!r}, which has no points of calibration.")
        if self.format == FIRST_FORMAT and (self.limits != NO_LIMITS or self.strata):
            raise CorruptPackError(f"The model card has format {FIRST_FORMAT!r}, which has no limits and no strata.")
        if self.fake_label not in self.labels:
            raise CorruptPackError(f"The model card names the fake label {self.fake_label!r}, which is not a label.")
        if len(self.labels) < 2:
            raise CorruptPackError("The model card has fewer than two labels.")
        if self.view.subject not in ("face", "frame"):
            raise CorruptPackError(f"The model card wants to see {self.view.subject!r}; only face and frame exist.")
        for problem in _out_of_range(self):
            raise CorruptPackError(f"The model card cannot be used: {problem}.", "The card is damaged.")

    @property
    def fake_index(self) -> int:
        """Which output of the model means fake."""
        return self.labels.index(self.fake_label)

    def refusal(self, quality: Quality) -> str | None:
        """Why a crop of this quality is not scored, as a sentence; None when it is."""
        if quality.side < self.view.min_side:
            needed = self.view.min_side
            return f"It is too small: {quality.side} pixels on the shorter side, and {needed} are needed."
        return self.limits.refusal(quality)


_LEFT_OUT: Mapping[str, JSONValue] = {"sequence": None, "score_tolerance": SCORE_TOLERANCE}
"""Fields that a card leaves out where they have these values."""


def to_json(card: ModelCard) -> dict[str, JSONValue]:
    """The card as the JSON object that ``card.json`` holds."""
    plain: dict[str, Any] = json.loads(json.dumps(_plain(card)))
    for name, usual in _LEFT_OUT.items():
        if plain[name] == usual:
            del plain[name]
    if card.format != CARD_FORMAT:
        del plain["calibration"]["points"]
    return {k: v for k, v in plain.items() if card.format != FIRST_FORMAT or k not in SINCE_SECOND}


def from_json(document: Mapping[str, JSONValue], source: str) -> ModelCard:
    """Read a card; ``source`` names it in errors.

    Raises:
        CorruptPackError: a field is missing, unknown, or of the wrong type.
    """
    if isinstance(document, Mapping):
        document = _brought_up(document)
    card = _build(ModelCard, document, source, "")
    assert isinstance(card, ModelCard)
    return card


def _brought_up(document: Mapping[str, JSONValue]) -> Mapping[str, JSONValue]:
    """A card of an older format with what that format has no fields for; what it should not have stays, and is told."""
    known, fitted = document.get("format"), document.get("calibration")
    if known == FIRST_FORMAT and not SINCE_SECOND & document.keys():
        document = {**document, "limits": _plain(NO_LIMITS), "strata": []}
    if known in (FIRST_FORMAT, SECOND_FORMAT) and isinstance(fitted, Mapping) and "points" not in fitted:
        document = {**document, "calibration": {**fitted, "points": []}}
    return {**_LEFT_OUT, **document}


def load(folder: Path) -> ModelCard:
    """Read ``card.json`` of a pack folder. Raises CorruptPackError."""
    path = folder / CARD_NAME
    try:
        if not path.is_file():
            raise CorruptPackError(f"There is no model card at {path}.")
        with path.open("rb") as file:
            content = file.read(MAX_CARD_BYTES + 1)
        if len(content) > MAX_CARD_BYTES:
            raise CorruptPackError(f"The model card {path} is longer than {MAX_CARD_BYTES:,} bytes.")
        document = json.loads(content)
    except (OSError, ValueError, RecursionError) as e:  # the last one from brackets nested too deeply
        raise CorruptPackError(f"The model card {path} cannot be read: {e}.") from e
    return from_json(document, str(path))


def save(card: ModelCard, folder: Path) -> None:
    """Write ``card.json`` into a pack folder."""
    text = json.dumps(to_json(card), indent=2, ensure_ascii=False) + "\n"
    (folder / CARD_NAME).write_text(text, encoding="utf-8")


def _out_of_range(card: ModelCard) -> Iterator[str]:
    """What in a well-typed card cannot be right, as ends of a sentence; a card is a stranger's file."""
    rule, view = card.preprocessing, card.view
    sides = (rule.width, rule.height, rule.width if rule.shortest_edge is None else rule.shortest_edge)
    if not all(1 <= side <= MAX_INPUT_SIDE for side in sides):
        yield f"an input side lies outside 1 to {MAX_INPUT_SIDE:,} pixels"
    if rule.resample not in RESAMPLING_NAMES:
        yield f"there is no resampling filter {rule.resample!r}"
    if not all(map(math.isfinite, (rule.scale, *rule.mean, *rule.std))) or rule.scale == 0 or 0 in rule.std:
        yield "scale, mean or std is zero or not a number"
    if not 0 <= view.margin <= 10 or view.min_side < 1:
        yield "the margin lies outside 0 to 10, or min_side is below 1 pixel"
    if len(set(card.labels)) != len(card.labels):
        yield "a label is there twice"
    yield from calibration.out_of_range(card.calibration)
    for threshold in (*card.thresholds, *(card.sequence.thresholds if card.sequence else ())):
        yield from _threshold_out_of_range(threshold)
    if card.licence_class not in LICENCE_CLASSES:
        yield f"the licence class is {card.licence_class!r}, not one of {', '.join(LICENCE_CLASSES)}"
    if not (math.isfinite(card.tolerance) and card.tolerance > 0):
        yield "the tolerance is not a number above 0"
    if not 0 < card.score_tolerance <= 1:
        yield "the score tolerance lies outside 0 to 1"
    if not all(math.isfinite(golden.logit) for golden in card.golden):
        yield "a golden logit is not a number"
    if card.sequence is not None:
        yield from calibration.out_of_range(card.sequence.calibration)
        yield from _sequence_out_of_range(card.sequence)
    yield from coverage.out_of_range(card.limits, card.strata)


def _sequence_out_of_range(head: SequenceCard) -> Iterator[str]:
    sizes = {
        "length": (head.length, MAX_STEPS),
        "stretches": (head.stretches, MAX_STRETCHES),
        "features": (head.features, MAX_UNITS),
        "hidden": (head.hidden, MAX_UNITS),
    }
    for name, (value, most) in sizes.items():
        if not 1 <= value <= most:
            yield f"the {name} of its sequence lies outside 1 to {most:,}"
    if not MIN_STEP <= head.step <= MAX_STEP:
        yield f"the step of its sequence lies outside {MIN_STEP} to {MAX_STEP} seconds"
    if not head.beats_pooling and head.thresholds:
        yield "its sequence does not beat pooling, and has thresholds all the same"


def _threshold_out_of_range(threshold: Threshold) -> Iterator[str]:
    rate = threshold.false_alarms
    if threshold.level is Level.INFO:
        yield "a threshold has level info, which is no evidence"
    if not 0 < threshold.probability <= 1 or not (rate is None or 0 <= rate <= 1):
        yield "a threshold's probability or false-alarm rate lies outside 0 to 1"
    elif rate is None and threshold.level is not Level.WEAK:
        yield f"its {threshold.level} threshold has no measured false-alarm rate, which allows weak only"
    elif threshold.level is Level.STRONG and rate is not None and rate > STRONG_FALSE_ALARMS:
        yield f"its strong threshold has a false-alarm rate of {rate}, and strong needs {STRONG_FALSE_ALARMS} or less"


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
        hints = get_type_hints(kind, localns=vars(types))  # where JSONValue's own forward references are known
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
