"""What happens to pictures on their way: re-encoded, rescaled, cropped, photographed off a screen.

The forms are fixed, so that tables made on different days can be compared. Noise is drawn from the picture itself: the
same picture comes back the same. Used by the robustness table, by training's own measurement, and by ``--stability``.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepscan.media.frames import Pixels
from deepscan.types import Box

BLUR_SIGMA = 1.5
"""Pixels of the Gaussian blur of the robustness table: about what a lens out of focus does to a face of 200 pixels."""

NOISE_SIGMA = 8.0
"""Standard deviation, of 255 levels, of the added noise: a phone's camera in a dim room."""

CROPPED_SHARE = 0.1
"""Part of each side that the cropped form lacks."""

SCREEN_SCALE, SCREEN_BORDER, SCREEN_QUALITY = 0.8, 0.08, 80
"""A screenshot shows the picture at another size inside something else, and is sent on as a JPEG."""


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """A picture after a change, and where its points went: x to ``x * scale + left``, y to ``y * scale + top``."""

    pixels: Pixels
    scale: float = 1.0
    left: int = 0
    top: int = 0

    def box(self, box: Box) -> Box | None:
        """Where a box of the original is now, cut off at the edge; None when nothing of it is left."""
        height, width = self.pixels.shape[:2]
        left, top = round(box.x * self.scale) + self.left, round(box.y * self.scale) + self.top
        right, bottom = left + round(box.width * self.scale), top + round(box.height * self.scale)
        left, top, right, bottom = max(0, left), max(0, top), min(width, right), min(height, bottom)
        return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


@dataclass(frozen=True, slots=True)
class Form:
    """One change by its name in tables."""

    name: str
    change: Callable[[Pixels], Changed]


def encoded(pixels: Pixels, kind: str, quality: int) -> Pixels:
    """The picture through a file of ``kind`` (``JPEG`` or ``WEBP``) at a quality of 1 to 100, and back."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, kind, quality=quality)
    with Image.open(stream) as image:
        return np.asarray(image.convert("RGB"))


def resized(pixels: Pixels, scale: float) -> Pixels:
    """The picture ``scale`` times as large (bicubic), one pixel at least on each side."""
    from PIL import Image

    height, width = pixels.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BICUBIC))


def _jpeg(quality: int) -> Form:
    return Form(f"JPEG {quality}", lambda pixels: Changed(encoded(pixels, "JPEG", quality)))


def _webp(quality: int) -> Form:
    return Form(f"WebP {quality}", lambda pixels: Changed(encoded(pixels, "WEBP", quality)))


def _scaled(name: str, scale: float) -> Form:
    return Form(name, lambda pixels: Changed(resized(pixels, scale), scale))


def _there_and_back(name: str, scale: float) -> Form:
    def change(pixels: Pixels) -> Changed:
        from PIL import Image

        small = Image.fromarray(resized(pixels, scale))
        return Changed(np.asarray(small.resize((pixels.shape[1], pixels.shape[0]), Image.Resampling.BICUBIC)))

    return Form(name, change)


def _blurred(pixels: Pixels) -> Changed:
    import cv2

    return Changed(np.asarray(cv2.GaussianBlur(pixels, (0, 0), BLUR_SIGMA), np.uint8))


def _noisy(pixels: Pixels) -> Changed:
    rng = np.random.default_rng(zlib.crc32(pixels.tobytes()))
    noise = rng.standard_normal(pixels.shape, np.float32) * NOISE_SIGMA
    return Changed(np.clip(pixels + noise + 0.5, 0, 255).astype(np.uint8))


def _cropped(share: float, least: int = 0) -> Callable[[Pixels], Changed]:
    def change(pixels: Pixels) -> Changed:
        height, width = pixels.shape[:2]
        down = min(max(least, round(height * share)), (height - 1) // 2)
        across = min(max(least, round(width * share)), (width - 1) // 2)
        return Changed(pixels[down : height - down, across : width - across], 1.0, -across, -down)

    return change


def _screenshot(pixels: Pixels) -> Changed:
    shown = resized(pixels, SCREEN_SCALE)
    height, width = shown.shape[:2]
    border = max(1, round(SCREEN_BORDER * max(height, width)))
    canvas = np.full((height + 2 * border, width + 2 * border, 3), 240, np.uint8)
    canvas[border : border + height, border : border + width] = shown
    return Changed(encoded(canvas, "JPEG", SCREEN_QUALITY), SCREEN_SCALE, border, border)


def _grey(pixels: Pixels) -> Changed:
    from PIL import Image

    return Changed(np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("L").convert("RGB")))


AS_IT_IS = Form("as it is", Changed)
"""No change."""

ROBUSTNESS = (
    *(_jpeg(quality) for quality in (90, 70, 50)),
    _scaled("half size", 0.5),
    _scaled("quarter size", 0.25),
    Form("blur", _blurred),
    Form("noise", _noisy),
    _webp(70),
    Form("crop", _cropped(CROPPED_SHARE)),
    Form("screenshot", _screenshot),
    Form("grey", _grey),
)
"""The rows of the robustness table."""

GENTLE = (
    _jpeg(95),
    _jpeg(85),
    _there_and_back("0.9 of the size and back", 0.9),
    Form("a crop by one pixel", _cropped(0.0, least=1)),
)
"""Changes that nobody sees, and that should change no answer: what ``--stability`` tries."""
