"""From pixels to what a model eats: the only place, used by scan, train and evaluate.

Split in two on purpose. :func:`fit` runs where pictures are decoded (worker processes, no torch) and gives uint8 of
the model's input size; :func:`normalise` runs where the model is, on whole batches, on its device. transformers' own
PIL image processors round to uint8 between the same two steps, so the split costs no accuracy: a test compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deepscan.errors import LimitError
from deepscan.media.frames import Pixels
from deepscan.media.limits import MAX_PIXELS
from deepscan.models.card import Preprocessing, View
from deepscan.types import Box

if TYPE_CHECKING:
    import torch

RESAMPLING = {name.lower(): member for name, member in Image.Resampling.__members__.items()}
"""Pillow's filters by the names a card uses."""


def with_margin(box: Box, view: View, width: int, height: int) -> Box:
    """The part of a ``width`` x ``height`` frame that the card wants to see for a face found at ``box``.

    A square around the box's centre, its side the box's longer side plus ``view.margin`` of it on both sides; where
    that leaves the frame it is cut off at the frame's edge.
    """
    half = max(box.width, box.height) * (0.5 + view.margin)
    centre_x, centre_y = box.x + box.width / 2, box.y + box.height / 2
    left, top = max(0, round(centre_x - half)), max(0, round(centre_y - half))
    right, bottom = min(width, round(centre_x + half)), min(height, round(centre_y + half))
    return Box(left, top, right - left, bottom - top)


def cut(pixels: Pixels, box: Box) -> Pixels:
    """The pixels inside a box (a view, not a copy); none of a box that lies outside."""
    return pixels[box.y : max(0, box.y + box.height), box.x : max(0, box.x + box.width)]


def fit(pixels: Pixels, rule: Preprocessing) -> Pixels:
    """Resize and centre-crop a picture, uint8 (any height, any width, 3), to (rule.height, rule.width, 3).

    Follows transformers: the shorter side to ``shortest_edge`` with the longer one truncated to an integer, then a
    centre crop that is filled with black where the picture is too small.
    """
    image = Image.fromarray(pixels)
    if rule.shortest_edge is None:
        size = (rule.width, rule.height)
    else:
        short, long = sorted(image.size)
        other = int(rule.shortest_edge * long / short)
        if other * rule.shortest_edge > MAX_PIXELS:
            raise LimitError(f"With {image.width:,} x {image.height:,} pixels it is too long and narrow for the model.")
        size = (rule.shortest_edge, other) if image.width <= image.height else (other, rule.shortest_edge)
    if image.size != size:
        image = image.resize(size, RESAMPLING[rule.resample])
    resized = np.asarray(image)
    return resized if resized.shape[:2] == (rule.height, rule.width) else _centre_crop(resized, rule)


def _centre_crop(pixels: Pixels, rule: Preprocessing) -> Pixels:
    top, left = (pixels.shape[0] - rule.height) // 2, (pixels.shape[1] - rule.width) // 2
    if top >= 0 and left >= 0:
        return pixels[top : top + rule.height, left : left + rule.width]
    out = np.zeros((rule.height, rule.width, 3), np.uint8)
    # Where a side is too short, transformers pads before the picture with the larger half.
    from_top, from_left = max(0, top), max(0, left)
    part = pixels[from_top : from_top + rule.height, from_left : from_left + rule.width]
    at_y = -(-(rule.height - part.shape[0]) // 2)
    at_x = -(-(rule.width - part.shape[1]) // 2)
    out[at_y : at_y + part.shape[0], at_x : at_x + part.shape[1]] = part
    return out


def normalise(batch: torch.Tensor, rule: Preprocessing) -> torch.Tensor:
    """Rescale and normalise a uint8 batch (n, height, width, 3) to fp32 (n, 3, height, width) on the same device."""
    import torch

    mean = torch.tensor(rule.mean, device=batch.device)
    std = torch.tensor(rule.std, device=batch.device)
    return ((batch.to(torch.float32) * rule.scale - mean) / std).permute(0, 3, 1, 2)


def golden_input(seed: int, rule: Preprocessing) -> Pixels:
    """A reproducible picture of the model's input size: smooth waves and noise, the same on every machine.

    Integer arithmetic only, so that no library version changes a pixel of it.
    """
    y, x = np.mgrid[0 : rule.height, 0 : rule.width].astype(np.int64)
    noise: NDArray[np.int64] = (x * 374761393 + y * 668265263 + seed * 2246822519) % 4294967296
    noise = ((noise ^ (noise >> 13)) * 1274126177) % 4294967296
    noise = (noise ^ (noise >> 16)) % 48
    channels = [((x * (c + 1 + seed % 3) + y * (3 - c)) // 2 + noise + 40 * c) % 256 for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)
