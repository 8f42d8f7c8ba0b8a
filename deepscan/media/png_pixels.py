"""A PNG file as its decoder needs it: without the chunks that are only words about the picture.

Pillow unpacks every text chunk and colour profile before it gives a pixel, and refuses the whole picture where one of
them unpacks to more than 1 MiB, or all of them to more than 64 MiB. A prompt or a colour profile may well be longer,
and the limit is a switch for the whole process. Here Pillow is handed a stream in which these chunks do not exist;
:mod:`deepscan.checks.reading.png_text` reads them under limits of its own.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from typing import BinaryIO

from deepscan.errors import LimitError

LEFT_OUT = frozenset({b"tEXt", b"zTXt", b"iTXt", b"iCCP"})
"""Chunks that change no pixel as deepscan decodes them: it uses profiles of CMYK pictures only, which no PNG is."""

MAX_CHUNKS = 1_000_000
"""Chunks of one file. A picture of 4 GiB in Pillow's own chunks of 64 KiB has 65,000."""


class PngPixels(io.RawIOBase):
    """The bytes of a PNG file without :data:`LEFT_OUT`, as a seekable stream. Closing it leaves ``file`` open.

    What is no chunk, or claims more bytes than there are, is kept as it stands, for the decoder to refuse; a text that
    claims more than there is ends the stream.

    Raises:
        LimitError: the file has more than :data:`MAX_CHUNKS` chunks.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._at = 0
        # Kept ranges: where each begins in this stream and in the file.
        self._starts = [0]
        self._sources = [0]
        self._size = self._survey()

    def _survey(self) -> int:
        """Find the ranges that are kept; returns the size of the stream."""
        length = self._file.seek(0, 2)
        dropped, at = 0, 8
        for count in range(MAX_CHUNKS + 1):
            self._file.seek(at)
            head = self._file.read(8)
            after = at + 12 + int.from_bytes(head[:4], "big")
            if len(head) < 8 or head[4:] == b"IEND":
                break
            if count == MAX_CHUNKS:
                raise LimitError(f"The PNG file has more than {MAX_CHUNKS:,} chunks.")
            if head[4:] in LEFT_OUT:
                end = min(after, length)
                dropped += end - at
                if self._sources[-1] == at:
                    self._sources[-1] = end
                else:
                    self._starts.append(end - dropped)
                    self._sources.append(end)
            if after > length:
                break
            at = after
        return length - dropped

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset in this stream."""
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: object) -> int:
        """Fill a buffer as far as the range that the offset lies in goes; 0 at the end."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        index = bisect_right(self._starts, self._at) - 1
        end = self._starts[index + 1] if index + 1 < len(self._starts) else self._size
        count = max(0, min(len(view), end - self._at))
        self._file.seek(self._sources[index] + self._at - self._starts[index])
        data = self._file.read(count)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
