"""Copy-move: copies are found with their transform; what is only alike is not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from deepscan.checks.base import NotApplicableError
from deepscan.checks.cloning.effort import FULL, QUICK, Effort
from deepscan.checks.cloning.picture import GreyPicture, fine_detail, prepare
from deepscan.checks.cloning.search import Copy, find_copies
from deepscan.checks.cloning.shifts import find_shifts
from deepscan.checks.cloning.transform import apply, describe, fit_affine, fit_similarity
from deepscan.checks.copy_move import COPY_MOVE, MIN_SIDE, SCALED_DOWN, CopyMove
from deepscan.types import Box, Level, PointsTo
from tests import media_factory as media
from tests.benchmarks.forgeries import saved
from tests.fake_subject import FakeSubject

Pixels = NDArray[np.uint8]
HEIGHT, WIDTH = 360, 480
SOURCE, TARGET, RADIUS = (120, 130), (340, 220), 42


def scene(seed: int = 0, noise: float = 2.0) -> Pixels:
    """Structure of many sizes, smoother to the right, with a camera's noise."""
    rng = np.random.default_rng(seed)
    grey = np.full((HEIGHT, WIDTH), 120.0)
    for spread in (1.2, 3.0, 8.0, 25.0):
        grain = cv2.GaussianBlur(rng.normal(size=(HEIGHT, WIDTH)), (0, 0), spread)
        grey += 16 * grain / grain.std() * (0.4 + 0.6 * np.linspace(1, 0, WIDTH))
    return recorded(np.repeat(grey[..., None], 3, axis=2), noise, seed)


def recorded(picture: NDArray[np.float64], noise: float, seed: int) -> Pixels:
    rng = np.random.default_rng(seed + 1000)
    return np.clip(np.round(picture + rng.normal(0, noise, picture.shape)), 0, 255).astype(np.uint8)


def pasted(picture: Pixels, turn: float = 0.0, scale: float = 1.0, *, mirrored: bool = False) -> Pixels:
    """The disc at SOURCE once more at TARGET."""
    matrix = cv2.getRotationMatrix2D((0, 0), -turn, scale)
    if mirrored:
        matrix[:, 0] *= -1
    matrix[:, 2] = np.array(TARGET) - matrix[:, :2] @ np.array(SOURCE)
    disc = cv2.circle(np.zeros(picture.shape[:2], np.float32), SOURCE, RADIUS, 1.0, -1)
    size = (picture.shape[1], picture.shape[0])
    moved = cv2.warpAffine(picture.astype(np.float32), matrix, size, flags=cv2.INTER_CUBIC)
    alpha = cv2.warpAffine(disc, matrix, size)[..., None]
    return np.clip(np.round(picture * (1 - alpha) + moved * alpha), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("turn", "scale", "mirrored"), [(0.0, 1.0, False), (35.0, 1.0, False), (-10.0, 1.2, False), (0.0, 1.0, True)]
)
def test_a_copy_is_found_with_its_transform(turn: float, scale: float, *, mirrored: bool) -> None:
    copies = find_copies(prepare(pasted(scene(), turn, scale, mirrored=mirrored), FULL.pixels))
    assert len(copies) == 1
    (copy,) = copies
    middles = [np.array(np.nonzero(side)).mean(axis=1)[::-1] for side in (copy.first, copy.second)]
    forward = np.linalg.norm(middles[0] - SOURCE) < np.linalg.norm(middles[0] - TARGET)
    first, second = middles if forward else middles[::-1]
    assert np.linalg.norm(first - SOURCE) < 6
    assert np.linalg.norm(second - TARGET) < 6
    motion = describe(copy.region.matrix, middles[0])
    assert motion.mirrored is mirrored
    assert motion.scale == pytest.approx(scale if forward else 1 / scale, abs=0.02)
    if not mirrored:
        assert motion.rotation == pytest.approx(turn if forward else -turn, abs=1)


