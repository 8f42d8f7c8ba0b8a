"""Copy-move forgeries made of photographs, with the mask of both regions: for measuring, seeded."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels

Mask = NDArray[np.bool_]

KINDS = (
    "moved",
    "turned",
    "scaled",
    "distorted",
    "turned and scaled",
    "smooth, moved",
    "moved, JPEG 90",
    "moved, JPEG 75",
    "turned, JPEG 90",
    "moved, noise of 2",
)


def forge(picture: Pixels, kind: str, seed: int, share: float | None = None) -> tuple[Pixels, Mask]:
    """The picture with an irregular region pasted elsewhere with soft edges, and the mask of both regions.

    The region is about ``share`` of the picture's shorter side wide; without it, 0.13 to 0.3 by chance.
    """
    rng = np.random.default_rng(seed)
    height, width = picture.shape[:2]
    side = int((rng.uniform(0.13, 0.3) if share is None else share) * min(height, width))
    source = _place(picture, side, rng, smooth="smooth" in kind)
    target = source
    for _ in range(80):
        target = np.array([rng.integers(int(side * 0.7), s - int(side * 0.7)) for s in (width, height)])
        if np.hypot(*(target - source)) > 1.5 * side:
            break
    matrix = _linear(kind, rng)
    whole = bool(np.array_equal(matrix, np.eye(2)))
    moved = np.hstack([matrix, (target - matrix @ source)[:, None]])
    if whole:
        moved = np.round(moved)
    method = cv2.INTER_LINEAR if rng.random() < 0.4 else cv2.INTER_CUBIC
    alone = _blob(source, side, (height, width), rng)
    there = cv2.warpAffine(picture.astype(np.float32), moved, (width, height), flags=method)
    landed = cv2.warpAffine(alone, moved, (width, height))
    alpha = cv2.GaussianBlur(landed, (0, 0), 1.0)[..., None]
    out = picture * (1 - alpha) + there * alpha
    if "noise" in kind:
        out = out + rng.normal(0, 2.0, out.shape)
    forged = np.clip(np.round(out), 0, 255).astype(np.uint8)
    if "JPEG" in kind:
        forged = saved(forged, int(kind[-2:]))
    return forged, (alone > 0.5) | (landed > 0.5)


def saved(picture: Pixels, quality: int) -> Pixels:
    """The picture after JPEG compression."""
    _, coded = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1]).astype(np.uint8)


def _linear(kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
    turn = rng.uniform(5, 180) * rng.choice([-1, 1]) if "turned" in kind else 0.0
    scale = rng.uniform(0.75, 1.35) if "scaled" in kind else 1.0
    shear = 0.0
    if kind == "distorted":
        turn, scale, shear = rng.uniform(-5, 5), rng.uniform(0.95, 1.05), rng.uniform(-0.1, 0.1)
    cosine, sine = np.cos(np.radians(turn)) * scale, np.sin(np.radians(turn)) * scale
    return np.array([[cosine, -sine + shear * scale], [sine, cosine]])


def _place(picture: Pixels, side: int, rng: np.random.Generator, *, smooth: bool) -> NDArray[np.int_]:
    """The middle of a region with much structure, or with little; hardly over-exposed."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    best, middle = -np.inf, np.array([picture.shape[1] // 2, picture.shape[0] // 2])
    for _ in range(12):
        x, y = rng.integers(side, picture.shape[1] - side), rng.integers(side, picture.shape[0] - side)
        part = grey[y - side // 2 : y + side // 2, x - side // 2 : x + side // 2]
        worth = -float(part.std()) if smooth else float(part.std()) * rng.uniform(0.5, 1)
        if (part > 250).mean() <= 0.2 and worth > best:
            best, middle = worth, np.array([x, y])
    return middle


def _blob(middle: NDArray[np.int_], side: int, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    wave = np.sin(angle * rng.integers(2, 5) + rng.uniform(0, 6)) * rng.uniform(0.3, 1)
    radius = side / 2 * (1 + 0.25 * wave)
    corners = middle + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    mask = np.zeros(shape, np.float32)
    cv2.fillPoly(mask, [corners.astype(np.int32)], 1.0)
    return mask
