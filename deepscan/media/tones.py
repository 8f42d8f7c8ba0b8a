"""From what Pillow decoded, in any of its modes, to :data:`~deepscan.media.frames.Pixels`: 8-bit RGB, upright.

Pictures are converted in strips, so that no second copy of a whole picture is made on the way.

RGB pictures keep their stored values even when they carry a wide-gamut profile (Display P3, Adobe RGB): models were
trained on stored values, and pixel checks measure what the encoder wrote. CMYK and L*a*b* have no RGB values to keep,
and go through their profile (or the definition of L*a*b*) to sRGB.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deepscan.media.frames import Pixels
from deepscan.media.limits import MAX_METADATA_BYTES

logger = logging.getLogger(__name__)

STRIP_PIXELS = 250_000
"""Pixels converted at a time: these stay in the cache, and 12 megapixels take 20 ms instead of 55."""

_Convert = Callable[[Image.Image], Pixels]


def to_pixels(image: Image.Image, orientation: int = 1, *, white: int = 65535, inverted: bool = False) -> Pixels:
    """Convert a loaded picture to (height, width, 3) uint8 RGB.

    Transparency is laid over white. Sixteen-bit grey is scaled from [0, ``white``] (4095 for 12-bit samples), and
    turned around when ``inverted`` (white is zero). 32-bit integers and floats have no fixed white: see
    :func:`_stretch`.

    Args:
        image: The picture, in any Pillow mode.
        orientation: EXIF orientation, 1 to 8 (CIPA DC-008, 4.6.4): the picture is turned upright.
        white: The sample value of white in 16-bit modes.
        inverted: Whether 0 is white in modes deeper than 8 bits.

    Raises:
        ValueError: Pillow cannot convert this mode.
    """
    convert = _converter(image, white, inverted=inverted)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top, strip in _strips(image):
        pixels[top : top + strip.height] = convert(strip)
    return upright(pixels, orientation)


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(image.height, top + rows)))


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn a picture that is stored with this EXIF orientation upright; other values than 2 to 8 change nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def shrink(pixels: Pixels, longest: int) -> Pixels:
    """Scale a picture down (area average) so that its longer side is at most ``longest`` pixels."""
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def _converter(image: Image.Image, white: int, *, inverted: bool) -> _Convert:
    mode = image.mode
    if mode in ("I", "F"):
        return _stretch(image, inverted=inverted)
    if mode.startswith("I;16"):
        transparent = image.info.get("transparency")
        return lambda strip: _grey16(np.asarray(strip), white, transparent, inverted=inverted)
    if mode in ("CMYK", "LAB"):
        transform = _colour_transform(image)
        if transform is not None:
            return transform
    if mode == "La":  # Pillow has no direct way from here to RGBA
        return lambda strip: _over_white(strip.convert("LA").convert("RGBA"))
    if image.has_transparency_data:
        return lambda strip: _over_white(strip.convert("RGBA"))
    return lambda strip: np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))


def _over_white(strip: Image.Image) -> Pixels:
    rgba = np.asarray(strip).astype(np.uint16)
    alpha = rgba[..., 3:]
    blended: Pixels = ((rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return blended


def _grey16(samples: NDArray[np.uint16], white: int, transparent: object, *, inverted: bool) -> Pixels:
    scaled = (np.minimum(samples, white).astype(np.uint32) * 255 + white // 2) // white
    grey = scaled.astype(np.uint8)
    if inverted:
        grey = 255 - grey
    if isinstance(transparent, int):
        grey = np.where(samples == transparent, np.uint8(255), grey)
    return np.repeat(grey[..., None], 3, axis=-1)


def _stretch(image: Image.Image, *, inverted: bool) -> _Convert:
    """Grey from 32-bit samples, which have no fixed white.

    Values within [0, 255] (integers) or [0, 1] (floats) are taken to be on that scale, as writers of such files mean
    them; anything else is stretched from its smallest to its largest finite value. Infinities go to the ends, and what
    is no number becomes black.
    """
    low, high = math.inf, -math.inf
    for _, strip in _strips(image):
        samples = np.asarray(strip).astype(np.float64)
        finite = np.isfinite(samples)
        low = min(low, float(samples.min(where=finite, initial=math.inf)))
        high = max(high, float(samples.max(where=finite, initial=-math.inf)))
    usual = 1.0 if image.mode == "F" else 255.0
    if low >= 0 and high <= usual:
        low, high = 0.0, usual
    span = (high - low) or 1.0

    def convert(strip: Image.Image) -> Pixels:
        shares = (np.asarray(strip).astype(np.float64) - low) / span
        shares = np.clip(np.nan_to_num(shares, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
        grey = ((1 - shares if inverted else shares) * 255 + 0.5).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)

    return convert


def _colour_transform(image: Image.Image) -> _Convert | None:
    """A way to sRGB through the embedded CMYK profile, or from L*a*b*; None where Pillow's plain way must do.

    Pillow has undone Adobe's inversion of CMYK by then. A damaged profile is no reason to refuse a picture.
    """
    from PIL import ImageCms

    try:
        if image.mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            embedded = image.info.get("icc_profile")
            if not isinstance(embedded, bytes) or not 0 < len(embedded) <= MAX_METADATA_BYTES:
                return None
            source = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
            if source.profile.xcolor_space.strip() != "CMYK":
                return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            image.mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError, AttributeError) as e:
        logger.debug("the colour profile cannot be used: %s", e)
        return None
    return lambda strip: np.asarray(ImageCms.applyTransform(strip, transform))
