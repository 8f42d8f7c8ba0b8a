"""Reading EXIF through exifread, behind a boundary that hostile files do not cross.

exifread raises whatever its parser runs into, follows lengths and chains of directories without limits, and drops
the bytes of every value of 1,000 bytes and more that is not typed as text, a user comment among them. Here it reads
through a meter, its errors become one, it leaves the makers' notes alone (they take most of its reads: 44,000 against
7,000 in the largest real blocks), and what it drops or stumbles over is read from the directories themselves
(:mod:`deepscan.checks.reading.tiff`).
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
from deepscan.checks.reading.layout.jpeg import walk_jpeg
from deepscan.checks.reading.tiff import EXIF_IFD, GPS_IFD, Tiff, Value
from deepscan.errors import LimitError, UnreadableError
from deepscan.media.limits import MAX_METADATA_BYTES
from deepscan.text import plural

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
_XMP, _IPTC, _ICC, _MAKER_NOTE, _USER_COMMENT = 0x02BC, 0x83BB, 0x8773, 0x927C, 0x9286
_THUMBNAIL, _THUMBNAIL_SIZE = 0x0201, 0x0202

ORIENTATIONS = {
    "1": "Horizontal (normal)",
    "2": "Mirrored horizontal",
    "3": "Rotated 180",
    "4": "Mirrored vertical",
    "5": "Mirrored horizontal then rotated 90 CCW",
    "6": "Rotated 90 CW",
    "7": "Mirrored horizontal then rotated 90 CW",
    "8": "Rotated 90 CCW",
}
"""exifread's words for the values of the tag Orientation (EXIF 2.32, 4.6.5.1.5)."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place on Earth in decimal degrees, north and east positive (WGS 84 unless the file says otherwise)."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Exif:
    """What an EXIF block says.

    ``texts`` is by tag name as exifread has it (``Make``, ``DateTimeOriginal``; ``GPS `` before those of the GPS
    directory), every value as text; ``MakerNote`` is only its size in words. ``problems`` are sentences about single
    values that cannot be understood, by field; ``failure`` is a sentence when exifread could not read the block, so
    that ``texts`` holds the main statements only. ``xmp``, ``iptc`` and ``icc`` are packets that a TIFF file holds as
    tags; ``thumbnail`` is the width and height in pixels of the embedded JPEG thumbnail.
    """

    texts: Mapping[str, str]
    position: Position | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    xmp: bytes = b""
    iptc: bytes = b""
    icc: bytes = b""
    thumbnail: tuple[int, int] | None = None
    failure: str | None = None


class Reads:
    """How many reads exifread may still make: one number for all the blocks of a file."""

    def __init__(self, left: int = 4 * MAX_READS) -> None:
        self.left = left


def read_exif_block(block: bytes, reads: Reads | None = None) -> Exif:
    """Read a block as a JPEG, PNG, WebP, HEIC or AVIF file holds it: a TIFF header and its directories.

    Raises:
        UnreadableError: it is not a TIFF structure, or nothing of it can be read.
        LimitError: reading it takes more than :data:`MAX_READS` reads, and nothing could be read otherwise.
    """
    # Some writers of WebP, PNG and HEIC keep the signature that only a JPEG segment needs.
    return read_exif(BytesIO(block.removeprefix(b"Exif\0\0")), reads)


def read_exif(file: BinaryIO, reads: Reads | None = None) -> Exif:
    """Read the directories of a TIFF structure; see :func:`read_exif_block`."""
    tiff = Tiff(Pieces(file))
    if not tiff.known:
        raise UnreadableError("The EXIF block does not begin with a TIFF header.")
    problems: dict[str, str] = {}
    failure: UnreadableError | LimitError | None = None
    try:
        # exifread knows no BigTIFF, and the few statements that matter are read without it.
        texts, position = ({}, None) if tiff.big else _through_exifread(file, problems, reads or Reads())
    except (UnreadableError, LimitError) as e:
        failure, texts, position = e, {}, None
        problems.clear()
    if tiff.big or failure is not None:
        texts, position = _statements(tiff), _position_of(tiff)
    if failure is not None and not texts:
        raise failure
    return Exif(
        texts | _long_values(tiff),
        position,
        problems,
        tiff.raw(tiff.main.get(_XMP)),
        tiff.raw(tiff.main.get(_IPTC)),
        tiff.raw(tiff.main.get(_ICC)),
        _thumbnail(tiff),
        None if failure is None else failure.message,
    )


