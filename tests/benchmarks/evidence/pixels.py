"""Copy-move: real forgeries, forgeries made here by kind, false alarms, time; and what the maps' intensities tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score

from deepscan.checks import noise, resampling, spectrum
from deepscan.checks.cloning.effort import FULL, QUICK, Effort
from deepscan.checks.cloning.picture import prepare
from deepscan.checks.cloning.search import find_copies
from deepscan.checks.copy_move import MIN_SIDE
from deepscan.errors import MediaError
from deepscan.media.frames import Pixels
from deepscan.media.images import load_rgb
from tests.benchmarks.forgeries import KINDS, Mask, forge, saved
from tests.benchmarks.table import Table

EACH = 16
"""Forgeries made of each kind."""

MADE_PIXELS = 320_000

LARGE_SIDE = 2000
"""Pixels of the longer side of pictures that are searched as large ones are; what is larger finds as much."""

SHARES = (0.09, 0.13, 0.2)
"""Parts of such a picture's shorter side that the copied region is wide."""


def tables(data: Path) -> Iterable[Table]:
    """Real forgeries first; the whole takes some fifteen minutes on one core."""
    tampered = data / "forensics" / "tampered"
    yield _real(tampered / "CoMoFoD")
    authentic = list(_authentic(data / "forensics"))
    yield _made(authentic)
    yield _made_large(authentic)
    yield _false_alarms(authentic)
    yield _patterns()
    yield _maps(authentic)
    yield _cost()


def _search(picture: Pixels, effort: Effort = FULL) -> Mask | None:
    """The mask of all copies found, at the working size; None when there are none."""
    copies = find_copies(prepare(picture, effort.pixels), effort)
    return np.asarray(np.any([copy.first | copy.second for copy in copies], axis=0)) if copies else None


def _f1(found: Mask | None, wanted: Mask) -> float:
    return 0.0 if found is None else float(2 * (found & wanted).sum() / (found.sum() + wanted.sum()))


def _real(folder: Path) -> Table:
    rows: list[tuple[object, ...]] = []
    scores, alarms = [], 0
    for path in sorted((folder / "forged").glob("*.png")):
        with Image.open(folder / "mask" / path.name) as image:
            wanted = np.asarray(image.convert("L")) > 127
        score = _f1(_search(load_rgb(path)), wanted)
        alarm = _search(load_rgb(folder / "orig" / path.name)) is not None
        scores.append(score)
        alarms += alarm
        rows.append((path.stem, score, "finding" if alarm else "silent"))
    rows.append(("mean", float(np.mean(scores)), f"{alarms} of {len(scores)}"))
    return Table(
        "Copy-move on CoMoFoD",
        ("picture", "F1 of the mask (both regions)", "its original"),
        rows,
        "mean F1 >= 0.6, no finding on an original",
        float(np.mean(scores)) >= 0.6 and alarms == 0,
    )


def _authentic(forensics: Path) -> Iterator[tuple[str, Pixels]]:
    tampered = forensics / "tampered"
    paths = [
        *sorted((tampered / "CoMoFoD" / "orig").glob("*.png")),
        *sorted((tampered / "CASIA2" / "authentic").glob("*.jpg")),
        *sorted((tampered / "BSDS-exif-forged" / "original").glob("*.jpg")),
        tampered / "ZERO" / "roma.png",
        tampered / "ZERO" / "pelican.png",
        *sorted((forensics / "metadata" / "exif-samples").rglob("*.jp*g")),
    ]
    for path in paths:
        try:
            picture = load_rgb(path)
        except MediaError:
            continue
        if min(picture.shape[:2]) >= 250:
            yield path.parent.name, picture


