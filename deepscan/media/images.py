"""Pictures: decoded under limits, upright, as 8-bit RGB. Still ones, pages of a TIFF, frames of an animation.

The decoders themselves, and what they throw, are kept in :mod:`deepscan.media.decoding`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ImageFile

from deepscan.errors import LimitError, UnreadableError
from deepscan.media import decoding
from deepscan.media.animation import choose
from deepscan.media.decoding import DECODER_ERRORS, FRAME_ERRORS
from deepscan.media.frames import Frame, Pixels, Reading, Sampling
from deepscan.media.limits import (
    MAX_FRAME_SIDE,
    MAX_FRAMES_READ,
    MAX_PAGES,
    MAX_STEPPED_PIXELS,
    MAX_TOTAL_PIXELS,
)
from deepscan.media.signatures import HEAD_BYTES, detect
from deepscan.media.tones import shrink
from deepscan.text import clean, plural
from deepscan.types import MediaKind

__all__ = ["DECODER_ERRORS", "Stored", "load_rgb", "read_image", "read_stored"]


def read_image(path: Path, container: str, sampling: Sampling) -> Reading:
    """Decode a picture, the pages of a TIFF, or frames of an animation evenly in time.

    A file of one picture keeps its size; frames of a file of several are scaled down to MAX_FRAME_SIDE. A damaged later
    page or frame costs what cannot be read after it, and ``problem`` says so; a damaged first one is an error. Pages
    and the pictures of a HEIC are all read, up to MAX_PAGES and MAX_TOTAL_PIXELS.

    Args:
        path: The file. It is opened for reading only.
        container: What :func:`deepscan.media.signatures.detect` says it is.
        sampling: Which frames of an animation are wanted.

    Raises:
        UnreadableError: the file cannot be opened, or is damaged or cut short.
        UnsupportedError: there is no reader for this container, or for a coding or pixel layout within it.
        LimitError: the picture is larger than deepscan examines, or needs more memory than there is.
    """
    with decoding.boundary(path, container), decoding.open_file(path) as file:
        if container == "heic":
            return _read_heif(file, path)
        image = decoding.open_image(file, path, container)
        if container == "tiff":
            return _read_pages(image, path)
        if container in _MAY_MOVE and _moves(image):
            return _Animation(file, path, container, sampling).read()
        return Reading((Frame(0, None, decoding.decode(image, path)),), 1)


def load_rgb(path: Path) -> Pixels:
    """The picture in a file, or its first frame or page, whatever the file is called.

    Returns shape (height, width, 3) uint8 RGB, upright. Raises as :func:`read_image` does.
    """
    try:
        with decoding.open_file(path) as file:
            head = file.read(HEAD_BYTES)
            length = file.seek(0, 2)
    except OSError as e:
        raise UnreadableError(f"{decoding.shown(path)} cannot be read: {clean(e.strerror or str(e))}.") from e
    container = detect(head, length)
    if container is None or container.kind is not MediaKind.IMAGE:
        what = "nothing deepscan knows" if container is None else container.with_article
        raise UnreadableError(f"{decoding.shown(path)} is no picture: its bytes are {what}.")
    with decoding.boundary(path, container.name), decoding.open_file(path) as file:
        if container.name == "heic":
            return decoding.decode_heif(decoding.open_heif(file, path)[0], path)
        return decoding.decode(decoding.open_image(file, path, container.name), path)


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A picture with transparency as its file holds it.

    ``pixels`` has shape (height, width, 4), uint8 RGBA, neither turned nor laid over white; None where the picture has
    no such channel, so that its decoded frames lose nothing. ``lossless`` says that the file keeps every bit.
    """

    pixels: Pixels | None
    lossless: bool


def read_stored(file: BinaryIO, path: Path, container: str) -> Stored:
    """The pixels of a PNG or WebP of one frame before transparency is composed away; other containers hold none here.

    Only the header is decoded where there is no alpha channel. Raises as :func:`read_image` does.
    """
    if container not in ("png", "webp"):
        return Stored(None, lossless=False)
    with decoding.boundary(path, container):
        image = decoding.open_image(file, path, container)
        lossless = container == "png" or _is_lossless_webp(file)
        if image.mode != "RGBA" or not lossless or _moves(image):
            return Stored(None, lossless)
        image.load()
        return Stored(np.asarray(image, np.uint8), lossless)


