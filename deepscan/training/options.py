"""What the user asked of a training run: frozen, validated once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from deepscan.config import PRECISIONS, require


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Everything that shapes a training run. What is None is as the ``recipe`` says.

    ``base`` is a pack, a folder or a hub id to start from, or None to start from random weights of ``arch``; with
    ``from_scratch`` only the architecture of ``base`` is taken. ``images`` is where a list's paths start. ``size`` is
    the model's input side in pixels (None: the base's own).

    ``epochs`` counts passes of as many pictures as the training part has; ``steps`` overrides it, and with ``minutes``
    the schedule follows the clock and ends after so many, if the steps do not end first. A step learns from
    ``batch_size`` pictures, ``accumulate`` such batches at a time. ``learning_rate`` is the peak of the ``schedule``,
    reached after ``warmup_steps`` or the part ``warmup`` of the run; each block of layers below the head has
    ``layer_decay`` times the rate of the one above it, and ``freeze`` of them, from the input on, do not learn.
    ``lora`` is the rank of low-rank adapters that learn instead of the layers, and ``probe`` the number of pictures
    that the new head of a base is fitted to before anything else learns. ``weight_decay`` is L2 regularisation as AdamW
    does it; ``ema`` the decay of the weights' average that becomes the pack, 0 for none. The calibration part is looked
    at ``evaluations`` times, and ``patience`` of them without a better AUC end the run.

    ``together`` puts a fake into the batch of its original, changed alike; ``oversample`` repeats the smaller class.
    ``evenness`` is the power of a source's size that its draws are proportional to (1: as it is, 0: all sources alike);
    ``pseudo_fakes`` the part of drawn real pictures that also come back self-blended; ``degrade`` how often, from 0 to
    1, augmentation destroys detail. ``margin`` is how much of the face box is added on each side when the pack scans.
    ``calibration`` is how logits become probabilities: ``auto`` takes what has the least Cllr in cross-validation.

    With ``sequence`` the data set is of clips, and a head over ``base``'s features in time is trained instead; of what
    shapes a run, it takes ``epochs``, ``batch_size``, ``learning_rate``, ``held_out``, ``seed`` and ``device``.
    """

    name: str = "pack"
    recipe: str = "robust"
    base: str | None = None
    arch: str = "swiftformer-cpu"
    from_scratch: bool = False
    images: Path | None = None
    size: int | None = None
    epochs: float | None = None
    steps: int | None = None
    minutes: float | None = None
    batch_size: int | None = None
    accumulate: int = 1
    learning_rate: float | None = None
    layer_decay: float | None = None
    weight_decay: float | None = None
    dropout: float | None = None
    label_smoothing: float | None = None
    warmup: float | None = None
    warmup_steps: int | None = None
    schedule: str | None = None
    ema: float | None = None
    evaluations: int | None = None
    patience: int | None = None
    freeze: int = 0
    lora: int | None = None
    probe: int = 0
    together: bool | None = None
    oversample: bool | None = None
    pseudo_fakes: float | None = None
    evenness: float | None = None
    degrade: float | None = None
    margin: float = 0.0
    subject: str = "face"
    held_out: float | None = None
    calibration: str = "auto"
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    accept_shortcut: bool = False
    sequence: bool = False
    data_note: str = ""
    licence: str = "unknown"
    licence_class: str = "unknown"
    resume: bool = False

    def __post_init__(self) -> None:
        for name, allowed in _TRAIN_RANGES.items():
            value = getattr(self, name)
            if value is not None:
                require(allowed.low <= value <= allowed.high, name, value, allowed.words)
        for name, words in _TRAIN_WORDS.items():
            value = getattr(self, name)
            require(value is None or value in words, name, value, "one of " + ", ".join(words))


@dataclass(frozen=True, slots=True)
class _Range:
    """The numbers an option may have, both ends included, and how a sentence says so."""

    low: float
    high: float
    words: str


_TINY = 1e-300
_POSITIVE = _Range(_TINY, math.inf, "above 0")
_SHARE = _Range(0, 1, "between 0 and 1")
_BELOW_ONE = _Range(0, 1 - 1e-12, "at least 0 and below 1")
_COUNT = _Range(0, math.inf, "at least 0")
_TRAIN_RANGES = {
    "size": _Range(32, 1024, "between 32 and 1024 pixels"),
    "epochs": _POSITIVE,
    "steps": _Range(1, math.inf, "at least 1"),
    "minutes": _POSITIVE,
    "batch_size": _Range(2, math.inf, "at least 2"),
    "accumulate": _Range(1, math.inf, "at least 1"),
    "learning_rate": _Range(_TINY, math.inf, "above 0"),
    "layer_decay": _Range(_TINY, 1, "above 0, and at most 1"),
    "weight_decay": _COUNT,
    "dropout": _BELOW_ONE,
    "label_smoothing": _BELOW_ONE,
    "warmup": _BELOW_ONE,
    "warmup_steps": _COUNT,
    "ema": _BELOW_ONE,
    "evaluations": _COUNT,
    "patience": _Range(1, math.inf, "at least 1"),
    "freeze": _COUNT,
    "probe": _COUNT,
    "lora": _Range(1, 256, "between 1 and 256"),
    "pseudo_fakes": _SHARE,
    "evenness": _SHARE,
    "degrade": _SHARE,
    "margin": _Range(0, 2, "between 0 and 2 (the card's range)"),
    "held_out": _Range(_TINY, 1 - 1e-12, "between 0 and 1"),
    "seed": _Range(0, 2**31 - 1, "between 0 and 2147483647"),
}
_TRAIN_WORDS = {
    "schedule": ("cosine", "linear", "constant"),
    "precision": tuple(each for each in PRECISIONS if each != "int8"),  # it is rounded to, and not learnt in
    "subject": ("face", "frame"),
    "calibration": ("auto", "platt", "temperature", "isotonic"),
    "licence_class": ("open", "non-commercial", "unknown"),
}
