"""Labelled data sets into records: which picture, which label, and what must not be torn apart.

Two forms are read. A folder tree with folders named after labels (``Real``/``Fake`` at any depth, with ``Train``,
``Validation`` and ``Test`` above them or not, as the Kaggle set "Deepfake and Real Images" has), and a CSV list with
the columns ``path`` and ``label``, and optionally ``group``, ``source`` and ``split``. A Parquet list has the same.
"""

from __future__ import annotations

import csv
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deepscan.errors import TrainingError
from deepscan.models.labels import side
from deepscan.text import clean, plural

log = logging.getLogger(__name__)

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".heif"})
CLIPS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".3gp", ".flv", ".wmv"})
"""Suffixes of films, for ``deepscan train --sequence``."""

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

_FOLDERS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Record:
    """One labelled picture. Records of one ``group`` never straddle a split; ``split`` is None where none is given."""

    path: Path
    fake: bool
    source: str
    group: str
    split: str | None = None


def read_dataset(dataset: Path, images: Path | None = None, suffixes: Collection[str] = SUFFIXES) -> tuple[Record, ...]:
    """Read a data set; files that are missing or empty are listed in the log and left out, never replaced.

    Args:
        dataset: A folder tree, or a list in CSV or Parquet.
        images: Where the paths of a list start; by default the folder of the list.
        suffixes: Of the files that are taken from a folder tree, in lower case.

    Raises:
        TrainingError: nothing is there, a label is unknown, or one of the two classes is missing.
    """
    records = read_records(dataset, images, suffixes)
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


def read_records(dataset: Path, images: Path | None = None, suffixes: Collection[str] = SUFFIXES) -> tuple[Record, ...]:
    """Every record that a data set names, of one class or both, whether its file is there or not.

    Raises:
        TrainingError: nothing is there, or a label is unknown.
    """
    if dataset.is_dir():
        return tuple(_from_tree(dataset, suffixes))
    if dataset.is_file():
        return tuple(_from_list(dataset, images or dataset.parent))
    raise TrainingError(
        f"There is no data set at {dataset}.", "Give a folder with Real and Fake in it, or a list in CSV or Parquet."
    )


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


def _from_tree(folder: Path, suffixes: Collection[str]) -> Iterable[Record]:
    found = False
    unlabelled: Counter[str] = Counter()
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in suffixes and p.is_file()):
        parents = path.relative_to(folder).parts[:-1]
        labels = [(part, side(part)) for part in parents if side(part) is not None]
        if not labels:
            unlabelled["/".join(parents) or "."] += 1
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
    if unlabelled:
        shown = ", ".join(clean(name, 80) for name, _ in unlabelled.most_common(_FOLDERS_SHOWN))
        log.warning(
            "%s in no folder named after a label: left out. Nobody knows whether these folders mean real or fake: %s%s",
            plural(unlabelled.total(), "picture"),
            shown,
            " and others." if len(unlabelled) > _FOLDERS_SHOWN else ".",
        )


def _from_list(path: Path, images: Path) -> Iterable[Record]:
    for place, row in _rows(path):
        if not row.get("path") or not row.get("label"):
            raise TrainingError(f"{path}, {place}: path or label is missing.", "Both columns are needed.")
        label = side(row["label"])
        if label is None:
            raise TrainingError(
                f"{path}, {place}: nobody knows whether {clean(row['label'])!r} means real or fake.",
                "Use real and fake.",
            )
        split = row.get("split", "").lower()
        if split and split not in SPLITS:
            raise TrainingError(f"{path}, {place}: unknown split {clean(split)!r}.", "Use train, val or test.")
        source = row.get("source") or path.stem
        yield Record(
            path=images / row["path"],
            fake=label == "fake",
            source=source,
            group=f"{source}/{row.get('group') or row['path']}",
            split=SPLITS[split] if split else None,
        )


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of a list as text, each with the place that errors name."""
    if path.suffix.lower() in (".parquet", ".pq"):
        yield from ((f"row {number}", row) for number, row in enumerate(_parquet(path), start=1))
        return
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, ValueError, csv.Error) as e:
        raise TrainingError(f"The list {path} cannot be read: {e}.", "It must be CSV in UTF-8.") from e
    yield from ((f"line {number}", {k: v or "" for k, v in row.items() if k}) for number, row in enumerate(rows, 2))


def _parquet(path: Path) -> Iterator[dict[str, str]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as e:
        raise TrainingError(
            f"Reading {path} needs pyarrow, which is not installed.",
            "Install it (pip install 'deepscan[train]'), or give the list as CSV.",
        ) from e
    try:
        file = parquet.ParquetFile(path)
        wanted = [c for c in ("path", "label", "group", "source", "split") if c in file.schema_arrow.names]
        for batch in file.iter_batches(columns=wanted):
            for row in batch.to_pylist():
                yield {name: "" if value is None else str(value) for name, value in row.items()}
    except (OSError, pyarrow.ArrowException) as e:
        raise TrainingError(f"The list {path} cannot be read: {clean(str(e))}.", "It must be Parquet.") from e
