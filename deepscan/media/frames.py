"""Decoded pixels on their way through deepscan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
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
class Footage:
    """What reading a film told of all of it, beyond the frames that are looked at.

    ``reader`` is the library; ``seconds`` how long it lasts; ``cuts`` the times at which a new shot begins;
    ``sampling`` a sentence on how frames were chosen; ``budget`` how many might have been. ``times`` are those of the
    frames that went by one after the other, and ``changes`` how much each differs from the one before it, in grey
    levels of a small copy (shape (n,), the first is 0); both are empty where the film was not read from start to end.

    ``left`` are the moments of frames that were asked for beside those that were kept, and did not fit into memory with
    them: whoever wants them reads these moments next. ``again`` says that the film was read for such moments.
    """

    reader: str
    seconds: float
    cuts: tuple[float, ...]
    sampling: str
    budget: int
    times: NDArray[np.float64]
    changes: NDArray[np.float32]
    left: tuple[float, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What could be read of a file.

    ``frames`` is never empty. ``total`` is the number of frames or pages the file is known to have (None when only a
    full decode would tell). ``problem`` is a sentence when only a part could be read or was read by design of a limit
    ("the stream is damaged after 3.2 s"), else None. ``footage`` is there for videos.
    """

    frames: tuple[Frame, ...]
    total: int | None
    problem: str | None = None
    footage: Footage | None = None


class Rule(StrEnum):
    """How the frames of a film are chosen."""

    AUTO = "auto"
    """``count`` frames evenly in time, and more in shots that have none."""
    EVEN = "even"
    """``count`` frames evenly in time (the middles of ``count`` equal intervals)."""
    EVERY = "every"
    """One every ``every`` seconds, from 0 on."""
    KEYFRAMES = "keyframes"
    """The frames that the encoder stored whole."""
    ALL = "all"
    """All of them."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames of a video or animation are wanted. An ``every`` goes before the ``rule``.

    ``moments`` (times in seconds) go before all: the frames on screen then, and nothing is said of shots.
    """

    count: int = 16
    every: float | None = None
    rule: Rule = Rule.EVEN
    moments: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Face:
    """A face found in a frame: its box as the finder gives it (before any margin), and the view that found it.

    ``cut`` is the part of the box that lay outside the frame and was cut off.
    """

    box: Box
    view: str
    cut: float = 0.0
