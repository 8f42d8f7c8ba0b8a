"""YuNet's finder around a detector that is made here: borders, scales, duplicates, views; boxes that finders share.

The weights cannot be fetched by tests: what the network itself finds is measured with tests/benchmarks/faces.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from deepscan.errors import CorruptPackError
from deepscan.media import yunet
from deepscan.media.face_boxes import clipped, shared
from deepscan.media.yunet import YuNetFinder
from deepscan.types import Box


class Bright:
    """Answers as ``cv2.FaceDetectorYN`` does, with a face wherever something is bright."""

    def __init__(self) -> None:
        self.size = (0, 0)
        self.extra: list[list[float]] = []

    def setInputSize(self, size: tuple[int, int]) -> None:
        self.size = size

    def detect(self, picture: np.ndarray) -> tuple[int, np.ndarray | None]:
        assert (picture.shape[1], picture.shape[0]) == self.size
        assert max(self.size) <= yunet.LONGEST + 2
        found, _, stats, _ = cv2.connectedComponentsWithStats((picture[..., 0] > 200).astype(np.uint8))
        rows = [face(*map(float, stats[i][:4])) for i in range(1, found)] + self.extra
        return len(rows), np.array(rows, np.float32) if rows else None


def face(x: float, y: float, width: float, height: float, *, nose: float = 0.5, score: float = 0.9) -> list[float]:
    eyes = x + 0.3 * width, x + 0.7 * width
    middle = eyes[0] + nose * (eyes[1] - eyes[0])
    row = [eyes[0], y + height / 3, eyes[1], y + height / 3, middle, y + height / 2]
    return [x, y, width, height, *row, eyes[0], y + 0.8 * height, eyes[1], y + 0.8 * height, score]


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> Bright:
    made = Bright()
    monkeypatch.setattr(yunet, "_detector", lambda model: made)
    return made


def picture(width: int, height: int, *boxes: Box) -> np.ndarray:
    pixels = np.zeros((height, width, 3), np.uint8)
    for box in boxes:
        pixels[box.y : box.y + box.height, box.x : box.x + box.width] = 255
    return pixels


@pytest.mark.parametrize("size", [(200, 160), (640, 480), (3000, 2000), (900, 3000)])
def test_boxes_come_back_in_pixels_of_the_picture(size: tuple[int, int], detector: Bright) -> None:
    width, height = size
    large = Box(width // 2, height // 3, width // 4, width // 5)
    small = Box(width // 10, height // 10, width // 8, width // 8)
    found = YuNetFinder(Path("x")).find(picture(width, height, small, large))
    assert [f.view for f in found] == ["frontal", "frontal"]
    for face_found, box in zip(found, (large, small), strict=True):
        for name in ("x", "y", "width", "height"):
            assert getattr(face_found.box, name) == pytest.approx(getattr(box, name), abs=max(3, max(size) / 200))
        assert face_found.cut == 0


def test_duplicates_are_merged_and_the_surest_kept(detector: Bright) -> None:
    # In pixels of the copy: 200 x 160 is not shrunk, and its border is 50 pixels wide.
    detector.extra = [face(70, 70, 40, 40, score=0.8), face(72, 71, 40, 42, score=0.95), face(140, 70, 40, 40)]
    found = YuNetFinder(Path("x")).find(picture(200, 160))
    assert [f.box for f in found] == [Box(22, 21, 40, 42), Box(90, 20, 40, 40)]


def test_views_cut_faces_and_what_is_no_number(detector: Bright) -> None:
    side = face(70, 70, 40, 40, nose=0.95)
    edge = face(30, 110, 40, 40)  # half of it in the border
    outside, broken = face(5, 5, 40, 40), [float("nan")] * 15
    detector.extra = [side, edge, outside, broken]
    found = {f.box.x: f for f in YuNetFinder(Path("x")).find(picture(200, 160))}
    assert found[20].view == "profile"
    assert found[0].cut == 0.5
    assert found[0].box == Box(0, 60, 20, 40)
    assert len(found) == 2
    assert YuNetFinder(Path("x")).find(picture(20, 200)) == ()


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "yunet.onnx").write_bytes(b"not a network")
    with pytest.raises(CorruptPackError, match="OpenCV cannot use"):
        YuNetFinder(tmp_path / "yunet.onnx").find(picture(100, 100))


def test_a_detector_that_fails_is_one_error(detector: Bright, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(picture: Any) -> Any:
        raise cv2.error("shapes do not match")

    monkeypatch.setattr(detector, "detect", fail)
    with pytest.raises(CorruptPackError, match="shapes do not match"):
        YuNetFinder(Path("x")).find(picture(100, 100))


@pytest.mark.parametrize(
    ("box", "expected", "cut"),
    [
        (Box(10, 10, 50, 50), Box(10, 10, 50, 50), 0.0),
        (Box(-10, 10, 50, 50), Box(0, 10, 40, 50), 0.2),
        (Box(80, 80, 40, 40), None, None),
        (Box(0, 0, 12, 12), None, None),
    ],
)
def test_boxes_are_clipped_and_say_how_much(box: Box, expected: Box | None, cut: float | None) -> None:
    found = clipped(box, "frontal", 100, 100)
    assert (found.box if found else None) == expected
    assert (found.cut if found else None) == cut


def test_shares_are_of_the_smaller_box() -> None:
    assert shared(Box(0, 0, 100, 100), Box(10, 10, 10, 10)) == 1
    assert shared(Box(0, 0, 10, 10), Box(5, 0, 10, 10)) == 0.5
    assert shared(Box(0, 0, 10, 10), Box(20, 20, 5, 5)) == 0
