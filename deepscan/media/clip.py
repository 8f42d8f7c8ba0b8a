"""One open video: OpenCV's FFmpeg backend behind limits on steps and time, reading through an open file handle.

An open handle and not a name, because OpenCV 4.14 dies (SIGSEGV) of names that are not UTF-8, and FFmpeg gives some
names a meaning. OpenCV reads from handles since 4.11. Only one clip may be open on a handle at a time, and nothing
else may move the handle meanwhile: the decoder would take what it then reads for damage.
"""

from __future__ import annotations

import io
import math
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from deepscan.media.frames import Pixels
from deepscan.media.limits import MAX_FRAME_SIDE, MAX_FRAMES_READ, VIDEO_SECONDS
from deepscan.text import duration

if TYPE_CHECKING:
    import cv2

WORKER_ENVIRONMENT: Mapping[str, str] = MappingProxyType({"OPENCV_FFMPEG_LOGLEVEL": "-8", "OPENCV_LOG_LEVEL": "OFF"})
"""What a worker process puts into its environment before it loads cv2, to keep FFmpeg and OpenCV off stderr."""

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

_fencing = threading.Lock()


class _Source(io.BufferedIOBase):
    """The file as OpenCV reads it: nothing is ever raised, for OpenCV 4.14 dies (SIGSEGV) of that.

    A damaged AVI is enough, which makes FFmpeg seek to a negative place; so is Ctrl-C. What was raised is kept in
    ``error``, and the clip raises it again when OpenCV has returned. After ``deadline``, or READS_TO_OPEN, the file
    has no more bytes: that ends the loops in which a damaged file may hold FFmpeg.
    """

    def __init__(self, file: BinaryIO, deadline: float) -> None:
        self._file, self.deadline = file, deadline
        self.calls_left: float = READS_TO_OPEN
        self.error: BaseException | None = None

    def _spent(self) -> bool:
        self.calls_left -= 1
        return self.error is not None or self.calls_left < 0 or time.monotonic() > self.deadline

    def read(self, size: int | None = -1, /) -> bytes:
        """At most READ_AT_ONCE bytes; none at the end, or once something has gone wrong."""
        try:
            wanted = READ_AT_ONCE if size is None or size < 0 else min(size, READ_AT_ONCE)
            return b"" if self._spent() else self._file.read(wanted)
        except _RAISED as e:
            self.error = e
            return b""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """The new position; -1 for one that does not exist."""
        try:
            if self._spent() or (whence == io.SEEK_SET and offset < 0):
                return -1
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1  # an answer that FFmpeg knows
        except _RAISED as e:
            self.error = e
            return -1

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True


class Clip:
    """An open video: steps from frame to frame (or from packet to packet) within limits on frames and time."""

    def __init__(self, capture: cv2.VideoCapture, source: _Source) -> None:
        self._capture, self._source = capture, source
        self._steps = 0
        self.stopped: str | None = None
        """Why stepping ended before the stream did."""

    def value(self, number: int) -> float:
        """One of OpenCV's CAP_PROP values; 0 where it is not a number."""
        value = self._capture.get(number)
        return value if math.isfinite(value) else 0.0

    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        import cv2

        return int(self.value(cv2.CAP_PROP_FRAME_WIDTH)), int(self.value(cv2.CAP_PROP_FRAME_HEIGHT))

    def announced(self, head: bytes) -> tuple[float, float | None]:
        """The frame rate and the duration in seconds that the header states; ``head`` is how the file begins.

        None for the duration where the container has no field for it, or FFmpeg guesses it.
        """
        import cv2

        states = head[4:8] in _ATOMS or head[:4] in (b"\x1aE\xdf\xa3", b"RIFF", b"0&\xb2u") or head[:3] == b"FLV"
        rate, count = self.value(cv2.CAP_PROP_FPS), self.value(cv2.CAP_PROP_FRAME_COUNT)
        return rate, count / rate if states and 0 < rate <= 1000 and 0 < count < 1e9 else None

    @property
    def delayed(self) -> bool:
        """Whether the times of frames are late, as with frames out of order in AVI; known after the first step."""
        import cv2

        return self.value(cv2.CAP_PROP_DTS_DELAY) != 0

    def step(self) -> float | None:
        """Go to the next frame and return its time in seconds; None at the end, or when a limit is reached."""
        import cv2

        if self._steps >= MAX_FRAMES_READ:
            self.stopped = f"at the limit of {MAX_FRAMES_READ:,} frames"
            return None
        more = time.monotonic() <= self._source.deadline and self._capture.grab()
        if self._source.error:
            raise self._source.error
        if more:
            self._steps += 1
            return self.value(cv2.CAP_PROP_POS_MSEC) / 1000
        if time.monotonic() > self._source.deadline:
            self.stopped = f"at the limit of {duration(VIDEO_SECONDS)} of work"
        return None

    def hurry(self, deadline: float) -> None:
        """Stop stepping at an earlier time (of ``time.monotonic``)."""
        self._source.deadline = deadline

    def pixels(self) -> Pixels | None:
        """The frame that was stepped to; None where it cannot be converted."""
        import cv2

        whole, frame = self._capture.retrieve()
        if not whole or frame is None or frame.size == 0:
            return None
        scale = MAX_FRAME_SIDE / max(frame.shape[:2])
        if scale < 1:
            size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)

    def seek(self, seconds: float) -> None:
        """Make the frame at ``seconds``, or one before it, the next to be stepped to."""
        import cv2

        self._capture.set(cv2.CAP_PROP_POS_MSEC, 1000 * max(0.0, seconds))


_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


@contextmanager
def opened(file: BinaryIO, deadline: float, *, packets: bool = False) -> Iterator[Clip | None]:
    """Open the video stream, for its frames or for its packets as they lie in the file; None where there is none."""
    import cv2

    wait = max(1, round(1000 * (deadline - time.monotonic())))
    settings = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, wait, cv2.CAP_PROP_READ_TIMEOUT_MSEC, wait]
    settings += [cv2.CAP_PROP_FORMAT, -1] if packets else [cv2.CAP_PROP_N_THREADS, DECODER_THREADS]
    file.seek(0)
    source = _Source(file, deadline)
    with _fence():
        capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, settings)  # type: ignore[call-overload]
    try:
        if source.error:
            raise source.error
        source.calls_left = math.inf
        yield Clip(capture, source) if capture.isOpened() else None
    finally:
        capture.release()


@contextmanager
def _fence() -> Iterator[None]:
    """Keep FFmpeg to FORMATS and to local files while a video is opened.

    OpenCV takes FFmpeg's options from the environment only, and reads them at that moment: the variable is set for
    the opening alone.
    """
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    with _fencing:
        before = os.environ.get(name)
        os.environ[name] = f"format_whitelist;{FORMATS}|protocol_whitelist;file"
        try:
            yield
        finally:
            if before is None:
                del os.environ[name]
            else:
                os.environ[name] = before


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
