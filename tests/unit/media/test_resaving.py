"""Forms that pictures come back in: their sizes, that they repeat, and where boxes go."""

from __future__ import annotations

import numpy as np
import pytest

from deepscan.media.resaving import AS_IT_IS, GENTLE, ROBUSTNESS, Form
from deepscan.types import Box
from tests.media_factory import pixels as made

PIXELS = made((120, 90))
SIZES = {"half size": (45, 60), "quarter size": (22, 30), "crop": (72, 96), "screenshot": (88, 112)}


@pytest.mark.parametrize("form", [AS_IT_IS, *ROBUSTNESS, *GENTLE], ids=lambda form: form.name)
def test_a_form_repeats_and_keeps_the_original(form: Form) -> None:
    before = PIXELS.copy()
    first, second = form.change(PIXELS), form.change(PIXELS)
    assert np.array_equal(first.pixels, second.pixels)
    assert first.pixels.dtype == np.uint8
    assert np.array_equal(PIXELS, before)
    expected = (88, 118) if form.name == "a crop by one pixel" else SIZES.get(form.name, (90, 120))
    assert first.pixels.shape == (*expected, 3)
    assert (form is AS_IT_IS) == np.array_equal(first.pixels, PIXELS)


@pytest.mark.parametrize("form", [*ROBUSTNESS, *GENTLE], ids=lambda form: form.name)
def test_a_box_goes_where_its_pixels_go(form: Form) -> None:
    """A bright square on black is found in its box again, and fills it."""
    pixels = np.zeros((160, 200, 3), np.uint8)
    pixels[48:112, 72:136] = 255
    after = form.change(pixels)
    box = after.box(Box(72, 48, 64, 64))
    assert box is not None
    inside = after.pixels[box.y + 2 : box.y + box.height - 2, box.x + 2 : box.x + box.width - 2]
    assert inside.mean() > 235
    around = after.pixels[max(0, box.y - 4) : box.y - 2, box.x : box.x + box.width]
    assert around.mean() < 60


def test_a_box_that_is_cut_off_is_gone() -> None:
    crop = next(form for form in ROBUSTNESS if form.name == "crop").change(PIXELS)
    assert crop.box(Box(0, 0, 8, 8)) is None
    assert crop.box(Box(0, 0, 20, 20)) == Box(0, 0, 8, 11)


@pytest.mark.parametrize("form", [*ROBUSTNESS, *GENTLE], ids=lambda form: form.name)
def test_the_smallest_pictures_survive(form: Form) -> None:
    assert min(form.change(np.full((1, 3, 3), 7, np.uint8)).pixels.shape[:2]) >= 1
