"""Known answers on compression: the grids of the ZERO files, and photographs that must stay silent."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from deepscan.checks.double_jpeg import DoubleJpeg
from deepscan.checks.jpeg_grid import DEVIANT, SHIFTED, JpegGrid
from deepscan.types import Box, CheckResult
from tests.fake_subject import FakeSubject

pytestmark = pytest.mark.corpus


def grid_of(path: Path) -> CheckResult:
    return JpegGrid().run(FakeSubject(path))


@pytest.mark.parametrize(
    ("name", "origin", "parts"),
    [
        ("roma.png", None, []),
        ("pelican.png", [6, 0], []),
        ("tampered1.png", None, [("part with its grid at (0, 0)", Box(104, 94, 50, 66))]),
        ("tampered2.png", [6, 0], [("part with its grid at (2, 4)", Box(330, 68, 72, 44))]),
        ("roma99.jpg", None, []),
        ("pelican99.jpg", [6, 0], []),
    ],
)
def test_grids_and_boxes(corpus: Path, name: str, origin: list[int] | None, parts: list[tuple[str, Box]]) -> None:
    found = {finding.code: finding for finding in grid_of(corpus / "forensics" / "tampered" / "ZERO" / name).findings}
    assert (found[SHIFTED].evidence[0].value if SHIFTED in found else None) == origin
    boxed = [e for e in found[DEVIANT].evidence if e.where is not None] if DEVIANT in found else []
    assert [(e.label, e.where.box) for e in boxed if e.where is not None] == parts


def test_untouched_photographs_have_one_grid(corpus: Path) -> None:
    folder = corpus / "forensics" / "tampered"
    with (folder / "expected.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["expected"] == "authentic"]
    names = [row["path"] for row in rows if not row["path"].startswith("ZERO")]
    assert len(names) > 20
    assert [name for name in names if grid_of(folder / name).findings] == []


def test_bsds_pairs_differ_by_a_second_save(corpus: Path) -> None:
    """Saved again at quality 75. Where the original is finer than that, the trace is weak, and silence is right too."""
    folder = corpus / "forensics" / "tampered" / "BSDS-exif-forged"
    originals = [DoubleJpeg().run(FakeSubject(path)).findings for path in sorted((folder / "original").iterdir())]
    assert len(originals) == 12
    assert not any(originals)