def _made(authentic: list[tuple[str, Pixels]]) -> Table:
    rows = []
    for number, kind in enumerate(KINDS):
        scores = []
        for index in range(EACH):
            picture = _smaller(authentic[(index * 5 + number) % len(authentic)][1])
            forged, wanted = forge(picture, kind, 100 * number + index)
            scores.append(_f1(_search(forged), wanted))
        rows.append((kind, EACH, float(np.mean(np.array(scores) > 0.3)), float(np.mean(scores))))
    return Table(
        "Copy-move on forgeries made here",
        ("kind", "pictures", "found (F1 > 0.3)", "mean F1"),
        rows,
        note="Regions of 2 to 6 % of photographs of 0.3 megapixels, soft edges; what is missed counts as F1 0.",
    )


def _made_large(authentic: list[tuple[str, Pixels]]) -> Table:
    """Forgeries of photographs that are searched at QUICK's size, in which each has the detail of a larger one."""
    pictures = [picture for _, picture in authentic if picture.shape[0] * picture.shape[1] >= 0.8 * QUICK.pixels]
    rows: list[tuple[object, ...]] = []
    for kind in ("moved", "turned and scaled"):
        for share in SHARES:
            scores = []
            for seed, picture in enumerate(pictures):
                forged, wanted = forge(_large(picture, seed), kind, seed, share)
                scores.append(_f1_scaled(_search(saved(forged, 90), QUICK), wanted))
            rows.append((kind, f"{share:.0%}", len(scores), float(np.mean(np.array(scores) > 0.3)), np.mean(scores)))
    alarms = [
        folder for seed, (folder, picture) in enumerate(authentic) if _search(_large(picture, seed), QUICK) is not None
    ]
    rows.append(("untouched", "", len(authentic), len(alarms) / len(authentic), ""))
    return Table(
        "Copy-move in large photographs",
        ("kind", "width of the copy, of the shorter side", "pictures", "found (F1 > 0.3)", "mean F1"),
        rows,
        "at most 1 % findings on untouched ones",
        len(alarms) <= 0.01 * len(authentic),
        f"Photographs brought to {LARGE_SIDE} pixels with a sensor's noise, forged, and saved at JPEG 90.",
    )


def _large(picture: Pixels, seed: int) -> Pixels:
    """The picture with a longer side of :data:`LARGE_SIDE` and the noise of a camera."""
    zoom = LARGE_SIDE / max(picture.shape)
    way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=way)
    noise = np.random.default_rng(seed).normal(0, 2.0, scaled.shape)
    return np.clip(np.round(scaled + noise), 0, 255).astype(np.uint8)


