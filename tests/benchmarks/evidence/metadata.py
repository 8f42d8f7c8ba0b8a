"""Metadata: fields against other readers, and which findings pictures that nobody forged get."""

from __future__ import annotations

import csv
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

from deepscan.checks.fields import read_fields
from deepscan.checks.metadata import Metadata, judge
from deepscan.checks.reading.embedded import READ, read_embedded
from deepscan.media.signatures import HEAD_BYTES, detect
from deepscan.types import Level
from tests.benchmarks.table import Table
from tests.fake_subject import FakeSubject
from tests.known.test_corpus_evidence import COLUMNS, WORDS, degrees

MUTATIONS = 20
"""Damaged copies of every real file that are read."""

_LARGEST = 2_000_000
"""Bytes of a file that is damaged and read again."""


def tables(data: Path) -> Iterable[Table]:
    """The tables; ``data`` is the shared data folder."""
    forensics = data / "forensics"
    yield _fields(forensics / "metadata")
    yield _findings({"metadata/exif-samples": forensics / "metadata" / "exif-samples"}, target=True)
    yield _findings({"tampered/CASIA2, untouched": forensics / "tampered" / "CASIA2" / "authentic"})
    yield _findings({"tampered/BSDS, forged EXIF": forensics / "tampered" / "BSDS-exif-forged"})
    yield _damaged(forensics)


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file whose metadata is read, with its container."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix == ".csv":
            continue
        with path.open("rb") as file:
            container = detect(file.read(HEAD_BYTES), path.stat().st_size)
        if container is not None and container.kind is not None and container.name in READ:
            yield path, container.name


def _fields(folder: Path) -> Table:
    files = dict(_files(folder))
    count: Counter[str] = Counter()
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            path = folder / row["path"]
            stated = {ours: row[f"expected_{theirs}"] for theirs, ours in COLUMNS.items()}
            stated |= {axis: row[f"expected_GPS{axis}"] for axis in ("Latitude", "Longitude")}
            stated = {name: text for name, text in stated.items() if text}
            if path not in files:
                count["unread: no container of deepscan's"] += len(stated)
                continue
            with path.open("rb") as file:
                found = {f.name: f.value for f in read_fields(read_embedded(file, files[path]))}
            for name, expected in stated.items():
                count["equal" if _equal(name, expected, found) else "different"] += 1
    return Table(
        "Metadata: fields against what other readers state",
        ("answer", "fields"),
        sorted(count.items()),
        "no field different in a file that is read",
        count["different"] == 0,
        "Not read are BPG, camera raw files, JPEG XL, JPEG 2000, PSD and XCF, which deepscan does not examine.",
    )


def _equal(name: str, expected: str, found: Mapping[str, object]) -> bool:
    if name not in ("Latitude", "Longitude"):
        return found[name] == WORDS.get(expected, expected)
    place = found["gps"]
    if not isinstance(place, dict):
        return False
    angle: float | Fraction = abs(place[name.lower()])
    return abs(angle - degrees(expected)) < 1e-5


def _findings(folders: dict[str, Path], *, target: bool = False) -> Table:
    ((name, folder),) = folders.items()
    count: Counter[tuple[str, str]] = Counter()
    slowest, total, above = (0.0, ""), 0, 0
    for path, _ in _files(folder):
        total += 1
        started = time.perf_counter()
        findings = Metadata().run(FakeSubject(path)).findings
        slowest = max(slowest, (time.perf_counter() - started, path.name))
        above += any(f.level.rank > Level.WEAK.rank for f in findings)
        count.update({(f.code, str(f.level)) for f in findings})
    return Table(
        f"Metadata: files with a finding, {name} ({total} files)",
        ("code", "level", "files"),
        [(*key, number) for key, number in sorted(count.items())],
        "no photograph of a camera above weak" if target else "",
        above == 0 if target else None,
        f"Slowest file: {slowest[1]}, {slowest[0] * 1000:.0f} ms with its hash.",
    )


def _damaged(forensics: Path) -> Table:
    """Real files with bytes changed at random, seeded: every one must end in findings."""
    chance = random.Random(0)
    rows = []
    for part in ("metadata", "hostile"):
        read, escaped, slowest = 0, Counter[str](), (0.0, "")
        for path, container in _files(forensics / part):
            if path.stat().st_size > _LARGEST:
                continue
            original = path.read_bytes()
            for number in range(MUTATIONS + 1):
                started = time.perf_counter()
                try:
                    _read(_changed(original, chance) if number else original, container)
                except Exception as e:  # noqa: BLE001  what escapes is what is counted
                    escaped[type(e).__name__] += 1
                read += 1
                slowest = max(slowest, (time.perf_counter() - started, path.name))
        rows.append((part, read, sum(escaped.values()), f"{slowest[1]}, {slowest[0]:.2f} s"))
    return Table(
        "Metadata: real files and damaged copies of them",
        ("folder", "read", "exceptions that escaped", "slowest"),
        rows,
        "no exception escapes a reader",
        all(row[2] == 0 for row in rows),
    )


def _read(data: bytes, container: str) -> None:
    from io import BytesIO

    for _ in judge(read_embedded(BytesIO(data), container)):
        pass


def _changed(original: bytes, chance: random.Random) -> bytes:
    data = bytearray(original)
    # Metadata stands mostly at the beginning or the end.
    for _ in range(chance.choice([1, 4, 16, 64])):
        at = chance.randrange(max(1, len(data)))
        at = chance.choice([at, at % 4096, max(0, len(data) - 1 - at % 4096)])
        if at < len(data):
            data[at] = chance.choice([0, 1, 2, 0x7F, 0x80, 0xFF, chance.randrange(256)])
    return bytes(data[: chance.randrange(len(data) + 1)] if chance.random() < 0.1 else data)
