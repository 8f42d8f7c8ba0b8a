"""What all readers of videos share: the protocol, limits on steps and time, and the file as FFmpeg may read it.

Two readers exist, both around FFmpeg: OpenCV, which every install has (``opencv.py``), and PyAV (``pyav.py``), which is
used when it is installed because it knows more of packets and can decode key frames alone. Both give the same frames
at the same times; ``tests/contracts/test_video_readers.py`` holds them to it.
"""

from __future__ import annotations

import io
import math
import os
import re
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib.util import find_spec
from typing import BinaryIO, Protocol

from deepscan.media.frames import Frame, Pixels
from deepscan.media.limits import MAX_FRAME_SIDE, MAX_FRAMES_READ, MAX_PACKETS_READ, VIDEO_SECONDS
from deepscan.text import duration

FORMATS = (
    "mov,mp4,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,asf,ogg,mxf,dv,rm,yuv4mpegpipe,ivf,h264,hevc,m4v,obu,nut,gxf"
)
"""FFmpeg's demuxers that deepscan lets near a file. Others open further files or the network that a file names
(playlists, concat scripts, session descriptions), whatever its suffix is."""

DECODER_THREADS = 2
"""Threads of one decoder; workers run side by side, and each thread of FFmpeg holds frames of its own."""

READ_AT_ONCE = 1 << 20
"""Bytes handed to FFmpeg at once. It may be led to ask for gigabytes, which Python would allocate first."""

READS_TO_OPEN = 200_000
"""Reads and seeks that opening a video may take; indexes of hours of video take a few thousand. A Windows Media file of
713 bytes made FFmpeg read the same 204 bytes eight million times, and fill a gigabyte with what it found.
"""

_RAISED = (OSError, ValueError, OverflowError, MemoryError, KeyboardInterrupt, SystemExit)
"""What may be raised while a file is read: by the disk, by impossible positions, and by signals (Ctrl-C, SIGTERM)."""


class ClipError(Exception):
    """The library that reads the video gave up; the message is its own."""


class Clip(Protocol):
    """An open video: steps from frame to frame (or from packet to packet) within limits on frames and time.

    Times are in seconds from the stream's start.
    """

    @property
    def stopped(self) -> str | None:
        """Why stepping ended before the stream did."""

    @property
    def codec(self) -> str:
        """The codec's short name, or an empty text."""

    @property
    def at_key(self) -> bool:
        """Whether the packet that was stepped to holds a key frame (of clips opened for packets)."""

    @property
    def delayed(self) -> bool:
        """Whether the times of frames are late, as with frames out of order in AVI; known after the first step."""

    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    def announced(self, head: bytes) -> tuple[float, float | None]:
        """The frame rate and the duration in seconds that the header states; ``head`` is how the file begins.

        None for the duration where the container has no field for it, or FFmpeg guesses it.
        """

    def step(self) -> float | None:
        """Go to the next frame and return its time in seconds; None at the end, or when a limit is reached."""

    def hurry(self, deadline: float) -> None:
        """Stop stepping at an earlier time (of ``time.monotonic``)."""

    def pixels(self) -> Pixels | None:
        """The frame that was stepped to, upright, at most MAX_FRAME_SIDE long; None where it cannot be converted."""

    def thumbnail(self, width: int, height: int) -> Pixels | None:
        """The frame that was stepped to in a small size, whatever its shape and rotation; None as :meth:`pixels`."""

    def seek(self, seconds: float) -> None:
        """Make the frame at ``seconds``, or one before it, the next to be stepped to."""


class Reader(Protocol):
    """A library that opens videos."""

    @property
    def name(self) -> str:
        """The library, as results name it."""

    def opened(
        self, file: BinaryIO, deadline: float, *, packets: bool = False, keys_only: bool = False
    ) -> AbstractContextManager[Clip | None]:
        """Open the video stream, for its frames or for its packets as they lie in the file; None where there is none.

        ``keys_only`` decodes nothing but key frames, in readers that can. Only one clip may be open on a file at a
        time, and nothing else may move the file's position meanwhile: the decoder would take what it then reads for
        damage. Raises ClipError, in the body too, when the library gives up.
        """

    def doubt(self, frames: Sequence[Frame]) -> str | None:
        """A sentence where these frames, all that were kept, may not be what the film shows."""


