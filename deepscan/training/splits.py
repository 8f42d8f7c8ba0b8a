"""Splitting without leaks: whole groups, strata of source and label, before anything is oversampled."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepscan.errors import OutputError, TrainingError
from deepscan.text import clean
from deepscan.training.data import Record

MIN_PICTURES = 20
"""Fewer pictures cannot be divided into three parts that have both classes."""

MAX_GROUP_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Split:
    """Three sets that share no group.

    ``train`` is learnt from; ``calibration`` picks the temperature, the thresholds and the checkpoint; ``test`` is
    measured once and decides nothing.
    """

    train: tuple[Record, ...]
    calibration: tuple[Record, ...]
    test: tuple[Record, ...]


def split(records: Sequence[Record], held_out: float = 0.2, seed: int = 0) -> Split:
    """Split records by group, stratified by source and label.

    Splits that the data set states are kept (``train`` against ``val`` and ``test``). With none stated, the part
    ``held_out`` of the groups is held out. Held-out groups without a ``test`` among them are halved into calibration
    and test.

    Raises:
        TrainingError: a group straddles stated splits, or a class is missing on one side.
    """
    by_group: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_group[record.group].append(record)
    for group, members in by_group.items():
        if len({m.split for m in members}) > 1:
            raise TrainingError(
                f"Group {clean(group)} has pictures in more than one split.",
                "Keep a group (one original and its fakes) on one side.",
            )
    _refuse_too_few(by_group, len(records))
    stated = any(r.split for r in records)
    if stated:
        train = [g for g in by_group.values() if g[0].split in ("train", None)]
        held = [g for g in by_group.values() if g[0].split == "val"]
        test = [g for g in by_group.values() if g[0].split == "test"]
    else:
        train, held = _divide(list(by_group.values()), held_out, seed)
        test = []
    if not test:
        held, test = _divide(held, 0.5, seed + 1)
    elif not held:
        train, held = _divide(train, held_out / 2, seed + 1)
    result = Split(*(tuple(r for g in part for r in g) for part in (train, held, test)))
    for name, part in (("train", result.train), ("calibration", result.calibration), ("test", result.test)):
        if len({r.fake for r in part}) < 2:
            raise TrainingError(
                f"The {name} part of the split lacks one of the two classes ({len(part)} pictures).",
                "Give more pictures or more groups of both classes.",
            )
    return Split(
        tuple(replace(r, split="train") for r in result.train),
        tuple(replace(r, split="calibration") for r in result.calibration),
        tuple(replace(r, split="test") for r in result.test),
    )


def store(parts: Split, path: Path) -> None:
    """Write which picture is in which part, as a CSV list that ``deepscan train`` and ``evaluate`` read.

    Paths start at the list's own folder, which is where those commands look: it can be used from anywhere.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        with path.open("w", newline="", encoding="utf-8") as stream:
            rows = csv.writer(stream)
            rows.writerow(("path", "label", "source", "group", "split"))
            for part, name in ((parts.train, "train"), (parts.calibration, "val"), (parts.test, "test")):
                for r in part:
                    rows.writerow((_from(path.parent, r.path), "fake" if r.fake else "real", r.source, r.group, name))
    except OSError as e:
        raise OutputError(f"{path} cannot be written: {e.strerror}.", "Check space and permissions.") from e


def _from(folder: Path, path: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:  # on another drive of Windows
        return str(path.absolute())


def _refuse_too_few(by_group: Mapping[str, Sequence[Record]], total: int) -> None:
    if total < MIN_PICTURES:
        raise TrainingError(
            f"The data set has {total} pictures, and at least {MIN_PICTURES} are needed to learn, to calibrate and to "
            "measure.",
            "Give more pictures.",
        )
    largest = max(by_group, key=lambda g: len(by_group[g]))
    if len(by_group[largest]) > MAX_GROUP_SHARE * total:
        raise TrainingError(
            f"The group {clean(largest)} holds {len(by_group[largest]):,} of the {total:,} pictures, so no part can be "
            "held out: a group is never split.",
            "Groups are what must stay together, such as one original and its fakes, or a picture and its copies.",
        )


def _divide(groups: list[list[Record]], share: float, seed: int) -> tuple[list[list[Record]], list[list[Record]]]:
    """Move ``share`` of the groups of every stratum to the second list."""
    strata: dict[tuple[str, tuple[bool, ...]], list[list[Record]]] = defaultdict(list)
    for group in groups:
        strata[(group[0].source, tuple(sorted({r.fake for r in group})))].append(group)
    rng = np.random.default_rng(seed)
    first: list[list[Record]] = []
    second: list[list[Record]] = []
    for key in sorted(strata):
        members = sorted(strata[key], key=lambda g: g[0].group)
        order = rng.permutation(len(members))
        cut = round(len(members) * share)
        second += [members[i] for i in order[:cut]]
        first += [members[i] for i in order[cut:]]
    return first, second
