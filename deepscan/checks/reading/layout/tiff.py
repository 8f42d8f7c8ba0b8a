"""The directories of a TIFF structure, as EXIF and the Multi-Picture Format use it (TIFF 6.0; CIPA DC-007, DC-008).

Only the entries themselves: no value is understood here beyond a number, a text, or where its bytes lie.
"""

from __future__ import annotations

from dataclasses import dataclass

from deepscan.checks.reading.layout.base import Pieces

MAX_ENTRIES = 512
"""Entries of one directory; the largest of real cameras has about a hundred."""

_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4}


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of ``size`` bytes at ``offset``, and its first number (0 where it is none)."""

    offset: int
    size: int
    number: int


@dataclass(frozen=True, slots=True)
class Directory:
    """The entries of one directory by tag, and the offset of the next directory (0 for none)."""

    entries: dict[int, Entry]
    next: int

    def number(self, tag: int) -> int:
        """The first number of a tag; 0 where it is missing."""
        return self.entries[tag].number if tag in self.entries else 0


def first_directory(pieces: Pieces) -> tuple[Directory, bool] | None:
    """The first directory of a TIFF structure and whether its numbers are little-endian; None where there is none."""
    order = pieces.read(0, 2)
    if order not in (b"II", b"MM"):
        return None
    little = order == b"II"
    directory = read_directory(pieces, pieces.number(4, 4, little=little) or 0, little=little)
    return None if directory is None else (directory, little)


def read_directory(pieces: Pieces, at: int, *, little: bool) -> Directory | None:
    """The directory at an offset; None where there is none."""
    count = pieces.number(at, 2, little=little) if at else None
    if count is None or count > MAX_ENTRIES:
        return None
    entries: dict[int, Entry] = {}
    for place in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = pieces.number(place, 2, little=little), pieces.number(place + 2, 2, little=little)
        items = pieces.number(place + 4, 4, little=little)
        if tag is None or kind is None or items is None:
            return None
        width = _WIDTHS.get(kind, 0)
        size = width * items
        offset = place + 8 if size <= 4 else pieces.number(place + 8, 4, little=little) or 0
        number = pieces.number(offset, width, little=little) or 0 if size and width in (2, 4) else 0
        entries.setdefault(tag, Entry(offset, size, number))
    return Directory(entries, pieces.number(at + 2 + 12 * count, 4, little=little) or 0)


def text(pieces: Pieces, directory: Directory, tag: int, limit: int = 256) -> str:
    """The text of a tag, up to ``limit`` bytes; empty where it is missing."""
    entry = directory.entries.get(tag)
    raw = b"" if entry is None else pieces.read(entry.offset, min(entry.size, limit))
    return raw.split(b"\0", 1)[0].decode("latin-1").strip()
