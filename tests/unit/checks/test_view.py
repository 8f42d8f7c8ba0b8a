"""The small copy for the report: of the right frame, upright, with the size that boxes refer to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepscan.checks.base import NotApplicableError
from deepscan.checks.view import SIDE, VIEW, View
from deepscan.types import Level, PointsTo, Where
from tests.fake_subject import FakeSubject


def picture(folder: Path, width: int, height: int, orientation: int = 1) -> Path:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = folder / "picture.png"
    Image.fromarray(pixels).save(path, exif=exif)
    return path


def test_a_large_picture_is_reduced_and_its_own_size_is_stated(tmp_path: Path) -> None:
    subject = FakeSubject(picture(tmp_path, 2000, 1000), keeps_exhibits=True)
    (finding,) = View().run(subject).findings
    (evidence,) = finding.evidence
    assert (finding.code, finding.level, finding.points_to) == (VIEW, Level.INFO, PointsTo.NEITHER)
    assert evidence.value == {"width": 2000, "height": 1000}
    assert evidence.where == Where(0, None)
    assert evidence.exhibit == "exhibits/view.jpg"
    assert subject.stored["view"].shape == (SIDE // 2, SIDE, 3)
    assert subject.stored["view"][0, 0, 0] > subject.stored["view"][-1, 0, 0]


def test_a_small_picture_stays_as_it_is_and_is_turned_upright(tmp_path: Path) -> None:
    subject = FakeSubject(picture(tmp_path, 60, 40, orientation=6), keeps_exhibits=True)
    (finding,) = View().run(subject).findings
    assert subject.stored["view"].shape == (60, 40, 3)
    assert "40 x 60 pixels, upright" in finding.summary


def test_without_exhibits_there_is_no_copy(tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError, match="--exhibits"):
        View().run(FakeSubject(picture(tmp_path, 60, 40)))
