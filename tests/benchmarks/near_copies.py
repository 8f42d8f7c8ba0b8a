"""Hashes of copies against those of different pictures: ``python -m tests.benchmarks.near_copies LIST IMAGES``.

``LIST`` is what ``deepscan train`` reads, with groups (``../shared/data/faces/index.csv``), and ``IMAGES`` where its
paths start. Two pictures of different groups of one source are taken to be different ones, which a few are not: the
closest pairs are named, to be looked at. The tables are Markdown, in bits of 256.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels
from deepscan.media.images import load_rgb
from deepscan.media.resaving import ROBUSTNESS
from deepscan.training.copies import NEAR
from deepscan.training.data import Record, read_dataset
from deepscan.training.survey import perceptual_hash

THRESHOLDS = (8, 12, 16, 20, 24, 28, 31)
CLOSEST = 3


def trimmed(share: float) -> Callable[[Pixels], Pixels]:
    """Cut ``share`` of the height and width off each side."""

    def cut(pixels: Pixels) -> Pixels:
        down, across = (round(side * share) for side in pixels.shape[:2])
        return pixels[down : pixels.shape[0] - down, across : pixels.shape[1] - across]

    return cut


COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    form.name: (lambda pixels, form=form: form.change(pixels).pixels)
    for form in ROBUSTNESS
    if form.name not in ("crop", "screenshot")  # another framing: cut off below, by less
} | {f"crop {share:.0%}": trimmed(share) for share in (0.01, 0.02, 0.05)}


def apart(hashes: NDArray[np.uint64], records: Sequence[Record]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distances (p,) of all pairs of different groups, and their places (p, 2)."""
    groups = np.unique([r.group for r in records], return_inverse=True)[1]
    distances, places = [], []
    for row in range(len(hashes) - 1):
        others = np.flatnonzero(groups[row + 1 :] != groups[row]) + row + 1
        distances.append(np.bitwise_count(hashes[others] ^ hashes[row]).sum(1).astype(np.int64))
        places.append(np.stack([np.full(len(others), row), others], 1))
    return np.concatenate(distances), np.concatenate(places)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listing", type=Path, metavar="LIST")
    parser.add_argument("images", type=Path, metavar="IMAGES")
    parser.add_argument("--count", type=int, default=600, help="pictures of each source")
    parser.add_argument("--copied", type=int, default=150, help="of these, how many are changed in every way")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    say = sys.stdout.write
    everything = read_dataset(args.listing, args.images)
    copies: dict[str, list[int]] = {name: [] for name in COPIES}
    head = " | ".join(f"<= {t}" for t in THRESHOLDS)
    closest: list[str] = []
    say(f"NEAR is {NEAR}.\n\n**Different pictures**: pairs that would be joined.\n\n")
    say(f"| source | pictures | pairs | least | 0.01 % | {head} |\n|---|---|---|---|---|{'---|' * len(THRESHOLDS)}\n")
    for source in sorted({r.source for r in everything}):
        of_source = [r for r in everything if r.source == source]
        records = random.Random(args.seed).sample(of_source, min(args.count, len(of_source)))
        pictures = [load_rgb(r.path) for r in records]
        hashes = np.stack([perceptual_hash(p) for p in pictures])
        for pixels, known in list(zip(pictures, hashes, strict=True))[: args.copied]:
            for name, change in COPIES.items():
                copies[name].append(int(np.bitwise_count(perceptual_hash(change(pixels)) ^ known).sum()))
        distances, places = apart(hashes, records)
        joined = " | ".join(f"{(distances <= t).sum():,}" for t in THRESHOLDS)
        say(
            f"| {source} | {len(records):,} | {len(distances):,} | {distances.min()} "
            f"| {np.percentile(distances, 0.01):.0f} | {joined} |\n"
        )
        for place in np.argsort(distances, kind="stable")[:CLOSEST]:
            one, other = (records[i].path.relative_to(args.images) for i in places[place])
            closest.append(f"- {distances[place]}: {one}, {other}\n")
    say("\nThe closest of each source:\n\n" + "".join(closest))
    say("\n**Copies**: the part that would be missed.\n\n")
    say(f"| change | pictures | median | 99 % | {head} |\n|---|---|---|---|{'---|' * len(THRESHOLDS)}\n")
    for name, values in copies.items():
        found = np.array(values)
        missed = " | ".join(f"{(found > t).mean():.1%}" for t in THRESHOLDS)
        say(f"| {name} | {len(found)} | {np.median(found):.0f} | {np.percentile(found, 99):.0f} | {missed} |\n")


if __name__ == "__main__":
    main(sys.argv[1:])
