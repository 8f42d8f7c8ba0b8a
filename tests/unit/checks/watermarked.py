"""Writes what the hidden marks' check reads: records in lowest bits, and the invisible watermark."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def hide(pixels: Pixels, text: str, signature: str = "stealth_pngcomp", told: int | None = None) -> Pixels:
    """The picture with a text in its lowest bits, down the columns; ``told`` is the length it claims, in bits.

    The signature decides whether alpha (RGBA is returned) or red, green and blue hold it, and whether it is packed.
    """
    body = text.encode()
    if signature.endswith("comp"):
        body = gzip.compress(body)
    length = len(body) * 8 if told is None else told
    bits = np.unpackbits(np.frombuffer(signature.encode() + length.to_bytes(4, "big") + body, np.uint8))
    height, width = pixels.shape[:2]
    alpha = np.full((height, width, 1), 255, np.uint8)
    plane = pixels.copy() if "_rgb" in signature else alpha
    line = plane.transpose(1, 0, 2).reshape(-1)
    line[: len(bits)] = (line[: len(bits)] & 254) | bits
    plane = line.reshape(width, height, plane.shape[2]).transpose(1, 0, 2)
    return np.ascontiguousarray(plane if "_rgb" in signature else np.concatenate([pixels, plane], axis=2))


def watermark(pixels: Pixels, bits: Sequence[int], *, fractions: bool = False, swapped: bool = False) -> Pixels:
    """The picture with a message in its U channel, as the library's dwtDct writes it (checks/marks/watermark.py)."""
    forth = cv2.COLOR_BGR2YUV if swapped else cv2.COLOR_RGB2YUV
    back = cv2.COLOR_YUV2BGR if swapped else cv2.COLOR_YUV2RGB
    yuv = cv2.cvtColor(pixels.astype(np.float32) if fractions else pixels, forth).astype(np.float32)
    height, width = pixels.shape[0] // 8 * 8, pixels.shape[1] // 8 * 8
    u = yuv[:height, :width, 1]
    number = 0
    for top in range(0, height, 8):
        for left in range(0, width, 8):
            part = u[top : top + 8, left : left + 8]
            half = (part[0::2, 0::2] + part[0::2, 1::2] + part[1::2, 0::2] + part[1::2, 1::2]) / 2
            place = int(np.abs(half).reshape(-1)[1:].argmax()) + 1
            y, x = divmod(place, 4)
            value = float(half[y, x])
            size = (abs(value) // 36 + 0.25 + 0.5 * bits[number % len(bits)]) * 36
            part[2 * y : 2 * y + 2, 2 * x : 2 * x + 2] += ((size if value >= 0 else -size) - value) / 2
            number += 1
    if not fractions:
        yuv = np.clip(yuv, 0, 255).astype(np.uint8)
    return np.clip(cv2.cvtColor(yuv, back), 0, 255).astype(np.uint8)
