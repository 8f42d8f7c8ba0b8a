"""The grid of JPEG blocks, in pictures that the tests crop, paste and enlarge themselves."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from deepscan.checks.base import NotApplicableError
from deepscan.checks.compression import grid, votes
from deepscan.checks.jpeg_grid import DEVIANT, IN_BANDS, MAX_PIXELS, SHIFTED, JpegGrid, find_grids, middle
from deepscan.media.luma import Plane
from deepscan.types import Box, Finding, Level, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject
from tests.media_factory import exif


def scene(seed: int = 0, side: int = 256) -> Plane:
    """Grey noise with the spectrum of a photograph, shape (side, side) uint8."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(
            rng.normal(0, 6 * 2**level, (max(2, side >> level),) * 2), (side, side), interpolation=cv2.INTER_CUBIC
        )
        for level in range(6)
    ]
    total = np.sum(layers, axis=0)
    return np.asarray(np.clip(128 + total / total.std() * 40, 1, 254), np.uint8)


def jpeg(plane: Plane, quality: int = 70) -> Plane:
    buffer = io.BytesIO()
    Image.fromarray(plane).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def findings(path: Path, plane: Plane, **options: Any) -> tuple[Finding, ...]:
    Image.fromarray(plane).save(path, **options)
    return JpegGrid().run(FakeSubject(path)).findings


def test_a_picture_that_was_never_jpeg_has_no_grid(tmp_path: Path) -> None:
    assert find_grids(scene()).wide == ()
    assert findings(tmp_path / "a.png", scene()) == ()


def test_a_saved_jpeg_has_its_grid_in_the_corner_and_nothing_is_said(tmp_path: Path) -> None:
    (main,) = find_grids(jpeg(scene())).wide
    assert (main.x, main.y) == (0, 0)
    assert findings(tmp_path / "a.jpg", scene(), quality=80) == ()


@pytest.mark.parametrize(("left", "top"), [(3, 0), (0, 5), (6, 7)])
def test_a_cropped_jpeg_is_told_with_its_offset(tmp_path: Path, left: int, top: int) -> None:
    (found,) = findings(tmp_path / "a.png", jpeg(scene())[top:, left:])
    assert (found.code, found.level, found.points_to) == (SHIFTED, Level.INFO, PointsTo.NEITHER)
    assert found.evidence[0].value == [-left % 8, -top % 8]


@pytest.mark.parametrize("quality", [98, 99])
def test_a_cropped_jpeg_saved_finely_again_is_told_as_one_and_not_as_a_paste(tmp_path: Path, quality: int) -> None:
    (found,) = findings(tmp_path / "a.jpg", jpeg(scene(), 60)[3:, 2:], quality=quality)
    assert found.code == SHIFTED
    assert found.evidence[0].value == [6, 5]
    assert "saved as JPEG again" in found.summary


def pasted() -> Plane:
    """A JPEG with a part of another one, 80 x 64 pixels at (90, 101), whose grid lies at (2, 5)."""
    picture = jpeg(scene()).copy()
    picture[101:165, 90:170] = jpeg(scene(1))[40:104, 32:112]
    return picture


def test_a_pasted_part_is_found_with_its_box_and_grid(tmp_path: Path) -> None:
    (found,) = findings(tmp_path / "a.png", pasted())
    assert (found.code, found.level, found.points_to) == (DEVIANT, Level.MODERATE, PointsTo.EDITED)
    where = found.evidence[0].where
    assert where is not None
    assert where.box == Box(90, 101, 80, 64)
    assert found.evidence[0].label == "part with its grid at (2, 5)"


def test_the_box_is_that_of_the_picture_shown_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    found = findings(path, pasted(), quality=98, exif=exif(orientation=6))
    where = found[0].evidence[0].where
    assert where is not None
    assert where.box is not None
    # Turned by 90 degrees to the right: x' = 256 - (y + height), y' = x.
    assert abs(where.box.x - (256 - 165)) <= 8
    assert abs(where.box.y - 90) <= 8
    assert abs(where.box.width - 64) <= 12
    assert abs(where.box.height - 80) <= 12


