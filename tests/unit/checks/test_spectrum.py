"""The spectrum of the noise residual: peaks where they belong, and no accusation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepscan.checks.base import NotApplicableError
from deepscan.checks.spectrum import CHECK, SPECTRUM, measure
from deepscan.types import Level, Meaning, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject


def test_the_result_is_information_with_an_intensity_and_a_map(tmp_path: Path) -> None:
    subject = FakeSubject(media.write_jpeg(tmp_path, size=(320, 288)), keeps_exhibits=True)
    result = CHECK.run(subject)
    (finding,) = result.findings
    assert (finding.code, finding.level, finding.points_to) == (SPECTRUM, Level.INFO, PointsTo.NEITHER)
    assert result.score is not None
    assert result.score.meaning is Meaning.INTENSITY
    assert {"what to look for", "what to ignore"} <= {e.label for e in finding.evidence}
    assert subject.stored.keys() == {"spectrum"}


def test_nothing_is_drawn_unless_exhibits_are_kept(tmp_path: Path) -> None:
    subject = FakeSubject(media.write_jpeg(tmp_path, size=(320, 288)))
    assert CHECK.run(subject).findings
    assert not subject.stored


def test_small_pictures_do_not_apply(tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError, match="64"):
        CHECK.run(FakeSubject(media.write_png(tmp_path, size=(500, 64))))


def test_a_regular_pattern_has_its_peak_and_noise_has_none() -> None:
    noise = np.random.default_rng(8).normal(0, 4, (300, 340))
    y, x = np.mgrid[0:300, 0:340]
    lattice = 6 * np.cos(2 * np.pi * 0.3 * x) * np.cos(2 * np.pi * 0.2 * y)
    plain, marked = (
        np.repeat(np.clip(np.round(120 + plane), 0, 255)[..., None], 3, axis=2).astype(np.uint8)
        for plane in (noise, noise + lattice)
    )
    found = measure(marked)
    assert tuple(abs(part) for part in found.cycles) == pytest.approx((0.3, 0.2), abs=0.01)
    assert found.peak > measure(plain).peak + 6


def test_the_intensity_stays_in_its_bounds() -> None:
    assert 0 <= measure(np.zeros((256, 256, 3), np.uint8)).intensity <= 1
