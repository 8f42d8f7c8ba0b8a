"""The luma plane as stored: its table, and its boxes turned upright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from deepscan.errors import UnreadableError
from deepscan.media.luma import Luma, luma_of, read_luma
from deepscan.types import Box
from tests import media_factory as media


def test_a_jpeg_gives_its_own_luma_and_table(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    media.picture((64, 48)).save(path, quality=75, subsampling=2)
    luma = read_luma(path)
    assert luma is not None
    assert luma.plane.shape == (48, 64)
    assert luma.table is not None
    assert luma.table[:4] == (8, 6, 5, 8)  # row by row, not in zigzag order
    assert luma.table[8] == 6
    assert np.abs(luma.plane.astype(int) - luma_of(np.asarray(Image.open(path).convert("RGB"))).plane).mean() < 1


@pytest.mark.parametrize(("mode", "stored"), [("L", True), ("RGB", True), ("CMYK", False)])
def test_only_luma_counts(tmp_path: Path, mode: str, stored: bool) -> None:
    path = tmp_path / "a.jpg"
    media.picture((64, 48)).convert(mode).save(path)
    assert (read_luma(path) is not None) is stored


def test_red_green_blue_has_no_luma(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    media.picture((64, 48)).save(path, keep_rgb=True)
    assert read_luma(path) is None


def test_a_cut_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError):
        read_luma(media.write_truncated_jpeg(tmp_path))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_follow_the_orientation(orientation: int) -> None:
    plane = np.zeros((30, 50), np.uint8)
    plane[5:12, 20:23] = 255
    stored = Image.fromarray(plane)
    exif = stored.getexif()
    exif[0x0112] = orientation
    stored.info["exif"] = exif.tobytes()
    upright = np.asarray(ImageOps.exif_transpose(stored))
    rows, columns = np.nonzero(upright)
    expected = Box(int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    assert Luma(plane, orientation).upright(Box(20, 5, 3, 7)) == expected
