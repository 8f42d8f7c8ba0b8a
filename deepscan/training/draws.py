"""Which pictures stand in which batch: whole groups, sources evened out, everything from the seed.

This is the only oversampling there is, and it comes after the split.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from deepscan.media.images import load_rgb
from deepscan.training.augment import augment, self_blend
from deepscan.training.data import Record


@dataclass(frozen=True, slots=True)
class Draw:
    """One picture of a batch: which record, with which seed, and whether it comes back as a pseudo-fake."""

    record: int
    seed: int
    blended: bool


class GroupBatches(Sampler[list[Draw]]):
    """Batches of whole groups, so that each fake stands beside its own original, changed by the same seed.

    Sources are drawn with a probability proportional to their size to the power of ``evenness``.
    """

    def __init__(
        self,
        records: Sequence[Record],
        *,
        batch_size: int,
        steps: int,
        evenness: float,
        pseudo_fakes: float,
        seed: int,
    ) -> None:
        self._steps, self._size, self._seed, self._pseudo_fakes = steps, batch_size, seed, pseudo_fakes
        self._records = records
        groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for i, record in enumerate(records):
            groups[record.source][record.group].append(i)
        # A group of many pictures (all frames of a film) gives at most a pair of them at a time.
        self._groups = {source: list(members.values()) for source, members in sorted(groups.items())}
        sizes = np.array([sum(map(len, g)) for g in self._groups.values()], float) ** evenness
        self._weights = sizes / sizes.sum()

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[list[Draw]]:
        rng = np.random.default_rng(self._seed)
        sources = list(self._groups)
        for _ in range(self._steps):
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


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """Augmented pictures, decoded when they are drawn: (size, size, 3) uint8, and 1 for fake."""

    def __init__(self, records: Sequence[Record], size: int, degrade: float) -> None:
        self._records, self._size, self._degrade = records, size, degrade

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, draw: Draw) -> tuple[torch.Tensor, int]:
        record = self._records[draw.record]
        pixels = load_rgb(record.path)
        if draw.blended:
            pixels = self_blend(pixels, draw.seed)
        return torch.from_numpy(augment(pixels, self._size, draw.seed, self._degrade)), int(record.fake or draw.blended)


def collate(rows: Sequence[tuple[torch.Tensor, int]]) -> dict[str, torch.Tensor]:
    """A batch: ``pixels`` (n, size, size, 3) uint8, ``labels`` (n,) int64."""
    return {"pixels": torch.stack([p for p, _ in rows]), "labels": torch.tensor([label for _, label in rows])}
