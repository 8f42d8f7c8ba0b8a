"""Videos: frames sampled in time, each with the time at which it is really shown.

Reading is done by OpenCV's FFmpeg backend, through an open file handle. What a header says of frame counts, rates and
durations is never used to choose frames; three steps take its place:

1. The packets are listed without decoding them, which is fast even for hours of video. Their sorted timestamps are the
   presentation times, and say where the key frames are.
2. The frames on screen at the sampling's times are chosen from that list, and decoded: from the start to the end, or,
   where key frames make that much cheaper, by seeking.
3. What the decoder delivers is compared with the list. Where the two differ (frames that an edit list hides, packets
   that hold no picture, damaged ones), the decoder is right: the frames are chosen anew from the times it delivered.

Times count from the first frame that is shown. OpenCV subtracts the stream's start, so a stream that starts late, or
at a negative time, starts at 0 here; frames that an edit list cuts off are neither delivered nor counted. In a video
so long that it is read by seeking, an edit list that hides its first frames shifts the chosen times by the hidden part
(less than one key frame interval), and the times given stay those of the frames returned. Pixels are not stretched
where the stream asks for non-square ones.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import median
from typing import BinaryIO

from deepscan.errors import LimitError, MediaError, UnreadableError
from deepscan.media.clip import Clip, only_sound, opened
from deepscan.media.decoding import check_size, open_file, shown
from deepscan.media.frames import Frame, Pixels, Reading, Sampling
from deepscan.media.limits import MAX_FRAME_SIDE, MAX_SAMPLED_FRAMES, MAX_TOTAL_PIXELS, VIDEO_SECONDS
from deepscan.text import clean, duration, plural

SAME_TIME = 0.0005
"""Seconds within which two timestamps are one: containers count in milliseconds or finer."""

LISTING_SHARE = 0.25
"""Part of the time for a video that may be spent on listing its packets."""

MOST_REORDERED = 16
"""Frames that a decoder may hold back to put them in order (H.264 and H.265 allow 16)."""

ALWAYS_IN_ORDER = 300
"""Frames up to which a video is read from start to end: seeking gains nothing there."""

SEEK_COST = 20
"""What one seek costs in decoded frames: OpenCV lands up to 16 frames early and steps to the place."""

SEEK_FROM = (0.0, 2.0, 10.0)
"""Seconds before the key frame from which a frame is sought, one after the other."""

REREAD = 20_000
"""Frames up to which a video is read from start to end after all when a seek missed; with more, the frame is given up
and reported."""


def read_video(path: Path, sampling: Sampling) -> Reading:
    """Read frames of a video, evenly in time or every so many seconds.

    Each is the frame on screen at the time asked for, in RGB, upright (the container's rotation applied), its longer
    side at most MAX_FRAME_SIDE; frames asked for twice are given once. A video with no more frames than
    ``sampling.count`` is given whole. ``index`` counts frames in presentation order and ``seconds`` is the time at
    which the frame is shown, from the first one on.

    Args:
        path: The video; opened for reading only.
        sampling: Which frames are wanted; more than MAX_SAMPLED_FRAMES, or than MAX_TOTAL_PIXELS allows, are thinned
            out evenly, and ``problem`` says so.

    Raises:
        UnreadableError: there is no video stream, no decoder for it, or no frame of it can be decoded.
        LimitError: its frames are larger than MAX_PIXELS or MAX_SIDE, or VIDEO_SECONDS passed before the first one.
    """
    import cv2

    try:
        with open_file(path) as file:
            return _read(file, path, sampling)
    except OSError as e:
        raise UnreadableError(f"{shown(path)} cannot be read: {clean(e.strerror or str(e))}.") from e
    except cv2.error as e:
        raise UnreadableError(f"{shown(path)} cannot be decoded as a video ({clean(str(e.err), 160)}).") from e


@dataclass(frozen=True, slots=True)
class _Packets:
    """What a listing of the packets tells: times in seconds, in rising order, of all and of the key frames."""

    times: tuple[float, ...] = ()
    keys: tuple[float, ...] = ()
    complete: bool = True
    codec: str = ""

    @property
    def ordered(self) -> bool:
        """Whether each packet has a time of its own."""
        return bool(self.times) and _rising(self.times)

    @property
    def named_codec(self) -> str:
        """The codec in brackets, for the end of a clause."""
        return f" (codec {self.codec!r})" if self.codec else ""


@dataclass(frozen=True, slots=True)
class _Choice:
    """The numbers of the frames wanted, rising; ``problem`` when a limit thinned them out."""

    indices: tuple[int, ...] = ()
    problem: str | None = None


@dataclass(slots=True)
class _Walk:
    """Frames that were decoded: the times of all that went by in order, and the time and pixels of the ones kept."""

    times: list[float] = field(default_factory=list)
    kept: dict[int, tuple[float, Pixels]] = field(default_factory=dict)
    stopped: str | None = None
    missed: int = 0
    area: int = 0

    def keep(self, number: int, now: float, clip: Clip) -> bool:
        """Keep the frame that ``clip`` stands at; False when that would be too many pixels.

        The header's size says how many fit, but the size may change within a stream.
        """
        pixels = clip.pixels()
        if pixels is not None:
            self.area += pixels.shape[0] * pixels.shape[1]
            if self.kept and self.area > MAX_TOTAL_PIXELS:
                self.stopped = f"at the limit of {MAX_TOTAL_PIXELS:,} pixels"
                return False
            self.kept[number] = now, pixels
        return True


def _read(file: BinaryIO, path: Path, sampling: Sampling) -> Reading:
    start = time.monotonic()
    deadline = start + VIDEO_SECONDS
    head = file.read(16)
    packets = _list_packets(file, path, start + LISTING_SHARE * VIDEO_SECONDS)
    with opened(file, deadline) as clip:
        if clip is None:
            raise _unopened(file, path, packets, deadline)
        room = _room(clip.size(), path)
        rate, announced = clip.announced(head)
        plan = _choose(packets.times, sampling, room)
        walk = None
        if seeking := _seeking_pays(packets, plan, rate):
            walk = _visit(clip, packets, plan)
        elif not plan.indices:  # two walks will be needed
            clip.hurry((time.monotonic() + deadline) / 2)
        if not seeking:
            walk = _walk(clip, plan.indices)
    if walk is None:
        seeking, walk = False, _Walk()
        with opened(file, deadline) as clip:
            if clip is not None:
                walk = _walk(clip, plan.indices)
    if seeking:
        times, problems = packets.times, [plan.problem, _cut(packets, walk)]
        total = len(times) if packets.complete else None
    else:
        times, disorder = _settled(walk.times, packets, rate)
        final = _choose(times, sampling, room)
        _complete(walk, final, file, deadline)
        problems = [final.problem, disorder, _ending(times, walk, packets, announced)]
        total = None if walk.stopped else len(times)
    if not walk.kept and walk.stopped:
        raise LimitError(f"Reading {shown(path)} stopped {walk.stopped}, before any frame was decoded.")
    if not walk.kept:
        raise UnreadableError(
            f"No frame of {shown(path)} can be decoded{packets.named_codec}: "
            "its data are missing, damaged or encrypted."
        )
    seconds = {i: walk.kept[i][0] if seeking else times[i] for i in sorted(walk.kept)}
    frames = tuple(Frame(i, round(now, 6), walk.kept[i][1]) for i, now in seconds.items())
    return Reading(frames, total, " ".join(p for p in problems if p) or None)


def _list_packets(file: BinaryIO, path: Path, deadline: float) -> _Packets:
    """The times of all packets, without decoding any; nothing where that cannot be had."""
    import cv2

    times: list[float] = []
    keys: list[float] = []
    with opened(file, deadline, packets=True) as clip:
        if clip is None:
            return _Packets()
        _room(clip.size(), path)
        letters = int(clip.value(cv2.CAP_PROP_FOURCC)).to_bytes(8, "little", signed=True)[:4]
        while (now := clip.step()) is not None:
            times.append(now)
            if clip.value(cv2.CAP_PROP_LRF_HAS_KEY_FRAME):
                keys.append(now)
        codec = clean(letters.rstrip(b"\0 ").decode("latin-1"))
        return _Packets(tuple(sorted(times)), tuple(sorted(keys)), clip.stopped is None, codec)


def _room(size: tuple[int, int], path: Path) -> int:
    """How many frames of this size may be kept. Raises LimitError where one is already too large."""
    check_size(size, path, "its frames")
    scale = min(1.0, MAX_FRAME_SIDE / max(size))
    kept = max(1, round(size[0] * scale)) * max(1, round(size[1] * scale))
    return max(1, min(MAX_SAMPLED_FRAMES, MAX_TOTAL_PIXELS // kept))


def _choose(times: Sequence[float], sampling: Sampling, room: int) -> _Choice:
    """The frames on screen at the sampling's times, where frames appear at ``times``; at most ``room`` of them."""
    if not times:
        return _Choice()
    # The last frame stays as long as frames usually do. The millionths make up for rounding: 3 * 0.1 is not 0.3.
    end = times[-1] + (median(b - a for a, b in pairwise(times)) if len(times) > 1 else 0.0)
    asked = sampling.count if sampling.every is None else max(1, math.ceil(min(end / sampling.every, 1e12) - 1e-6))
    if len(times) <= min(asked, room) and (sampling.every is None or asked > room):
        return _Choice(tuple(range(len(times))))
    if asked > room:
        moments = [(k + 0.5) * end / room for k in range(room)]
        wish = (
            f"{asked:,} frames" if sampling.every is None else f"A frame every {sampling.every:g} s, {asked:,} in all,"
        )
        problem = f"{wish} were asked for, and {room}, evenly spread over the video, are examined."
    else:
        step = end / asked if sampling.every is None else sampling.every
        first = step / 2 if sampling.every is None else 0.0
        moments, problem = [first + k * step for k in range(asked)], None
    numbers = {max(0, bisect_right(times, moment + 1e-6) - 1) for moment in moments}
    return _Choice(tuple(sorted(numbers)), problem)


def _walk(clip: Clip, wanted: Collection[int], last: int | None = None) -> _Walk:
    """Decode one frame after another, to the end or to number ``last``, and keep the wanted ones."""
    walk = _Walk()
    while (last is None or len(walk.times) <= last) and (now := clip.step()) is not None:
        walk.times.append(now)
        number = len(walk.times) - 1
        if number in wanted and not walk.keep(number, now, clip):
            break
    walk.stopped = walk.stopped or clip.stopped
    return walk


def _settled(seen: Sequence[float], packets: _Packets, rate: float) -> tuple[tuple[float, ...], str | None]:
    """The times at which decoded frames are shown, in order, and a sentence where they had to be guessed.

    AVI and MPEG program streams keep no presentation times for some frames: the decoder's are then late, or missing
    (0) for the last ones. Where every packet has a time and gave a frame, the list of packets has the right ones.
    Streams without a container have no times at all, only a ``rate`` at best.
    """
    if _rising(seen):
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
    if len(seen) - timed <= MOST_REORDERED and _rising(seen[:timed]):
        step = median(b - a for a, b in pairwise(seen[:timed]))
        return (*seen[:timed], *(seen[timed - 1] + step * (k + 1) for k in range(len(seen) - timed))), None
    return (
        tuple(accumulate(seen, max, initial=0.0))[1:],
        "Timestamps of the video repeat or run backwards, so frames are placed in time only roughly.",
    )


def _rising(times: Sequence[float]) -> bool:
    return all(a < b for a, b in pairwise(times))


def _complete(walk: _Walk, final: _Choice, file: BinaryIO, deadline: float) -> None:
    """Where the decoder delivered other frames than the packets promised: fetch those that are wanted after all."""
    if walk.stopped and walk.kept:
        return
    for number in walk.kept.keys() - set(final.indices):
        del walk.kept[number]
    missing = set(final.indices) - walk.kept.keys()
    if missing:
        with opened(file, deadline) as clip:
            if clip is not None:
                walk.kept |= _walk(clip, missing, max(missing)).kept


# Long videos.


def _seeking_pays(packets: _Packets, plan: _Choice, rate: float) -> bool:
    """Whether the frames of the plan are reached much sooner by seeking to key frames."""
    # OpenCV seeks by frame number, which is time times rate: a rate that is wrong by far makes it search in vain.
    if len(packets.times) <= ALWAYS_IN_ORDER or not packets.ordered or len(packets.keys) < 2 or not 0.5 < rate <= 1000:
        return False
    cost = 0
    for number in plan.indices:
        key = _key_before(packets, number)
        cost += SEEK_COST + bisect_right(packets.times, packets.times[number]) - bisect_right(packets.times, key)
    return 2 * cost < len(packets.times)


def _key_before(packets: _Packets, number: int) -> float:
    """The time of the key frame that a frame is decoded from."""
    at = bisect_right(packets.keys, packets.times[number] + SAME_TIME)
    return packets.keys[max(0, at - 1)]


def _visit(clip: Clip, packets: _Packets, plan: _Choice) -> _Walk | None:
    """Decode the planned frames by seeking to the key frames before them; None where that does not work."""
    walk = _Walk()
    now = clip.step()
    if now is None or clip.delayed:
        return None
    for number in plan.indices:
        wanted, key = packets.times[number], _key_before(packets, number)
        # Seeks may land late (a transport stream has no index) or nowhere (OpenCV reckons with the mean rate).
        for back in SEEK_FROM:
            if now is not None and key - back <= now <= wanted + SAME_TIME:
                break
            clip.seek(key - back)
            now = clip.step()
        while now is not None and now < wanted - SAME_TIME:
            now = clip.step()
        if clip.stopped:
            break
        if now is None or now > wanted + SAME_TIME:
            if len(packets.times) <= REREAD:
                return None
            walk.missed += 1
            continue
        if not walk.keep(number, now, clip):
            break
    walk.stopped = walk.stopped or clip.stopped
    return walk


# What went wrong.


def _cut(packets: _Packets, walk: _Walk) -> str | None:
    """A sentence when reading by seeking left something out."""
    if walk.stopped:
        at = packets.times[max(walk.kept, default=0)]
        return f"Reading stopped {walk.stopped}, {duration(at)} into the video: what follows was not examined."
    if walk.missed:
        return f"{plural(walk.missed, 'frame')} that should have been examined could not be reached or decoded."
    if not packets.complete:
        return (
            f"Only the first {duration(packets.times[-1])} of the video are examined: it has too many frames to list."
        )
    return None


def _ending(times: Sequence[float], walk: _Walk, packets: _Packets, announced: float | None) -> str | None:
    """A sentence when reading stopped before the end, or the stream ends before it should."""
    if not times:
        return None
    last = times[-1]
    if walk.stopped:
        return f"Reading stopped {walk.stopped}, {duration(last)} into the video: what follows was not examined."
    if packets.complete and len(packets.keys) > 1:
        # Frames that an edit list hides lie within one key frame interval.
        hidden = max(b - a for a, b in pairwise(packets.keys))
        if last + hidden + 0.5 < packets.times[-1]:
            return (
                f"The video can be decoded up to {duration(last)}, and its data reach {duration(packets.times[-1])}: "
                "the rest is damaged."
            )
    if announced is not None and len(times) > 1:
        end = max([last, *packets.times[-1:]]) + (last - times[0]) / (len(times) - 1)
        if end + max(0.5, 0.05 * announced) < announced:
            return (
                f"The pictures end at {duration(end)}, and the file announces {duration(announced)}: "
                "the rest is missing or damaged."
            )
    return None


def _unopened(file: BinaryIO, path: Path, packets: _Packets, deadline: float) -> MediaError:
    """The reason why a video cannot be opened."""
    name = shown(path)
    if time.monotonic() > deadline:
        return LimitError(f"Reading {name} took longer than {duration(VIDEO_SECONDS)} before it could be opened.")
    if packets.codec or packets.times:
        codec = f" {packets.codec!r}" if packets.codec else ", which has no name"
        return UnreadableError(f"{name} has a video stream, and there is no decoder for its codec{codec}.")
    if only_sound(file):
        return UnreadableError(f"{name} has no video stream, only sound.")
    return UnreadableError(
        f"{name} cannot be opened as a video: its index is missing or damaged, or it has no video stream."
    )
