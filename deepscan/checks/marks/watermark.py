"""The invisible watermark of Stable Diffusion's and FLUX's own code: the library invisible-watermark's ``dwtDct``.

A known message is written over and over: the picture's U channel goes through one step of a Haar wavelet, its
approximation is cut into blocks of 4 x 4 (8 x 8 pixels), and block by block, row by row, the largest value (the first
left out) is moved to the first or third quarter of a step of 36, for a 0 or a 1 of the message. (Despite its name there
is no cosine transform.) Reading takes one vote of each block, and the majority of the votes for each bit.

Writers hand the library bytes or numbers with a fraction, for which OpenCV centres U at 128 and at 0.5, and some hand
it red and blue in the other order: each picture is read in these four ways.

Sources: ShieldMnt/invisible-watermark 0.2.0, maxDct.py and watermark.py; the messages' own are named with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import comb

import numpy as np
from numpy.typing import NDArray

SMALLEST = 256 * 256
"""Pixels: the library leaves smaller pictures alone."""

MOST_PIXELS = 2_000_000
"""Pixels that are read, from the top: 31,250 votes, 230 for each bit of the longest message."""

RARE = 1e-8
"""A message counts when so many of its bits match that fair coins would do so with this chance; of 4 messages in 4 ways
a picture without any matches one with a chance below 2 in 10 million."""

WAYS = 4
_STEP, _BLOCK = 36.0, 4


@dataclass(frozen=True, slots=True)
class Message:
    """A message that a generator's own code writes: its bits, and where they are from."""

    generator: str
    name: str
    bits: tuple[int, ...]
    source: str


def _of_text(text: str) -> tuple[int, ...]:
    return tuple(int(bit) for bit in np.unpackbits(np.frombuffer(text.encode("ascii"), np.uint8)))


def _of_number(number: int) -> tuple[int, ...]:
    """As the writers do it, by Python's bin(): zeros in front are lost."""
    return tuple(int(digit) for digit in f"{number:b}")


MESSAGES = (
    Message(
        "Stable Diffusion 1",
        "StableDiffusionV1",
        _of_text("StableDiffusionV1"),
        "CompVis/stable-diffusion, scripts/txt2img.py",
    ),
    Message("Stable Diffusion 2", "SDV2", _of_text("SDV2"), "Stability-AI/stablediffusion, scripts/txt2img.py"),
    Message(
        "Stable Diffusion XL",
        "Stable Diffusion XL's 48 bits",
        _of_number(0b101100111110110010010000011110111011000110011110),
        "Stability-AI/generative-models; huggingface/diffusers, pipelines/stable_diffusion_xl/watermark.py",
    ),
    Message(
        "FLUX (Black Forest Labs)",
        "FLUX's 46 bits",
        _of_number(0b001010101111111010000111100111001111010100101110),
        "black-forest-labs/flux, src/flux/util.py (48 bits, of which its code writes 46)",
    ),
)


@dataclass(frozen=True, slots=True)
class Match:
    """How well a picture carries a message: how many of its bits match, and the chance of that with fair coins."""

    message: Message
    matching: int
    chance: float


def find_messages(pixels: NDArray[np.uint8]) -> tuple[Match, ...]:
    """The best reading of each message in a picture at its own size, shape (height, width, 3) uint8 RGB.

    Empty where the picture is smaller than :data:`SMALLEST`, which is never marked.
    """
    if pixels.shape[0] * pixels.shape[1] < SMALLEST:
        return ()
    readings = np.stack([_votes(plane) for plane in _planes(pixels)])
    return tuple(_best(message, readings) for message in MESSAGES)


@cache
def needed(bits: int) -> int:
    """The fewest matching bits of a message of this many at which it counts as found (:data:`RARE`)."""
    return next(k for k in range(bits + 1) if chance_of(bits, k) <= RARE)


@cache
def chance_of(bits: int, matching: int) -> float:
    """The chance that of so many fair coins at least ``matching`` fall as wanted."""
    return float(sum(comb(bits, k) for k in range(matching, bits + 1)) / 2**bits)


def _planes(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """The wavelet's approximation of U in the four ways, shape (height / 2, width / 2).

    It is half the sum of 2 x 2 values. The mean of the colours is taken before they become U, a weighted sum of them:
    what that rounds is as little as what the library rounds, a hundredth of its step.
    """
    import cv2

    rows = min(pixels.shape[0], max(8, MOST_PIXELS // pixels.shape[1] // 8 * 8)) // 8 * 8
    part = pixels[:rows, : pixels.shape[1] // 8 * 8, :3]
    size = (part.shape[1] // 2, part.shape[0] // 2)
    means = np.asarray(cv2.resize(np.ascontiguousarray(part), size, interpolation=cv2.INTER_AREA), np.float32)
    for conversion in (cv2.COLOR_RGB2YUV, cv2.COLOR_BGR2YUV):
        plane = np.asarray(2 * cv2.cvtColor(means, conversion)[..., 1], np.float32)
        yield plane
        yield plane + np.float32(2 * (128 - 0.5))  # as of bytes, which are centred at 128 and not at 0.5


def _votes(half: NDArray[np.float32]) -> NDArray[np.bool_]:
    """One vote of each block, row by row."""
    sizes = np.abs(half)
    sizes[::_BLOCK, ::_BLOCK] = 0  # the first of a block is left out
    height, width = half.shape[0] // _BLOCK, half.shape[1] // _BLOCK
    columns = sizes.reshape(height, _BLOCK, width * _BLOCK).max(axis=1)
    largest = np.maximum.reduce([columns[:, place::_BLOCK] for place in range(_BLOCK)])
    return np.asarray(largest.ravel() % _STEP > _STEP / 2, np.bool_)


def _best(message: Message, readings: NDArray[np.bool_]) -> Match:
    wanted = np.asarray(message.bits, np.bool_)
    matching = int((_majorities(readings, len(wanted)) == wanted).sum(axis=1).max())
    return Match(message, matching, chance_of(len(wanted), matching))


def _majorities(readings: NDArray[np.bool_], bits: int) -> NDArray[np.bool_]:
    """What most votes say of each bit, for readings of shape (ways, votes): shape (ways, bits)."""
    ways, votes = readings.shape
    rounds, rest = divmod(votes, bits)
    ones = readings[:, : rounds * bits].reshape(ways, rounds, bits).sum(axis=1)
    ones[:, :rest] += readings[:, rounds * bits :]
    asked = rounds + (np.arange(bits) < rest)
    return np.asarray(2 * ones > asked, np.bool_)
