"""Error level analysis: what it measures, what it draws, and that it never accuses."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from deepscan.checks import ela
from deepscan.checks.ela import BLOCK, CHECK, draw, error_levels, intensity_of
from deepscan.checks.exhibits import EXHIBIT_SIDE
from deepscan.media.luma import Luma, Plane, luma_of
from tests import media_factory as media
from tests.fake_subject import FakeSubject


def grey(size: tuple[int, int], seed: int = 0) -> Plane:
    return luma_of(media.pixels(size, seed=seed, noise=24)).plane


def saved(plane: Plane, quality: int) -> Plane:
    held = io.BytesIO()
    Image.fromarray(plane).save(held, "JPEG", quality=quality)
    return np.asarray(Image.open(held))


def test_a_part_that_was_not_saved_before_stands_out() -> None:
    picture = saved(saved(grey((256, 192)), 90), 90).copy()
    picture[64:128, 96:160] = grey((64, 64), seed=5)
    levels = error_levels(picture).map
    assert levels.shape == (192 // BLOCK, 256 // BLOCK)
    inside, outside = levels[8:16, 12:20], np.delete(levels, np.s_[7:17], axis=0)
    assert np.median(inside) > 2 * np.median(outside)


@pytest.mark.parametrize("size", [(160, 120), (3000, 500), (64, 2000), (65, 64)])
def test_the_map_keeps_the_shape_of_the_picture_and_fits_the_report(size: tuple[int, int]) -> None:
    width, height = size
    plane = grey(size)
    exhibit = draw(error_levels(plane), Luma(plane))
    drawn = exhibit[:-40]
    assert max(drawn.shape[:2]) <= EXHIBIT_SIDE
    assert drawn.shape[1] / drawn.shape[0] == pytest.approx(width / height, rel=0.15)
    assert exhibit.dtype == np.uint8
    assert drawn.std() > 5


def test_a_picture_without_any_change_is_drawn_too() -> None:
    luma = Luma(np.full((128, 128), 128, np.uint8))
    levels = error_levels(luma.plane)
    assert intensity_of(levels.percentile(99)) == 0
    assert draw(levels, luma).shape[2] == 3


def test_spaced_blocks_change_as_the_whole_picture_does(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = grey((BLOCK * 64 + 5, BLOCK * 48 + 3))
    whole = error_levels(plane)
    monkeypatch.setattr(ela, "WHOLE_PIXELS", plane.size // 3)
    spaced = error_levels(plane)
    assert (whole.step, spaced.step) == (1, 2)
    assert np.allclose(spaced.map, whole.map[::2, ::2], atol=1e-4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_map_is_shown_as_the_picture_is(tmp_path: Path, orientation: int) -> None:
    """Noise in the upper right corner of the picture as stored is bright where viewers show that corner."""
    plane = np.full((128, 192), 128, np.uint8)
    plane[:64, 96:] = np.random.default_rng(1).integers(90, 166, (64, 96))
    path = tmp_path / "a.jpg"
    Image.fromarray(plane).save(path, quality=85, exif=media.exif(orientation=orientation))
    subject = FakeSubject(path, keeps_exhibits=True)
    CHECK.run(subject)
    shown = subject.reading().frames[0].pixels[..., 0]
    drawn = subject.stored["ela"][:-40].mean(axis=2)
    assert (drawn.shape[0] > drawn.shape[1]) == (shown.shape[0] > shown.shape[1])
    quarter = [np.unravel_index(np.argmax(_quarters(values)), (2, 2)) for values in (drawn, _roughness(shown))]
    assert quarter[0] == quarter[1]


def _quarters(values: NDArray[np.float64]) -> list[float]:
    return [float(part.mean()) for half in np.array_split(values, 2) for part in np.array_split(half, 2, axis=1)]


def _roughness(values: media.Pixels) -> NDArray[np.float64]:
    return np.asarray(np.abs(values.astype(np.float64) - 128), np.float64)


@pytest.mark.slow
def test_twelve_megapixels_take_no_longer_than_they_may() -> None:
    plane = np.tile(grey((500, 500)), (6, 8))
    error_levels(plane)
    started = time.process_time()
    error_levels(plane)
    # 0.015 s on the machine it was written on; the rest is for busy machines.
    assert time.process_time() - started < 0.2
