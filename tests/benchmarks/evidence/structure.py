"""What the structure checks find on real files, who wrote those, and how thumbnails of changed pictures stand apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np

from deepscan.checks import likeness
from deepscan.checks.base import Check, NotApplicableError
from deepscan.checks.identity import Identity
from deepscan.checks.jpeg_file import JpegFile
from deepscan.checks.movie_file import MovieFile
from deepscan.checks.png_file import PngFile
from deepscan.checks.previews import DIFFERENT, REGION, Previews
from deepscan.errors import MediaError
from deepscan.media.frames import Pixels
from deepscan.media.images import load_rgb
from deepscan.media.signatures import HEAD_BYTES, detect
from deepscan.types import Finding, Level
from tests.benchmarks.table import Table
from tests.fake_subject import FakeSubject

CHECKS: tuple[Check, ...] = (Identity(), JpegFile(), PngFile(), MovieFile(), Previews())
FOLDERS = (
    "metadata/exif-samples",
    "metadata/exiftool",
    "tampered/BSDS-exif-forged/exif_edited",
    "tampered/BSDS-exif-forged/original",
    "tampered/CASIA2",
    "tampered/ZERO",
    "c2pa",
    "aimeta",
    "facevideo",
    "hostile",
)


def tables(data: Path) -> Iterable[Table]:
    """Findings by set, encoder families by set, and the separation of thumbnails."""
    found = {name: list(_findings(data / "forensics" / name)) for name in FOLDERS}
    yield _by_code(found)
    yield _writers(found)
    yield _thumbnails(sorted((data / "forensics" / "metadata" / "exif-samples" / "jpg").rglob("*.jp*g")))


def _findings(folder: Path) -> Iterator[tuple[str, Finding | None]]:
    """(file, finding) of every structure check; None where a check gives a reason instead."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        with path.open("rb") as file:
            container = detect(file.read(HEAD_BYTES), path.stat().st_size)
        if container is None or container.kind is None:
            continue
        subject = FakeSubject(path)
        for check in CHECKS:
            if check.why_not(subject.item) is not None:
                continue
            try:
                yield from ((path.name, finding) for finding in check.run(subject).findings)
            except (MediaError, NotApplicableError):
                yield path.name, None


def _by_code(found: Mapping[str, list[tuple[str, Finding | None]]]) -> Table:
    rows = []
    above = 0
    for name, pairs in found.items():
        counts = Counter("reason instead" if f is None else f"{f.code} {f.level}" for _, f in pairs)
        above += sum(f is not None and f.level.rank > Level.WEAK.rank for _, f in pairs)
        weak = len({path for path, f in pairs if f is not None and f.level is not Level.INFO})
        words = ", ".join(f"{key}: {count}" for key, count in sorted(counts.items()))
        rows.append((name, len({path for path, _ in pairs}), weak, words))
    target = "no camera photograph of exif-samples at moderate, and every forged EXIF of BSDS found"
    forged = {p for p, f in found["tampered/BSDS-exif-forged/exif_edited"] if f is not None and f.level is Level.WEAK}
    met = above == 0 and len(forged) == 12
    return Table("Structure: findings by set", ("set", "files", "above info", "findings"), rows, target, met)


def _writers(found: Mapping[str, list[tuple[str, Finding | None]]]) -> Table:
    counts: Counter[tuple[str, str]] = Counter()
    for name, pairs in found.items():
        for _, finding in pairs:
            if finding is None or finding.code != "DS-STRUCT-010":
                continue
            values = {e.label: e.value for e in finding.evidence}
            named = values.get("possible writers")
            counts[name, "; ".join(map(str, named)) if isinstance(named, list) else "in no table"] += 1
    rows = [(name, writer, count) for (name, writer), count in sorted(counts.items())]
    note = (
        "Rows that name a camera, or Photoshop by its version, match files that they were measured on: they show what "
        "the table holds, not how well it recognises others."
    )
    return Table("Structure: whose JPEG tables", ("set", "possible writers", "files"), rows, note=note)


def _small(pixels: Pixels) -> Pixels:
    size = (160, max(1, round(160 * pixels.shape[0] / pixels.shape[1])))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _cropped(pixels: Pixels, keep: float) -> Pixels:
    return pixels[: int(pixels.shape[0] * keep), : int(pixels.shape[1] * keep)].copy()


def _pasted(pixels: Pixels, other: Pixels, side: float) -> Pixels:
    changed = pixels.copy()
    height, width = (int(length * side) for length in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 3, (pixels.shape[1] - width) // 3
    changed[top : top + height, left : left + width] = other[top : top + height, left : left + width]
    return changed


CHANGES: Mapping[str, Callable[[Pixels, Pixels], Pixels]] = {
    "unchanged": lambda p, _: p,
    "gamma 0.5": lambda p, _: (255 * (p / 255.0) ** 0.5).astype(np.uint8),
    "strong contrast curve": lambda p, _: (255 / (1 + np.exp(-8 * (p / 255.0 - 0.5)))).astype(np.uint8),
    "grey": lambda p, _: np.repeat(p.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8),
    "mirrored": lambda p, _: p[:, ::-1].copy(),
    "corner of 95 % of each side": lambda p, _: _cropped(p, 0.95),
    "corner of 80 %": lambda p, _: _cropped(p, 0.8),
    "corner of 60 %": lambda p, _: _cropped(p, 0.6),
    "20 % of each side pasted": lambda p, o: _pasted(p, o, 0.2),
    "30 % pasted": lambda p, o: _pasted(p, o, 0.3),
    "50 % pasted": lambda p, o: _pasted(p, o, 0.5),
    "another picture": lambda p, o: o,
}


def _thumbnails(paths: list[Path]) -> Table:
    """Photographs of exif-samples, changed after a thumbnail was made of them."""
    pictures = [pixels for path in paths if max((pixels := load_rgb(path)).shape) >= 450]
    rows = []
    for name, change in CHANGES.items():
        found = []
        for index, picture in enumerate(pictures):
            other = pictures[(index + 7) % len(pictures)]
            other = np.asarray(cv2.resize(other, (picture.shape[1], picture.shape[0])), np.uint8)
            fit = likeness.compare(change(picture, other), _small(picture))
            found += [fit] if fit is not None else []
        flagged = sum(fit.correlation < DIFFERENT or fit.worst >= REGION for fit in found) / len(found)
        lowest, middle = min(f.correlation for f in found), float(np.median([f.correlation for f in found]))
        rows.append((name, len(found), lowest, middle, max(f.worst for f in found), flagged))
    columns = (
        "picture after its thumbnail was made",
        "pictures",
        "lowest correlation",
        "median",
        "worst region",
        "flagged",
    )
    note = (
        "The thumbnails are made here, from the photographs of exif-samples, on which the thresholds were also chosen. "
        "Some of the pictures show one scene: those are the 'another picture' that is not flagged."
    )
    return Table("Structure: thumbnail against picture", columns, rows, note=note)
