"""Reading EXIF through exifread, behind a boundary that hostile files do not cross.

exifread raises whatever its parser runs into, follows lengths and chains of directories without limits, and drops
the bytes of every value of 1,000 bytes and more that is not typed as text, a user comment among them. Here it reads
through a meter, its errors become one, it leaves the makers' notes alone (they take most of its reads: 44,000 against
7,000 in the largest real blocks), and the values it drops are read from the directory itself.
"""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, cast

from deepscan.checks.reading.layout import Pieces
from deepscan.errors import LimitError, UnreadableError
from deepscan.media.limits import MAX_METADATA_BYTES

if TYPE_CHECKING:
    from exifread.core.ifd_tag import IfdTag

MAX_READS = 50_000
"""Reads that exifread may make in one block. The largest of 216 real blocks on hand needs 7,000; this many take
about a quarter of a second."""

RAISED = (
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    EOFError,
    AssertionError,
    NotImplementedError,
    OverflowError,
    ZeroDivisionError,
    RecursionError,
    struct.error,
)
"""What exifread raises on hostile blocks. Version 3.5.1 was seen to raise IndexError on fuzzed blocks, and EOFError,
UnicodeDecodeError (a ValueError) and NotImplementedError on whole files; the others are a margin for the versions from
3.0 on, which are allowed and were not run."""

_QUIET = logging.getLogger("exifread")
_IFDS = {"Image": "", "EXIF": "", "GPS": "GPS "}
_XP = frozenset({"XPTitle", "XPComment", "XPAuthor", "XPKeywords", "XPSubject"})
_XMP, _IPTC, _EXIF, _USER_COMMENT = 0x02BC, 0x83BB, 0x8769, 0x9286
_MAX_ENTRIES = 4096
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4}


@dataclass(frozen=True, slots=True)
class Position:
    """A place on Earth in decimal degrees, north and east positive (WGS 84 unless the file says otherwise)."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Exif:
    """What an EXIF block says.

    ``texts`` is by tag name as exifread has it (``Make``, ``DateTimeOriginal``; ``GPS `` before those of the GPS
    directory), every value as text; ``problems`` are sentences about single values that cannot be understood;
    ``xmp`` and ``iptc`` are packets that a TIFF file holds as tags.
    """

    texts: Mapping[str, str]
    position: Position | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    xmp: bytes = b""
    iptc: bytes = b""


def read_exif_block(block: bytes) -> Exif:
    """Read a block as a JPEG, PNG, WebP, HEIC or AVIF file holds it: a TIFF header and its directories.

    Raises:
        UnreadableError: it is not a TIFF structure, or exifread cannot read it.
        LimitError: reading it takes more than :data:`MAX_READS` reads.
    """
    # Some writers of WebP, PNG and HEIC keep the signature that only a JPEG segment needs.
    return read_exif(BytesIO(block.removeprefix(b"Exif\0\0")))


def read_exif(file: BinaryIO) -> Exif:
    """Read the directories of a TIFF structure; see :func:`read_exif_block`."""
    file.seek(0)
    header = file.read(8)
    if header[:4] in (b"II+\0", b"MM\0+"):
        raise UnreadableError("The tags are in the BigTIFF form, which exifread does not read.")
    if header[:2] not in (b"II", b"MM") or len(header) < 8:
        raise UnreadableError("The EXIF block does not begin with a TIFF header.")
    tags = _tags(file)
    problems: dict[str, str] = {}
    texts: dict[str, str] = {}
    for name, tag in tags.items():
        directory, _, short = name.partition(" ")
        text = _text(file, short, tag) if directory in _IFDS else ""
        if text:
            texts.setdefault(_IFDS[directory] + short, text)
    pieces = Pieces(file)
    comment = _raw(pieces, _USER_COMMENT, within=_EXIF)
    if comment:
        texts["UserComment"] = user_comment(comment, little=pieces.read(0, 2) == b"II")
    return Exif(texts, _position(tags, problems), problems, _raw(pieces, _XMP), _raw(pieces, _IPTC))


def _tags(file: BinaryIO) -> dict[str, IfdTag]:
    import exifread

    # exifread logs a warning for every odd value; what matters of them ends up in the report instead.
    _QUIET.setLevel(logging.CRITICAL)
    try:
        found = exifread.process_file(cast(BinaryIO, _Meter(file)), details=False, extract_thumbnail=False)
    except RAISED as e:
        raise UnreadableError(f"The EXIF block is damaged, and exifread cannot read it ({type(e).__name__}).") from e
    return {name: tag for name, tag in found.items() if hasattr(tag, "field_offset")}


def _raw(pieces: Pieces, wanted: int, within: int | None = None) -> bytes:
    """The bytes of a tag of the first directory, or of the directory that its tag ``within`` points to."""
    little = pieces.read(0, 2) == b"II"

    def value(directory: int, tag: int) -> tuple[int, int] | None:
        count = min(pieces.number(directory, 2, little=little) or 0, _MAX_ENTRIES)
        for at in range(directory + 2, directory + 2 + 12 * count, 12):
            if pieces.number(at, 2, little=little) == tag:
                width = _WIDTHS.get(pieces.number(at + 2, 2, little=little) or 0, 0)
                size = (pieces.number(at + 4, 4, little=little) or 0) * width
                return (pieces.number(at + 8, 4, little=little) or 0 if size > 4 else at + 8), size
        return None

    directory = pieces.number(4, 4, little=little) or 0
    if within is not None:
        pointer = value(directory, within)
        directory = pieces.number(pointer[0], 4, little=little) or 0 if pointer else 0
    found = value(directory, wanted) if directory else None
    return pieces.read(found[0], found[1]) if found and found[1] <= MAX_METADATA_BYTES else b""


class _Meter:
    """The file as exifread sees it: no more than :data:`MAX_READS` reads and :data:`MAX_METADATA_BYTES` bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._reads = 0
        self._bytes = 0

    def read(self, count: int = -1) -> bytes:
        self._reads += 1
        wanted = MAX_METADATA_BYTES - self._bytes if count < 0 else min(count, MAX_METADATA_BYTES - self._bytes)
        data = self._file.read(wanted)
        self._bytes += len(data)
        if self._reads > MAX_READS or self._bytes >= MAX_METADATA_BYTES:
            raise LimitError("The EXIF block makes its reader read without end, and was given up.")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and offset < 0:
            raise ValueError("an offset before the beginning of the file")
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _text(file: BinaryIO, name: str, tag: IfdTag) -> str:
    if name in _XP:
        file.seek(tag.field_offset)
        return _utf16(file.read(min(tag.field_length, MAX_METADATA_BYTES)), little=True)
    if isinstance(tag.values, bytes):  # exifread keeps as bytes what is not UTF-8
        text = tag.values.decode("latin-1")
    else:
        text = tag.values if isinstance(tag.values, str) else str(tag.printable)
    return text.strip("\0 \t\r\n")


