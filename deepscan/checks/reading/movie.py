"""Tags of MP4, MOV and 3GP files: the headers' times, user data, iTunes tags and QuickTime keys, of movie and tracks.

Sources: ISO/IEC 14496-12, 8.2.2 (mvhd) and 8.4.2 (mdhd); Apple, "QuickTime File Format", user data and metadata atoms;
3GPP TS 26.244, 8.10 (loci).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from deepscan.checks.reading.layout import Block, Pieces
from deepscan.checks.reading.layout.isobmff import XMP_UUID, Box, boxes

MAX_TAGS = 2_000
MAX_TRACKS = 64
MAX_TAG_BYTES = 1024**2
"""Bytes of one tag that are read: ComfyUI writes whole workflows into one."""

_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_TEXT_TYPES = (1, 2)  # UTF-8 and UTF-16 in the table of well-known types
_SIGNED, _UNSIGNED = frozenset({21, 65, 66, 67, 74}), frozenset({22, 75, 76, 77, 78})
_USER_DATA_TEXT = frozenset({b"titl", b"auth", b"cprt", b"dscp", b"AIGC"})


_Tag = tuple[str, str, str]


def movie_tags(pieces: Pieces, moov: Block) -> Iterator[_Tag]:
    """(source, key, text) of every tag.

    The source is ``MP4 header``, ``MP4 tag`` or ``QuickTime key``; for the second of them and more, with the number of
    the track: ``MP4 track 1 header``. ``XMP packet`` is a packet for the reader of XMP.
    """
    for number, tag in enumerate(_tags(pieces, moov)):
        if number >= MAX_TAGS:
            return
        if tag[2]:
            yield tag


def _tags(pieces: Pieces, moov: Block) -> Iterator[_Tag]:
    tracks = 0
    for box in boxes(pieces, moov.offset, moov.offset + moov.size):
        if box.kind == b"mvhd":
            yield from _times(pieces, box, "header")
        elif box.kind == b"trak" and tracks < MAX_TRACKS:
            tracks += 1
            for source, key, text in _track(pieces, box):
                yield (
                    source.replace("MP4", f"MP4 track {tracks}").replace("QuickTime", f"QuickTime track {tracks}"),
                    key,
                    text,
                )
        else:
            yield from _annotations(pieces, box)


def _track(pieces: Pieces, trak: Box) -> Iterator[_Tag]:
    for box in boxes(pieces, trak.body, trak.end):
        if box.kind == b"mdia":
            for inner in boxes(pieces, box.body, box.end):
                if inner.kind == b"mdhd":
                    yield from _times(pieces, inner, "header")
        else:
            yield from _annotations(pieces, box)


def _annotations(pieces: Pieces, box: Box) -> Iterator[_Tag]:
    """What a box of metadata holds, on either level."""
    if box.kind == b"meta":
        yield from _metadata(pieces, box)
    elif box.kind == b"uuid" and pieces.read(box.body, 16) == XMP_UUID:
        yield "XMP packet", "uuid", _bytes(pieces, box.body + 16, box.end).decode("latin-1")
    elif box.kind == b"udta":
        for inner in boxes(pieces, box.body, box.end):
            if inner.kind == b"meta":
                yield from _metadata(pieces, inner)
            else:
                yield from _user_data(pieces, inner)


def _times(pieces: Pieces, mvhd: Box, name: str) -> Iterator[_Tag]:
    """The times are in seconds since 1904, in UTC by the standard (some cameras write local time); 0 is "not set"."""
    wide = 8 if pieces.number(mvhd.body, 1) == 1 else 4
    for index, key in enumerate(("creation_time", "modification_time")):
        seconds = pieces.number(mvhd.body + 4 + index * wide, wide)
        if seconds and seconds < 2**33:
            moment = _EPOCH + timedelta(seconds=seconds)
            yield f"MP4 {name}", key, moment.strftime("%Y:%m:%d %H:%M:%SZ")


def _user_data(pieces: Pieces, box: Box) -> Iterator[_Tag]:
    key = box.kind.decode("latin-1")
    if box.kind == b"XMP_":
        yield "XMP packet", key, _bytes(pieces, box.body, box.end).decode("latin-1")
    elif box.kind.startswith(b"\xa9"):
        length = pieces.number(box.body, 2) or 0
        yield "MP4 tag", key, _text(_bytes(pieces, box.body + 4, min(box.end, box.body + 4 + length)))
    elif box.kind == b"loci":
        yield from _location(pieces, box)
    elif box.kind in _USER_DATA_TEXT:
        # 3GPP TS 26.244, 8: version and flags, a packed language, then the text; AIGC holds plain JSON.
        start = box.body if box.kind == b"AIGC" else box.body + 6
        yield "MP4 tag", key, _text(_bytes(pieces, start, box.end))


def _location(pieces: Pieces, loci: Box) -> Iterator[_Tag]:
    """The place as ISO 6709 has it: version and flags, language, name, role, then degrees in 16.16 fixed point."""
    name, _, rest = _bytes(pieces, loci.body + 6, loci.end).partition(b"\0")
    longitude, latitude = (int.from_bytes(rest[at : at + 4], "big", signed=True) / 65536 for at in (1, 5))
    if len(rest) >= 9:
        yield "MP4 tag", "loci", f"{latitude:+09.5f}{longitude:+010.5f}/"
        yield "MP4 tag", "loci name", _text(name)


def _metadata(pieces: Pieces, meta: Box) -> Iterator[_Tag]:
    # MP4 has a version field here, QuickTime has none: the type of the first box inside tells.
    start = meta.body if pieces.read(meta.body + 4, 4) in (b"hdlr", b"keys", b"ilst") else meta.body + 4
    parts = {box.kind: box for box in boxes(pieces, start, meta.end)}
    if b"ilst" not in parts:
        return
    keys = list(_keys(pieces, parts[b"keys"])) if b"keys" in parts else []
    for item in _items(pieces, parts[b"ilst"]):
        index = int.from_bytes(item.kind, "big")
        named = _freeform_name(pieces, item) if item.kind == b"----" else item.kind.decode("latin-1")
        key = keys[index - 1] if 1 <= index <= len(keys) else named
        for data in boxes(pieces, item.body, item.end):
            if data.kind == b"data":
                yield "QuickTime key" if keys else "MP4 tag", key, _value(pieces, data)


def _value(pieces: Pieces, data: Box) -> str:
    """A value of the types that are text or an integer; empty for pictures and other types."""
    kind, raw = pieces.number(data.body, 4), _bytes(pieces, data.body + 8, data.end)
    if kind in _TEXT_TYPES:
        return _text(raw)
    if (kind in _SIGNED or kind in _UNSIGNED) and 0 < len(raw) <= 8:
        return str(int.from_bytes(raw, "big", signed=kind in _SIGNED))
    return ""


def _items(pieces: Pieces, ilst: Box) -> Iterator[Box]:
    """The boxes of an item list; with keys their types are numbers, which :func:`boxes` does not take for types."""
    at = ilst.body
    while at + 8 <= ilst.end:
        size = pieces.number(at, 4) or 0
        if size < 8 or at + size > ilst.end:
            return
        yield Box(pieces.read(at + 4, 4), at + 8, at + size, whole=True)
        at += size


def _keys(pieces: Pieces, box: Box) -> Iterator[str]:
    at = box.body + 8
    while at + 8 <= box.end:
        size = pieces.number(at, 4) or 0
        if size < 8 or at + size > box.end:
            return
        yield pieces.read(at + 8, min(size - 8, 256)).decode("utf-8", errors="replace")
        at += size


def _freeform_name(pieces: Pieces, item: Box) -> str:
    for part in boxes(pieces, item.body, item.end):
        if part.kind == b"name":
            return pieces.read(part.body + 4, min(part.end - part.body - 4, 256)).decode("utf-8", errors="replace")
    return "----"


def _bytes(pieces: Pieces, start: int, end: int) -> bytes:
    return pieces.read(start, min(end - start, MAX_TAG_BYTES))


def _text(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace").strip("\0 \t\r\n")
    try:
        return raw.decode("utf-8").strip("\0 \t\r\n")
    except UnicodeDecodeError:
        return raw.decode("mac-roman").strip("\0 \t\r\n")