def test_an_exhibit_comes_with_its_words(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(pasted()).save(path)
    subject = FakeSubject(path, keeps_exhibits=True)
    (found,) = JpegGrid().run(subject).findings
    assert set(subject.stored) == {"jpeg_grid"}
    assert {"what to look for", "what to ignore"} <= {evidence.label for evidence in found.evidence}


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_an_enlarged_picture_is_not_told(tmp_path: Path, factor: int) -> None:
    small = scene(side=256 // factor * 2)
    large = np.asarray(cv2.resize(small, None, fx=factor, fy=factor), np.uint8)
    assert not any(finding.code == DEVIANT for finding in findings(tmp_path / "a.png", large))


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_has_no_votes(value: int) -> None:
    assert (votes.cast_votes(np.full((80, 100), value, np.uint8)) == votes.NO_VOTE).all()


def test_votes_do_not_depend_on_the_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = jpeg(scene())[3:, 1:]
    whole = votes.cast_votes(plane)
    monkeypatch.setattr(votes, "_STRIP_PIXELS", 13 * plane.shape[1])
    monkeypatch.setattr(votes, "_AT_ONCE", 70)
    assert (votes.cast_votes(plane) == whole).all()


def test_a_small_picture_is_not_applicable(tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError, match="too small"):
        findings(tmp_path / "a.png", scene()[:63, :200])


@pytest.mark.parametrize("shape", [(4000, 7000), (100, 400_000), (400_000, 100)])
def test_of_a_large_picture_the_middle_is_examined(shape: tuple[int, int]) -> None:
    plane, (left, top) = middle(np.zeros(shape, np.uint8))
    assert plane.size <= MAX_PIXELS
    assert min(plane.shape) >= 64
    assert left % 8 == top % 8 == 0
    assert left + plane.shape[1] <= shape[1]
    assert top + plane.shape[0] <= shape[0]


@pytest.mark.parametrize("write", [media.write_webp, media.write_avif, media.write_heic, media.write_gif])
def test_codings_with_grids_of_their_own_are_not_asked(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    assert "none is looked for" in (JpegGrid().why_not(FakeSubject(write(tmp_path)).item) or "")


def large(part: int) -> Plane:
    """A JPEG of 1,250 x 1,300 pixels with a part of another one, ``part`` pixels high and twice as wide."""
    picture = jpeg(scene(3, 1300)[:1250]).copy()
    if part:
        picture[501 : 501 + part, 402 : 402 + 2 * part] = jpeg(scene(1))[:part, : 2 * part]
    return picture


def test_of_a_large_picture_bands_are_asked_and_the_result_says_so(tmp_path: Path) -> None:
    (found,) = findings(tmp_path / "a.png", large(0))
    assert (found.code, found.level, found.points_to) == (IN_BANDS, Level.INFO, PointsTo.NEITHER)
    step = found.evidence[0].value
    assert isinstance(step, int)
    assert step % 8 == 0
    assert f"one in every {step}" in found.summary


def test_a_part_that_a_band_meets_is_found_with_all_of_its_votes(tmp_path: Path) -> None:
    (found,) = findings(tmp_path / "a.png", large(120))
    assert (found.code, found.level) == (DEVIANT, Level.MODERATE)
    where = found.evidence[0].where
    assert where is not None
    assert where.box is not None
    assert (where.box.x, where.box.y, where.box.height) == (402, 501, 120)
    assert 240 <= where.box.width <= 248


def test_bands_vote_as_the_whole_picture_does() -> None:
    plane = jpeg(scene())[3:, 1:]
    bands = votes.cast_in_bands(plane, 24)
    whole = votes.cast_votes(plane)[7:-7, 7:-7]
    assert len(bands) == 8 * len(range(0, len(whole) - 7, 24))
    for number in range(len(bands) // 8):
        assert (bands[8 * number : 8 * number + 8] == whole[24 * number : 24 * number + 8]).all()


def test_piles_are_those_of_the_grids_that_have_regions() -> None:
    cast = votes.cast_votes(pasted())
    counts = grid.tally(cast)
    piles = grid.piled_up(cast, counts)
    regions = grid.find_regions(cast, counts, range(votes.GRIDS))
    assert {region.grid.code for region in regions} == piles == {0, 8 * 5 + 2}
    assert grid.piled_up(cast, counts, without={0}) == {8 * 5 + 2}
    assert grid.piled_up(cast, counts, without=piles) == frozenset()


def test_evenly_spread_votes_pile_up_nowhere() -> None:
    """Blocks of 8 x 8 equal votes, as pixels of a block vote alike: no grid is meaningful in 200 pictures."""
    rng = np.random.default_rng(4)
    for _ in range(200):
        cast = np.repeat(np.repeat(rng.integers(0, votes.GRIDS, (40, 40)), 8, axis=0), 8, axis=1).astype(np.uint8)
        assert grid.piled_up(cast, grid.tally(cast)) == frozenset()
