"""Films of a drawn head with causes planted in them: each thing that is measured on faces in motion can be set.

The head is drawn by code, with skin and hair that have a texture of their own, before a wall with one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels
from tests import video_factory as video
from tests.drawn_faces import BACKGROUND, draw_face

FPS = 25
WIDTH, HEIGHT = 400, 360
HEAD = 230
"""Pixels of the drawn head's side; the finder's box of the face is about 0.8 of it."""

SKIN_LEVEL = 190
PULSE_COLOUR = np.array([0.33, 0.77, 0.53])
"""How a pulse changes red, green and blue: W. Wang et al. 2017."""

EYES = ((0.36, 0.46), (0.64, 0.46))
"""Where :func:`tests.drawn_faces.draw_face` draws the eyes."""


@dataclass(frozen=True)
class Planted:
    """What a film shows. ``sway`` is in pixels; ``face_stays`` and ``face_sways`` move the face apart from its head,
    ``flicker`` and ``light`` change the brightness of the face alone and of everything, from frame to frame, by so
    many percent; ``pulse`` is in hertz and ``pulse_size`` in percent; ``blinks`` are seconds.
    """

    seconds: float = 8.0
    sway: float = 14.0
    sway_hertz: float = 0.4
    face_stays: bool = False
    face_sways: float = 0.0
    flicker: float = 0.0
    light: float = 0.0
    pulse: float = 0.0
    pulse_size: float = 0.6
    blinks: tuple[float, ...] = ()
    grain: float = 1.5
    fps: int = FPS
    scale: float = 1.0


def frames(planted: Planted) -> Iterator[Pixels]:
    """The frames of a film, one after the other."""
    rng = np.random.default_rng(11)
    wall = _texture(rng, HEIGHT, WIDTH, 25.0) + 120
    head, hair, face = _head()
    closed = _with_lids(head)
    for i in range(round(planted.seconds * planted.fps)):
        now = i / planted.fps
        sway = planted.sway * np.sin(2 * np.pi * planted.sway_hertz * now)
        own = planted.face_sways * np.sin(2 * np.pi * 1.1 * now)
        picture = closed if any(start <= now < start + 0.2 for start in planted.blinks) else head
        picture = picture * (1 + planted.pulse_size / 100 * PULSE_COLOUR * np.sin(2 * np.pi * planted.pulse * now))
        inner = picture * (1 + planted.flicker / 100 * rng.standard_normal())
        frame = _laid(wall.copy(), head, hair, sway)
        frame = _laid(frame, inner, face, own if planted.face_stays else sway + own)
        frame *= 1 + planted.light / 100 * rng.standard_normal()
        frame += rng.normal(0, planted.grain, (HEIGHT, WIDTH, 1))
        small = cv2.resize(frame, None, fx=planted.scale, fy=planted.scale, interpolation=cv2.INTER_AREA)
        yield np.clip(small, 0, 255).astype(np.uint8)[: small.shape[0] // 2 * 2, : small.shape[1] // 2 * 2]


def write(path: Path, planted: Planted, *, crf: int = 14) -> Path:
    """Write a film as MP4."""
    return encoded(path, frames(planted), planted.fps, crf=crf)


def encoded(path: Path, pictures: Iterable[Pixels], fps: int, *, crf: int) -> Path:
    """Write frames as MP4; their sides are even numbers."""
    shown = list(pictures)
    height, width = shown[0].shape[:2]
    return video.make(
        path,
        video.times_of(len(shown), fps=fps),
        size=(width, height),
        key_every=50,
        paint=lambda number, _width, _height: shown[number],
        crf=crf,
    )


@cache
def _head() -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
    """The drawn head in colours, and soft masks of all of it and of its face."""
    drawn = draw_face(HEAD, SKIN_LEVEL).astype(np.float64)
    y, x = np.mgrid[0:HEAD, 0:HEAD] / HEAD
    rng = np.random.default_rng(3)
    colours = drawn * np.array([1.08, 0.86, 0.74]) + _texture(rng, HEAD, HEAD, 9.0)
    all_of_it = (np.abs(drawn[..., 0] - BACKGROUND) > 1).astype(np.float32)
    face = (((x - 0.5) / 0.29) ** 2 + ((y - 0.54) / 0.36) ** 2 < 1).astype(np.float32)
    soft: Callable[[NDArray[np.float32]], NDArray[np.float32]] = lambda mask: np.asarray(  # noqa: E731
        cv2.GaussianBlur(mask, (0, 0), 1.5), np.float32
    )
    return colours, soft(all_of_it), soft(face)


def _with_lids(head: NDArray[np.float64]) -> NDArray[np.float64]:
    """The head with both eyes closed: skin over them, and a dark line of lashes."""
    y, x = np.mgrid[0:HEAD, 0:HEAD] / HEAD
    closed = head.copy()
    skin = np.median(head[int(0.55 * HEAD) : int(0.6 * HEAD), int(0.3 * HEAD) : int(0.4 * HEAD)], axis=(0, 1))
    for across, down in EYES:
        lid = ((x - across) / 0.09) ** 2 + ((y - down) / 0.06) ** 2 < 1
        closed[lid] = skin
        closed[lid & (np.abs(y - down - 0.02) < 0.008)] = 60
    return closed


def _laid(
    ground: NDArray[np.float64], picture: NDArray[np.float64], mask: NDArray[np.float32], across: float
) -> NDArray[np.float64]:
    """A picture laid on a ground through a mask, moved by fractions of a pixel."""
    place = np.array([[1, 0, (WIDTH - HEAD) / 2 + across], [0, 1, (HEIGHT - HEAD) / 2]])
    size = WIDTH, HEIGHT
    moved = cv2.warpAffine(picture, place, size, flags=cv2.INTER_LINEAR)
    share = cv2.warpAffine(mask, place, size, flags=cv2.INTER_LINEAR)[..., None]
    return np.asarray(ground * (1 - share) + moved * share, np.float64)


def _texture(rng: np.random.Generator, height: int, width: int, strength: float) -> NDArray[np.float64]:
    """A grey texture of spots a few pixels wide, shape (height, width, 3)."""
    spots = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), 2.0)
    return np.repeat((strength * spots / spots.std())[..., None], 3, axis=2)
