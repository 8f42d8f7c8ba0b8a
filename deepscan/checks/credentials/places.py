"""Where a file may hold content credentials, found by its structure alone, in well under a millisecond.

The places are those of the C2PA Technical Specification 2.3, appendix A ("Embedding manifests"): APP11 segments of a
JPEG, the chunk caBX of a PNG, the chunk C2PA of a RIFF file, an application extension of a GIF, tag 0xCD41 of a TIFF,
a uuid box of an ISO base media file; and the property dcterms:provenance of XMP, which names a manifest elsewhere.
Most files hold none, so this walk reads headers only and stops at the picture's data where the container allows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from deepscan.checks.reading.xmp import read_xmp
from deepscan.errors import LimitError, UnreadableError

MAX_STEPS = 20_000
"""Parts of a file that are passed over: a fragmented film of an hour has about 4,000 boxes."""

MAX_XMP_BYTES = 1024**2
"""Bytes of one XMP packet that are searched for the address of a manifest."""

WINDOW = 64 * 1024
"""Bytes at the start and at the end of a file that are searched for the name of a manifest store in any place."""

MAX_NESTING = 32
"""Boxes inside boxes; real films have seven."""

MAX_SUBDIRECTORIES = 1000
"""Subdirectories of one TIFF directory; the raw files that have most hold ten."""

STORE = b"jumdc2pa\x00\x11\x00\x10"
"""How the description box of a manifest store begins: its type, and its content type (ISO/IEC 19566-5; C2PA 11.1)."""

_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_XMP_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_PACKET = re.compile(rb"<(x:xmpmeta|rdf:RDF)\b.*?</\1\s*>", re.DOTALL)
_TIFF_MANIFEST, _TIFF_XMP, _TIFF_SUBDIRECTORIES = 0xCD41, 700, 0x014A
_NESTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"edts", b"dinf", b"mvex", b"moof", b"traf"})


@dataclass(slots=True)
class Places:
    """What was found.

    ``manifest`` counts the bytes of embedded manifest stores (None when there is no place that holds one). ``remote``
    is the address of a manifest elsewhere, ``pointer`` another reference to a manifest that XMP holds. ``stray`` is
    the offset of the name of a manifest store outside of such a place. ``boxes`` are the types of top-level boxes.
    ``problem`` says why the search had to end early.
    """

    manifest: int | None = None
    remote: str | None = None
    pointer: str | None = None
    stray: int | None = None
    boxes: set[bytes] = field(default_factory=set)
    problem: str | None = None

    @property
    def nothing(self) -> bool:
        """Whether there is not a trace of content credentials."""
        return self.manifest is None and self.stray is None and not (self.remote or self.pointer or self.problem)


def find_places(file: BinaryIO, container: str) -> Places:
    """Search an open file of one of the containers of :data:`SEARCHED`.

    Raises:
        UnreadableError: the disk gives an error.
    """
    try:
        bytes_ = _Bytes(file)
        places = Places()
        _SEARCHES[container](bytes_, places)
        if places.manifest is None:
            _search_ends(bytes_, places)
    except OSError as e:
        raise UnreadableError(f"The file cannot be read: {e.strerror or e}.") from e
    return places


class _Bytes:
    """A file read at given offsets, a few bytes at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, 2)

    def read(self, at: int, count: int) -> bytes:
        if not 0 <= at < self.size:
            return b""
        self._file.seek(at)
        return self._file.read(count)

    def number(self, at: int, count: int, *, little: bool = False) -> int:
        """The unsigned integer there; 0 at the end of the file."""
        return int.from_bytes(self.read(at, count), "little" if little else "big")


def _add(places: Places, size: int) -> None:
    places.manifest = (places.manifest or 0) + size


def _jpeg(data: _Bytes, places: Places) -> None:
    """Segments up to the first scan; a store of more than 64 KiB lies in several segments of the same box number."""
    at = 2
    stores: set[bytes] = set()
    for _ in range(MAX_STEPS):
        head = data.read(at, 32)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xDA, 0xD9):
            return
        if head[1] in (0x01, 0xFF) or 0xD0 <= head[1] <= 0xD8:
            at += 1 if head[1] == 0xFF else 2
            continue
        length = int.from_bytes(head[2:4], "big")
        # APP11 is "JP", the number of the box (2 bytes), of the packet (4), the box's length and type, and its content.
        if head[1] == 0xEB and head[4:6] == b"JP":
            if head[24:32] == STORE[:8]:
                stores.add(head[6:8])
            if head[6:8] in stores:
                _add(places, max(0, length - 2))
        elif head[1] == 0xE1 and data.read(at + 4, len(_XMP_JPEG)) == _XMP_JPEG:
            _take_xmp(data.read(at + 4 + len(_XMP_JPEG), max(0, length - 2 - len(_XMP_JPEG))), places)
        at += 2 + max(2, length)


