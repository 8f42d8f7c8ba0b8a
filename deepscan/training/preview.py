"""A sheet of what augmentation makes of the pictures, for a look before hours are spent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from deepscan.errors import MediaError, OutputError, TrainingError
from deepscan.media.frames import Pixels
from deepscan.media.images import load_rgb
from deepscan.training.augment import augment, self_blend
from deepscan.training.data import Record
from deepscan.training.recipe import Recipe

ROWS = 6
COLUMNS = 8
GAP = 4
"""Pixels between the pictures of a sheet."""


def sheet(records: Sequence[Record], recipe: Recipe, size: int, seed: int) -> Pixels:
    """Six pictures, both classes and many sources among them: each as it is, then changed seven times.

    Where the recipe makes pseudo-fakes, the last of a real picture's row is one. Returns (height, width, 3).

    Raises:
        TrainingError: no picture can be decoded.
    """
    rng = np.random.default_rng(seed)
    side = size + GAP
    page = np.full((ROWS * side + GAP, COLUMNS * side + GAP, 3), 255, np.uint8)
    row = 0
    for record in _chosen(records, rng):
        try:
            pixels = load_rgb(record.path)
        except MediaError:
            continue  # `deepscan train` lists it
        whole = Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR)
        cells: list[Pixels] = [np.asarray(whole)]
        for _ in range(1, COLUMNS):
            drawn = int(rng.integers(2**31))
            blended = recipe.learning.pseudo_fakes > 0 and not record.fake and len(cells) == COLUMNS - 1
            before = self_blend(pixels, drawn) if blended else pixels
            cells.append(augment(before, size, drawn, recipe.augmentation, recipe.learning.degrade))
        for column, cell in enumerate(cells):
            top, left = GAP + row * side, GAP + column * side
            page[top : top + size, left : left + size] = cell
        row += 1
        if row == ROWS:
            break
    if not row:
        raise TrainingError("None of the pictures can be decoded.", "Check the files of the data set.")
    return page[: row * side + GAP]


def write_sheet(page: Pixels, path: Path) -> None:
    """Save a sheet as PNG. Raises OutputError."""
    try:
        Image.fromarray(page).save(path, "PNG")
    except OSError as e:
        raise OutputError(f"{path} cannot be written: {e.strerror}.", "Check the folder, space and permissions.") from e


def _chosen(records: Sequence[Record], rng: np.random.Generator) -> list[Record]:
    """All records in an order that takes one of each class and source before it takes another."""
    kinds: dict[tuple[bool, str], list[Record]] = {}
    for index in rng.permutation(len(records)):
        kinds.setdefault((records[index].fake, records[index].source), []).append(records[index])
    queues = [kinds[kind] for kind in sorted(kinds)]
    return [queue[place] for place in range(max(map(len, queues))) for queue in queues if place < len(queue)]