def test_the_mask_covers_both_regions_and_little_else() -> None:
    (copy,) = find_copies(prepare(pasted(scene()), FULL.pixels))
    wanted = np.zeros((HEIGHT, WIDTH), np.uint8)
    for middle in (SOURCE, TARGET):
        cv2.circle(wanted, middle, RADIUS, 1, -1)
    found = copy.first | copy.second
    overlap = 2 * (found & (wanted > 0)).sum() / (found.sum() + wanted.sum())
    assert overlap > 0.8


@pytest.mark.parametrize("seed", [1, 2])
def test_a_picture_without_copies_is_silent(seed: int) -> None:
    assert find_copies(prepare(scene(seed), FULL.pixels)) == []


def patterns() -> dict[str, NDArray[np.float64]]:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    rng = np.random.default_rng(4)
    tile = np.clip(128 + 500 * cv2.GaussianBlur(rng.normal(size=(60, 60)), (0, 0), 2), 0, 255)
    cropped = (x % 80 > 20) & (x % 80 < 60) & (y % 90 > 20) & (y % 90 < 70) & (x % 20 > 2)
    return {
        "brick": 140 - 60.0 * ((y % 32 < 4) | ((x + 32 * (y // 32 % 2)) % 64 < 4)),
        "windows": 90 + 100.0 * cropped,
        "tiles": np.tile(tile, (6, 8)),
        "checkers": (x // 16 + y // 16) % 2 * 200 + 20,
        "sky": 200 - 60 * y / HEIGHT,
    }


@pytest.mark.parametrize("name", ["brick", "windows", "tiles", "checkers", "sky"])
@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_patterns_are_silent(name: str, noise: float) -> None:
    picture = recorded(np.repeat(patterns()[name][..., None], 3, axis=2), noise, 7)
    assert find_copies(prepare(picture, FULL.pixels)) == []


def test_a_reflection_that_meets_its_original_is_silent() -> None:
    upper = scene(5)[: HEIGHT // 2]
    assert find_copies(prepare(np.vstack([upper, upper[::-1]]), FULL.pixels)) == []


def test_screenshots_are_silent() -> None:
    page = np.full((HEIGHT, WIDTH, 3), 245, np.uint8)
    for line in range(14):
        cv2.putText(page, "Settled settings", (10, 20 + 24 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1)
    assert find_copies(prepare(page, FULL.pixels)) == []


def test_the_finding_has_boxes_transform_and_exhibits(tmp_path: Path) -> None:
    path = media.write_png(tmp_path, image=Image.fromarray(pasted(scene())))
    subject = FakeSubject(path, keeps_exhibits=True)
    (finding,) = CopyMove().run(subject).findings
    assert (finding.code, finding.level, finding.points_to) == (COPY_MOVE, Level.MODERATE, PointsTo.EDITED)
    assert finding.summary.endswith(".")
    boxes = [e.where.box for e in finding.evidence if e.where is not None]
    wanted = {Box(x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS) for x, y in (SOURCE, TARGET)}
    for box in boxes:
        assert box is not None
        assert any(abs(box.x - w.x) < 10 and abs(box.y - w.y) < 10 and abs(box.width - w.width) < 20 for w in wanted)
    assert subject.stored.keys() == {"copy-move", "copy-move-mask"}
    assert subject.stored["copy-move-mask"].shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("quality", [None, 75])
@pytest.mark.parametrize("shade", [255, 40])
def test_a_page_of_dense_text_is_no_copy(shade: int, quality: int | None) -> None:
    """Letters and whole words stand in many places alike, also with the noise of a photographed page."""
    words = [
        "the",
        "quick",
        "brown",
        "fox",
        "jumps",
        "over",
        "the",
        "lazy",
        "dog",
        "while",
        "one",
        "word",
        "stands",
        "in",
        "many",
        "lines",
    ]
    rng = np.random.default_rng(shade)
    page = Image.new("L", (640, 480), shade)
    pen = ImageDraw.Draw(page)
    for line in range(32):
        pen.text((8, 4 + 15 * line), " ".join(rng.choice(words, 17)), fill=255 - shade, font=ImageFont.load_default(13))
    plain = np.repeat(np.asarray(page)[..., None], 3, axis=2)
    for picture in (plain, recorded(plain * 0.8 + 20.0, 2.0, shade)):
        seen = picture if quality is None else saved(picture, quality)
        assert find_copies(prepare(seen, FULL.pixels)) == []


def test_boxes_are_in_pixels_of_the_original(tmp_path: Path) -> None:
    large = np.asarray(cv2.resize(pasted(scene()), None, fx=4.0, fy=4.0, interpolation=cv2.INTER_CUBIC), np.uint8)
    path = media.write_png(tmp_path, image=Image.fromarray(large))
    found, scaled_down = CopyMove().run(FakeSubject(path)).findings
    assert (scaled_down.code, scaled_down.level) == (SCALED_DOWN, Level.INFO)
    boxes = [e.where.box for e in found.evidence if e.where is not None]
    assert len(boxes) == 2
    for box in boxes:
        assert box is not None
        assert box.width == pytest.approx(8 * RADIUS, rel=0.2)


def test_a_large_picture_is_searched_as_others_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    efforts: list[Effort] = []

    def note(_: GreyPicture, effort: Effort) -> list[Copy]:
        efforts.append(effort)
        return []

    monkeypatch.setattr("deepscan.checks.copy_move.find_copies", note)
    path = media.write_png(tmp_path, size=(1600, 1000))
    assert [finding.code for finding in CopyMove().run(FakeSubject(path)).findings] == [SCALED_DOWN]
    assert CopyMove(thorough=True).run(FakeSubject(path)).findings == ()
    assert efforts == [QUICK, FULL]


@pytest.mark.parametrize(("effort", "side"), [(FULL, 44), (QUICK, 60)])
def test_a_small_copy_in_a_large_window_is_found_by_its_grain(effort: Effort, side: int) -> None:
    """Without keypoints: a part moved by whole pixels over noise that nothing else repeats."""
    rng = np.random.default_rng(11)
    plane = (120 + 12 * cv2.GaussianBlur(rng.normal(size=(400, 500)), (0, 0), 0.8)).astype(np.float32)
    plane[230 : 230 + side, 330 : 330 + side] = plane[61 : 61 + side, 73 : 73 + side]
    picture = GreyPicture(plane, fine_detail(plane), 1.0)
    (best, *_) = find_shifts(picture, 16, effort)
    assert (best.matrix[:, 2] == (257, 169)).all()
    x, y = best.points[0]
    assert 73 <= x <= 73 + side
    assert 61 <= y <= 61 + side


def test_the_same_picture_gives_the_same_answer(tmp_path: Path) -> None:
    path = media.write_png(tmp_path, image=Image.fromarray(pasted(scene(6), 20)))
    assert CopyMove().run(FakeSubject(path)).findings == CopyMove().run(FakeSubject(path)).findings


def test_small_pictures_do_not_apply(tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError, match=str(MIN_SIDE)):
        CopyMove().run(FakeSubject(media.write_png(tmp_path, size=(256, 256))))


def test_transforms_are_fitted_and_described() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (20, 2))
    turned = np.array([[0.0, -1.5, 7.0], [1.5, 0.0, -3.0]])
    for fitted in (
        fit_similarity(points, apply(turned, points), mirrored=False),
        fit_affine(points, apply(turned, points)),
    ):
        assert np.allclose(fitted, turned)
    motion = describe(turned, np.zeros(2))
    assert (motion.rotation, motion.scale) == pytest.approx((90, 1.5))
    assert not motion.mirrored
    flipped = np.array([[-1.0, 0.0, 7.0], [0.0, 1.0, 0.0]])
    assert np.allclose(fit_similarity(points, apply(flipped, points), mirrored=True), flipped)
    assert describe(flipped, np.zeros(2)).mirrored
