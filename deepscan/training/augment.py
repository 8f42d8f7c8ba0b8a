"""What training does to pictures so that the network finds forgeries and not file habits.

Every change is drawn from a seed. Pictures of one group get the same seed, so that a fake and its original differ by
the forgery alone.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from deepscan.media.frames import Pixels
from deepscan.training.recipe import Augmentation


def augment(pixels: Pixels, size: int, seed: int, recipe: Augmentation, degrade: float = 1.0) -> Pixels:
    """Change one picture as a recipe says, and bring it to (size, size, 3).

    ``degrade`` in [0, 1] scales how often something is done that destroys detail (rescaling, blur, noise, re-encoding).
    """
    rng = np.random.default_rng(seed)
    picture = _crop(pixels, size, recipe, rng)
    if rng.random() < recipe.flip:
        picture = picture[:, ::-1]
    if recipe.rotate:
        picture = _rotated(picture, rng.uniform(-recipe.rotate, recipe.rotate))
    if recipe.sharpness != 1 and rng.random() < 0.5:
        # A copy: Pillow's own memory is read-only, and torch takes none such.
        picture = np.array(ImageEnhance.Sharpness(Image.fromarray(picture)).enhance(recipe.sharpness))
    if rng.random() < recipe.recolour:
        picture = _recolour(picture, rng)
    if rng.random() < recipe.grey:
        picture = _pixels(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))
    if rng.random() < recipe.rescale * degrade:
        small = round(size * rng.uniform(0.5, 0.95))
        picture = _resized(_resized(picture, small, cv2.INTER_AREA), size, cv2.INTER_LINEAR)
    if rng.random() < recipe.blur * degrade:
        picture = _pixels(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0)))
    if rng.random() < recipe.noise * degrade:
        picture = _noise(picture, rng)
    if rng.random() < recipe.encode * degrade:
        picture = _encode(picture, rng)
    if rng.random() < recipe.erase:
        picture = _erased(picture, rng)
    return np.ascontiguousarray(picture)


def self_blend(pixels: Pixels, seed: int) -> Pixels:
    """Make a pseudo-fake: a picture blended with a slightly changed copy of itself inside a face-shaped mask.

    Source: Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR 2022. The mask here is a
    deformed ellipse around the picture's centre, or a band over eyes or mouth, instead of a landmark hull: the
    pictures are face crops.
    """
    rng = np.random.default_rng(seed)
    height, width = pixels.shape[:2]
    mask: NDArray[np.float32] = np.zeros((height, width), np.float32)
    if rng.random() < 0.65:
        centre = (width * rng.uniform(0.44, 0.56), height * rng.uniform(0.46, 0.6))
        axes = (width * rng.uniform(0.22, 0.4), height * rng.uniform(0.25, 0.42))
    else:
        centre = (width * rng.uniform(0.35, 0.65), height * rng.choice([0.4, 0.58, 0.74]))
        axes = (width * rng.uniform(0.12, 0.35), height * rng.uniform(0.06, 0.14))
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = 1 + 0.15 * rng.standard_normal(24)
    directions = np.stack([np.cos(angles), np.sin(angles)], 1)
    outline = np.array(centre) + np.array(axes) * radius[:, None] * directions
    cv2.fillPoly(mask, [outline.astype(np.int32)], 1.0)
    sigma = width * rng.uniform(0.01, 0.05)
    mask = cast("NDArray[np.float32]", cv2.GaussianBlur(mask, (0, 0), sigma))
    mask *= rng.choice([0.5, 0.75, 1.0, 1.0, 1.0])
    shift = rng.uniform(-0.02, 0.02, 2) * width
    zoom = rng.uniform(0.96, 1.04, 2)
    matrix = np.array(
        [
            [zoom[0], 0, shift[0] + (1 - zoom[0]) * width / 2],
            [0, zoom[1], shift[1] + (1 - zoom[1]) * height / 2],
        ]
    )
    moved = cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    inner = _recolour(_pixels(moved), rng)
    if rng.random() < 0.5:
        inner = _pixels(cv2.GaussianBlur(inner, (0, 0), rng.uniform(0.4, 1.2)))
    blended = pixels + (inner.astype(np.float32) - pixels) * mask[..., None]
    return np.clip(blended + 0.5, 0, 255).astype(np.uint8)


def _crop(pixels: Pixels, size: int, recipe: Augmentation, rng: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    if recipe.around_centre:
        # The framing of a face finder's box in a looser portrait. Faces are in the middle of face crops.
        part, spread, room = rng.triangular(recipe.crop, 1.0, 1.0) if recipe.crop < 1 else 1.0, 1.08, (0.2, 0.8)
    else:
        # As torchvision's RandomResizedCrop: uniform in area, anywhere.
        part, spread, room = np.sqrt(rng.uniform(recipe.crop**2, 1.0)), 4 / 3, (0.0, 1.0)
    stretch = np.exp(rng.uniform(-1, 1) * np.log(spread) / 2) if recipe.crop < 1 else 1.0
    crop_w, crop_h = (
        min(width, max(1, round(width * part * stretch))),
        min(height, max(1, round(height * part / stretch))),
    )
    left = round((width - crop_w) * rng.uniform(*room))
    top = round((height - crop_h) * rng.uniform(*room))
    picked = pixels[top : top + crop_h, left : left + crop_w]
    # Mixed filters, as pictures in the wild have been through mixed resizers.
    filters = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
    return _resized(picked, size, filters[rng.integers(3)])


def _rotated(pixels: Pixels, degrees: float) -> Pixels:
    """Around the centre; corners that come from outside are black, as in torchvision."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1.0)
    return _pixels(cv2.warpAffine(np.ascontiguousarray(pixels), matrix, (width, height), flags=cv2.INTER_LINEAR))