@cache
def best_reader() -> Reader:
    """PyAV where it is installed, else OpenCV."""
    if find_spec("av") is not None:
        from deepscan.media.film.pyav import PyAvReader

        return PyAvReader()
    from deepscan.media.film.opencv import OpenCvReader

    return OpenCvReader()


class Source(io.BufferedIOBase):
    """The file as FFmpeg reads it: nothing is ever raised, for OpenCV 4.14 dies (SIGSEGV) of that.

    A damaged AVI is enough, which makes FFmpeg seek to a negative place; so is Ctrl-C. What was raised is kept in
    ``error``, and the clip raises it again when the library has returned. After ``deadline``, or READS_TO_OPEN, the
    file has no more bytes: that ends the loops in which a damaged file may hold FFmpeg.
    """

    def __init__(self, file: BinaryIO, deadline: float) -> None:
        self._file, self.deadline = file, deadline
        self.calls_left: float = READS_TO_OPEN
        self.error: BaseException | None = None

    def spent(self) -> bool:
        """Whether nothing more may be read."""
        self.calls_left -= 1
        return self.error is not None or self.calls_left < 0 or time.monotonic() > self.deadline

    def read(self, size: int | None = -1, /) -> bytes:
        """At most READ_AT_ONCE bytes; none at the end, or once something has gone wrong."""
        try:
            wanted = READ_AT_ONCE if size is None or size < 0 else min(size, READ_AT_ONCE)
            return b"" if self.spent() else self._file.read(wanted)
        except _RAISED as e:
            self.error = e
            return b""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """The new position; -1 for one that does not exist."""
        try:
            if self.spent() or (whence == io.SEEK_SET and offset < 0):
                return -1
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1  # an answer that FFmpeg knows
        except _RAISED as e:
            self.error = e
            return -1

    def tell(self) -> int:
        """Where the file stands; -1 when that cannot be told."""
        try:
            return self._file.tell()
        except (OSError, ValueError):
            return -1

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True


class Steps:
    """The limits on a clip's steps, and why they ended."""

    def __init__(self, source: Source, *, packets: bool) -> None:
        self._source = source
        self._most = MAX_PACKETS_READ if packets else MAX_FRAMES_READ
        self._noun = "packets" if packets else "frames"
        self._taken = 0
        self.stopped: str | None = None

    def allowed(self) -> bool:
        """Whether another step may be taken; raises what went wrong while the file was read."""
        if self._taken >= self._most:
            self.stopped = f"at the limit of {self._most:,} {self._noun}"
            return False
        if self._late():
            return False
        self._check()
        return True

    def took(self, *, more: bool) -> bool:
        """Count a step that was tried, and return ``more``: whether it led anywhere."""
        self._check()
        if more:
            self._taken += 1
        else:
            self._late()
        return more

    def _check(self) -> None:
        if self._source.error:
            raise self._source.error

    def _late(self) -> bool:
        late = time.monotonic() > self._source.deadline
        if late:
            self.stopped = f"at the limit of {duration(VIDEO_SECONDS)} of work"
        return late


_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def states_duration(head: bytes) -> bool:
    """Whether the container that begins so has a field for the duration, so that FFmpeg need not guess it."""
    return head[4:8] in _ATOMS or head[:4] in (b"\x1aE\xdf\xa3", b"RIFF", b"0&\xb2u") or head[:3] == b"FLV"


def plausible(rate: float, seconds: float) -> float | None:
    """An announced duration, where it can be one at this frame rate."""
    return seconds if 0 < rate <= 1000 and 0 < seconds * rate < 1e9 and math.isfinite(seconds) else None


def fitting(width: int, height: int) -> tuple[int, int]:
    """The size at which a frame is kept: its longer side at most MAX_FRAME_SIDE."""
    scale = min(1.0, MAX_FRAME_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def only_sound(file: BinaryIO) -> bool:
    """Whether the track headers at either end of an MP4 or Matroska file name sound and no pictures."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    ends = file.read(1 << 20)
    file.seek(max(len(ends), size - (1 << 20)))
    ends += file.read(1 << 20)
    # ISO/IEC 14496-12, 8.4.3: handler_type after 8 bytes; RFC 9559, 5.1.4.1.21: CodecID (0x86) starts with A_ or V_.
    sound = re.search(rb"hdlr.{8}soun|\x86.A_[A-Z]", ends, re.DOTALL)
    return sound is not None and not re.search(rb"hdlr.{8}vide|\x86.V_[A-Z]", ends, re.DOTALL)
