"""JPEG ghosts: a part that was saved at a lower quality before stands out, and nothing is accused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepscan.checks.base import NotApplicableError
from deepscan.checks.compression.tables import luma_table
from deepscan.checks.ghosts import CHECK, changes_of, find_ghosts
from deepscan.media.luma import Plane
from tests import media_factory as media
from tests.fake_subject import FakeSubject
from tests.unit.checks.test_jpeg_grid import jpeg, scene


def with_ghost(quality: int = 60) -> Plane:
    """A picture that was never saved, with a part of 96 x 80 pixels at (64, 96) that was saved at ``quality``."""
    picture = scene(2).copy()
    picture[96:176, 64:160] = jpeg(scene(2), quality)[96:176, 64:160]
    return picture


@pytest.mark.parametrize("quality", [50, 60, 70])
def test_a_part_saved_at_a_lower_quality_is_deeper_than_the_rest(quality: int) -> None:
    found = find_ghosts(jpeg(with_ghost(quality), 92))
    inside = np.zeros(found.depth.shape, bool)
    inside[13:21, 9:19] = True
    assert np.median(found.depth[inside]) > 4 * np.median(found.depth[~inside])
    assert np.median(found.quality[inside]) == quality


def test_what_all_of_the_picture_has_is_no_ghost() -> None:
    assert find_ghosts(jpeg(jpeg(scene(2), 60), 92)).intensity < 0.5 * find_ghosts(jpeg(with_ghost(), 92)).intensity


def test_a_block_changes_as_a_save_changes_it() -> None:
    """Of a plane of one window: the squared change by JPEG itself, which also rounds to whole pixels."""
    plane = scene(5)[:24, :24]
    table = luma_table(50)
    saved = jpeg(plane, 50)
    (change,) = changes_of(plane, [50])
    assert min(table) > 1
    assert change[1, 1] == pytest.approx(((saved.astype(float) - plane) ** 2).mean(), rel=0.05)


def test_the_map_is_shown_as_the_picture_is(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(with_ghost()).save(path, quality=92, exif=media.exif(orientation=6))
    subject = FakeSubject(path, keeps_exhibits=True)
    (finding,) = CHECK.run(subject).findings
    assert "quality 60" in finding.summary
    drawn = subject.stored["ghosts"][:-40].mean(axis=2)
    # Turned by 90 degrees to the right: the part at (64, 96) lies at (80, 64), in 512 x 512 at twice that.
    assert drawn[2 * 64 : 2 * 160, 2 * 80 : 2 * 160].mean() > 2 * drawn[2 * 170 :].mean()


def test_large_pictures_are_examined_block_by_spaced_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepscan.checks.ghosts.MAX_BLOCKS", 300)
    assert find_ghosts(jpeg(with_ghost(), 92)).depth.shape == (16, 16)


def test_flat_pictures_do_not_apply() -> None:
    with pytest.raises(NotApplicableError, match="too flat"):
        find_ghosts(np.full((128, 128), 99, np.uint8))
