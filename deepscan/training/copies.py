"""Copies and near-copies of one picture become one group, so that none is tested on whose twin was learnt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepscan.training.data import Record
from deepscan.training.survey import HASH_WORDS, Survey

NEAR = 28
"""Bits of 256 in which the hashes of two near-copies may differ.

Above what re-encoding and rescaling change (12, but for one copy in a thousand), below what two aligned faces that are
different ones have (42 at least): ``tests/benchmarks/near_copies.py`` measures both, docs/model.md has its figures.
:func:`near_pairs` allows 31 at most.
"""

_BYTES = HASH_WORDS * 8
_LARGEST_BUCKET = 4096


def join_copies(survey: Survey, near: int = NEAR) -> tuple[Record, ...]:
    """The records, with groups merged whose pictures are equal byte by byte or nearly equal to look at."""
    parent = {record.group: record.group for record in survey.records}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    first: dict[str, str] = {}
    for record, digest in zip(survey.records, survey.digests, strict=True):
        parent[root(record.group)] = root(first.setdefault(digest, record.group))
    for one, other in near_pairs(survey.hashes, near):
        parent[root(survey.records[one].group)] = root(survey.records[other].group)
    return tuple(replace(r, group=root(r.group)) for r in survey.records)


def near_pairs(hashes: NDArray[np.uint64], near: int) -> Iterator[tuple[int, int]]:
    """Pairs of rows of (n, HASH_WORDS) that differ in at most ``near`` bits.

    ``near`` must be below the number of bytes in a row: by the pigeonhole principle two such rows then agree in one
    byte at least, so only rows that share a byte are compared (Norouzi et al., "Fast Exact Search in Hamming Space",
    2012). A picture that shares one with thousands of others is compared with the next few thousand of them only.
    """
    columns = np.ascontiguousarray(hashes).view(np.uint8).reshape(len(hashes), _BYTES).T
    if near >= _BYTES:
        raise ValueError(f"near must be below {_BYTES}, not {near}")
    seen: set[tuple[int, int]] = set()
    for column in columns:
        buckets: dict[int, list[int]] = defaultdict(list)
        for row, key in enumerate(column.tolist()):
            buckets[key].append(row)
        for members in buckets.values():
            yield from _within(hashes, np.array(members), near, seen)


def _within(
    hashes: NDArray[np.uint64], members: NDArray[np.int64], near: int, seen: set[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    for place, row in enumerate(members[:-1]):
        others = members[place + 1 : place + 1 + _LARGEST_BUCKET]
        distances = np.bitwise_count(hashes[others] ^ hashes[row]).sum(1)
        for other in others[distances <= near]:
            pair = (int(row), int(other))
            if pair not in seen:
                seen.add(pair)
                yield pair
