"""Consecutive frames of a short stretch of a film, one at a time: what moves fast is lost between sampled frames.

Frames are handed on as they are decoded and not kept here, so that a caller who keeps small cuttings of them needs
little memory, however large they are.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import BinaryIO

from deepscan.errors import UnreadableError
from deepscan.media.film.clips import Clip, ClipError, Reader, best_reader
from deepscan.media.film.opencv import OpenCvReader
from deepscan.media.film.packets import SAME_TIME
from deepscan.media.frames import Pixels
from deepscan.text import clean

BACK = (0.0, 2.0, 10.0)
"""Seconds before the start from which it is sought, one after the other: seeks may land late."""


def stretch(
    file: BinaryIO, start: float, end: float, deadline: float, *, reader: Reader | None = None
) -> Generator[tuple[float, Pixels]]:
    """The frames shown from ``start`` on and before ``end``, in order, each with its time in seconds.

    Pixels are as :func:`deepscan.media.video.read_video` gives them. Frames that cannot be decoded are left out, and
    times only rise: it ends early where the film does, where times run backwards, and at the deadline.

    Args:
        file: The film; nothing else may read it meanwhile.
        start: Seconds from the stream's start, as presentation times count.
        end: The same.
        deadline: A time of ``time.monotonic``.
        reader: The library to read with; None for the best that is installed.

    Raises:
        UnreadableError: the film cannot be opened, or the library gives up.
    """
    reader = reader or best_reader()
    try:
        with reader.opened(file, deadline) as clip:
            if clip is not None:
                yield from _frames(clip, start, end)
                return
        if isinstance(reader, OpenCvReader):
            raise UnreadableError("The film cannot be opened a second time.")
    except ClipError as e:
        raise UnreadableError(f"The film cannot be decoded ({clean(str(e), 160)}).") from e
    yield from stretch(file, start, end, deadline, reader=OpenCvReader())


def _frames(clip: Clip, start: float, end: float) -> Generator[tuple[float, Pixels]]:
    now = _reached(clip, start)
    last = -1.0
    while now is not None and last < now < end - SAME_TIME:
        if now >= start - SAME_TIME:
            last = now
            if (pixels := clip.pixels()) is not None:
                yield now, pixels
        now = clip.step()


def _reached(clip: Clip, start: float) -> float | None:
    """Go to the frame at ``start`` or to one before it, or after it where no seek lands earlier; its time."""
    now = clip.step()
    for back in BACK:
        if now is None or (start - BACK[1] <= now <= start + SAME_TIME):
            break
        clip.seek(start - back)
        now = clip.step()
        if now is not None and now <= start + SAME_TIME:
            break
    return now
