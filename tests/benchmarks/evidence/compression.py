"""How often the history of JPEG compression is told right: every pair of qualities, single saves, and real files.

Never-compressed pictures are made by scaling real ones down, which removes the traces of their own compression. The
tables are of the sources with odd numbers. The thresholds were set by the worst of the others, but all sources had been
looked at by then: this is not a blind test.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deepscan.checks.base import NotApplicableError
from deepscan.checks.compression.doubling import First, estimate, histograms
from deepscan.checks.double_jpeg import MIN_SIDE, MIN_VALUES, is_double, values
from deepscan.checks.jpeg_grid import DEVIANT, SHIFTED, JpegGrid
from deepscan.errors import MediaError
from tests.benchmarks.table import Table
from tests.fake_subject import FakeSubject

QUALITIES = range(60, 100, 5)
SINGLES = (30, 50, *QUALITIES, 98, 100)
_SIDE = 700

Answer = tuple[bool, First] | None
"""Whether it is called double, and the first save; None where the check abstains."""


def tables(data: Path) -> Iterator[Table]:
    """The matrix of pairs, single saves, the BSDS pairs, and what is said of files with an unknown history."""
    pictures = [picture for index, picture in enumerate(never_compressed(data)) if index % 2]
    yield from _pairs(pictures)
    yield _single(pictures)
    yield from _ledgers(data)


def _pairs(pictures: list[Image.Image]) -> Iterator[Table]:
    found: list[list[object]] = []
    errors: list[list[object]] = []
    worst = 1.0
    for first in QUALITIES:
        found.append([first])
        errors.append([first])
        saved = [_decoded(picture, first, index) for index, picture in enumerate(pictures)]
        for last in QUALITIES:
            answers = [answer for i, picture in enumerate(saved) if (answer := _answer(_save(picture, last, i + 1)))]
            right = [first_save for called, first_save in answers if called]
            share = len(right) / len(answers)
            found[-1].append(share)
            errors[-1].append(float(np.mean([abs(f.quality - first) for f in right])) if right else "-")
            worst = min(worst, share) if last >= first + 10 else worst
    columns = ["first \\ last", *map(str, QUALITIES)]
    yield Table(
        "Double compression: share found of pictures saved twice",
        columns,
        found,
        "0.95 where the last quality is at least 10 above the first",
        worst >= 0.95,
        f"{len(pictures)} pictures, seen while the method was made; equal qualities cannot be told.",
    )
    yield Table("Double compression: mean error of the first quality, where found", columns, errors)


def _single(pictures: list[Image.Image]) -> Table:
    rows: list[tuple[str, int, int, int, int, float]] = []
    cases: list[tuple[str, int, dict[str, Any]]] = [("standard", quality, {}) for quality in SINGLES]
    for name, quality, options in [*cases, ("of an editor", 75, {"qtables": _EDITOR})]:
        answers = [_answer(_save(picture, quality, i, **options)) for i, picture in enumerate(pictures)]
        told = [answer for answer in answers if answer]
        apart = max(first.apart for _, first in told)
        rows.append((name, quality, len(told), answers.count(None), sum(called for called, _ in told), apart))
    total, alarms = sum(row[2] for row in rows), sum(row[4] for row in rows)
    columns = ["tables", "quality", "pictures", "abstained", "called double", "largest support apart"]
    met = all(row[4] <= 0.02 * row[2] for row in rows)
    note = f"{alarms} of {total} in all."
    return Table("Double compression: false alarms on single saves", columns, rows, "at most 2 %", met, note)


_EDITOR = [[2 + (index // 8 + index % 8) * 3 // 2 for index in range(64)] for _ in range(2)]


def _ledgers(data: Path) -> Iterator[Table]:
    tampered = data / "forensics" / "tampered"
    sets = {
        "BSDS original": sorted((tampered / "BSDS-exif-forged" / "original").iterdir()),
        "BSDS exif_edited (quality 95, then 75)": sorted((tampered / "BSDS-exif-forged" / "exif_edited").iterdir()),
        "CASIA authentic": sorted((tampered / "CASIA2" / "authentic").iterdir()),
        "CoMoFoD originals": sorted((tampered / "CoMoFoD" / "orig").iterdir()),
        "exif-samples": sorted((data / "forensics" / "metadata" / "exif-samples").rglob("*.jpg")),
    }
    rows = [(name, len(files), *_counted(files)) for name, files in sets.items()]
    columns = ["set", "files", "called double", "grid shifted", "part with its own grid"]
    alarms = sum(row[4] for row in rows)
    note = "Their history is not known, apart from BSDS exif_edited; no target but for parts."
    yield Table("Compression: what is said of untouched files", columns, rows, "no part", alarms == 0, note)


def _counted(files: Iterable[Path]) -> tuple[int, int, int]:
    double = shifted = parts = 0
    for path in files:
        subject = FakeSubject(path)
        try:
            luma = subject.luma()
            codes = {finding.code for finding in JpegGrid().run(subject).findings}
        except (MediaError, NotApplicableError):
            continue
        if luma.table is not None and min(luma.plane.shape) >= MIN_SIDE:
            counts = histograms(luma.plane, luma.table)
            double += values(counts) >= MIN_VALUES and is_double(estimate(counts, luma.table), counts)
        shifted += SHIFTED in codes
        parts += DEVIANT in codes
    return double, shifted, parts


def never_compressed(data: Path) -> Iterator[Image.Image]:
    """Pictures of at most 700 x 700 pixels, scaled down at least by 2."""
    tampered = data / "forensics" / "tampered"
    folders = ("CoMoFoD/orig", "BSDS-exif-forged/original", "CASIA2/authentic")
    paths = [path for folder in folders for path in sorted((tampered / folder).iterdir())]
    paths += sorted((data / "forensics" / "metadata" / "exif-samples").rglob("*.jpg"))
    for path in paths:
        try:
            pixels = FakeSubject(path).reading().frames[0].pixels
        except MediaError:
            continue
        height, width = pixels.shape[:2]
        factor = max(2 if max(height, width) < 1500 else 4, int(np.ceil(np.sqrt(height * width) / _SIDE)))
        if min(height, width) // factor >= 96:
            size = (width // factor, height // factor)
            yield Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)


def _save(picture: Image.Image, quality: int, index: int, **options: Any) -> io.BytesIO:
    """Every other picture with halved colours."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, subsampling=2 * (index % 2), **options)
    buffer.seek(0)
    return buffer


def _decoded(picture: Image.Image, quality: int, index: int) -> Image.Image:
    return Image.open(_save(picture, quality, index // 2)).convert("RGB")


def _answer(file: io.BytesIO) -> Answer:
    image = Image.open(file)
    table = tuple(image.quantization[0])  # type: ignore[attr-defined]
    image.draft("L", image.size)
    counts = histograms(np.asarray(image, np.uint8), table)
    if values(counts) < MIN_VALUES:
        return None
    first = estimate(counts, table)
    return is_double(first, counts), first
