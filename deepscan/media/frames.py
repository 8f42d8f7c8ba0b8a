"""Decoded pixels on their way through deepscan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepscan.types import Box

Pixels: TypeAlias = NDArray[np.uint8]
"""Shape (height, width, 3), RGB, sRGB-like 8 bit, upright (EXIF orientation applied), transparency over white."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a file: the picture itself, a page of a TIFF, a frame of an animation or of a video.

    ``index`` counts from 0 in presentation order; ``seconds`` is the presentation time and None for still pages.
    """

    index: int
    seconds: float | None
    pixels: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What could be read of a file.

    ``frames`` is never empty. ``total`` is the number of frames or pages the file is known to have (None when only a
    full decode would tell). ``problem`` is a sentence when only a part could be read or was read by design of a limit
    ("the stream is damaged after 3.2 s"), else None.
    """

    frames: tuple[Frame, ...]
    total: int | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames of a video or animation are wanted.

    ``count`` frames evenly in time (the middles of ``count`` equal intervals), or, when ``every`` is given, one every
    ``every`` seconds from 0 on.
    """

    count: int = 16
    every: float | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """A face found in a frame: its box as the finder gives it (before any margin), and the view that found it."""

    box: Box
    view: str
