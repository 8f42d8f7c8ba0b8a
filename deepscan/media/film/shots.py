"""Where a new shot begins: hard cuts, told by colours that jump and by a picture that no motion explains.

A cut is a frame whose histogram of brightness and colour, or whose small copy, differs from the frame before it far
more than is usual around it, whose blocks are not found again nearby (so it is no pan), and after which the picture
stays different (so it is no flash). Dissolves and fades are not found: they end in a shot that is found by its own cut,
or in none.

Method: histograms and motion-compensated differences, as compared by J. Boreczky and L. Rowe, "Comparison of video
shot boundary detection techniques", SPIE 2670 (1996); the numbers were set on films made of real clips
(``tests/benchmarks/video.py`` prints what they find).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deepscan.media.frames import Pixels

THUMBNAIL = (48, 28)
"""Width and height in pixels of the small copies that are compared: multiples of :data:`_BLOCK`."""

JUMP = 0.08
"""Part of the pixels that change their bin of the histogram, from which a frame may begin a shot."""

LEAP = 13.0
"""The same as a mean difference of the small copies, in grey levels."""

UNEXPLAINED, UNEXPLAINED_ALONE = 6.0, 9.0
"""Mean difference, in grey levels, that must be left when each block has moved to where it fits best: beside a jump of
colours, and without one. Quick movements of a hand-held camera leave up to 7.8 without a jump.
"""

ABOVE_USUAL = 3.0
"""How many times the usual difference around it a cut must reach."""

NEIGHBOURS = 8
"""Frames before and after that tell what is usual."""

SETTLES = 3
"""Frames within which a flash is over."""

_BLOCK, _REACH = 4, 4


class Survey:
    """Takes in small copies of frames one after the other, keeps four numbers of each, and says where shots begin.

    ``gapless`` is False where frames far apart are compared: nothing is usual there, and a jump alone must do.
    """

    def __init__(self, *, gapless: bool = True) -> None:
        self._gapless = gapless
        self._last: NDArray[np.int16] | None = None
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=SETTLES)
        self._jumps: list[float] = []
        self._changes: list[float] = []
        self._rests: list[float] = []
        self._lasting: list[float] = []

    def __len__(self) -> int:
        return len(self._jumps)

    def add(self, thumbnail: Pixels | None) -> None:
        """The next frame, shape (height, width, 3) as :data:`THUMBNAIL` says; None repeats the one before it."""
        if thumbnail is None:
            for row in (self._jumps, self._changes, self._rests, self._lasting):
                row.append(0.0)
            return
        grey, colours = _signature(thumbnail)
        jump = _apart(colours, self._recent[-1]) if self._recent else 0.0
        change = float(np.abs(grey - self._last).mean()) if self._last is not None else 0.0
        suspect = jump >= JUMP or change >= LEAP
        self._rests.append(_unexplained(grey, self._last) if suspect and self._last is not None else 0.0)
        self._jumps.append(jump)
        self._changes.append(change)
        self._lasting.append(_apart(colours, self._recent[0]) if len(self._recent) == SETTLES else jump)
        self._last = grey
        self._recent.append(colours)

    @property
    def changes(self) -> NDArray[np.float32]:
        """How much each frame differs from the one before it, in grey levels of the small copies."""
        return np.asarray(self._changes, np.float32)

    def cuts(self) -> tuple[int, ...]:
        """The numbers of the frames that begin a new shot, rising; never 0."""
        jumps, changes = np.asarray(self._jumps), np.asarray(self._changes)
        found: list[int] = []
        for i in range(1, len(jumps)):
            if self._rests[i] < UNEXPLAINED:
                continue
            by_colour = jumps[i] >= JUMP and (not self._gapless or _stands_out(jumps, i))
            by_place = (
                self._gapless and changes[i] >= LEAP and self._rests[i] >= UNEXPLAINED_ALONE and _stands_out(changes, i)
            )
            if (by_colour or by_place) and (not self._gapless or self._lasts(i, by_colour=by_colour)):
                found.append(i)
        return tuple(found)

    def _lasts(self, number: int, *, by_colour: bool) -> bool:
        """Whether the picture is still another one when a flash would be over."""
        after = number + SETTLES - 1
        if not by_colour or after >= len(self._lasting):
            return True
        return self._lasting[after] >= 0.6 * self._jumps[number]


def cuts_between(pictures: Sequence[Pixels]) -> tuple[int, ...]:
    """Which of these frames, seconds apart, look like another shot than the one before them."""
    import cv2

    survey = Survey(gapless=False)
    for picture in pictures:
        survey.add(np.asarray(cv2.resize(picture, THUMBNAIL, interpolation=cv2.INTER_AREA), np.uint8))
    return survey.cuts()


def _signature(thumbnail: Pixels) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """The grey copy, and a histogram of brightness (16 bins) and of two colour differences (8 bins each)."""
    red, green, blue = (thumbnail[..., i].astype(np.int32) for i in range(3))
    grey = (77 * red + 150 * green + 29 * blue) // 256  # ITU-R BT.601
    one, other = (red - green + 255) // 64, (blue - green + 255) // 64
    bins = np.concatenate([(grey // 16).ravel(), 16 + one.ravel(), 24 + other.ravel()])
    return grey.astype(np.int16), (np.bincount(bins, minlength=32) / grey.size).astype(np.float32)


def _apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The part of the pixels that lie in another bin, the mean over the three histograms."""
    return float(np.abs(one - other).sum()) / 6


def _unexplained(grey: NDArray[np.int16], before: NDArray[np.int16]) -> float:
    """The mean difference that is left when each block has moved to where it fits best."""
    height, width = grey.shape
    padded = np.pad(before, _REACH, mode="edge")
    shape = height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK
    best = np.full((shape[0], shape[2]), np.inf)
    for down in range(2 * _REACH + 1):
        for across in range(2 * _REACH + 1):
            moved = padded[down : down + height, across : across + width]
            best = np.minimum(best, np.abs(grey - moved).reshape(shape).mean(axis=(1, 3)))
    return float(best.mean())


def _stands_out(values: NDArray[np.float64], number: int) -> bool:
    low, high = max(1, number - NEIGHBOURS), min(len(values), number + NEIGHBOURS + 1)
    around = np.delete(values[low:high], number - low)
    if not around.size:
        return True
    return bool(values[number] >= ABOVE_USUAL * np.median(around) and values[number] >= around.max() * 0.8)


def shot_of(seconds: float, cuts: Sequence[float]) -> int:
    """The number of the shot, from 1, that is on screen at a time."""
    return 1 + int(np.searchsorted(np.asarray(cuts), seconds + 1e-6, side="right"))
