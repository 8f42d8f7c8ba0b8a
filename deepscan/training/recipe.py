"""Recipes: what a run does unless it is told otherwise, as data in ``recipes/*.toml`` or in the user's own file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from deepscan.errors import TrainingError
from deepscan.text import clean
from deepscan.training.options import TrainOptions

FOLDER = Path(__file__).parent / "recipes"
KNOWN = ("classic", "robust")

_MAX_BYTES = 64 * 1024
_TYPES = {"bool": ("bool",), "int": ("int",), "float": ("int", "float"), "str": ("str",)}
"""What TOML may give for a field of each type."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What is done to a picture before it is learnt from; each number is a probability unless it says otherwise.

    ``crop`` is the smallest side of a random crop as a part of the picture (1: no crop), ``around_centre`` whether
    crops keep to the middle, where the face is. ``rotate`` is the largest angle in degrees. ``sharpness`` is a factor
    (Pillow's: 1 changes nothing) applied to half of the pictures. ``erase`` cuts a rectangle out. ``rescale``,
    ``blur``, ``noise`` and ``encode`` (JPEG and WebP) destroy detail: a run's ``degrade`` scales their probabilities.
    """

    crop: float
    around_centre: bool
    flip: float
    rotate: float
    sharpness: float
    recolour: float
    grey: float
    erase: float
    rescale: float
    blur: float
    noise: float
    encode: float


@dataclass(frozen=True, slots=True)
class Learning:
    """How a run learns: what the user said, else what the recipe says; :class:`TrainOptions` says what each is."""

    epochs: float
    batch_size: int
    learning_rate: float
    layer_decay: float
    weight_decay: float
    dropout: float
    label_smoothing: float
    warmup: float
    warmup_steps: int
    schedule: str
    ema: float
    evaluations: int
    patience: int
    together: bool
    oversample: bool
    evenness: float
    pseudo_fakes: float
    degrade: float
    held_out: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe's name, how it learns, and its augmentation."""

    name: str
    learning: Learning
    augmentation: Augmentation


def prepare(options: TrainOptions) -> Recipe:
    """The recipe that the options name, with what the user said in place of what it says.

    Raises:
        TrainingError: there is no such recipe, or it lacks something, or holds what no recipe may hold.
        ConfigError: the recipe gives an option a value that is not allowed.
    """
    name = options.recipe
    path = FOLDER / f"{name}.toml" if name in KNOWN else Path(name)
    if name not in KNOWN and path.suffix != ".toml":
        raise TrainingError(
            f"There is no recipe {clean(name)!r}.",
            f"Known are {' and '.join(KNOWN)}; or give a file that ends in .toml.",
        )
    document = _read(path)
    said = _table(document, "learning", Learning)
    replace(options, **said)  # holds the recipe to the ranges that the flags have
    chosen = {f: getattr(options, f) for f in said if getattr(options, f) is not None}
    return Recipe(
        path.stem, Learning(**(said | chosen)), Augmentation(**_table(document, "augmentation", Augmentation))
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8")
        return tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as e:
        raise TrainingError(f"The recipe {clean(str(path))} cannot be read: {clean(str(e))}.") from e


def _table(document: Mapping[str, Any], name: str, shape: type[Learning] | type[Augmentation]) -> dict[str, Any]:
    """One table of a recipe, with every field of ``shape``, and of its type."""
    table = document.get(name, {})
    kinds = {f.name: str(f.type) for f in fields(shape)}
    if not isinstance(table, dict) or (wrong := sorted(kinds.keys() ^ table.keys())):
        listed = ", ".join(wrong) if isinstance(table, dict) else name
        raise TrainingError(
            f"The recipe must set each field of [{name}] once, and these are missing or unknown: {clean(listed)}.",
            f"Copy {FOLDER / 'robust.toml'} and change it.",
        )
    for field, value in table.items():
        if type(value).__name__ not in _TYPES[kinds[field]]:
            raise TrainingError(
                f"In the recipe, {name}.{field} is {clean(str(value))!r}, and must be a {kinds[field]}."
            )
    return dict(table)