def _f1_scaled(found: Mask | None, wanted: Mask) -> float:
    if found is None:
        return 0.0
    size = (found.shape[1], found.shape[0])
    return _f1(found, cv2.resize(wanted.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5)


def _smaller(picture: Pixels) -> Pixels:
    zoom = float(np.sqrt(picture.shape[0] * picture.shape[1] / MADE_PIXELS))
    if zoom <= 1.05:
        return picture
    size = (round(picture.shape[1] / zoom), round(picture.shape[0] / zoom))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _false_alarms(authentic: list[tuple[str, Pixels]]) -> Table:
    ways: dict[str, Callable[[Pixels], Pixels]] = {
        "as it is": lambda p: p,
        "0.3 megapixels": _smaller,
        "JPEG 60": lambda p: saved(_smaller(p), 60),
    }
    rows: list[tuple[object, ...]] = []
    alarms = 0
    for name, change in ways.items():
        found = [folder for folder, picture in authentic if _search(change(picture)) is not None]
        alarms += len(found)
        rows.append((name, len(authentic), len(found), ", ".join(sorted(set(found)))))
    return Table(
        "False alarms of copy-move on photographs",
        ("version", "pictures", "findings", "in"),
        rows,
        "at most 1 % findings",
        alarms <= 0.01 * len(ways) * len(authentic),
        f"Without the limit of {MIN_SIDE} pixels, which the check itself keeps.",
    )


def _patterns() -> Table:
    y, x = np.mgrid[0:512, 0:640].astype(np.float64)
    rng = np.random.default_rng(5)
    grass = 120 + sum(60 * cv2.GaussianBlur(rng.normal(size=x.shape), (0, 0), s) * s for s in (0.7, 1.5, 3))
    tile = np.clip(128 + 300 * cv2.GaussianBlur(rng.normal(size=(64, 64)), (0, 0), 1.5), 0, 255)
    kinds: dict[str, NDArray[np.float64]] = {
        "brick": 140 - 60.0 * ((y % 32 < 4) | ((x + 32 * (y // 32 % 2)) % 64 < 4)),
        "paving": 150 - 50.0 * (((y + 0.3 * x) % 48 < 3) | ((x - 0.3 * y) % 48 < 3)),
        "windows": 90 + 100.0 * ((x % 80 > 20) & (x % 80 < 60) & (y % 96 > 20) & (y % 96 < 76) & (x % 20 > 2)),
        "tiles": np.tile(tile, (8, 10)),
        "checkers": (x // 16 + y // 16) % 2 * 200 + 20,
        "sky": 200 - 60 * y / 512,
        "grass": grass,
    }
    rows = []
    for name, plane in kinds.items():
        found = total = 0
        for level in (0.0, 1.0, 3.0):
            grey = np.clip(np.round(plane + rng.normal(0, level, plane.shape)), 0, 255).astype(np.uint8)
            picture = np.repeat(grey[..., None], 3, axis=2)
            for version in (picture, saved(picture, 90), saved(picture, 60)):
                total += 1
                found += _search(version) is not None
        rows.append((name, total, found))
    none = not any(found for _, _, found in rows)
    return Table("False alarms of copy-move on patterns", ("pattern", "pictures", "findings"), rows, "none", none)


def _maps(authentic: list[tuple[str, Pixels]]) -> Table:
    pictures = [picture for _, picture in authentic if min(picture.shape[:2]) >= 330]
    rows: list[tuple[object, ...]] = []
    before = [resampling.measure(picture).peak for picture in pictures]
    for zoom in (0.8, 1.2, 1.5):
        after = [resampling.measure(_zoomed(picture, zoom)).peak for picture in pictures]
        rows.append(("resampling", f"scaled by {zoom} or not", len(pictures), _auc(before, after)))
    pairs = [(p, forge(_smaller(p), "turned and scaled", seed)[0]) for seed, p in enumerate(pictures)]
    measures: dict[str, Callable[[Pixels], float]] = {
        "noise": lambda p: noise.unevenness(noise.noise_levels(p)),
        "resampling": lambda p: resampling.measure(p).peak,
        "spectrum": lambda p: spectrum.measure(p).peak,
    }
    for name, measure in measures.items():
        original, forged = [measure(_smaller(p)) for p, _ in pairs], [measure(q) for _, q in pairs]
        rows.append((name, "a turned and scaled region pasted or not", len(pairs), _auc(original, forged)))
    return Table(
        "What the intensities of the maps tell",
        ("map", "question", "pairs", "AUC"),
        rows,
        note="They illustrate, they do not decide: 0.5 is chance.",
    )


def _zoomed(picture: Pixels, zoom: float) -> Pixels:
    return np.asarray(cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR), np.uint8)


def _auc(without: list[float], having: list[float]) -> float:
    return float(roc_auc_score([0] * len(without) + [1] * len(having), without + having))


def _cost() -> Table:
    rng = np.random.default_rng(1)
    rows = []
    for width, height in ((512, 512), (1280, 960), (4000, 3000)):
        coarse = rng.normal(size=(height // 4, width // 4)).astype(np.float32)
        plane = 120 + 60 * cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 2), (width, height)) * 4
        grey = np.clip(plane + rng.normal(0, 3, plane.shape), 0, 255).astype(np.uint8)
        picture = np.repeat(grey[..., None], 3, axis=2)
        started = time.perf_counter()
        _search(picture)
        rows.append((f"{width} x {height}", time.perf_counter() - started))
    return Table("Seconds of copy-move", ("picture", "seconds"), rows)
