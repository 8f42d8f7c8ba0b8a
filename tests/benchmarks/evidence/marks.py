"""Marks of generators: the files whose generator is known, the ones that have none, and how sure a watermark is."""

from __future__ import annotations

import csv
import io
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deepscan.checks.generator_marks import GeneratorMarks
from deepscan.checks.hidden_marks import HiddenMarks
from deepscan.checks.marks.watermark import MESSAGES, SMALLEST, find_messages, needed
from deepscan.checks.reading.embedded import READ
from deepscan.errors import MediaError
from deepscan.media.images import load_rgb
from deepscan.media.signatures import HEAD_BYTES, detect
from deepscan.types import Finding, MediaKind
from tests.benchmarks.table import Table
from tests.fake_subject import FakeSubject
from tests.unit.checks.watermarked import watermark

UNMARKED = ("metadata", "tampered", "hostile", "c2pa", "facevideo")
QUALITIES = (None, 95, 90, 75)
MARKED = 20
"""Pictures into which each message is written."""


def tables(data: Path) -> Iterable[Table]:
    """Named generators, false marks, the null of the watermark, its survival, and the cost."""
    forensics = data / "forensics"
    yield _named(forensics / "aimeta")
    yield _false(forensics)
    yield _null(forensics)
    yield _survival(forensics / "tampered" / "CoMoFoD" / "orig")
    yield _cost()


def _named(folder: Path) -> Table:
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    told: Counter[str] = Counter()
    words = {"sd-webui": "web UI", "comfyui": "ComfyUI", "fooocus": "Fooocus"}
    words |= {"invokeai": "InvokeAI", "novelai": "NovelAI", "none": "", "unreadable": ""}
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            expected = row["expected"]
            values = [e.value for f in _findings(folder / row["path"]) for e in f.evidence if isinstance(e.value, dict)]
            names = {str(value["generator"]) for value in values}
            wanted = words[expected]
            total[expected] += 1
            right[expected] += (len(names) == 1 and wanted in names.pop()) if wanted else not names
            told[expected] += any("prompt" in value and "seed" in value for value in values)
    rows = [(name, total[name], right[name], told[name]) for name in total]
    return Table(
        "Generators named (aimeta)",
        ("expected", "files", "right", "with prompt and seed"),
        rows,
        "named right on every row that has marks, none on those without",
        right == total,
    )


def _false(forensics: Path) -> Table:
    rows = []
    for name in UNMARKED:
        paths = list(_media(forensics / name))
        found = Counter(finding.code for path in paths for finding in _findings(path))
        rows.append((name, len(paths), sum(found.values())))
    return Table(
        "Marks on files without any", ("folder", "files", "findings"), rows, "none", not any(r[2] for r in rows)
    )


def _null(forensics: Path) -> Table:
    best = {message.generator: 0 for message in MESSAGES}
    found = Counter[str]()
    pictures = 0
    for pixels in _pictures(forensics):
        pictures += 1
        for match in find_messages(pixels):
            name = match.message.generator
            best[name] = max(best[name], match.matching)
            found[name] += match.matching >= needed(len(match.message.bits))
    rows = [
        (m.generator, len(m.bits), needed(len(m.bits)), best[m.generator], found[m.generator], pictures)
        for m in MESSAGES
    ]
    return Table(
        "Invisible watermark: pictures that carry none",
        ("message", "bits", "needed", "most that matched", "found", "pictures"),
        rows,
        "none found",
        not found.total(),
        "Most that matched is over four readings of each picture.",
    )


def _survival(folder: Path) -> Table:
    pictures = [load_rgb(path) for path in sorted(folder.glob("*.png"))[:MARKED]]
    rows: list[tuple[object, ...]] = []
    for message in MESSAGES:
        for fractions in (False, True):
            found = Counter[int | None]()
            for pixels in pictures:
                marked = watermark(pixels, message.bits, fractions=fractions)
                for quality in QUALITIES:
                    matches = {m.message.generator: m for m in find_messages(_saved(marked, quality))}
                    found[quality] += matches[message.generator].matching >= needed(len(message.bits))
            way = "numbers with a fraction" if fractions else "bytes"
            rows.append((message.generator, way, len(pictures), *(found[quality] for quality in QUALITIES)))
    return Table(
        "Invisible watermark: found after saving (512 x 512)",
        ("message", "written into", "pictures", "PNG", "JPEG 95", "JPEG 90", "JPEG 75"),
        rows,
        note="4:2:0 as Pillow saves it. A message that is not found says nothing.",
    )


def _saved(pixels: NDArray[np.uint8], quality: int | None) -> NDArray[np.uint8]:
    if quality is None:
        return pixels
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"), np.uint8)


def _cost() -> Table:
    pixels = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), np.uint8)
    started = time.perf_counter()
    find_messages(pixels)
    return Table("Cost", ("what", "ms"), [("watermark, 12 megapixels", round((time.perf_counter() - started) * 1000))])


def _findings(path: Path) -> tuple[Finding, ...]:
    if not _readable(path):
        return ()
    subject = FakeSubject(path)
    found = GeneratorMarks().run(subject).findings if subject.item.container in READ else ()
    try:
        return found + (HiddenMarks().run(subject).findings if subject.item.kind is MediaKind.IMAGE else ())
    except MediaError:
        return found


def _pictures(forensics: Path) -> Iterator[NDArray[np.uint8]]:
    for name in ("metadata", "tampered", "c2pa"):
        for path in _media(forensics / name):
            try:
                pixels = load_rgb(path)
            except MediaError:
                continue
            if pixels.shape[0] * pixels.shape[1] >= SMALLEST:
                yield pixels


def _media(folder: Path) -> Iterator[Path]:
    for parent, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if not name.endswith(".csv") and _readable(Path(parent) / name):
                yield Path(parent) / name


def _readable(path: Path) -> bool:
    with path.open("rb") as file:
        container = detect(file.read(HEAD_BYTES), path.stat().st_size)
    return container is not None and container.readable
