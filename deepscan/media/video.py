"""Videos: frames sampled in time, each with the time at which it is really shown.

What a header says of frame counts, rates and durations is never used to choose frames; three steps take its place:

1. The packets are listed without decoding them, which is fast even for hours of video. Their sorted timestamps are the
   presentation times, and say where the key frames are.
2. The frames on screen at the sampling's times are chosen from that list, and decoded: from the start to the end, or,
   where key frames make that much cheaper, by seeking.
3. What the decoder delivers is compared with the list. Where the two differ (frames that an edit list hides, packets
   that hold no picture, damaged ones), the decoder is right: the frames are chosen anew from the times it delivered.

On the way small copies of the frames that go by are compared, which tells where shots begin
(:mod:`deepscan.media.film.shots`); with ``auto`` each shot then gets a frame. A film that would take too long to decode
whole is looked at by its key frames instead, and so are its cuts.

Times count from the stream's start. A stream that starts late, or at a negative time, starts at 0 here; frames that an
edit list cuts off are neither delivered nor counted. In a video so long that it is read by seeking with OpenCV, an edit
list that hides its first frames shifts the chosen times by the hidden part (less than one key frame interval), and the
times given stay those of the frames returned. Pixels are not stretched where the stream asks for non-square ones.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np

from deepscan.errors import LimitError, MediaError, UnreadableError
from deepscan.media.decoding import check_size, open_file, shown
from deepscan.media.film import sampling as choosing
from deepscan.media.film.clips import Clip, ClipError, Reader, best_reader, fitting, only_sound
from deepscan.media.film.locks import is_encrypted
from deepscan.media.film.opencv import OpenCvReader
from deepscan.media.film.packets import Packets, end_of, list_packets, rising, settled
from deepscan.media.film.sampling import Choice, budget, choose
from deepscan.media.film.shots import cuts_between
from deepscan.media.film.walking import Walk, visit, walk_through
from deepscan.media.frames import Footage, Frame, Reading, Rule, Sampling
from deepscan.media.limits import MAX_FRAMES_READ, MAX_SAMPLED_FRAMES, MAX_TOTAL_PIXELS, VIDEO_SECONDS
from deepscan.text import clean, duration, plural

LISTING_SHARE = 0.25
"""Part of the time for a video that may be spent on listing its packets."""

ALWAYS_IN_ORDER = 300
"""Frames up to which a video is read from start to end: seeking gains nothing there."""

SEEK_COST = 20
"""What one seek costs in decoded frames: OpenCV lands up to 16 frames early and steps to the place."""

PAST_MOMENTS = 1.0
"""Seconds past the last of the moments asked for up to which a film is read for them."""

SURVEYED_PIXELS = 4_000_000_000
"""Pixels up to which ``auto`` decodes all of a film to find its cuts: 72 s of 1080p at 25 frames a second, 3 minutes
of 720p. Longer ones are looked at by key frames."""


def read_video(path: Path, sampling: Sampling, reader: Reader | None = None) -> Reading:
    """Read frames of a video.

    Each is the frame on screen at the time asked for, in RGB, upright (the container's rotation applied), its longer
    side at most MAX_FRAME_SIDE; frames asked for twice are given once. ``index`` counts frames in presentation order
    and ``seconds`` is the time at which the frame is shown, from the first one on.

    Args:
        path: The video; opened for reading only.
        sampling: Which frames are wanted. Of more than MAX_SAMPLED_FRAMES, or than MAX_TOTAL_PIXELS allows, so many
            are given, evenly among them, and ``footage.left`` has the moments of the others; more than
            MAX_EXAMINED_FRAMES are thinned out, and ``problem`` says so.
        reader: The library to read with; None for the best that is installed.

    Raises:
        UnreadableError: there is no video stream, no decoder for it, its pictures are encrypted, or no frame of it can
            be decoded.
        LimitError: its frames are larger than MAX_PIXELS or MAX_SIDE, or VIDEO_SECONDS passed before the first one.
    """
    try:
        with open_file(path) as file:
            return _Job(reader or best_reader(), file, path, sampling).read()
    except OSError as e:
        raise UnreadableError(f"{shown(path)} cannot be read: {clean(e.strerror or str(e))}.") from e
    except ClipError as e:
        raise UnreadableError(f"{shown(path)} cannot be decoded as a video ({clean(str(e), 160)}).") from e


@dataclass(slots=True)
class _Job:
    """The reading of one video."""

    reader: Reader
    file: BinaryIO
    path: Path
    sampling: Sampling
    deadline: float = 0.0
    packets: Packets = field(default_factory=Packets)

    def read(self) -> Reading:
        start = time.monotonic()
        self.deadline = start + VIDEO_SECONDS
        head = self.file.read(16)
        if is_encrypted(self.file):
            raise UnreadableError(f"{shown(self.path)} is encrypted: its pictures cannot be read without their key.")
        self.packets = list_packets(self.reader, self.file, start + LISTING_SHARE * VIDEO_SECONDS)
        keys_only = self._by_keys()
        with self.reader.opened(self.file, self.deadline, keys_only=keys_only) as clip:
            if clip is None:
                return self._read_otherwise()
            room = _room(clip.size(), self.path)
            rate, announced = clip.announced(head)
            plan = self._plan(self.packets.times, room, keys_only=keys_only)
            walk = None
            if not (seeking := keys_only or self._seeking_pays(plan, rate)):
                plan = self._plan(self.packets.times[:MAX_FRAMES_READ], room, keys_only=False)
            if seeking:
                walk = visit(clip, self.packets, plan.indices, may_miss=keys_only)
            elif not plan.indices:  # two walks will be needed
                clip.hurry((time.monotonic() + self.deadline) / 2)
            if not seeking:
                walk = walk_through(clip, plan.indices, survey=self._surveys, until=self._until(clip))
        if walk is None or (walk.cut_short and not rising(walk.times)):
            seeking, walk = False, Walk()
            with self.reader.opened(self.file, self.deadline) as clip:
                if clip is not None:
                    walk = walk_through(clip, plan.indices, survey=self._surveys)
        return self._sought(walk, plan) if seeking else self._walked(walk, room, rate, announced)

    def _until(self, clip: Clip) -> float | None:
        """The time after which nothing more is wanted; None where the end must be seen, to know all times."""
        if not self.sampling.moments or clip.delayed or not self.packets.ordered:
            return None
        return max(self.sampling.moments) + PAST_MOMENTS

    def _read_otherwise(self) -> Reading:
        """What one reader cannot open is OpenCV's to read, or to give the reason for. Raises MediaError."""
        if isinstance(self.reader, OpenCvReader):
            raise self._unopened()
        self.reader = OpenCvReader()
        self.file.seek(0)
        return self.read()

    @property
    def _surveys(self) -> bool:
        """Whether shots are of interest."""
        return not self.sampling.moments

    def _by_keys(self) -> bool:
        """Whether nothing but key frames is to be decoded: asked for, or all of them would take ``auto`` too long."""
        if len(self.packets.keys) < 2 or not self.packets.ordered or self.sampling.every is not None:
            return False
        width, height = self.packets.size
        long = len(self.packets.times) * width * height > SURVEYED_PIXELS
        enough = len(self.packets.keys) >= choosing.AUTO_BASE
        return self.sampling.rule is Rule.KEYFRAMES or (self.sampling.rule is Rule.AUTO and long and enough)

    def _plan(self, times: Sequence[float], room: int, *, keys_only: bool) -> Choice:
        """The frames wanted as far as the list of packets tells."""
        if keys_only and self.sampling.rule is Rule.AUTO:
            wanted = replace(self.sampling, rule=Rule.KEYFRAMES)
            return Choice(choose(times, self.packets.keys, wanted, min(room, budget(end_of(times)))).indices)
        return choose(times, self.packets.keys, self.sampling, room)

    def _sought(self, walk: Walk, plan: Choice) -> Reading:
        """The result of reading by seeking."""
        self._require_some(walk)
        times = self.packets.times
        kept = [walk.kept[number] for number in sorted(walk.kept)]
        cuts = [kept[place][0] for place in cuts_between([pixels for _, pixels in kept])] if self._surveys else []
        total = len(times) if self.packets.complete else None
        frames = [Frame(i, round(now, 6), pixels) for i, (now, pixels) in sorted(walk.kept.items())]
        problem = _sentences(plan.problem, self._cut(walk), self.reader.doubt(frames))
        footage = self._footage(frames, times, cuts, [], "those only", plan)
        return Reading(tuple(frames), total, problem, footage)

    def _walked(self, walk: Walk, room: int, rate: float, announced: float | None) -> Reading:
        """The result of reading from start to end."""
        if not walk.times:
            self._require_some(walk)
        times, disorder = settled(walk.times, self.packets, rate)
        final = choose(times, self.packets.keys, self.sampling, room)
        starts = [number for number in walk.survey.cuts() if number < len(times)]
        if self.sampling.rule is Rule.AUTO and self.sampling.every is None and len(final.indices) < len(times):
            limit = min(room, budget(end_of(times)))
            final = replace(final, indices=choosing.in_every_shot(times, starts, final.indices, limit))
        self._complete(walk, final)
        self._require_some(walk)
        frames = [Frame(i, round(times[i], 6), walk.kept[i][1]) for i in sorted(walk.kept)]
        ending = self._ending(times, walk, announced)
        problem = _sentences(final.problem, disorder, ending, self.reader.doubt(frames))
        cuts = [times[i] for i in starts]
        searched = "every frame with the one before it"
        footage = self._footage(frames, times, cuts, walk.survey.changes, searched, final)
        return Reading(tuple(frames), None if walk.stopped or walk.cut_short else len(times), problem, footage)

    def _footage(
        self,
        frames: Sequence[Frame],
        times: Sequence[float],
        cuts: Sequence[float],
        changes: object,
        searched: str,
        plan: Choice,
    ) -> Footage:
        by_time = np.asarray(changes, np.float32)
        seconds = end_of(times)
        auto = self.sampling.rule is Rule.AUTO and self.sampling.every is None
        return Footage(
            reader=self.reader.name,
            seconds=round(seconds, 6),
            cuts=tuple(round(cut, 6) for cut in cuts),
            sampling=choosing.in_words(self.sampling, len(frames), seconds, len(cuts) + 1, plan, searched),
            budget=budget(seconds) if auto else len(frames) + len(plan.left),
            times=np.asarray(times if by_time.size else (), np.float64)[: by_time.size],
            changes=by_time[: len(times)],
            left=tuple(times[number] for number in plan.left),
            again=bool(self.sampling.moments),
        )

    def _complete(self, walk: Walk, final: Choice) -> None:
        """Fetch the frames that are wanted after all: for shots, and where packets promised others than there are."""
        if walk.stopped and walk.kept:
            return
        for number in walk.kept.keys() - set(final.indices):
            del walk.kept[number]
        missing = sorted(set(final.indices) - walk.kept.keys())
        if not missing:
            return
        same = len(walk.times) == len(self.packets.times) and self.packets.ordered
        with self.reader.opened(self.file, self.deadline) as clip:
            if clip is None:
                return
            rate, _ = clip.announced(b"")
            found = None
            if same and self._seeking_pays(Choice(tuple(missing)), rate):
                found = visit(clip, self.packets, missing, may_miss=False)
            if found is not None:
                walk.kept |= found.kept
                return
        with self.reader.opened(self.file, self.deadline) as clip:
            if clip is not None:
                walk.kept |= walk_through(clip, missing, max(missing), survey=False).kept

    def _seeking_pays(self, plan: Choice, rate: float) -> bool:
        """Whether the frames of the plan are reached much sooner by seeking to key frames."""
        packets = self.packets
        # OpenCV seeks by frame number, which is time times rate: a rate that is wrong by far makes it search in vain.
        if len(packets.times) <= ALWAYS_IN_ORDER or not packets.ordered or len(packets.keys) < 2:
            return False
        if not 0.5 < rate <= 1000:
            return False
        cost, at = 0, 0
        for number in plan.indices:
            key = bisect_right(packets.times, packets.key_before(number)) - 1
            # A frame that has no key frame between itself and the one before it is stepped to.
            cost += number - at if key <= at else SEEK_COST + number + 1 - key
            at = number
        through = plan.indices[-1] + 1 if self.sampling.moments and plan.indices else len(packets.times)
        return 2 * cost < through

    def _require_some(self, walk: Walk) -> None:
        """Raises LimitError or UnreadableError where not one frame was kept."""
        if walk.kept:
            return
        if walk.stopped:
            raise LimitError(f"Reading {shown(self.path)} stopped {walk.stopped}, before any frame was decoded.")
        raise UnreadableError(
            f"No frame of {shown(self.path)} can be decoded{self.packets.named_codec}: "
            "its data are missing, damaged or encrypted."
        )

    def _cut(self, walk: Walk) -> str | None:
        """A sentence when reading by seeking left something out."""
        packets = self.packets
        if walk.stopped:
            at = packets.times[max(walk.kept, default=0)]
            return f"Reading stopped {walk.stopped}, {duration(at)} into the video: what follows was not examined."
        if walk.missed:
            return f"{plural(walk.missed, 'frame')} that should have been examined could not be reached or decoded."
        if not packets.complete:
            seen = duration(packets.times[-1])
            return f"Only the first {seen} of the video are examined: it has too many frames to list."
        return None

    def _ending(self, times: Sequence[float], walk: Walk, announced: float | None) -> str | None:
        """A sentence when reading stopped before the end, or the stream ends before it should."""
        packets, last = self.packets, times[-1]
        if walk.stopped:
            return f"Reading stopped {walk.stopped}, {duration(last)} into the video: what follows was not examined."
        missed = f"{plural(walk.missed, 'frame')} that should have been examined could not be decoded."
        if self.sampling.moments:  # what the end is like was said when the film was first read
            return missed if walk.missed else None
        if packets.complete and len(packets.keys) > 1:
            # Frames that an edit list hides lie within one key frame interval.
            hidden = max(b - a for a, b in pairwise(packets.keys))
            if last + hidden + 0.5 < packets.times[-1]:
                return (
                    f"The video can be decoded up to {duration(last)}, and its data reach "
                    f"{duration(packets.times[-1])}: the rest is damaged."
                )
        if announced is not None and len(times) > 1:
            end = max([last, *packets.times[-1:]]) + (last - times[0]) / (len(times) - 1)
            if end + max(0.5, 0.05 * announced) < announced:
                return (
                    f"The pictures end at {duration(end)}, and the file announces {duration(announced)}: "
                    "the rest is missing or damaged."
                )
        return missed if walk.missed else None

    def _unopened(self) -> MediaError:
        """The reason why a video cannot be opened."""
        name, packets = shown(self.path), self.packets
        if time.monotonic() > self.deadline:
            return LimitError(f"Reading {name} took longer than {duration(VIDEO_SECONDS)} before it could be opened.")
        if packets.codec or packets.times:
            codec = f" {packets.codec!r}" if packets.codec else ", which has no name"
            return UnreadableError(f"{name} has a video stream, and there is no decoder for its codec{codec}.")
        if only_sound(self.file):
            return UnreadableError(f"{name} has no video stream, only sound.")
        return UnreadableError(
            f"{name} cannot be opened as a video: its index is missing or damaged, or it has no video stream."
        )


def _room(size: tuple[int, int], path: Path) -> int:
    """How many frames of this size may be kept. Raises LimitError where one is already too large."""
    check_size(size, path, "its frames")
    width, height = fitting(*size)
    return max(1, min(MAX_SAMPLED_FRAMES, MAX_TOTAL_PIXELS // (width * height)))


def _sentences(*problems: str | None) -> str | None:
    return " ".join(p for p in problems if p) or None
