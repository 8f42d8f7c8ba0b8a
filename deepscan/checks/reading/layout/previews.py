"""Where a JPEG file keeps smaller copies of its picture: EXIF, JFIF, Photoshop's resources, Multi-Picture Format.

Sources: CIPA DC-008, 4.5.5 (IFD1); JFIF 1.02, extension segments; Adobe, "Photoshop File Formats", resources 1033 and
1036; CIPA DC-007 (Multi-Picture Format), 5.2.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from deepscan.checks.reading.layout import tiff
from deepscan.checks.reading.layout.base import Pieces
from deepscan.checks.reading.layout.segments import Header, Segment

MAX_PREVIEWS = 8
"""Previews of one file. Cameras write up to three."""

_JPEG_OFFSET, _JPEG_SIZE, _ORIENTATION, _MP_ENTRIES = 0x0201, 0x0202, 0x0112, 0xB002
_LARGE_THUMBNAIL = 0x01
_MAX_RESOURCES = 500


@dataclass(frozen=True, slots=True)
class Preview:
    """A JPEG picture of ``size`` bytes at ``offset`` of the file, and the place that names it."""

    place: str
    offset: int
    size: int


def find_previews(file: BinaryIO, header: Header) -> Iterator[Preview]:
    """The previews that the segments of a JPEG file announce, at most :data:`MAX_PREVIEWS`; offsets are not checked."""
    found = 0
    for name, segment in header.applications:
        for preview in _in_segment(file, name, segment):
            yield preview
            found += 1
            if found >= MAX_PREVIEWS:
                return


def orientation(file: BinaryIO, header: Header) -> int:
    """The EXIF orientation of the main picture; 1 where there is none."""
    for name, segment in header.applications:
        if name == "Exif":
            found = tiff.first_directory(Pieces(file, segment.offset + 10, max(0, segment.size - 6)))
            value = found[0].number(_ORIENTATION) if found else 1
            return value if 1 <= value <= 8 else 1
    return 1


def _in_segment(file: BinaryIO, name: str, segment: Segment) -> Iterator[Preview]:
    body = segment.offset + 4
    if name == "Exif":
        yield from _exif(file, body + 6, segment.size - 6)
    elif name == "MPF":
        yield from _multi_picture(file, body + 4, segment.size - 4)
    elif name == "Photoshop":
        yield from _photoshop(file, body + 14, segment.size - 14)
    elif name == "JFXX" and Pieces(file).read(body + 5, 1) == b"\x10":
        yield Preview("JFIF extension", body + 6, max(0, segment.size - 6))


def _exif(file: BinaryIO, start: int, size: int) -> Iterator[Preview]:
    pieces = Pieces(file, start, max(0, size))
    found = tiff.first_directory(pieces)
    if found is None:
        return
    first, little = found
    second = tiff.read_directory(pieces, first.next, little=little)
    if second is not None and second.number(_JPEG_SIZE):
        yield Preview("EXIF thumbnail", start + second.number(_JPEG_OFFSET), second.number(_JPEG_SIZE))


def _multi_picture(file: BinaryIO, start: int, size: int) -> Iterator[Preview]:
    pieces = Pieces(file, start, max(0, size))
    found = tiff.first_directory(pieces)
    entries = found[0].entries.get(_MP_ENTRIES) if found else None
    if found is None or entries is None:
        return
    for at in range(entries.offset, entries.offset + min(entries.size, 16 * MAX_PREVIEWS * 4), 16):
        kind, length, offset = (pieces.number(at + part, 4, little=found[1]) or 0 for part in (0, 4, 8))
        # An offset of 0 is the main picture itself; others count from the TIFF header.
        if (kind >> 16) & 0xFF == _LARGE_THUMBNAIL and offset and length:
            yield Preview("Multi-Picture preview", start + offset, length)


def _photoshop(file: BinaryIO, start: int, size: int) -> Iterator[Preview]:
    pieces = Pieces(file, start, max(0, size))
    at = 0
    for _ in range(_MAX_RESOURCES):
        if pieces.read(at, 4) != b"8BIM":
            return
        kind = pieces.number(at + 4, 2)
        name = (pieces.number(at + 6, 1) or 0) + 1
        body = at + 6 + name + name % 2 + 4
        length = pieces.number(body - 4, 4) or 0
        # 1036 holds a JPEG after 28 bytes; 1033, of old versions, the same with red and blue exchanged.
        if kind in (1036, 1033) and length > 28 and pieces.number(body, 4) == 1:
            yield Preview("Photoshop thumbnail", start + body + 28, length - 28)
        at = body + length + length % 2
