"""Videos through OpenCV's FFmpeg backend, reading through an open file handle.

An open handle and not a name, because OpenCV 4.14 dies (SIGSEGV) of names that are not UTF-8, and FFmpeg gives some
names a meaning. OpenCV reads from handles since 4.11.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from deepscan.media.film.clips import (
    DECODER_THREADS,
    FORMATS,
    Clip,
    ClipError,
    Source,
    Steps,
    fitting,
    plausible,
    states_duration,
)
from deepscan.media.frames import Frame, Pixels
from deepscan.text import clean

if TYPE_CHECKING:
    import cv2

WORKER_ENVIRONMENT: Mapping[str, str] = MappingProxyType({"OPENCV_FFMPEG_LOGLEVEL": "-8", "OPENCV_LOG_LEVEL": "OFF"})
"""What a worker process puts into its environment before it loads cv2, to keep FFmpeg and OpenCV off stderr."""

UNWRITTEN = 0.02
"""Part of the values of a single frame that may not be 0 where OpenCV could not convert it."""

_fencing = threading.Lock()


class OpenCvReader:
    """The reader of every install. It cannot decode key frames alone: ``keys_only`` changes nothing."""

    name: str = "OpenCV"

    @contextmanager
    def opened(
        self, file: BinaryIO, deadline: float, *, packets: bool = False, keys_only: bool = False
    ) -> Iterator[Clip | None]:
        """See :class:`deepscan.media.film.clips.Reader`."""
        import cv2

        wait = max(1, round(1000 * (deadline - time.monotonic())))
        settings = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, wait, cv2.CAP_PROP_READ_TIMEOUT_MSEC, wait]
        settings += [cv2.CAP_PROP_FORMAT, -1] if packets else [cv2.CAP_PROP_N_THREADS, DECODER_THREADS]
        file.seek(0)
        source = Source(file, deadline)
        try:
            with _fence():
                capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, settings)  # type: ignore[call-overload]
        except cv2.error as e:
            raise ClipError(clean(str(e.err), 160)) from e
        try:
            if source.error:
                raise source.error
            source.calls_left = math.inf
            yield OpenCvClip(capture, source, packets=packets) if capture.isOpened() else None
        except cv2.error as e:
            raise ClipError(clean(str(e.err), 160)) from e
        finally:
            capture.release()

    def doubt(self, frames: Sequence[Frame]) -> str | None:
        """Whether no frame was ever written, as OpenCV 4.13 and 4.14 do with interlaced video, without an error.

        Their call of FFmpeg's scaler asks for progressive frames, which it refuses (vllm-project/vllm#47853 has the
        same). What they then hand out is one piece of unwritten memory: mostly zeros, or what another program part
        left there, but the same for every frame.
        """
        first = frames[0].pixels if frames else np.zeros((0, 0, 3), np.uint8)
        black = np.count_nonzero(first) <= UNWRITTEN * first.size
        if not all(np.array_equal(frame.pixels, first) for frame in frames) or not (black or len(frames) > 1):
            return None
        return (
            "All frames that were looked at are the same to the last bit. It may be a still picture, but OpenCV gives "
            'interlaced video so; with pip install "deepscan[video]" it is read by PyAV.'
        )


class OpenCvClip:
    """An open video: see :class:`deepscan.media.film.clips.Clip`."""

    def __init__(self, capture: cv2.VideoCapture, source: Source, *, packets: bool) -> None:
        self._capture, self._source = capture, source
        self._steps = Steps(source, packets=packets)

    @property
    def stopped(self) -> str | None:
        """Why stepping ended before the stream did."""
        return self._steps.stopped

    def _value(self, number: int) -> float:
        """One of OpenCV's CAP_PROP values; 0 where it is not a number."""
        value = self._capture.get(number)
        return value if math.isfinite(value) else 0.0

    @property
    def codec(self) -> str:
        """The four letters of the codec."""
        import cv2

        letters = int(self._value(cv2.CAP_PROP_FOURCC)).to_bytes(8, "little", signed=True)[:4]
        return clean(letters.rstrip(b"\0 ").decode("latin-1"))

    @property
    def at_key(self) -> bool:
        """Whether the packet holds a key frame."""
        import cv2

        return self._value(cv2.CAP_PROP_LRF_HAS_KEY_FRAME) != 0

    @property
    def delayed(self) -> bool:
        """Whether the times of frames are late."""
        import cv2

        return self._value(cv2.CAP_PROP_DTS_DELAY) != 0

    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        import cv2

        return int(self._value(cv2.CAP_PROP_FRAME_WIDTH)), int(self._value(cv2.CAP_PROP_FRAME_HEIGHT))

    def announced(self, head: bytes) -> tuple[float, float | None]:
        """Frame rate and duration, as the header states them."""
        import cv2

        rate, count = self._value(cv2.CAP_PROP_FPS), self._value(cv2.CAP_PROP_FRAME_COUNT)
        return rate, plausible(rate, count / rate) if rate > 0 and states_duration(head) else None

    def step(self) -> float | None:
        """Go to the next frame and return its time."""
        import cv2

        if not self._steps.allowed() or not self._steps.took(more=self._capture.grab()):
            return None
        return self._value(cv2.CAP_PROP_POS_MSEC) / 1000

    def hurry(self, deadline: float) -> None:
        """Stop stepping at an earlier time."""
        self._source.deadline = deadline

    def pixels(self) -> Pixels | None:
        """The frame that was stepped to."""
        frame = self._retrieved()
        return None if frame is None else _scaled(frame, fitting(frame.shape[1], frame.shape[0]))

    def thumbnail(self, width: int, height: int) -> Pixels | None:
        """The frame in a small size."""
        frame = self._retrieved()
        return None if frame is None else _scaled(frame, (width, height))

    def _retrieved(self) -> Pixels | None:
        whole, frame = self._capture.retrieve()
        return None if not whole or frame is None or frame.size == 0 else np.asarray(frame, np.uint8)

    def seek(self, seconds: float) -> None:
        """Go to a time, or before it."""
        import cv2

        self._capture.set(cv2.CAP_PROP_POS_MSEC, 1000 * max(0.0, seconds))


def _scaled(frame: Pixels, size: tuple[int, int]) -> Pixels:
    """A frame of OpenCV's (BGR) as RGB in this width and height."""
    import cv2

    if size != (frame.shape[1], frame.shape[0]):
        frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)


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
