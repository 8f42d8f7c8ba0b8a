"""The directories of a TIFF structure, classic or BigTIFF, as bytes: what exifread does not reach.

exifread drops the bytes of long values, knows no BigTIFF, and gives nothing at all of a block in which it stumbles.
This walker is asked for single values, and for the few statements that matter most when exifread has failed. It reads
no chain and no directory inside a directory, so nothing in the file decides how long it runs.

Sources: TIFF 6.0; Adobe TIFF Technical Note 3 (BigTIFF is the LibTIFF design, bigtiff.org); CIPA DC-008 (EXIF 2.32).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from deepscan.checks.reading.layout import Pieces
from deepscan.media.limits import MAX_METADATA_BYTES

MAX_ENTRIES = 4096
"""Entries of one directory that are looked at."""

MAX_TEXT_BYTES = 1024**2
"""Bytes of one text that :meth:`Tiff.text` reads."""

_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_ASCII, _SIGNED, _RATIONAL = 2, frozenset({6, 8, 9, 17}), frozenset({5, 10})
_NUMBERS = frozenset({1, 3, 4, 9, 13, 16, 18})

EXIF_IFD, GPS_IFD = 0x8769, 0x8825
_MAIN: Mapping[int, str] = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0112: "Orientation",
    0x0131: "Software",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x013C: "HostComputer",
    0x8298: "Copyright",
}
_EXIF: Mapping[int, str] = {
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x9010: "OffsetTime",
    0x9011: "OffsetTimeOriginal",
    0x9012: "OffsetTimeDigitized",
    0x9290: "SubSecTime",
    0x9291: "SubSecTimeOriginal",
    0x9292: "SubSecTimeDigitized",
    0xA002: "ExifImageWidth",
    0xA003: "ExifImageLength",
    0xA433: "LensMake",
    0xA434: "LensModel",
}
_GPS: Mapping[int, str] = {1: "GPSLatitudeRef", 3: "GPSLongitudeRef", 0x1D: "GPSDate"}


@dataclass(frozen=True, slots=True)
class Value:
    """Where a value lies: its TIFF type, how many there are, and the bytes of all of them."""

    kind: int
    count: int
    offset: int
    size: int


class Tiff:
    """A TIFF structure whose header ``pieces`` begins with."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        head = pieces.read(0, 16)
        self.little = head[:2] == b"II"
        self.big = head[:4] in (b"II+\0", b"MM\0+")
        # Makers of raw files write other numbers than 42 after the byte order, and the directories are the same.
        self.known = head[:2] in (b"II", b"MM") and len(head) >= 8
        self.main = self.directory(self._number(8, 8) if self.big else self._number(4, 4))

    def directory(self, offset: int | None) -> Mapping[int, Value]:
        """The entries of the directory at an offset, by tag; empty where there is none."""
        return dict(self._entries(offset)) if offset else {}

    def inside(self, tag: int) -> Mapping[int, Value]:
        """The directory that a tag of the main one points to."""
        return self.directory(self.number(self.main.get(tag)))

    def after_main(self) -> Mapping[int, Value]:
        """The second directory, which describes the embedded thumbnail (EXIF 2.32, 4.5.1)."""
        start = self._number(8, 8) if self.big else self._number(4, 4)
        count = self._number(start, 8 if self.big else 2) if start else None
        if start is None or count is None or count > MAX_ENTRIES:
            return {}
        return self.directory(
            self._number(start + 8 + 20 * count, 8) if self.big else self._number(start + 2 + 12 * count, 4)
        )

    def number(self, value: Value | None) -> int | None:
        """A single unsigned integer; None for any other value."""
        if value is None or value.count != 1 or value.kind not in _NUMBERS:
            return None
        return self._number(value.offset, value.size)

    def raw(self, value: Value | None) -> bytes:
        """The bytes of a value; empty for none and for more than :data:`MAX_METADATA_BYTES`."""
        if value is None or value.size > MAX_METADATA_BYTES:
            return b""
        return self._pieces.read(value.offset, value.size)

    def text(self, value: Value) -> str:
        """A value as text: itself, or its one integer."""
        if value.kind == _ASCII:
            raw = self._pieces.read(value.offset, min(value.size, MAX_TEXT_BYTES)).split(b"\0", 1)[0]
            try:
                return raw.decode("utf-8").strip()
            except UnicodeDecodeError:
                return raw.decode("latin-1").strip()
        number = self.number(value)
        return "" if number is None else str(number)

    def fractions(self, value: Value | None) -> list[Fraction]:
        """Up to three fractions; none where one divides by zero."""
        if value is None or value.kind not in _RATIONAL or value.count > 3:
            return []
        raw = self._pieces.read(value.offset, value.size)
        order = "little" if self.little else "big"
        parts = [int.from_bytes(raw[at : at + 4], order) for at in range(0, len(raw) // 8 * 8, 4)]  # type: ignore[arg-type]
        pairs = list(zip(parts[::2], parts[1::2], strict=True))
        return [Fraction(top, bottom) for top, bottom in pairs] if all(bottom for _, bottom in pairs) else []

    def statements(self) -> Iterator[tuple[str, str]]:
        """(name as exifread has it, text) of the statements that matter most."""
        for directory, names, prefix in (
            (self.main, _MAIN, ""),
            (self.inside(EXIF_IFD), _EXIF, ""),
            (self.inside(GPS_IFD), _GPS, "GPS "),
        ):
            for tag, name in names.items():
                if tag in directory:
                    yield prefix + name, self.text(directory[tag])

    def _entries(self, offset: int) -> Iterator[tuple[int, Value]]:
        count_width, width, entry = (8, 8, 20) if self.big else (2, 4, 12)
        count = min(self._number(offset, count_width) or 0, MAX_ENTRIES)
        first = offset + count_width
        for at in range(first, first + entry * count, entry):
            tag, kind, number = self._number(at, 2), self._number(at + 2, 2), self._number(at + 4, width)
            if tag is None or kind is None or number is None:
                return
            size = number * _WIDTHS.get(kind, 0)
            where = at + 4 + width if size <= width else self._number(at + 4 + width, width)
            if where is not None and size:
                yield tag, Value(kind, number, where, size)

    def _number(self, offset: int | None, count: int) -> int | None:
        return None if offset is None else self._pieces.number(offset, count, little=self.little)
