"""One look at every picture before anything is learnt: can it be decoded, what is it a copy of, what gives it away?

Each file is read and decoded once, here, for all of these questions.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deepscan.errors import MediaError, TrainingError
from deepscan.media.frames import Pixels
from deepscan.media.images import load_rgb
from deepscan.text import plural
from deepscan.training.data import Record

log = logging.getLogger(__name__)

Counted = Callable[[int, int], None]
"""Called with how many pictures are done, and how many there are."""

HASH_SIDE = 16
HASH_WORDS = HASH_SIDE * HASH_SIDE // 64
_SHRUNK = 64
_CONTAINERS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF")
_WORKERS = 4
_SHOWN = 20

FEATURES = ("container", "bytes per pixel", "width", "height", "luma table", "chroma table", "subsampling")
"""What a file gives away without a look at the picture; see :func:`_of_file`."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found out about ``records``, the pictures that can be decoded, in the order of the data set.

    ``digests`` are SHA-256 sums of the files, ``hashes`` (n, HASH_WORDS) uint64 perceptual hashes, ``features``
    (n, len(FEATURES)) numbers of the files.
    """

    records: tuple[Record, ...]
    digests: tuple[str, ...]
    hashes: NDArray[np.uint64]
    features: NDArray[np.float64]


def look(records: Sequence[Record], counted: Counted | None = None) -> Survey:
    """Look at every picture; those that cannot be decoded are listed in the log and left out, never replaced.

    Raises:
        TrainingError: none of the pictures can be decoded.
    """
    found = []
    refused: list[str] = []
    with ThreadPoolExecutor(_WORKERS) as workers:
        for number, (record, seen) in enumerate(zip(records, workers.map(_look_at, records), strict=True), start=1):
            if isinstance(seen, MediaError):
                refused.append(seen.message)
            else:
                found.append((record, *seen))
            if counted is not None:
                counted(number, len(records))
    for sentence in refused[:_SHOWN]:
        log.warning("%s Left out of training.", sentence)
    if len(refused) > _SHOWN:
        log.warning("%s more left out of training.", plural(len(refused) - _SHOWN, "unreadable picture"))
    if not found:
        raise TrainingError("None of the pictures can be decoded.", "Check the files of the data set.")
    kept, digests, hashes, features = zip(*found, strict=True)
    return Survey(kept, digests, np.stack(hashes), np.stack(features))


def perceptual_hash(pixels: Pixels) -> NDArray[np.uint64]:
    """256 bits of shape (HASH_WORDS,) that re-encoding and rescaling hardly change.

    Which of the lowest 16 x 16 frequencies (discrete cosine transform of a 64 x 64 grey picture) are above their
    median, with four times the bits of the pHash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash
    Functions" (2010): aligned faces are too much alike for 64.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    shrunk = cv2.resize(grey, (_SHRUNK, _SHRUNK), interpolation=cv2.INTER_AREA).astype(np.float32)
    lowest = cv2.dct(shrunk)[:HASH_SIDE, :HASH_SIDE].ravel()
    bits = lowest > np.median(lowest)
    bits[0] = False  # the mean brightness
    return np.packbits(bits).view(np.uint64)


def _look_at(record: Record) -> tuple[str, NDArray[np.uint64], NDArray[np.float64]] | MediaError:
    try:
        pixels = load_rgb(record.path)
        content = record.path.read_bytes()
    except MediaError as e:
        return e
    except OSError as e:
        return MediaError(f"{record.path} cannot be read: {e.strerror}.")
    return hashlib.sha256(content).hexdigest(), perceptual_hash(pixels), _of_file(content, pixels)


def _of_file(content: bytes, pixels: Pixels) -> NDArray[np.float64]:
    """Container, size, bytes per pixel, mean of the JPEG tables and subsampling: 0 where a file has no such thing."""
    height, width = pixels.shape[:2]
    container, luma, chroma, sampling = 0.0, 0.0, 0.0, 0.0
    try:
        with Image.open(io.BytesIO(content)) as image:
            container = float(1 + _CONTAINERS.index(image.format)) if image.format in _CONTAINERS else 0.0
            tables = [float(np.mean(t)) for _, t in sorted((getattr(image, "quantization", None) or {}).items())]
            luma, chroma = (*tables, 0.0, 0.0)[:2]
            layers = getattr(image, "layer", None)
            sampling = float(layers[0][1] * layers[0][2]) if layers else 0.0
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        log.debug("Pillow does not name the container of a picture that another reader decoded.")
    return np.array([container, len(content) / (width * height), width, height, luma, chroma, sampling])
