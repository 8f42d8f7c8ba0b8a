"""What the parts share: the size of a run, where its files lie, and how things are measured side by side."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.benchmarks.engine import inputs

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Size:
    """How many files each part uses, and how often each thing is repeated."""

    faces: int = 300
    photographs: int = 12
    mixed: int = 36
    specks: int = 50_000
    again: int = 2_000
    vit: int = 96
    repeats: int = 3


USUAL = Size()
FULL = Size(again=10_000)
QUICK = Size(faces=120, photographs=4, mixed=16, specks=4_000, again=500, vit=64, repeats=1)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of targets. ``met`` is None where it was not measured."""

    what: str
    against: str
    reached: str
    target: str
    met: bool | None


@dataclass(slots=True)
class Bench:
    """A folder that the measurements share, and the files in it, drawn when they are first needed."""

    folder: Path
    size: Size
    _made: dict[str, Path] = field(default_factory=dict)

    def files(self, kind: str, count: int | None = None) -> Path:
        """The folder with files of a kind of :mod:`tests.benchmarks.engine.inputs`."""
        count = count or getattr(self.size, kind)
        name = f"{kind}{count}"
        if name not in self._made:
            self._made[name] = getattr(inputs, kind)(self.folder / name, count)
        return self._made[name]

    def vit(self) -> Path:
        """A ViT-B/16 for pictures of 224 pixels with random weights, as a plain folder."""
        if "vit" not in self._made:
            from transformers import ViTImageProcessor

            from tests.fake_pack import make_model, make_plain, vit_config

            config = vit_config(
                image_size=224, hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072
            )
            self._made["vit"] = make_plain(
                self.folder / "vit-b16",
                make_model(config, spread=0.02),
                ViTImageProcessor(size={"height": 224, "width": 224}),
            )
        return self._made["vit"]


def paths_in(folder: Path) -> list[str]:
    """The files of a folder, in the order of their names."""
    return [str(path) for path in sorted(folder.iterdir())]


def in_turns(measures: Mapping[Key, Callable[[], float]], repeats: int) -> dict[Key, list[float]]:
    """Repeat all measures in turns, forwards and backwards, so that whatever else the machine does hits all of them."""
    values: dict[Key, list[float]] = {name: [] for name in measures}
    for turn in range(repeats):
        for name in list(measures)[:: -1 if turn % 2 else 1]:
            values[name].append(measures[name]())
    return values


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def spread(values: Sequence[float], unit: str = "") -> str:
    """A median with its range: "12.1 (11.0 to 13.4) ms"; a dash for no values."""
    if not values:
        return "-"
    text = f"{median(values):.3g}"
    if len(values) > 1:
        text += f" ({min(values):.3g} to {max(values):.3g})"
    return f"{text} {unit}".strip()
