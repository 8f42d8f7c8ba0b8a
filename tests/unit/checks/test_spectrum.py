"""The spectrum of the noise residual: peaks where they belong."""

from __future__ import annotations

import numpy as np
import pytest

from deepscan.checks.spectrum import measure


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
