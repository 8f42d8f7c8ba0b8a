"""What a walk over a container's structure gives, and how its bytes are read: in small, counted pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from deepscan.errors import LimitError, UnreadableError

MAX_STEPS = 1_000_000
"""Reads of one walk. A 20 MB GIF has 80,000 sub-blocks, two hours of fragmented video 10,000 boxes; a million reads
out of the buffer take about a second."""

WINDOW = 64 * 1024
"""Bytes that are read from the disk at once."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a file that a check may want to read: ``size`` bytes at ``offset``.

    ``kind`` says what it holds (``exif``, ``xmp``, ``text``, ``comment``, ``moov`` ...) and ``name`` what the container
    calls it, as a report may print it ("PNG iTXt").
    """

    kind: str
    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The structure of a file as far as its own lengths and markers tell.

    ``end`` is the offset of the first byte after the picture or video, None when the structure does not tell.
    ``problem`` is a sentence when the structure is cut short or broken. ``unfinished`` is a sentence when the walk was
    ended by a limit, so that nothing can be said about the rest. ``pixels`` is (width, height) as stored, before any
    orientation, where the structure states it.
    """

    blocks: tuple[Block, ...] = ()
    end: int | None = None
    problem: str | None = None
    unfinished: str | None = None
    pixels: tuple[int, int] | None = None


class Pieces:
    """A file read at given offsets, through a small window, with the number of reads limited.

    Args:
        file: An open, seekable file.
        start: Offset in the file that counts as 0.
        size: Bytes from ``start`` on that may be read; None for all.
    """

    def __init__(self, file: BinaryIO, start: int = 0, size: int | None = None) -> None:
        self._file = file
        self._start = start
        try:
            whole = file.seek(0, 2)
        except OSError as e:
            raise UnreadableError(f"The file cannot be read: {e.strerror or e}.") from e
        rest = max(0, whole - start)
        self.size = rest if size is None else min(size, rest)
        self._window = b""
        self._window_at = 0
        self._steps = 0

    def read(self, offset: int, count: int) -> bytes:
        """Up to ``count`` bytes at ``offset``; fewer at the end of the file.

        Raises:
            LimitError: after :data:`MAX_STEPS` reads.
            UnreadableError: the disk gives an error.
        """
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise LimitError(f"The structure of the file has more than {MAX_STEPS:,} parts, and the rest was not read.")
        if offset < 0 or offset >= self.size or count <= 0:
            return b""
        count = min(count, self.size - offset)
        inside = offset - self._window_at
        if inside >= 0 and inside + count <= len(self._window):
            return self._window[inside : inside + count]
        if count >= WINDOW:
            return self._fetch(offset, count)
        self._window = self._fetch(offset, min(WINDOW, self.size - offset))
        self._window_at = offset
        return self._window[:count]

    def number(self, offset: int, count: int, *, little: bool = False) -> int | None:
        """The unsigned integer of ``count`` bytes at ``offset``; None when the file ends before."""
        data = self.read(offset, count)
        return int.from_bytes(data, "little" if little else "big") if len(data) == count else None

    def _fetch(self, offset: int, count: int) -> bytes:
        try:
            self._file.seek(self._start + offset)
            return self._file.read(count)
        except OSError as e:
            raise UnreadableError(f"The file cannot be read at byte {offset:,}: {e.strerror or e}.") from e
