"""Films made of real clips and of pictures of the shared data, at test time: what is spliced where is known."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from PIL import Image

from deepscan.media.frames import Pixels

FPS = 25
SIDE = 480


def faces(corpus: Path, source: str, label: str, count: int) -> list[Pixels]:
    """The first faces of a source in the validation part, as squares of SIDE pixels."""
    with (corpus / "faces" / "index.csv").open(newline="") as lines:
        wanted = [
            row["path"]
            for row in csv.DictReader(lines)
            if (row["source"], row["label"], row["split"]) == (source, label, "val")
        ][:count]
    with tarfile.open(corpus / "faces" / f"{source}.tar") as tar:
        names = {name.removeprefix("./"): name for name in tar.getnames()}
        found = []
        for path in wanted:
            name = names.get(path) or names[path.partition("/")[2]]
            stored = tar.extractfile(name)
            assert stored is not None
            with Image.open(io.BytesIO(stored.read())) as image:
                found.append(np.asarray(image.convert("RGB").resize((SIDE, SIDE)), np.uint8))
    return found


def panned(picture: Pixels, seconds: float) -> Iterator[Pixels]:
    """A picture as a slow movement into it, with the grain that every camera has."""
    rng = np.random.default_rng(5)
    image = Image.fromarray(picture)
    for i in range(round(seconds * FPS)):
        edge = 0.25 * i
        moved = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, (edge, edge, SIDE - edge, SIDE - edge))
        grain = rng.normal(0, 2, (SIDE, SIDE, 1))
        yield np.clip(np.asarray(moved, np.float32) + grain, 0, 255).astype(np.uint8)


def clip(path: Path, seconds: float, *, start: float = 0.0) -> Iterator[Pixels]:
    """A stretch of a clip, its frames as they come, as squares of SIDE pixels."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or FPS)
        frames = islice(container.decode(stream), round(start * rate), round((start + seconds) * rate))
        for i, frame in enumerate(frames):
            if int(i * FPS / rate) != int((i - 1) * FPS / rate) or i == 0:
                side = min(frame.width, frame.height)
                pixels = frame.to_ndarray(format="rgb24")
                left, top = (frame.width - side) // 2, (frame.height - side) // 2
                square = Image.fromarray(pixels[top : top + side, left : left + side])
                yield np.asarray(square.resize((SIDE, SIDE)), np.uint8)


def splice(path: Path, parts: Sequence[Iterator[Pixels]]) -> list[float]:
    """Write parts one after the other as one MP4; returns the times in seconds at which the later ones begin."""
    starts: list[float] = []
    number = 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "20"}
        for part in parts:
            starts.append(number / FPS)
            for pixels in part:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                container.mux(stream.encode(frame))
                number += 1
        container.mux(stream.encode())
    return starts[1:]