def _png(data: _Bytes, places: Places) -> None:
    at = 8
    for _ in range(MAX_STEPS):
        head = data.read(at, 8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or kind == b"IEND":
            return
        if kind == b"caBX":
            _add(places, length)
        elif kind == b"iTXt" and data.read(at + 8, 18) == b"XML:com.adobe.xmp\0":
            _take_xmp(data.read(at + 26, min(length, MAX_XMP_BYTES)), places)
        at = _after_equal(data, at, head, 12 + length) if kind == b"IDAT" else at + 12 + length


def _after_equal(data: _Bytes, at: int, head: bytes, stride: int) -> int:
    """The offset after a run of chunks with this very head, in steps that double while the head is found again.

    Writers cut the picture into equal chunks; large ones have thousands.
    """
    step = 1
    while step:
        step = step * 2 if data.read(at + step * stride, 8) == head else 0
        at += step // 2 * stride
    return at + stride


def _riff(data: _Bytes, places: Places) -> None:
    at = 12
    for _ in range(MAX_STEPS):
        head = data.read(at, 8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"C2PA":
            _add(places, length)
        elif head[:4] == b"XMP ":
            _take_xmp(data.read(at + 8, min(length, MAX_XMP_BYTES)), places)
        at += 8 + length + length % 2


def _gif(data: _Bytes, places: Places) -> None:
    """Extensions before the first picture, where the specification puts the manifest."""
    flags = data.number(10, 1)
    at = 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
    for _ in range(MAX_STEPS):
        head = data.read(at, 14)
        if head[:1] != b"!":
            return
        if head[1:2] == b"\xff" and head[3:] == b"XMP DataXMP":
            _take_xmp(data.read(at + 14, MAX_XMP_BYTES), places)
        start = at = at + 2
        for _ in range(MAX_STEPS):
            length = data.number(at, 1)
            at += 1 + length
            if length == 0:
                break
        if head[1:2] == b"\xff" and head[3:11] == b"C2PA_GIF":
            _add(places, at - start)


def _tiff(data: _Bytes, places: Places) -> None:
    """The first directory, where the manifest is (TIFF 6.0; BigTIFF)."""
    little = data.read(0, 2) == b"II"
    big = data.number(2, 2, little=little) == 43
    wide, entry = (8, 20) if big else (4, 12)
    at = data.number(wide, wide, little=little)
    count = min(data.number(at, 8 if big else 2, little=little), 4096)
    table = data.read(at + (8 if big else 2), count * entry)
    order: Literal["little", "big"] = "little" if little else "big"
    for start in range(0, len(table) - entry + 1, entry):
        tag = int.from_bytes(table[start : start + 2], order)
        amount = int.from_bytes(table[start + 4 : start + 4 + wide], order)
        where = int.from_bytes(table[start + 4 + wide : start + entry], order)
        if tag == _TIFF_MANIFEST:
            _add(places, amount)
        elif tag == _TIFF_XMP:
            _take_xmp(data.read(where, min(amount, MAX_XMP_BYTES)), places)
        elif tag == _TIFF_SUBDIRECTORIES and amount > MAX_SUBDIRECTORIES:
            places.problem = f"Its first directory announces {amount:,} subdirectories, more than any reader follows."


def _bmff(data: _Bytes, places: Places) -> None:
    at = 0
    for _ in range(MAX_STEPS):
        size, kind, body = _box(data, at)
        if size < body - at:
            return
        places.boxes.add(kind)
        if kind == b"uuid":
            name = data.read(body, 16)
            if name == _C2PA_UUID:
                _add(places, size)
            elif name == _XMP_UUID:
                _take_xmp(data.read(body + 16, min(size - (body - at) - 16, MAX_XMP_BYTES)), places)
        elif kind in _NESTS and _depth(data, body) > MAX_NESTING:
            places.problem = f"Its boxes are nested more than {MAX_NESTING} deep, deeper than any reader follows."
        at += size


def _box(data: _Bytes, at: int) -> tuple[int, bytes, int]:
    """Size, type, and where the content begins; a size of 0 where there is no box."""
    head = data.read(at, 16)
    if len(head) < 8:
        return 0, b"", at + 8
    size = int.from_bytes(head[:4], "big")
    if size == 1:
        return int.from_bytes(head[8:], "big"), head[4:8], at + 16
    return size or data.size - at, head[4:8], at + 8


def _depth(data: _Bytes, at: int) -> int:
    """How many containers begin one inside the other at this offset."""
    deep = 0
    while deep <= MAX_NESTING:
        _, kind, at = _box(data, at)
        if kind not in _NESTS:
            break
        deep += 1
    return deep


_SEARCHES: Mapping[str, Callable[[_Bytes, Places], None]] = {
    "jpeg": _jpeg,
    "png": _png,
    "apng": _png,
    "webp": _riff,
    "avi": _riff,
    "gif": _gif,
    "tiff": _tiff,
    **dict.fromkeys(("heic", "avif", "mp4", "mov", "3gp"), _bmff),
}

SEARCHED = frozenset(_SEARCHES)
"""The containers that can hold content credentials, among those that deepscan examines."""


def _search_ends(data: _Bytes, places: Places) -> None:
    """The start and the end of the file, for a store or an XMP packet in a place that no rule names."""
    for start in sorted({0, max(0, data.size - WINDOW)}):
        window = data.read(start, WINDOW)
        found = window.find(STORE)
        if found >= 0 and places.stray is None:
            places.stray = start + found
        if not (places.remote or places.pointer) and b":provenance" in window:
            _take_xmp(window, places)


def _take_xmp(raw: bytes, places: Places) -> None:
    """The property dcterms:provenance of a packet, if it has one; a packet that is no XML holds none."""
    if b":provenance" not in raw:
        return
    for packet in _packets(raw):
        for value in _provenance(packet):
            if value.lower().startswith(("http://", "https://")):
                places.remote = places.remote or value
            else:
                places.pointer = places.pointer or value


def _packets(raw: bytes) -> Iterator[bytes]:
    for found in _PACKET.finditer(raw):
        yield found.group()


def _provenance(packet: bytes) -> Iterator[str]:
    try:
        properties = read_xmp(packet)
    except (UnreadableError, LimitError):
        return  # the metadata check reports the packet
    for name, value in properties:
        # read_xmp names schemas that it does not know by the last part of their address, http://purl.org/dc/terms/.
        if name in ("terms:provenance", "dcterms:provenance"):
            yield value
