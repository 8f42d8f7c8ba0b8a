"""Which parts of a picture moved a model's score: gradient-weighted attention, or occlusion for any model.

A map illustrates one answer of one model. It shows where changes would change the score, not what is forged there.
torch is imported inside functions: importing this module is cheap.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels
from deepscan.models.card import ModelCard
from deepscan.models.kernels import kernel_of, set_kernel
from deepscan.models.preprocess import normalise

if TYPE_CHECKING:
    import torch

COARSE, FINE = 5, 10
"""Places on a side at which something is covered: first few large ones, then more of half the size while time is left.
"""

COVER = 1.6
"""Side of the cover in steps between its places: neighbours overlap, so that no border between two is a blind spot."""

BATCH = 32
"""Covered pictures that are scored at a time; time is looked at in between."""

EXTRA_TOKENS = (1, 0, 2)
"""Tokens of a vision transformer that stand for no part of the picture: the class token, none, or DeiT's two."""

Logits = Callable[[NDArray[np.uint8]], Sequence[float]]


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """What a picture's parts add to its log-odds of fake.

    ``map`` has shape (rows, columns) over the model's input, float32: positive parts raise the score. ``method`` is
    ``attention`` or ``occlusion``; the unit of occlusion is log-odds, attention has none. ``complete`` is False when
    time ran out and only the coarse map was made.
    """

    map: NDArray[np.float32]
    method: str
    complete: bool


def attribute(
    model: torch.nn.Module, logits: Logits, card: ModelCard, pixels: Pixels, *, device: str, seconds: float
) -> Attribution:
    """A map for one input of a model.

    Gradient-weighted attention where the model is a plain transformer whose attention can be had (one pass forward and
    one back), else occlusion, bounded by ``seconds``.

    Args:
        model: The model, in evaluation mode.
        logits: What scores a batch (n, height, width, 3) uint8 (:meth:`deepscan.models.loader.Network.logits`).
        card: The model's card.
        pixels: Shape (height, width, 3), uint8, of the model's input size.
        device: Where the model is.
        seconds: Time for occlusion; the coarse map is always finished.
    """
    found = attention(model, card, pixels, device)
    return Attribution(found, "attention", complete=True) if found is not None else occlusion(logits, pixels, seconds)


def occlusion(logits: Logits, pixels: Pixels, seconds: float) -> Attribution:
    """Cover one place after another, and see how far the log-odds of fake fall.

    What covers a place is the picture itself, blurred beyond recognition: a grey square would be an edge of its own.
    Source: M. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.
    """
    import cv2

    began = time.monotonic()
    height, width = pixels.shape[:2]
    cover = np.asarray(cv2.GaussianBlur(pixels, (0, 0), max(height, width) / 8), np.uint8)
    (base,) = logits(pixels[None])
    drops, weights = np.zeros((height, width)), np.zeros((height, width))
    for grid in (COARSE, FINE):
        places = _places(height, width, grid)
        for start in range(0, len(places), BATCH):
            if grid == FINE and time.monotonic() - began > seconds:
                return Attribution(_cells(drops / weights, COARSE), "occlusion", complete=False)
            some = places[start : start + BATCH]
            covered = np.repeat(pixels[None], len(some), axis=0)
            for picture, place in zip(covered, some, strict=True):
                picture[place] = cover[place]
            for place, logit in zip(some, logits(covered), strict=True):
                # A small cover that moves the score says more of its place than a large one.
                share = height * width / (_area(place) or 1)
                drops[place] += (base - logit) * share
                weights[place] += share
    return Attribution(_cells(drops / weights, FINE), "occlusion", complete=True)


def attention(model: torch.nn.Module, card: ModelCard, pixels: Pixels, device: str) -> NDArray[np.float32] | None:
    """Gradient-weighted attention rollout of the log-odds of fake; None where the model offers no such attention.

    Source: H. Chefer, S. Gur, L. Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and
    Encoder-Decoder Transformers", ICCV 2021: each layer's attention times its gradient, negative parts cut off, mean
    over the heads, gathered through the layers.
    """
    import torch

    before = kernel_of(model)
    if before is None:
        return None
    try:
        set_kernel(model, "eager")  # the fast kernels keep no attention
        with torch.enable_grad():
            batch = torch.from_numpy(np.array(pixels[None])).to(device)
            dtype = next(model.parameters()).dtype
            answer: Any = model(pixel_values=normalise(batch, card.preprocessing).to(dtype), output_attentions=True)
            layers = getattr(answer, "attentions", None) or ()
            if not layers or not _is_plain(layers):
                return None
            row = answer.logits[0].float()
            others = torch.cat([row[: card.fake_index], row[card.fake_index + 1 :]])
            difference = row[card.fake_index] - torch.logsumexp(others, 0)
            slopes = torch.autograd.grad(difference, layers)
    except (TypeError, ValueError, RuntimeError, NotImplementedError, AttributeError):
        return None  # a family without eager attention, or whose classes do not take the argument: occlusion it is
    finally:
        set_kernel(model, before)
    with torch.no_grad():
        size = layers[0].shape[-1]
        gathered = torch.eye(size, device=device)
        for layer, slope in zip(layers, slopes, strict=True):
            gathered = gathered + (layer * slope).clamp(min=0).mean(dim=1)[0].float() @ gathered
        extra = _extra(size)
        assert extra is not None
        seen = gathered[0, extra:] if extra else gathered.mean(dim=0) - 1 / size
        side = math.isqrt(size - extra)
        return np.asarray(seen.reshape(side, side).cpu().numpy(), np.float32)


def _is_plain(layers: Sequence[Any]) -> bool:
    """Whether every layer looks at all of one square of tokens, so that maps can be multiplied."""
    sizes = {tuple(layer.shape[-2:]) for layer in layers}
    return (
        len(sizes) == 1
        and all(layer.ndim == 4 for layer in layers)
        and len(set(*sizes)) == 1
        and (_extra(int(layers[0].shape[-1])) is not None)
    )


def _extra(size: int) -> int | None:
    """How many of ``size`` tokens stand for no part of the picture."""
    return next((e for e in EXTRA_TOKENS if size > e + 1 and math.isqrt(size - e) ** 2 == size - e), None)


_Place = tuple[slice, slice]


def _places(height: int, width: int, grid: int) -> list[_Place]:
    """Overlapping squares whose middles lie on a regular grid."""
    down, across = height / grid, width / grid
    return [
        (
            slice(max(0, round((row + 0.5 - COVER / 2) * down)), min(height, round((row + 0.5 + COVER / 2) * down))),
            slice(max(0, round((col + 0.5 - COVER / 2) * across)), min(width, round((col + 0.5 + COVER / 2) * across))),
        )
        for row in range(grid)
        for col in range(grid)
    ]


def _area(place: _Place) -> int:
    return int((place[0].stop - place[0].start) * (place[1].stop - place[1].start))


def _cells(values: NDArray[np.float64], grid: int) -> NDArray[np.float32]:
    """A map of pixels as one of 2 x ``grid`` cells on a side, which is as fine as its places are."""
    import cv2

    return np.asarray(cv2.resize(values, (2 * grid, 2 * grid), interpolation=cv2.INTER_AREA), np.float32)