def _is_lossless_webp(file: BinaryIO) -> bool:
    """Whether the picture is in a VP8L chunk, which stands first, or behind VP8X and a colour profile."""
    at = file.tell()
    file.seek(12)
    lossless = False
    for _ in range(_WEBP_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[:4] in (b"VP8L", b"VP8 "):
            lossless = head[:4] == b"VP8L"
            break
        size = int.from_bytes(head[4:], "little")
        file.seek(size + size % 2, 1)
    file.seek(at)
    return lossless


_WEBP_CHUNKS = 16


# Several pictures.


class _Kept:
    """The frames of a file that are kept, under the limit on their pixels, and what could not be."""

    def __init__(self, path: Path, container: str, noun: str, *, several: bool) -> None:
        self.frames: list[Frame] = []
        self.problems: list[str] = []
        self._path = path
        self._container = container
        self._noun = noun
        self._several = several
        self._pixels = 0

    def has_room(self, size: tuple[int, int], index: int) -> bool:
        """Whether a frame of this size may be decoded and kept; where not, notes it as a problem."""
        scale = min(1.0, MAX_FRAME_SIDE / max(*size, 1)) if self._several else 1.0
        if not self.frames or self._pixels + size[0] * size[1] * scale * scale <= MAX_TOTAL_PIXELS:
            return True
        self.problems.append(
            f"{self._noun.capitalize()} {index + 1} and later ones were not examined: those before it hold "
            f"{self._pixels:,} pixels, and {MAX_TOTAL_PIXELS:,} are kept of one file."
        )
        return False

    def add(self, index: int, seconds: float | None, pixels: Pixels) -> None:
        pixels = shrink(pixels, MAX_FRAME_SIDE) if self._several else pixels
        self._pixels += pixels.shape[0] * pixels.shape[1]
        self.frames.append(Frame(index, seconds, pixels))

    def damaged(self, index: int, error: Exception, *, ends: bool) -> None:
        """Note a page that cannot be decoded, ``ends`` when those after it are lost too; raises for the first."""
        told = decoding.translated(error, self._path, self._container)
        if index == 0:
            raise told from error
        lost = f"{self._noun.capitalize()} {index + 1}{' and any later ones were' if ends else ' was'} not examined"
        self.problems.append(f"{lost}: {told.message}")

    def reading(self, total: int | None) -> Reading:
        return Reading(tuple(self.frames), total, " ".join(self.problems) or None)


def _read_pages(image: ImageFile.ImageFile, path: Path) -> Reading:
    """All pages of a TIFF. Each stands by itself: one that is damaged does not cost the next one."""
    kept = _Kept(path, "tiff", "page", several=getattr(image, "is_animated", False))
    for index in range(MAX_PAGES + 1):
        try:
            image.seek(index)
        except EOFError:
            return kept.reading(index)
        except DECODER_ERRORS as e:
            kept.damaged(index, e, ends=True)
            return kept.reading(None)
        if index == MAX_PAGES:
            break
        if not kept.has_room(image.size, index):
            return kept.reading(None)
        try:
            kept.add(index, None, decoding.decode(image, path, f"page {index + 1}"))
        except FRAME_ERRORS as e:
            kept.damaged(index, e, ends=False)
    kept.problems.append(f"The first {MAX_PAGES} pages were examined; there are more.")
    return kept.reading(None)


def _read_heif(file: BinaryIO, path: Path) -> Reading:
    """All pictures of a HEIC that its author shows, the main one first."""
    pictures = decoding.open_heif(file, path)
    kept = _Kept(path, "heic", "picture", several=len(pictures) > 1)
    for index, picture in enumerate(pictures[:MAX_PAGES]):
        if not kept.has_room(picture.size, index):
            return kept.reading(len(pictures))
        try:
            kept.add(index, None, decoding.decode_heif(picture, path, f"picture {index + 1}" if index else ""))
        except FRAME_ERRORS as e:
            kept.damaged(index, e, ends=False)
    if len(pictures) > MAX_PAGES:
        kept.problems.append(f"The first {MAX_PAGES} of {len(pictures)} pictures were examined.")
    return kept.reading(len(pictures))


_MAY_MOVE = frozenset(["gif", "webp", "png", "apng", "avif"])


def _moves(image: ImageFile.ImageFile) -> bool:
    """Whether there is more than one frame. Pillow looks for a GIF's second frame, and may stumble over it."""
    try:
        return bool(getattr(image, "is_animated", False))
    except DECODER_ERRORS:
        return True


class _Animation:
    """One reading of an animation.

    Frames are composed one upon the other, so each needs those before it, and all times are known only at the end. A
    first walk collects them, and keeps the frames while there are not more than are wanted; where there are, a second
    walk keeps the right ones.
    """

    def __init__(self, file: BinaryIO, path: Path, container: str, sampling: Sampling) -> None:
        self._file = file
        self._path = path
        self._container = container
        self._sampling = sampling
        self._declared: int | None = None  # frames the header speaks of; a GIF's does not
        self._still_first = False

    def read(self) -> Reading:
        durations, kept, damage = self._survey()
        still = 1 if self._still_first else 0
        choice = choose(durations[still:], self._sampling, still_first=self._still_first)
        if kept is None or choice.times.keys() != {frame.index for frame in kept.frames}:
            kept = self._collect(choice.times)
        frames = tuple(Frame(frame.index, choice.times[frame.index], frame.pixels) for frame in kept.frames)
        damage = damage or self._missing(len(durations))
        problems = [damage, choice.problem, *kept.problems]
        total = self._declared or (None if damage else len(durations))
        return Reading(frames, total, " ".join(filter(None, problems)) or None)

    def _survey(self) -> tuple[list[float], _Kept | None, str | None]:
        """The duration of every frame in seconds; the frames, if all are wanted; and where it ends too early, why."""
        limit = 0 if self._sampling.every is not None else min(self._sampling.count, MAX_PAGES)
        kept: _Kept | None = self._nothing_kept()
        durations: list[float] = []
        try:
            for index, image in self._walk():
                durations.append(_seconds_shown(image))
                if kept is not None and (index >= limit or not self._keep(kept, index, image)):
                    kept = None
        except FRAME_ERRORS as e:
            told = decoding.translated(e, self._path, self._container)
            if not durations:
                raise told from e
            return durations, kept, f"Frame {len(durations) + 1} and any later ones were not examined: {told.message}"
        return durations, kept, None

    def _collect(self, times: Mapping[int, float | None]) -> _Kept:
        kept = self._nothing_kept()
        for index, image in self._walk(max(times)):
            if index in times and not self._keep(kept, index, image):
                break
        return kept

    def _walk(self, last: int = MAX_FRAMES_READ) -> Iterator[tuple[int, ImageFile.ImageFile]]:
        """Compose frame after frame, up to ``last``."""
        self._file.seek(0)
        image = decoding.open_image(self._file, self._path, self._container)
        self._still_first = bool(getattr(image, "default_image", False))
        self._declared = vars(image).get("n_frames")  # not GIF's property of this name, which reads the whole file
        stepped = 0
        for index in range(last + 1):
            try:
                image.seek(index)
            except EOFError:
                return
            stepped += image.width * image.height
            if index == MAX_FRAMES_READ or (index and stepped > MAX_STEPPED_PIXELS):
                raise LimitError(
                    f"deepscan steps through {MAX_FRAMES_READ:,} frames and {MAX_STEPPED_PIXELS:,} pixels."
                )
            decoding.check_size(image.size, self._path, f"frame {index + 1}")
            image.load()
            yield index, image

    def _nothing_kept(self) -> _Kept:
        return _Kept(self._path, self._container, "frame", several=True)

    def _keep(self, kept: _Kept, index: int, image: ImageFile.ImageFile) -> bool:
        if not kept.has_room(image.size, index):
            return False
        kept.add(index, None, decoding.decode(image, self._path, f"frame {index + 1}"))
        return True

    def _missing(self, found: int) -> str | None:
        """A sentence when the file ends, without an error, before it should."""
        if self._declared is not None and found < self._declared:
            return f"The file says that it holds {plural(self._declared, 'frame')}, and ends after {found}."
        if self._container == "gif":
            length = self._file.seek(0, 2)
            self._file.seek(max(0, length - 16))
            if b";" not in self._file.read(16):
                return "The file has no end mark: frames may be missing after those examined."
        return None


def _seconds_shown(image: ImageFile.ImageFile) -> float:
    duration = image.info.get("duration", 0)
    return duration / 1000 if isinstance(duration, (int, float)) and 0 <= duration < LONGEST_MS else 0.0


LONGEST_MS = 1e9
"""Milliseconds a frame may claim to be shown; more (eleven days) is a damaged field."""