def user_comment(raw: bytes, *, little: bool) -> str:
    """The text of EXIF UserComment: eight bytes that name a character code, then the text.

    Writers disagree about the byte order of "UNICODE" (EXIF 2.32 leaves it open; A1111 writes big-endian always) and
    some write UTF-8 under that name, so the bytes themselves decide; ``little`` is the block's own order, for the rest.
    """
    code, text = raw[:8], raw[8:]
    if code == b"UNICODE\0":
        return _utf16(text, little=little)
    if code.rstrip(b"\0 ") in (b"ASCII", b"JIS", b""):
        return _bytes(text)
    return _bytes(raw)


def _bytes(raw: bytes) -> str:
    raw = raw.split(b"\0", 1)[0] if raw.find(b"\0") > 0 else raw
    try:
        return raw.decode("utf-8").strip("\0 \t\r\n")
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip("\0 \t\r\n")


def _utf16(raw: bytes, *, little: bool) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace").strip("\0 \t\r\n")
    high, low = raw[0::2].count(0), raw[1::2].count(0)
    if high == low == 0 and raw.isascii():
        return raw.decode("ascii").strip("\0 \t\r\n")
    if high != low:
        little = low > high
    return raw.decode("utf-16-le" if little else "utf-16-be", errors="replace").strip("\0 \t\r\n")


def _position(tags: Mapping[str, IfdTag], problems: dict[str, str]) -> Position | None:
    degrees = []
    for axis, negative, limit in (("Latitude", "S", 90), ("Longitude", "W", 180)):
        tag, reference = tags.get(f"GPS GPS{axis}"), tags.get(f"GPS GPS{axis}Ref")
        if tag is None:
            return None
        value = _degrees(tag.values)
        if value is None or value > limit:
            problems["gps"] = f"The GPS {axis.lower()} {str(tag.printable)!r} is not an angle."
            return None
        degrees.append(-value if reference is not None and str(reference.values).startswith(negative) else value)
    return Position(round(degrees[0], 7), round(degrees[1], 7))


def _degrees(values: object) -> float | None:
    """Degrees, minutes and seconds as one number; None when a part is missing or divides by zero."""
    if not isinstance(values, list) or not 1 <= len(values) <= 3:
        return None
    total = 0.0
    for part, unit in zip(values, (1, 60, 3600), strict=False):
        # exifread keeps a zero denominator in a Fraction, which cannot be computed with.
        if not isinstance(part, Fraction) or part.denominator == 0:
            return None
        total += part.numerator / part.denominator / unit
    return total if math.isfinite(total) and total >= 0 else None
