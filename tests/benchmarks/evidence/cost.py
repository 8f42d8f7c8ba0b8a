"""What each check costs: processor time on generated pictures, beside one decode and one JPEG encode of the same."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from PIL import Image

from deepscan.checks.base import BatchCheck, CheckSpec, NotApplicableError
from deepscan.checks.catalogue import SPECS, Kit, build
from deepscan.config import ScanOptions
from deepscan.engine.stages import Stages
from deepscan.engine.subject import FileSubject
from deepscan.media.discover import Candidate
from deepscan.media.faces import HaarFinder
from deepscan.media.frames import Pixels
from deepscan.media.identify import identify
from deepscan.types import Family, MediaItem
from tests.benchmarks.table import Table

MOST = 5.0
"""Times one decode and one encode that all default checks on a large picture may take."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A generated picture, how it is stored, and how often it is measured."""

    name: str
    width: int
    height: int
    quality: int
    rounds: int


_CASES = (_Case("face of 256 x 256 pixels", 256, 256, 75, 20), _Case("photograph of 4000 x 3000", 4000, 3000, 90, 3))


def tables(_data: Path) -> Iterable[Table]:
    """One table for each size. Processor time of all threads, so a busy machine changes little."""
    with tempfile.TemporaryDirectory() as folder:
        for case in _CASES:
            yield _table(case, Path(folder))


def _table(case: _Case, folder: Path) -> Table:
    path = folder / f"{case.width}.jpg"
    Image.fromarray(picture(case.width, case.height)).save(path, quality=case.quality)
    item = identify(Candidate(folder, PurePosixPath(path.name)), ScanOptions())
    assert isinstance(item, MediaItem)
    unit = min(_decode_and_encode(path, case.quality) for _ in range(case.rounds))
    specs = tuple(spec for spec in SPECS if spec.family is not Family.MODEL)
    rounds = [dict(_costs(item, specs)) for _ in range(case.rounds)]
    least = {name: min(costs[name] for costs in rounds) for name in rounds[0]}
    usual = sum(least.get(spec.id, 0.0) for spec in specs if spec.default)
    rows: list[tuple[object, ...]] = [("one decode and one encode", "", 1e3 * unit, 1.0)]
    rows += [(name, "yes" if _is_usual(name, specs) else "no", 1e3 * s, s / unit) for name, s in least.items()]
    rows.append(("all that run by default", "", 1e3 * usual, usual / unit))
    return Table(
        f"Processor time of the checks: {case.name}",
        ("check", "by default", "milliseconds", "decodes and encodes"),
        rows,
        f"at most {MOST:g} decodes and encodes for a large photograph" if case.rounds < 10 else "",
        usual <= MOST * unit if case.rounds < 10 else None,
        f"The least of {case.rounds} rounds. Decoding counts for the first check that asks for pixels.",
    )


def _is_usual(name: str, specs: tuple[CheckSpec, ...]) -> bool:
    return any(spec.id == name and spec.default for spec in specs)


def _costs(item: MediaItem, specs: tuple[CheckSpec, ...]) -> Iterator[tuple[str, float]]:
    """The seconds of each check that applies, on one subject that all of them share."""
    subject = FileSubject(item, ScanOptions(), HaarFinder(), None, Stages(lambda _: None, {}))
    for check in build(specs, Kit(ScanOptions())):
        assert not isinstance(check, BatchCheck)
        if check.why_not(item) is not None:
            continue
        started = time.process_time()
        with contextlib.suppress(NotApplicableError):  # finding that out is what it costs
            check.run(subject)
        yield check.spec.id, time.process_time() - started


def _decode_and_encode(path: Path, quality: int) -> float:
    started = time.process_time()
    with Image.open(path) as image:
        pixels = image.convert("RGB")
    pixels.save(io.BytesIO(), "JPEG", quality=quality)
    return time.process_time() - started


def picture(width: int, height: int) -> Pixels:
    """A photograph-like picture: colours with structure of all sizes, edges, shadows, and a sensor's noise."""
    rng = np.random.default_rng(7)
    plane = np.full((height, width, 3), 110.0, np.float32)
    cells = 3
    while cells < max(width, height):
        rough = rng.normal(0, 60 * (3 / cells) ** 0.75, (max(2, cells * height // width), cells, 3))
        plane += cv2.resize(rough.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        cells *= 3
    for _ in range(30):
        corners = (rng.normal(0, 0.1, (5, 2)) + rng.random(2)) * (width, height)
        shade = rng.normal(0, 25, 3)
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [corners.astype(np.int32)], 1)
        plane[mask > 0] += shade
    plane += rng.normal(0, 2.0, plane.shape).astype(np.float32)
    return np.clip(plane, 0, 255).astype(np.uint8)
