"""What a training picture costs on the CPU, and how much of that a GPU could take over.

    python -m tests.benchmarks.augmentation FOLDER [--count 300] [--size 154]

FOLDER holds JPEG pictures at any depth. Processor time of one core, so other programs do not move it. A GPU (kornia)
could take what follows the crop and precedes the encoder, on pictures of one size; decoding, cropping out of pictures
of many sizes, and the encoders of JPEG and WebP stay where they are.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from deepscan.media.frames import Pixels
from deepscan.media.images import load_rgb
from deepscan.training.augment import augment
from deepscan.training.options import TrainOptions
from deepscan.training.recipe import Augmentation, prepare
from tests.benchmarks.table import Table


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--size", type=int, default=154)
    given = parser.parse_args()
    paths = sorted(given.folder.rglob("*.jpg"))
    paths = random.Random(0).sample(paths, min(given.count, len(paths)))
    pictures = [load_rgb(path) for path in paths]
    recipe = prepare(TrainOptions()).augmentation
    kept = replace(recipe, flip=0.0, recolour=0.0, grey=0.0, rescale=0.0, blur=0.0, noise=0.0, erase=0.0)
    bare = replace(kept, encode=0.0)

    def through(changed: Augmentation) -> Callable[[int], Pixels]:
        return lambda i: augment(pictures[i], given.size, i, changed)

    decode = _milliseconds(lambda i: load_rgb(paths[i]), len(paths))
    whole, staying, cropping = (_milliseconds(through(r), len(paths)) for r in (recipe, kept, bare))
    total = decode + whole
    found = (
        ("decoding", decode),
        ("crop and resize", cropping),
        ("JPEG and WebP, as often as the recipe says", staying - cropping),
        ("the rest: what a GPU could take", whole - staying),
    )
    cells = [(name, f"{ms:.2f}", f"{ms / total:.0%}") for name, ms in found]
    title = f"{len(paths)} pictures to {given.size} pixels"
    sys.stdout.write(Table(title, ("step", "CPU ms a picture", "share"), cells).render() + "\n")


def _milliseconds(work: Callable[[int], Pixels], count: int) -> float:
    work(0)
    begun = time.process_time()
    for i in range(count):
        work(i)
    return 1000 * (time.process_time() - begun) / count


if __name__ == "__main__":
    main()
