"""Double compression, in scenes that the tests save once and twice."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deepscan.checks.base import NotApplicableError
from deepscan.checks.compression import blocks, doubling
from deepscan.checks.compression.doubling import FREQUENCIES, LAST, QUALITIES, SCALES, histograms, rounded_twice
from deepscan.checks.compression.tables import luma_table
from deepscan.checks.double_jpeg import TWICE, DoubleJpeg
from deepscan.types import Finding, Level, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject
from tests.unit.checks.test_jpeg_grid import scene


def picture(seed: int = 0) -> Image.Image:
    """Colours with the spectrum of a photograph."""
    return Image.fromarray(np.stack([scene(seed), scene(seed + 1), scene(seed)], axis=-1))


def again(image: Image.Image, quality: int, **options: Any) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, **options)
    return Image.open(buffer).convert("RGB")


def findings(path: Path, image: Image.Image, **options: Any) -> tuple[Finding, ...]:
    image.save(path, **options)
    return DoubleJpeg().run(FakeSubject(path)).findings


@pytest.mark.parametrize(("first", "last"), [(60, 70), (75, 90), (85, 95), (60, 95), (70, 100)])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_coarser_first_save_is_found(tmp_path: Path, first: int, last: int, subsampling: int) -> None:
    twice = again(picture(), first)
    (found,) = findings(tmp_path / "a.jpg", twice, quality=last, subsampling=subsampling)
    assert (found.code, found.level, found.points_to) == (TWICE, Level.INFO, PointsTo.NEITHER)
    quality = found.evidence[0].value
    assert isinstance(quality, int)
    assert abs(quality - first) <= 1


def test_a_finer_first_save_is_found(tmp_path: Path) -> None:
    (found,) = findings(tmp_path / "a.jpg", again(picture(), 85), quality=80)
    assert "finer" in found.summary


@pytest.mark.parametrize("quality", [30, 50, 60, 75, 85, 90, 95, 98, 100])
@pytest.mark.parametrize("seed", [0, 2])
def test_one_save_is_silent(tmp_path: Path, quality: int, seed: int) -> None:
    assert findings(tmp_path / "a.jpg", picture(seed), quality=quality) == ()


def test_one_save_with_a_table_of_its_own_is_silent(tmp_path: Path) -> None:
    odd = [[3 + index // 4 for index in range(64)], [5 + index // 2 for index in range(64)]]
    assert findings(tmp_path / "a.jpg", picture(), qtables=odd) == ()
    (found,) = findings(tmp_path / "a.jpg", again(picture(), 60), qtables=odd)
    assert found.evidence[0].value == 60


def test_the_same_quality_twice_is_silent(tmp_path: Path) -> None:
    assert findings(tmp_path / "a.jpg", again(picture(), 80), quality=80) == ()


@pytest.mark.parametrize("image", [Image.new("RGB", (256, 256), (90, 90, 90)), Image.new("RGB", (256, 256))])
def test_a_flat_picture_is_not_applicable(tmp_path: Path, image: Image.Image) -> None:
    with pytest.raises(NotApplicableError, match="too flat"):
        findings(tmp_path / "a.jpg", image)


def test_a_small_picture_is_not_applicable(tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError, match="too small"):
        findings(tmp_path / "a.jpg", picture().crop((0, 0, 60, 200)))


def test_colours_without_luma_are_not_applicable(tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError, match="no luma"):
        findings(tmp_path / "a.jpg", picture().convert("CMYK"))


def test_other_containers_are_not_asked(tmp_path: Path) -> None:
    assert "PNG" in (DoubleJpeg().why_not(FakeSubject(media.write_png(tmp_path)).item) or "")


def test_tables_are_those_of_the_encoder(tmp_path: Path) -> None:
    for quality in (1, 40, 50, 75, 96, 100):
        with Image.open(_saved(tmp_path, quality)) as image:
            assert tuple(image.quantization[0]) == luma_table(quality)  # type: ignore[attr-defined]


def _saved(folder: Path, quality: int) -> Path:
    picture().save(folder / "a.jpg", quality=quality)
    return folder / "a.jpg"


@pytest.mark.parametrize(("first", "step"), [(1, 1), (7, 7), (13, 4), (3, 16), (121, 1), (1, 121)])
def test_chances_add_up_to_one(first: int, step: int) -> None:
    assert np.allclose(rounded_twice(first, step).sum(axis=1), 1, atol=1e-6)


def test_a_coarse_first_step_leaves_gaps() -> None:
    chances = rounded_twice(12, 4)[len(SCALES) // 2]
    assert chances[[0, 3, 6]].sum() > 0.99 * chances[:8].sum()


def test_frequencies_are_the_first_of_the_zigzag() -> None:
    assert FREQUENCIES[:6] == ((0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3))
    assert len(set(FREQUENCIES)) == len(FREQUENCIES) == 20


def test_the_transform_is_that_of_jpeg() -> None:
    import cv2

    block = np.random.default_rng(0).integers(0, 256, (8, 8)).astype(np.float32)
    assert np.allclose(blocks.BASIS @ block @ blocks.BASIS.T, cv2.dct(block), atol=1e-3)


def test_histograms_count_the_rounded_coefficients_of_blocks_that_are_not_clipped() -> None:
    import cv2

    plane = scene()[:32, :48].copy()
    plane[:8, :8] = 255
    table = luma_table(80)
    wanted = np.zeros((len(FREQUENCIES), LAST + 1), int)
    for top in range(0, 32, 8):
        for left in range(0, 48, 8):
            block = plane[top : top + 8, left : left + 8]
            if block.min() > 0 and block.max() < 255:
                coefficients = cv2.dct(block.astype(np.float32))
                for row, (v, u) in enumerate(FREQUENCIES):
                    wanted[row, min(LAST, abs(round(coefficients[v, u] / table[8 * v + u])))] += 1
    assert (histograms(plane, table) == wanted).all()


@pytest.mark.parametrize("least", [0, 1])
def test_each_first_quality_has_its_own_chances_at_each_frequency(least: int) -> None:
    steps = tuple(luma_table(75)[8 * v + u] for v, u in FREQUENCIES)
    frequencies, places = doubling._cases()
    chances = doubling._hypotheses(steps, least)
    for row, quality in ((0, QUALITIES[0]), (-1, QUALITIES[-1])):
        for number, (v, u) in enumerate(FREQUENCIES):
            assert frequencies[places[row, number]] == number
            wanted = rounded_twice(luma_table(quality)[8 * v + u], steps[number])[:, least:]
            assert np.allclose(chances[places[row, number]], wanted / wanted.sum(axis=1, keepdims=True))


def test_frequencies_without_any_value_say_nothing_for_or_against_a_first_save() -> None:
    counts = np.zeros((len(FREQUENCIES), LAST + 1), np.int64)
    counts[:10, :4] = (500, 300, 150, 50)
    steps = tuple(luma_table(75)[8 * v + u] for v, u in FREQUENCIES)
    chances = np.stack([rounded_twice(step, step) for step in steps])
    fits, shares = doubling._fit(counts, chances, doubling.ROUNDS)
    assert (fits[10:] == 0).all()
    assert (fits[:10] < 0).all()
    assert np.allclose(shares.sum(axis=2), 1)