def _through_exifread(file: BinaryIO, problems: dict[str, str], reads: Reads) -> tuple[dict[str, str], Position | None]:
    tags = _tags(file, reads)
    texts: dict[str, str] = {}
    for name, tag in tags.items():
        directory, _, short = name.partition(" ")
        text = _text(file, short, tag) if directory in _IFDS else ""
        if text:
            texts.setdefault(_IFDS[directory] + short, text)
    return texts, _position(tags, problems)


def _tags(file: BinaryIO, reads: Reads) -> dict[str, IfdTag]:
    import exifread

    # exifread logs a warning for every odd value; what matters of them ends up in the report instead.
    _QUIET.setLevel(logging.CRITICAL)
    file.seek(0)
    try:
        found = exifread.process_file(cast(BinaryIO, _Meter(file, reads)), details=False, extract_thumbnail=False)
    except RAISED as e:
        raise UnreadableError(f"The EXIF block is damaged, and exifread cannot read it ({type(e).__name__}).") from e
    return {name: tag for name, tag in found.items() if hasattr(tag, "field_offset")}


def _statements(tiff: Tiff) -> dict[str, str]:
    """What the block says without exifread, in exifread's words."""
    texts = {name: text for name, text in tiff.statements() if text}
    if "Orientation" in texts:
        texts["Orientation"] = ORIENTATIONS.get(texts["Orientation"], texts["Orientation"])
    return texts


def _position_of(tiff: Tiff) -> Position | None:
    gps = tiff.inside(GPS_IFD)
    angles = []
    for reference, tag, negative, limit in ((1, 2, "S", 90), (3, 4, "W", 180)):
        angle = _degrees(tiff.fractions(gps.get(tag)))
        if angle is None or angle > limit:
            return None
        side = tiff.text(gps[reference]) if reference in gps else ""
        angles.append(-angle if side.startswith(negative) else angle)
    return Position(round(angles[0], 7), round(angles[1], 7))


def _long_values(tiff: Tiff) -> dict[str, str]:
    """The values that exifread drops."""
    exif = tiff.inside(EXIF_IFD)
    found: dict[str, str] = {}
    comment = tiff.raw(exif.get(_USER_COMMENT))
    if comment:
        found["UserComment"] = user_comment(comment, little=tiff.little)
    if _MAKER_NOTE in exif:
        found["MakerNote"] = plural(exif[_MAKER_NOTE].size, "byte")
    return found


def _thumbnail(tiff: Tiff) -> tuple[int, int] | None:
    directory = tiff.after_main()
    start, size = tiff.number(directory.get(_THUMBNAIL)), tiff.number(directory.get(_THUMBNAIL_SIZE))
    if not start or not size or size > MAX_METADATA_BYTES:
        return None
    block = tiff.raw(Value(7, size, start, size))
    return walk_jpeg(Pieces(BytesIO(block))).pixels if block.startswith(b"\xff\xd8") else None


class _Meter:
    """The file as exifread sees it: no more than :data:`MAX_READS` reads, or than are left for the whole file, and
    :data:`MAX_METADATA_BYTES` bytes.
    """

    def __init__(self, file: BinaryIO, reads: Reads) -> None:
        self._file = file
        self._left = reads
        self._reads = 0
        self._bytes = 0

    def read(self, count: int = -1) -> bytes:
        self._reads += 1
        self._left.left -= 1
        wanted = MAX_METADATA_BYTES - self._bytes if count < 0 else min(count, MAX_METADATA_BYTES - self._bytes)
        data = self._file.read(wanted)
        self._bytes += len(data)
        if self._reads > MAX_READS or self._left.left < 0 or self._bytes >= MAX_METADATA_BYTES:
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
