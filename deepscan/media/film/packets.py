"""The packets of a video, listed without decoding, and what they say of the times at which frames are shown."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median
from typing import BinaryIO

from deepscan.media.film.clips import Reader

SAME_TIME = 0.0005
"""Seconds within which two timestamps are one: containers count in milliseconds or finer."""

MOST_REORDERED = 16
"""Frames that a decoder may hold back to put them in order (H.264 and H.265 allow 16)."""


@dataclass(frozen=True, slots=True)
class Packets:
    """What a listing of the packets tells: times in seconds, in rising order, of all and of the key frames."""

    times: tuple[float, ...] = ()
    keys: tuple[float, ...] = ()
    complete: bool = True
    codec: str = ""
    size: tuple[int, int] = (0, 0)

    @property
    def ordered(self) -> bool:
        """Whether each packet has a time of its own."""
        return bool(self.times) and rising(self.times)

    @property
    def named_codec(self) -> str:
        """The codec in brackets, for the end of a clause."""
        return f" (codec {self.codec!r})" if self.codec else ""

    def key_before(self, number: int) -> float:
        """The time of the key frame that a frame is decoded from."""
        at = bisect_right(self.keys, self.times[number] + SAME_TIME)
        return self.keys[max(0, at - 1)]


def list_packets(reader: Reader, file: BinaryIO, deadline: float) -> Packets:
    """The times of all packets, without decoding any; nothing where that cannot be had."""
    times: list[float] = []
    keys: list[float] = []
    with reader.opened(file, deadline, packets=True) as clip:
        if clip is None:
            return Packets()
        codec, size = clip.codec, clip.size()
        while (now := clip.step()) is not None:
            times.append(now)
            if clip.at_key:
                keys.append(now)
        return Packets(tuple(sorted(times)), tuple(sorted(keys)), clip.stopped is None, codec, size)


def rising(times: Sequence[float]) -> bool:
    """Whether each time is later than the one before it."""
    return all(a < b for a, b in pairwise(times))


def end_of(times: Sequence[float]) -> float:
    """When the last of these frames goes: it stays as long as frames usually do."""
    return times[-1] + (median(b - a for a, b in pairwise(times)) if len(times) > 1 else 0.0)


def settled(seen: Sequence[float], packets: Packets, rate: float) -> tuple[tuple[float, ...], str | None]:
    """The times at which decoded frames are shown, in order, and a sentence where they had to be guessed.

    AVI and MPEG program streams keep no presentation times for some frames: the decoder's are then late, or missing
    (0) for the last ones. Where every packet has a time and gave a frame, the list of packets has the right ones.
    Streams without a container have no times at all, only a ``rate`` at best.
    """
    if rising(seen):
        return tuple(max(0.0, now) for now in seen), None
    if packets.ordered and len(packets.times) == len(seen):
        return packets.times, None
    if min(seen) == max(seen):
        rate = rate if 1 <= rate <= 240 else 25.0
        guess = f"The video has no timestamps, so its frames are taken to follow each other at {rate:g} a second."
        return tuple(i / rate for i in range(len(seen))), guess
    timed = len(seen)
    while timed > 2 and seen[timed - 1] == 0.0:
        timed -= 1
    if len(seen) - timed <= MOST_REORDERED and rising(seen[:timed]):
        step = median(b - a for a, b in pairwise(seen[:timed]))
        return (*seen[:timed], *(seen[timed - 1] + step * (k + 1) for k in range(len(seen) - timed))), None
    return (
        tuple(accumulate(seen, max, initial=0.0))[1:],
        "Timestamps of the video repeat or run backwards, so frames are placed in time only roughly.",
    )
