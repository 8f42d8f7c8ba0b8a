"""Videos through PyAV: exact times, packets without those that an edit list hides, key frames alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from deepscan.media.limits import MAX_PIXELS, MAX_SIDE
from deepscan.text import clean

if TYPE_CHECKING:
    import av

MAX_DAMAGED = 2_000
"""Packets in a row that cannot be decoded after which the rest is given up."""

_AV_TIME_BASE = 1_000_000  # FFmpeg's AV_TIME_BASE: ticks of a container's duration in a second


class PyAvReader:
    """The reader that is used when PyAV is installed (``pip install "deepscan[video]"``)."""

    name: str = "PyAV"

    @contextmanager
    def opened(
        self, file: BinaryIO, deadline: float, *, packets: bool = False, keys_only: bool = False
    ) -> Iterator[Clip | None]:
        """See :class:`deepscan.media.film.clips.Reader`."""
        import av

        file.seek(0)
        source = Source(file, deadline)
        settings = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
        try:
            container = av.open(source, mode="r", options=settings, metadata_errors="replace")
        except (av.FFmpegError, ValueError):
            if source.error:
                raise source.error from None
            yield None
            return
        try:
            if source.error:
                raise source.error
            source.calls_left = math.inf
            # A cover picture is a video stream to FFmpeg.
            streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
            yield _clip(container, streams[0], source, packets=packets, keys_only=keys_only) if streams else None
        except av.FFmpegError as e:
            raise ClipError(clean(str(e), 160)) from e
        finally:
            container.close()

    def doubt(self, frames: Sequence[Frame]) -> str | None:
        """None."""
        return None


def _clip(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    source: Source,
    *,
    packets: bool,
    keys_only: bool,
) -> Clip | None:
    if packets:
        return _Packets(container, stream, source)
    if stream.codec_context is None:
        return None
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = DECODER_THREADS
    if keys_only:
        stream.codec_context.skip_frame = "NONKEY"
    return PyAvClip(container, stream, source)


class _Opened:
    """What clips of frames and of packets have in common."""

    def __init__(
        self, container: av.container.InputContainer, stream: av.VideoStream, source: Source, *, packets: bool
    ) -> None:
        self._container, self._stream, self._source = container, stream, source
        self._base = float(stream.time_base or 0.0) or 1 / _AV_TIME_BASE
        self._origin = stream.start_time or 0
        self._timeless = container.format.name == "avi"
        self._steps = Steps(source, packets=packets)

    @property
    def stopped(self) -> str | None:
        """Why stepping ended before the stream did."""
        return self._steps.stopped

    @property
    def codec(self) -> str:
        """The codec's name; empty where PyAV knows none."""
        context = self._stream.codec_context
        return "" if context is None else clean(context.name)

    @property
    def delayed(self) -> bool:
        """Whether the times of frames are late: AVI keeps none, and FFmpeg's own are wrong for frames out of order."""
        context = self._stream.codec_context
        return self._timeless and context is not None and bool(context.has_b_frames)

    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        context = self._stream.codec_context
        return (context.width, context.height) if context is not None else (0, 0)

    def announced(self, head: bytes) -> tuple[float, float | None]:
        """Frame rate and duration, as the header states them."""
        rate = float(self._stream.average_rate or self._stream.base_rate or 0.0)
        if not states_duration(head):
            return rate, None
        if self._stream.frames and rate > 0:  # FFmpeg cuts the duration of a truncated AVI to what is there
            return rate, plausible(rate, self._stream.frames / rate)
        if self._stream.duration:
            return rate, plausible(rate, self._stream.duration * self._base)
        return rate, plausible(rate, (self._container.duration or 0) / _AV_TIME_BASE)

    def hurry(self, deadline: float) -> None:
        """Stop stepping at an earlier time."""
        self._source.deadline = deadline

    def _time(self, ticks: int | None) -> float:
        return 0.0 if ticks is None else (ticks - self._origin) * self._base


class _Packets(_Opened):
    """The packets of a video as they lie in the file, without those that are never shown."""

    def __init__(self, container: av.container.InputContainer, stream: av.VideoStream, source: Source) -> None:
        super().__init__(container, stream, source, packets=True)
        self._packets = container.demux(stream)
        self._at_key = False

    @property
    def at_key(self) -> bool:
        """Whether the packet holds a key frame."""
        return self._at_key

    def step(self) -> float | None:
        """Go to the next packet and return the time at which its frame is shown."""
        import av

        while self._steps.allowed():
            try:
                packet = next(self._packets, None)
            except av.FFmpegError:
                packet = None
            if not self._steps.took(more=packet is not None and packet.size > 0):
                return None
            assert packet is not None
            if packet.is_discard:
                continue
            self._at_key = packet.is_keyframe
            return self._time(packet.dts if packet.pts is None or self._timeless else packet.pts)
        return None

    def pixels(self) -> Pixels | None:
        """None: nothing is decoded."""
        return None

    def thumbnail(self, width: int, height: int) -> Pixels | None:
        """None: nothing is decoded."""
        return None

    def seek(self, seconds: float) -> None:
        """Packets are only listed."""


class PyAvClip(_Opened):
    """An open video: see :class:`deepscan.media.film.clips.Clip`."""

    def __init__(self, container: av.container.InputContainer, stream: av.VideoStream, source: Source) -> None:
        super().__init__(container, stream, source, packets=False)
        self._frames = self._decoded()
        self._frame: av.VideoFrame | None = None

    @property
    def at_key(self) -> bool:
        """Whether the frame is a key frame."""
        return self._frame is not None and bool(self._frame.key_frame)

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """The frames in order of presentation; what cannot be decoded is left out, as other players do."""
        import av

        damaged = 0
        packets = self._container.demux(self._stream)
        while damaged < MAX_DAMAGED:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except av.FFmpegError:
                damaged += 1
                continue
            damaged = 0
            yield from frames

    def step(self) -> float | None:
        """Go to the next frame and return its time."""
        if not self._steps.allowed():
            return None
        self._frame = next(self._frames, None)
        if not self._steps.took(more=self._frame is not None):
            return None
        assert self._frame is not None
        return self._time(self._frame.pts)

    def pixels(self) -> Pixels | None:
        """The frame that was stepped to."""
        if self._frame is None:
            return None
        width, height = self._frame.width, self._frame.height
        if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
            return None
        size = fitting(width, height)
        return self._converted(size, turns=round(self._frame.rotation / 90) % 4)

    def thumbnail(self, width: int, height: int) -> Pixels | None:
        """The frame in a small size."""
        return self._converted((width, height), turns=0)

    def _converted(self, size: tuple[int, int], *, turns: int) -> Pixels | None:
        import av

        if self._frame is None:
            return None
        smaller = size != (self._frame.width, self._frame.height)
        try:
            frame = self._frame.reformat(*size, format="rgb24", interpolation="AREA" if smaller else "BICUBIC")
        except (av.FFmpegError, ValueError):
            return None
        pixels = np.asarray(frame.to_ndarray(), np.uint8)
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels

    def seek(self, seconds: float) -> None:
        """Go to a time, or before it."""
        import av

        try:
            self._container.seek(
                self._origin + math.floor(max(0.0, seconds) / self._base + 0.5), stream=self._stream, backward=True
            )
        except av.FFmpegError:
            return  # stepping goes on from where it was; the caller sees by the times that it is elsewhere
        self._frames = self._decoded()
