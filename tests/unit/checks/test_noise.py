"""The noise map: right levels, and no accusation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepscan.checks.base import NotApplicableError
from deepscan.checks.noise import CHECK, NOISE, noise_levels, unevenness
from deepscan.types import Level, Meaning, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject


def test_the_result_is_information_with_an_intensity_and_a_map(tmp_path: Path) -> None:
    subject = FakeSubject(media.write_jpeg(tmp_path, size=(320, 288)), keeps_exhibits=True)
    result = CHECK.run(subject)
    (finding,) = result.findings
    assert (finding.code, finding.level, finding.points_to) == (NOISE, Level.INFO, PointsTo.NEITHER)
    assert result.score is not None
    assert result.score.meaning is Meaning.INTENSITY
    assert {"what to look for", "what to ignore"} <= {e.label for e in finding.evidence}
    assert subject.stored.keys() == {"noise"}


def test_nothing_is_drawn_unless_exhibits_are_kept(tmp_path: Path) -> None:
    subject = FakeSubject(media.write_jpeg(tmp_path, size=(320, 288)))
    assert CHECK.run(subject).findings
    assert not subject.stored


def test_small_pictures_do_not_apply(tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError, match="64"):
        CHECK.run(FakeSubject(media.write_png(tmp_path, size=(500, 64))))


@pytest.mark.parametrize("sigma", [1.0, 4.0, 12.0])
def test_the_level_is_that_of_the_noise(sigma: float) -> None:
    noise = np.random.default_rng(3).normal(0, sigma, (128, 160, 1))
    picture = np.repeat(np.clip(np.round(120 + noise), 0, 255), 3, axis=2).astype(np.uint8)
    assert float(np.median(noise_levels(picture))) == pytest.approx(sigma, rel=0.15)


def test_a_part_with_more_noise_stands_out_and_even_noise_is_even() -> None:
    rng = np.random.default_rng(4)
    strength = np.full((192, 256), 3.0)
    even = np.repeat(np.clip(np.round(120 + rng.normal(size=strength.shape) * strength), 0, 255)[..., None], 3, 2)
    strength[64:160, 96:192] = 12
    patched = np.repeat(np.clip(np.round(120 + rng.normal(size=strength.shape) * strength), 0, 255)[..., None], 3, 2)
    levels = noise_levels(patched.astype(np.uint8))
    assert levels[4:10, 6:12].min() > 2 * np.median(levels[:4])
    assert unevenness(levels) > 2 * unevenness(noise_levels(even.astype(np.uint8)))


def test_a_plain_picture_has_none() -> None:
    levels = noise_levels(np.full((128, 128, 3), 77, np.uint8))
    assert not levels.any()
    assert unevenness(levels) == 0
