"""The noise map: right levels."""

from __future__ import annotations

import numpy as np
import pytest

from deepscan.checks.noise import noise_levels, unevenness


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
