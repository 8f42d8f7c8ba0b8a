"""Small videos made in code, with the number of each frame painted into it so that a test can tell which came back.

PyAV makes them; it is a dependency of the tests only. Numbers are painted as twelve black or white columns, lowest bit
on the left, under a bar that is white on its left half: a frame that is mirrored, turned or torn reads as another
number, or as none.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from deepscan.media.frames import Pixels

BITS = 12
MILLISECOND = Fraction(1, 1000)


def paint(number: int, width: int, height: int) -> Pixels:
    """The frame with this number."""
    frame = np.full((height, width, 3), 90, np.uint8)
    for bit in range(BITS):
        columns = slice(bit * width // BITS, (bit + 1) * width // BITS)
        frame[height // 3 :, columns] = 235 if number >> bit & 1 else 20
    frame[: height // 3, : width // 2] = 235
    frame[: height // 3, width // 2 :] = 20
    return frame


def number_of(pixels: Pixels) -> int:
    """The number painted into a frame. Raises AssertionError where the frame is not upright."""
    height, width = pixels.shape[:2]
    grey = pixels.mean(axis=2)
    assert grey[height // 6, width // 4] > 160 > 80 > grey[height // 6, 3 * width // 4], "the frame is not upright"
    row = grey[2 * height // 3]
    return sum(int(row[int((bit + 0.5) * width / BITS)] > 128) << bit for bit in range(BITS))


def times_of(count: int, *, fps: int = 25) -> list[int]:
    """Presentation times in milliseconds at a constant rate."""
    return [round(1000 * i / fps) for i in range(count)]


def uneven_times(count: int) -> list[int]:
    """Presentation times in milliseconds at a rate that varies from 3 to 100 frames per second."""
    gaps = (10, 33, 40, 350, 20, 100, 15)
    times = [0]
    while len(times) < count:
        times.append(times[-1] + gaps[len(times) % len(gaps)])
    return times


def make(
    path: Path,
    times: Sequence[int],
    *,
    codec: str = "libx264",
    size: tuple[int, int] = (192, 96),
    pixel_format: str = "yuv420p",
    time_base: Fraction = MILLISECOND,
    key_every: int = 12,
    b_frames: int = 0,
    turned: int = 0,
    sound: bool = False,
    mux: Mapping[str, str] | None = None,
    paint: Callable[[int, int, int], Pixels] = paint,
    grain: bool = False,
    crf: int = 12,
) -> Path:
    """Write a video whose frame ``i`` is shown at ``times[i]`` (in ``time_base``); the suffix names the container.

    ``turned`` is the number of quarter turns, counter-clockwise, by which the stored frames are turned: a player has to
    turn them back. ``grain`` adds noise, which gives frames of like size in bytes. ``crf`` is x264's measure of
    loss, 0 for none.
    """
    noise = np.random.default_rng(7)
    with av.open(str(path), "w", options=dict(mux or {})) as container:
        stream = cast("VideoStream", container.add_stream(codec, rate=25))
        width, height = size if turned % 2 == 0 else size[::-1]
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.codec_context.time_base = stream.time_base = time_base
        stream.codec_context.gop_size = key_every
        stream.codec_context.max_b_frames = b_frames
        # Key frames only where they are asked for, and little loss.
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": str(crf), "x264-params": f"scenecut=0:bframes={b_frames}"}
        else:
            stream.bit_rate = 4_000_000
        if sound:
            _add_silence(container)
        for number, moment in enumerate(times):
            picture = np.ascontiguousarray(np.rot90(paint(number, *size), turned))
            if grain:
                picture = np.clip(picture + noise.integers(-20, 21, picture.shape), 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = moment, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def make_sound(path: Path) -> Path:
    """Write a file that holds sound and no pictures."""
    with av.open(str(path), "w") as container:
        _add_silence(container)
    return path


def _add_silence(container: av.container.OutputContainer) -> None:
    codec = "libopus" if container.format.name in ("webm", "matroska") else "aac"
    stream = cast("AudioStream", container.add_stream(codec, rate=48_000, layout="mono"))
    for block in range(20):
        samples = np.zeros((1, 960 if codec == "libopus" else 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48_000, block * samples.shape[1]
        frame.time_base = Fraction(1, 48_000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def turn_back(path: Path, quarters: int) -> Path:
    """Tell players, in the track header of an MP4, to turn frames by quarter turns clockwise."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters % 4]
    one = 1 << 16
    matrix = struct.pack(">9i", cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1 << 30)
    # ISO/IEC 14496-12, 8.3.2 (version 0): the matrix stands 40 bytes after the box's name.
    return patch(path, b"tkhd", 40, matrix)


def patch(path: Path, box: bytes, offset: int, value: bytes) -> Path:
    """Overwrite bytes ``offset`` after the first box of this name ends its name."""
    data = bytearray(path.read_bytes())
    at = data.index(box) + len(box) + offset
    data[at : at + len(value)] = value
    path.write_bytes(data)
    return path


def cut(path: Path, share: float) -> Path:
    """Keep only the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def shown_at(times: Iterable[float], moment: float) -> int:
    """The number of the frame that is on screen at a moment, by looking at each."""
    return max((i for i, time in enumerate(times) if time <= moment + 1e-6), default=0)
