"""Copies and near-copies of one picture become one group, so that none is tested on whose twin was learnt."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepscan.text import plural
from deepscan.training.data import Record
from deepscan.training.survey import HASH_WORDS, Survey

log = logging.getLogger(__name__)

NEAR = 28
"""Bits of 256 in which the hashes of two near-copies may differ.

Above what re-encoding and rescaling change (12, but for one copy in a thousand), below what two aligned faces that are
different ones have (42 at least): ``tests/benchmarks/near_copies.py`` measures both, docs/model.md has its figures.
:func:`near_pairs` allows 31 at most.
"""

_BYTES = HASH_WORDS * 8
_LARGEST_BUCKET = 4096
_LEARNT = "train"
_HELD_OUT = (_LEARNT, "val", "test")
"""The later, the less may be known of it before it is measured on."""


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


def without_twins(records: Sequence[Record], joined: Sequence[Record]) -> tuple[Record, ...]:
    """The ``joined`` records, less those whose copies a data set's own split has in a part that is held out.

    Public sets often hold a picture in ``train`` and its copy in ``test``. What is held out stays, as it is what others
    are measured on, and the copy that would be learnt from is left out, with the rest of its group; the log says how
    many. A group that straddles the parts by itself, in ``records``, is not mended here.
    """
    parts: dict[str, set[str]] = defaultdict(set)
    for record in records:
        parts[record.group].add(record.split or _LEARNT)
    held: dict[str, str] = defaultdict(lambda: _LEARNT)
    for record in joined:
        held[record.group] = max(held[record.group], record.split or _LEARNT, key=_HELD_OUT.index)
    kept = tuple(
        after
        for before, after in zip(records, joined, strict=True)
        if len(parts[before.group]) > 1 or (after.split or _LEARNT) == held[after.group]
    )
    if len(kept) < len(joined):
        log.warning(
            "%s left out of the data set's own split: copies or near-copies of them are in a part that is held out.",
            plural(len(joined) - len(kept), "picture"),
        )
    return kept


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
