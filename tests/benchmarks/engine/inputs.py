"""Files to measure on, all drawn by code: each has bytes of its own, so that no answer is shared between two."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from deepscan.media.frames import Pixels
from tests.drawn_faces import BACKGROUND, draw_face
from tests.video_factory import make, times_of

FACE_SIDE = 256
PHOTO_SIZE = (4000, 3000)
VIDEO_SIZE = (1280, 720)


def faces(folder: Path, count: int) -> Path:
    """JPEGs of 256 pixels with one face each, of 8 to 20 kB, as data sets of faces have them."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for number in range(count):
        _save(folder / f"face{number:05}.jpg", _portrait(rng), quality=int(rng.integers(78, 96)))
    return folder


def photographs(folder: Path, count: int) -> Path:
    """JPEGs of 12 megapixels and some 4 MB with detail at all scales, camera EXIF, and a face in every second one."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(2)
    for number in range(count):
        picture = _landscape(rng)
        if number % 2:
            side = int(rng.integers(500, 1500))
            left, top = int(rng.integers(0, PHOTO_SIZE[0] - side)), int(rng.integers(0, PHOTO_SIZE[1] - side))
            picture[top : top + side, left : left + side] = cv2.resize(
                _portrait(rng), (side, side), interpolation=cv2.INTER_CUBIC
            )
        exif = Image.Exif()
        exif.update({ExifTags.Base.Make: "Maker", ExifTags.Base.Model: "Model", ExifTags.Base.Orientation: 1})
        _save(folder / f"photo{number:03}.jpg", picture, quality=90, exif=exif)
    return folder


def mixed(folder: Path, count: int) -> Path:
    """Photographs, PNGs, WebPs and small JPEGs of one to three megapixels, with and without faces."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    kinds: tuple[tuple[str, dict[str, int]], ...] = (
        ("jpg", {"quality": 85}),
        ("png", {}),
        ("webp", {"quality": 80}),
        ("jpg", {"quality": 95}),
    )
    for number in range(count):
        scale = float(rng.uniform(0.25, 0.5))
        picture = cv2.resize(_landscape(rng), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if number % 2:
            picture[40 : 40 + FACE_SIDE, 60 : 60 + FACE_SIDE] = _portrait(rng)
        suffix, settings = kinds[number % len(kinds)]
        _save(folder / f"mixed{number:03}.{suffix}", np.asarray(picture, np.uint8), **settings)
    return folder


def specks(folder: Path, count: int) -> Path:
    """JPEGs of 16 pixels: files whose number is all that they cost."""
    folder.mkdir(parents=True)
    for number in range(count):
        colours = [(number >> 8 * byte) % 256 for byte in range(3)]
        _save(folder / f"speck{number:06}.png", np.full((16, 16, 3), colours, np.uint8))
    return folder


def video(path: Path, seconds: int) -> Path:
    """A film in 720p at 25 frames a second in which a face moves across a landscape."""
    rng = np.random.default_rng(4)
    ground = np.asarray(cv2.resize(_landscape(rng), VIDEO_SIZE, interpolation=cv2.INTER_AREA), np.uint8)
    face = _portrait(rng)

    def frame(number: int, width: int, height: int) -> Pixels:
        picture = ground.copy()
        left = (4 * number) % (width - FACE_SIDE)
        picture[200 : 200 + FACE_SIDE, left : left + FACE_SIDE] = face
        return picture

    path.parent.mkdir(parents=True, exist_ok=True)
    return make(path, times_of(25 * seconds), size=VIDEO_SIZE, paint=frame)


@cache
def _drawn(side: int, skin: int) -> Pixels:
    return draw_face(side, skin)


def _portrait(rng: np.random.Generator) -> Pixels:
    """A drawn face in its surroundings: its size, place, light and grain are its own."""
    side = int(rng.choice((200, 220, 236, 252)))
    picture = np.full((FACE_SIDE, FACE_SIDE, 3), float(BACKGROUND))
    left, top = (int(v) for v in rng.integers(0, FACE_SIDE - side + 1, 2))
    picture[top : top + side, left : left + side] = _drawn(side, int(rng.choice((165, 190, 205))))
    light = np.linspace(-12, 12, FACE_SIDE)[:, None, None] * rng.normal()
    picture = picture * rng.normal(1, 0.05, 3) + light + rng.normal(0, 5, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _landscape(rng: np.random.Generator) -> Pixels:
    """Coloured noise with the spectrum of photographs (amplitude falls with frequency), and a sensor's grain on it."""
    width, height = PHOTO_SIZE
    planes: NDArray[np.float32] = np.zeros((height, width, 3), np.float32)
    for divisor in (2, 4, 8, 16, 32, 64, 128, 256):
        shape = (height // divisor + 1, width // divisor + 1, 3)
        layer = rng.normal(0, 2.2 * divisor**0.6, shape).astype(np.float32)
        planes += cv2.resize(layer, (width, height), interpolation=cv2.INTER_CUBIC)
    planes = 0.35 * planes + 0.65 * planes.mean(axis=2, keepdims=True)
    planes += rng.normal(118, 2, planes.shape).astype(np.float32)
    return np.clip(planes, 0, 255).astype(np.uint8)


def _save(path: Path, picture: Pixels, **settings: object) -> None:
    Image.fromarray(picture).save(path, **settings)  # type: ignore[arg-type]
