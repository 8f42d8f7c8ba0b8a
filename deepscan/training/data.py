"""Labelled data sets into records: which picture, which label, and what must not be torn apart.

Two forms are read. A folder tree with folders named after labels (``Real``/``Fake`` at any depth, with ``Train``,
``Validation`` and ``Test`` above them or not, as the Kaggle set "Deepfake and Real Images" has), and a CSV list with
the columns ``path`` and ``label``, and optionally ``group``, ``source`` and ``split``.
"""

from __future__ import annotations

import csv
import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepscan.errors import MediaError, TrainingError
from deepscan.media.images import load_rgb
from deepscan.models.labels import side
from deepscan.text import clean, plural

log = logging.getLogger(__name__)

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".heif"})
SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
"""Words for the parts of a data set, in lower case."""


@dataclass(frozen=True, slots=True)
class Record:
    """One labelled picture. Records of one ``group`` never straddle a split; ``split`` is None where none is given."""

    path: Path
    fake: bool
    source: str
    group: str
    split: str | None = None


def read_dataset(dataset: Path, images: Path | None = None) -> tuple[Record, ...]:
    """Read a data set; files that are missing or empty are listed in the log and left out, never replaced.

    Args:
        dataset: A folder tree or a CSV list.
        images: Where the paths of a CSV list start; by default the folder of the list.

    Raises:
        TrainingError: nothing is there, a label is unknown, or one of the two classes is missing.
    """
    records = read_records(dataset, images)
    present = tuple(r for r in records if is_there(r.path))
    missing = len(records) - len(present)
    if missing and not present:
        raise TrainingError(
            f"None of the {len(records)} pictures that {dataset} names is there.",
            "Give the folder they lie in with --images.",
        )
    if missing:
        log.warning("%s that %s names: left out.", plural(missing, "missing or empty picture"), dataset)
    for fake, name in ((False, "real"), (True, "fake")):
        if not any(r.fake is fake for r in present):
            raise TrainingError(f"{dataset} holds no {name} pictures.", "Both classes are needed to learn one of them.")
    return present


def read_records(dataset: Path, images: Path | None = None) -> tuple[Record, ...]:
    """Every record that a data set names, of one class or both, whether its file is there or not.

    Raises:
        TrainingError: nothing is there, or a label is unknown.
    """
    if dataset.is_dir():
        return tuple(_from_tree(dataset))
    if dataset.is_file():
        return tuple(_from_csv(dataset, images or dataset.parent))
    raise TrainingError(f"There is no data set at {dataset}.", "Give a folder with Real and Fake in it, or a CSV.")


def drop_unreadable(records: Sequence[Record]) -> tuple[Record, ...]:
    """The records whose pictures can be decoded; the others are listed in the log, and never replaced."""
    readable = []
    for record in records:
        try:
            load_rgb(record.path)
        except MediaError as e:
            log.warning("%s Left out of training.", e)
        else:
            readable.append(record)
    return tuple(readable)


def join_copies(records: Sequence[Record]) -> tuple[Record, ...]:
    """Merge the groups of pictures whose bytes are equal, so that no copy of a training picture is tested on."""
    parent: dict[str, str] = {}

    def root(group: str) -> str:
        while parent.setdefault(group, group) != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    by_hash: dict[str, str] = {}
    for record in records:
        digest = hashlib.sha256(record.path.read_bytes()).hexdigest()
        parent[root(record.group)] = root(by_hash.setdefault(digest, record.group))
    return tuple(replace(r, group=root(r.group)) for r in records)


def describe(records: Iterable[Record]) -> str:
    """Counts by source and label, a line each, for the terminal."""
    counts = Counter((r.source, "fake" if r.fake else "real") for r in records)
    return "\n".join(f"  {source:<24} {label:<5} {count:>8,}" for (source, label), count in sorted(counts.items()))


def is_there(path: Path) -> bool:
    """Whether a file is there and holds something."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _from_tree(folder: Path) -> Iterable[Record]:
    found = False
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()):
        parents = path.relative_to(folder).parts[:-1]
        labels = [(part, side(part)) for part in parents if side(part) is not None]
        if not labels:
            continue
        found = True
        if len({label for _, label in labels}) > 1:
            raise TrainingError(f"{clean(str(path))} lies under folders of both labels.", "Keep Real and Fake apart.")
        splits = [SPLITS[part.lower()] for part in parents if part.lower() in SPLITS]
        rest = [p for p in parents if p.lower() not in SPLITS and side(p) is None]
        yield Record(
            path=path,
            fake=labels[0][1] == "fake",
            source="/".join(rest) or folder.name,
            group=str(path.relative_to(folder)),
            split=splits[0] if splits else None,
        )
    if not found:
        raise TrainingError(
            f"No folder inside {folder} is named after a label.",
            "Name the folders of the two classes Real and Fake.",
        )


def _from_csv(path: Path, images: Path) -> Iterable[Record]:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, ValueError, csv.Error) as e:
        raise TrainingError(f"The list {path} cannot be read: {e}.") from e
    for number, row in enumerate(rows, start=2):
        if not row.get("path") or not row.get("label"):
            raise TrainingError(f"{path}, line {number}: path or label is missing.", "Both columns are needed.")
        label = side(row["label"])
        if label is None:
            raise TrainingError(
                f"{path}, line {number}: nobody knows whether {clean(row['label'])!r} means real or fake.",
                "Use real and fake.",
            )
        split = (row.get("split") or "").lower()
        if split and split not in SPLITS:
            raise TrainingError(f"{path}, line {number}: unknown split {clean(split)!r}.", "Use train, val or test.")
        source = row.get("source") or path.stem
        yield Record(
            path=images / row["path"],
            fake=label == "fake",
            source=source,
            group=f"{source}/{row.get('group') or row['path']}",
            split=SPLITS[split] if split else None,
        )