def _erased(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Cut out a rectangle of 2 to 15 % of the area and fill it with one colour of the picture (DeVries and Taylor,
    "Improved Regularization of Convolutional Neural Networks with Cutout", 2017).
    """
    out = pixels.copy()
    height, width = out.shape[:2]
    area, stretch = rng.uniform(0.02, 0.15), np.exp(rng.uniform(-0.7, 0.7))
    tall = min(height, max(1, round(height * np.sqrt(area * stretch))))
    wide = min(width, max(1, round(width * np.sqrt(area / stretch))))
    top, left = rng.integers(height - tall + 1), rng.integers(width - wide + 1)
    out[top : top + tall, left : left + wide] = out[rng.integers(height), rng.integers(width)]
    return out


def _resized(pixels: Pixels, size: int, interpolation: int) -> Pixels:
    return _pixels(cv2.resize(pixels, (size, size), interpolation=interpolation))


def _recolour(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    gain, bias = rng.uniform(0.85, 1.15, 3) * rng.uniform(0.8, 1.2), rng.uniform(-12, 12)
    table = np.clip(np.arange(256)[:, None] * gain + bias, 0, 255).astype(np.uint8)
    return _pixels(cv2.LUT(pixels, table.reshape(256, 1, 3)))


def _noise(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    noise = rng.standard_normal(pixels.shape, dtype=np.float32) * rng.uniform(1, 5)
    return np.clip(pixels + noise + 0.5, 0, 255).astype(np.uint8)


def _encode(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Through JPEG or WebP and back; the channel order does not matter to either for this purpose."""
    bgr = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2BGR)
    if rng.random() < 0.8:
        done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 96))])
    else:
        done, data = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, int(rng.integers(45, 96))])
    if not done:
        raise RuntimeError("OpenCV could not encode a picture it should always be able to encode")
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return _pixels(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))


def _pixels(array: object) -> Pixels:
    """OpenCV's type hints widen what is uint8 in and out."""
    return cast("Pixels", array)
