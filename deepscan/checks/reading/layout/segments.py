"""The segments of a JPEG file in order, and what the headers in them say (ITU-T T.81, annex B; T.871; CIPA DC-008).

No picture data is decoded. Tables are taken as they stand; what is cut short or lies about its length is left out and
counted in :attr:`Header.problems`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from deepscan.checks.reading.layout.base import WINDOW, Pieces

SOI, EOI, SOS, DQT, DHT, DRI, DAC, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xCC, 0xFE
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, DAC}
STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})

# In entropy-coded data FF is followed by 00 (a stuffed byte), a restart marker, or another FF (fill).
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)

MAX_LISTED = 256
"""Segments that are kept for a report; the others are counted. A progressive picture has about thirty."""

MAX_TABLES = 64
"""Tables that are kept: each has at most four places, and encoders that replace them between scans need few more."""

_NAMES = {
    SOI: "SOI",
    EOI: "EOI",
    SOS: "SOS",
    DQT: "DQT",
    DHT: "DHT",
    DRI: "DRI",
    DAC: "DAC",
    COM: "COM",
    0xDC: "DNL",
    0xDE: "DHP",
    0xDF: "EXP",
    0xC8: "JPG",
}

# The beginning of an APPn segment, and what is known to begin so.
_APPLICATIONS: tuple[tuple[int, bytes, str], ...] = (
    (0xE0, b"JFIF\0", "JFIF"),
    (0xE0, b"JFXX\0", "JFXX"),
    (0xE0, b"AVI1", "AVI1"),
    (0xE1, b"Exif\0", "Exif"),
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0", "XMP"),
    (0xE1, b"http://ns.adobe.com/xmp/extension/\0", "extended XMP"),
    (0xE2, b"ICC_PROFILE\0", "ICC"),
    (0xE2, b"MPF\0", "MPF"),
    (0xE2, b"FPXR\0", "FlashPix"),
    (0xE2, b"urn:iso:std:iso:ts:21496:-1\0", "gain map"),
    (0xEB, b"HDR_RI", "JPEG-HDR"),
    (0xEB, b"JP", "JUMBF"),
    (0xEC, b"Ducky", "Ducky"),
    (0xED, b"Photoshop 3.0\0", "Photoshop"),
    (0xED, b"Adobe_CM", "Adobe_CM"),
    (0xEE, b"Adobe", "Adobe"),
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker at ``offset`` and its body of ``size`` bytes, which begins four bytes later; 0 for a bare marker."""

    marker: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Component:
    """A component of the frame header: its sampling factors and the place of its quantisation table."""

    id: int
    across: int
    down: int
    table: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame header (SOFn); ``marker`` is its second byte, 0xC0 for baseline."""

    marker: int
    precision: int
    width: int
    height: int
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class HuffmanTable:
    """A Huffman table: class 0 for DC and 1 for AC, place 0 to 3, code counts by length, and the symbols."""

    kind: int
    place: int
    counts: bytes
    symbols: bytes


@dataclass(slots=True)
class Header:
    """What the segments of one JPEG picture say.

    ``names`` are the segments in order as a report prints them, at most :data:`MAX_LISTED`; ``count`` is how many there
    are. ``tables`` are the quantisation tables by place as they stand before the first scan, in zigzag order (T.81,
    B.2.4.1). ``per_segment`` is the largest number of tables in one DQT and one DHT segment. ``end`` is the offset
    after the end-of-image marker.
    """

    names: list[str] = field(default_factory=list)
    count: int = 0
    tables: dict[int, tuple[int, ...]] = field(default_factory=dict)
    huffman: list[HuffmanTable] = field(default_factory=list)
    per_segment: dict[str, int] = field(default_factory=lambda: {"DQT": 0, "DHT": 0})
    frame: Frame | None = None
    frames: int = 0
    scans: int = 0
    restart: int = 0
    jfif: tuple[int, int] | None = None
    adobe: int | None = None
    comments: list[Segment] = field(default_factory=list)
    applications: list[tuple[str, Segment]] = field(default_factory=list)
    problems: int = 0
    end: int | None = None


def segments(pieces: Pieces, at: int = 0) -> Iterator[Segment]:
    """The segments from the start-of-image marker at ``at`` to the end-of-image marker, which is the last one.

    Ends early where no marker follows; a segment that reaches beyond the file is given, with the size that it claims.
    """
    yield Segment(SOI, at, 0)
    at += 2
    while True:
        marker_at = next_marker(pieces, at)
        if marker_at is None:
            return
        marker = pieces.read(marker_at, 2)[1]
        if marker in (EOI, SOI) or marker in STANDALONE:
            yield Segment(marker, marker_at, 0)
            if marker == EOI:
                return
            at = marker_at + 2
            continue
        length = pieces.number(marker_at + 2, 2)
        yield Segment(marker, marker_at, max(0, (pieces.size if length is None else length) - 2))
        if length is None or marker_at + 2 + length > pieces.size:
            return
        at = marker_at + 2 + max(2, length)


def next_marker(pieces: Pieces, at: int) -> int | None:
    """The offset of the next marker at or after ``at``: stuffed bytes, restarts and fill bytes are passed over."""
    if _MARKER.match(pieces.read(at, 2)):
        return at
    while at < pieces.size:
        data = pieces.read(at, WINDOW)
        found = _MARKER.search(data)
        if found is not None:
            return at + found.start()
        # The last byte may be the FF of a marker that the next window completes.
        at += len(data) - 1 if data.endswith(b"\xff") and len(data) > 1 else max(1, len(data))
    return None


def read_header(pieces: Pieces) -> Header:
    """Walk a JPEG picture and read the headers in its segments.

    Raises:
        LimitError: it has too many segments.
        UnreadableError: the disk gives an error.
    """
    header = Header()
    for segment in segments(pieces):
        header.count += 1
        if len(header.names) < MAX_LISTED:
            header.names.append(_name(pieces, segment))
        if segment.marker == EOI:
            header.end = segment.offset + 2
        elif segment.offset + 4 + segment.size > pieces.size and segment.marker != SOI:
            header.problems += 1
        else:
            _take(header, pieces, segment)
    return header


def _name(pieces: Pieces, segment: Segment) -> str:
    if 0xE0 <= segment.marker <= 0xEF:
        known = _application(pieces, segment)
        return f"APP{segment.marker - 0xE0}" + (f" {known}" if known else "")
    if segment.marker in FRAMES:
        return f"SOF{segment.marker - 0xC0}"
    return _NAMES.get(segment.marker, f"FF{segment.marker:02X}")


def _application(pieces: Pieces, segment: Segment) -> str:
    head = pieces.read(segment.offset + 4, min(segment.size, 40))
    return next(
        (name for marker, start, name in _APPLICATIONS if marker == segment.marker and head.startswith(start)), ""
    )


def _take(header: Header, pieces: Pieces, segment: Segment) -> None:
    marker = segment.marker
    if marker == SOS:
        header.scans += 1
    elif marker in FRAMES:
        header.frames += 1
        header.frame = header.frame or _frame(pieces, segment)
    elif marker == DQT and not header.scans:
        _take_quantisation(header, pieces.read(segment.offset + 4, segment.size))
    elif marker == DHT and len(header.huffman) < MAX_TABLES:
        _take_huffman(header, pieces.read(segment.offset + 4, segment.size))
    elif marker == DRI and not header.scans:
        header.restart = pieces.number(segment.offset + 4, 2) or 0
    elif marker == COM and len(header.comments) < MAX_LISTED:
        header.comments.append(segment)
    elif 0xE0 <= marker <= 0xEF and not header.scans and len(header.applications) < MAX_LISTED:
        _take_application(header, pieces, segment)


def _take_application(header: Header, pieces: Pieces, segment: Segment) -> None:
    name = _application(pieces, segment)
    header.applications.append((name or f"APP{segment.marker - 0xE0}", segment))
    body = pieces.read(segment.offset + 4, min(segment.size, 16))
    if name == "JFIF" and len(body) >= 7 and header.jfif is None:
        header.jfif = (body[5], body[6])
    elif name == "Adobe" and len(body) >= 12:
        header.adobe = body[11]


def _frame(pieces: Pieces, segment: Segment) -> Frame | None:
    body = pieces.read(segment.offset + 4, min(segment.size, 6 + 3 * 255))
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        return None
    components = tuple(
        Component(body[at], body[at + 1] >> 4, body[at + 1] & 15, body[at + 2]) for at in range(6, 6 + 3 * body[5], 3)
    )
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    return Frame(segment.marker, body[0], width, height, components)


def _take_quantisation(header: Header, body: bytes) -> None:
    at = count = 0
    while at < len(body):
        wide, place = body[at] >> 4, body[at] & 15
        size = 128 if wide else 64
        values = body[at + 1 : at + 1 + size]
        if wide > 1 or place > 3 or len(values) < size:
            header.problems += 1
            break
        step = 2 if wide else 1
        header.tables[place] = tuple(int.from_bytes(values[i : i + step], "big") for i in range(0, size, step))
        at += 1 + size
        count += 1
    header.per_segment["DQT"] = max(header.per_segment["DQT"], count)


def _take_huffman(header: Header, body: bytes) -> None:
    at = count = 0
    while at < len(body) and count < MAX_TABLES:
        counts = body[at + 1 : at + 17]
        symbols = body[at + 17 : at + 17 + sum(counts)]
        if body[at] >> 4 > 1 or len(counts) < 16 or len(symbols) < sum(counts):
            header.problems += 1
            break
        header.huffman.append(HuffmanTable(body[at] >> 4, body[at] & 15, counts, symbols))
        at += 17 + len(symbols)
        count += 1
    header.per_segment["DHT"] = max(header.per_segment["DHT"], count)
