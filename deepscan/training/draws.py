"""Which pictures stand in which batch: whole groups or single pictures, everything from the seed.

This is the only oversampling there is, and it comes after the split.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from deepscan.media.images import load_rgb
from deepscan.training import processes
from deepscan.training.augment import augment, self_blend
from deepscan.training.data import Record
from deepscan.training.recipe import Learning, Recipe


@dataclass(frozen=True, slots=True)
class Draw:
    """One picture of a batch: which record, with which seed, and whether it comes back as a pseudo-fake."""

    record: int
    seed: int
    blended: bool


class GroupBatches(Sampler[list[Draw]]):
    """Batches of whole groups, so that each fake stands beside its own original, changed by the same seed.

    Sources are drawn with a probability proportional to their size to the power of ``learning.evenness``.
    """

    def __init__(self, records: Sequence[Record], learning: Learning, batches: int, seed: int) -> None:
        self._batches, self._size, self._seed = batches, learning.batch_size, seed
        self._pseudo_fakes = learning.pseudo_fakes
        self._records = records
        groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for i, record in enumerate(records):
            groups[record.source][record.group].append(i)
        # A group of many pictures (all frames of a film) gives at most a pair of them at a time.
        self._groups = {source: list(members.values()) for source, members in sorted(groups.items())}
        sizes = np.array([sum(map(len, g)) for g in self._groups.values()], float) ** learning.evenness
        self._weights = sizes / sizes.sum()

    def __len__(self) -> int:
        return self._batches

    def __iter__(self) -> Iterator[list[Draw]]:
        rng = np.random.default_rng(self._seed)
        sources = list(self._groups)
        for _ in range(self._batches):
            batch: list[Draw] = []
            while len(batch) < self._size:
                groups = self._groups[sources[rng.choice(len(sources), p=self._weights)]]
                members = groups[rng.integers(len(groups))]
                if len(members) > 2:
                    members = [int(i) for i in rng.choice(members, 2, replace=False)]
                seed = int(rng.integers(2**31))
                batch += [Draw(i, seed, blended=False) for i in members]
                real = [i for i in members if not self._records[i].fake]
                if real and rng.random() < self._pseudo_fakes:
                    batch.append(Draw(real[0], seed, blended=True))
            yield batch[: self._size]


class ShuffledBatches(Sampler[list[Draw]]):
    """Batches of single pictures in random order, each picture once in a pass.

    With ``learning.oversample`` the smaller class is drawn again, with replacement, until both are of one size in each
    pass, and real pictures also come back self-blended as ``learning.pseudo_fakes`` says.
    """

    def __init__(self, records: Sequence[Record], learning: Learning, batches: int, seed: int) -> None:
        self._batches, self._seed, self._learning = batches, seed, learning
        self._fake = np.array([r.fake for r in records])

    def __len__(self) -> int:
        return self._batches

    def __iter__(self) -> Iterator[list[Draw]]:
        rng = np.random.default_rng(self._seed)
        waiting: list[Draw] = []
        size = self._learning.batch_size
        for _ in range(self._batches):
            while len(waiting) < size:
                waiting += self._pass(rng)
            yield waiting[:size]
            waiting = waiting[size:]

    def _pass(self, rng: np.random.Generator) -> list[Draw]:
        fakes, reals = np.flatnonzero(self._fake), np.flatnonzero(~self._fake)
        chosen = np.arange(len(self._fake))
        smaller = min(fakes, reals, key=len)
        if self._learning.oversample:
            chosen = np.append(chosen, rng.choice(smaller, abs(len(fakes) - len(reals))))
        blended = ~self._fake[chosen] & (rng.random(len(chosen)) < self._learning.pseudo_fakes)
        seeds = rng.integers(2**31, size=len(chosen))
        draws = [Draw(int(i), int(s), blended=False) for i, s in zip(chosen, seeds, strict=True)]
        draws += [Draw(int(i), int(s), blended=True) for i, s in zip(chosen[blended], seeds[blended], strict=True)]
        return [draws[i] for i in rng.permutation(len(draws))]


def batches_of(records: Sequence[Record], learning: Learning, batches: int, seed: int) -> Sampler[list[Draw]]:
    """So many batches, drawn as the recipe says."""
    kind = GroupBatches if learning.together else ShuffledBatches
    return kind(records, learning, batches, seed)


class Share(Sampler[list[Draw]]):
    """The batches of this process: of n processes, every n-th, so that together they learn what one would of all."""

    def __init__(self, batches: Sampler[list[Draw]], total: int) -> None:
        self._batches, self._total = batches, total

    def __len__(self) -> int:
        return self._total // processes.count()

    def __iter__(self) -> Iterator[list[Draw]]:
        return itertools.islice(self._batches, processes.rank(), None, processes.count())


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """Augmented pictures, decoded when they are drawn: (size, size, 3) uint8, and 1 for fake."""

    def __init__(self, records: Sequence[Record], size: int, recipe: Recipe) -> None:
        self._records, self._size, self._recipe = records, size, recipe

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, draw: Draw) -> tuple[torch.Tensor, int]:
        record = self._records[draw.record]
        pixels = load_rgb(record.path)
        if draw.blended:
            pixels = self_blend(pixels, draw.seed)
        changed = augment(pixels, self._size, draw.seed, self._recipe.augmentation, self._recipe.learning.degrade)
        return torch.from_numpy(changed), int(record.fake or draw.blended)


def collate(rows: Sequence[tuple[torch.Tensor, int]]) -> dict[str, torch.Tensor]:
    """A batch: ``pixels`` (n, size, size, 3) uint8, ``labels`` (n,) int64."""
    return {"pixels": torch.stack([p for p, _ in rows]), "labels": torch.tensor([label for _, label in rows])}
