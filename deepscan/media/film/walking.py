"""Frames of an open film on the way to the ones that are wanted: one after the other, or by seeking."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from deepscan.media.film.clips import Clip
from deepscan.media.film.packets import SAME_TIME, Packets
from deepscan.media.film.shots import THUMBNAIL, Survey
from deepscan.media.frames import Pixels
from deepscan.media.limits import MAX_TOTAL_PIXELS

SEEK_FROM = (0.0, 2.0, 10.0)
"""Seconds before the key frame from which a frame is sought, one after the other."""

REREAD = 20_000
"""Frames up to which a video is read from start to end after all when a seek missed; with more, the frame is given up
and reported."""


@dataclass(slots=True)
class Walk:
    """Frames that were decoded: the times of all that went by in order, and the time and pixels of the ones kept.

    ``stopped`` says why a limit ended it, ``missed`` counts wanted frames that could not be had, ``area`` their pixels;
    ``cut_short`` when it ended where nothing more was wanted.
    """

    times: list[float] = field(default_factory=list)
    kept: dict[int, tuple[float, Pixels]] = field(default_factory=dict)
    survey: Survey = field(default_factory=Survey)
    stopped: str | None = None
    missed: int = 0
    area: int = 0
    cut_short: bool = False

    def keep(self, number: int, now: float, clip: Clip) -> bool:
        """Keep the frame that ``clip`` stands at; False when that would be too many pixels.

        The header's size says how many fit, but the size may change within a stream.
        """
        pixels = clip.pixels()
        if pixels is None:
            self.missed += 1
            return True
        self.area += pixels.shape[0] * pixels.shape[1]
        if self.kept and self.area > MAX_TOTAL_PIXELS:
            self.stopped = f"at the limit of {MAX_TOTAL_PIXELS:,} pixels"
            return False
        self.kept[number] = now, pixels
        return True


def walk_through(
    clip: Clip, wanted: Collection[int], last: int | None = None, *, survey: bool = True, until: float | None = None
) -> Walk:
    """Decode one frame after another, to the end, to number ``last`` or to a time, and keep the wanted ones."""
    walk = Walk()
    wanted = frozenset(wanted)
    while (last is None or len(walk.times) <= last) and (now := clip.step()) is not None:
        walk.times.append(now)
        if survey:
            walk.survey.add(clip.thumbnail(*THUMBNAIL))
        number = len(walk.times) - 1
        if number in wanted and not walk.keep(number, now, clip):
            break
        if until is not None and now > until:
            walk.cut_short = True
            break
    walk.stopped = walk.stopped or clip.stopped
    return walk


def visit(clip: Clip, packets: Packets, wanted: Sequence[int], *, may_miss: bool) -> Walk | None:
    """Decode the wanted frames by seeking to the key frames before them; None where that does not work.

    With ``may_miss`` frames that cannot be reached are counted, and the others given.
    """
    walk = Walk()
    now = clip.step()
    if now is None or clip.delayed:
        return None
    for number in wanted:
        moment, key = packets.times[number], packets.key_before(number)
        # Seeks may land late (a transport stream has no index) or nowhere (OpenCV reckons with the mean rate).
        for back in SEEK_FROM:
            if now is not None and key - back <= now <= moment + SAME_TIME:
                break
            clip.seek(key - back)
            now = clip.step()
        while now is not None and now < moment - SAME_TIME:
            now = clip.step()
        if clip.stopped:
            break
        if now is None or now > moment + SAME_TIME:
            if len(packets.times) <= REREAD and not may_miss:
                return None
            walk.missed += 1
            continue
        if not walk.keep(number, now, clip):
            break
    walk.stopped = walk.stopped or clip.stopped
    return walk if walk.kept or walk.stopped else None
