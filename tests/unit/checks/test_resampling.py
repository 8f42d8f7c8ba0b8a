"""Traces of resampling: peaks where they belong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from deepscan.checks.resampling import measure
from tests import media_factory as media


def photograph(side: int = 400) -> media.Pixels:
    grain = cv2.GaussianBlur(np.random.default_rng(6).normal(size=(side, side)), (0, 0), 0.8)
    grey = 120 + 25 * grain / grain.std() + np.random.default_rng(7).normal(0, 2, (side, side))
    return np.repeat(np.clip(np.round(grey), 0, 255)[..., None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("zoom", [1.2, 1.5])
def test_an_enlarged_picture_has_a_peak_where_theory_puts_it(zoom: float) -> None:
    before = photograph()
    after = np.asarray(cv2.resize(before, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR), np.uint8)
    found = measure(after)
    assert found.peak > measure(before).peak + 6
    # The period of the interpolation is the factor itself: 1 / 1.2 and 1 / 1.5 cycles per pixel, or what they alias to.
    wanted = 1 - 1 / zoom
    for part in found.cycles:
        assert min(abs(abs(part) - place) for place in (0.0, wanted)) < 0.02


def test_the_intensity_stays_in_its_bounds() -> None:
    assert 0 <= measure(np.zeros((256, 256, 3), np.uint8)).intensity <= 1
