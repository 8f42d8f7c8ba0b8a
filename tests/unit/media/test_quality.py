"""Quality numbers move as the eye would say they do."""

from __future__ import annotations

import numpy as np
import pytest

from deepscan.media.frames import Pixels
from deepscan.media.quality import measure
from deepscan.media.resaving import encoded
from tests.media_factory import pixels as made


def test_compression_shows_as_blocks_and_cropping_does_not_hide_it() -> None:
    pixels = made((240, 200))
    values = [measure(encoded(pixels, "JPEG", quality)).blockiness for quality in (95, 40, 20, 8)]
    assert values == sorted(values)
    assert values[-1] > values[0] + 0.5
    shifted = encoded(pixels, "JPEG", 8)[3:, 5:]
    assert measure(shifted).blockiness == pytest.approx(values[-1], rel=0.15)


def test_a_grid_of_the_picture_itself_is_not_taken_for_compression() -> None:
    rows = np.arange(256) // 5 % 2 * 100 + 60
    stripes = np.repeat(np.tile(rows, (256, 1))[..., None], 3, axis=2).astype(np.uint8)
    assert measure(stripes).blockiness < 1.3


def test_brightness_sharpness_and_side() -> None:
    pixels = made((300, 120))
    assert measure(pixels).side == 120
    dark = (pixels * 0.1).astype(np.uint8)
    assert measure(dark).brightness == pytest.approx(measure(pixels).brightness * 0.1, abs=1)
    import cv2

    blurred: Pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 4), np.uint8)
    assert measure(blurred).sharpness < measure(pixels).sharpness / 2


@pytest.mark.parametrize("shape", [(0, 10), (1, 1), (7, 900), (33, 33)])
def test_odd_shapes_have_finite_numbers(shape: tuple[int, int]) -> None:
    found = measure(np.full((*shape, 3), 128, np.uint8))
    assert found.side == min(shape)
    assert found.blockiness == 1
    assert np.isfinite([found.brightness, found.sharpness]).all()
