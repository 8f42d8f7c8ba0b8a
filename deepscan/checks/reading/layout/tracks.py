"""The tracks of MP4, MOV and 3GP files, and of Matroska and WebM, as their headers describe them.

Sources: ISO/IEC 14496-12, 8.2 to 8.6 (mvhd, tkhd, mdhd, hdlr, stsd, stts, elst); RFC 9559, 5.1.4 (Tracks).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deepscan.checks.reading.layout.base import Pieces
from deepscan.checks.reading.layout.ebml import Element, elements
from deepscan.checks.reading.layout.isobmff import Box, boxes

MAX_TRACKS = 64
MAX_ENTRIES = 1_000
"""Entries of an edit list or of a table of sample times that are looked at."""


@dataclass(frozen=True, slots=True)
class Edit:
    """An entry of an edit list: ``seconds`` long, from ``start`` seconds of the media on; None for an empty stretch."""

    seconds: float
    start: float | None


@dataclass(frozen=True, slots=True)
class Track:
    """A track. ``kind`` is the handler (``vide``, ``soun`` ...), ``created`` in seconds since 1904 (0: not set).

    ``rates`` is how many different sample durations there are, None where the table is longer than is looked at, and 0
    where there is none (fragments).
    """

    kind: str
    codec: str
    handler: str
    language: str
    created: int
    media_seconds: float | None
    edits: tuple[Edit, ...] = ()
    rates: int | None = 0


@dataclass(frozen=True, slots=True)
class Movie:
    """A movie: its own ``created`` and length, and its tracks. ``seconds`` is None where the header gives none."""

    created: int
    seconds: float | None
    tracks: tuple[Track, ...]


def read_movie(pieces: Pieces, at: int, size: int) -> Movie:
    """What a ``moov`` box of ``size`` bytes at ``at`` says; the depth that is followed is fixed."""
    created, scale, seconds = 0, 0, None
    tracks: list[Track] = []
    for box in boxes(pieces, at, at + size):
        if box.kind == b"mvhd":
            created, scale, seconds = _header(pieces, box)
        elif box.kind == b"trak" and len(tracks) < MAX_TRACKS:
            tracks.append(_track(pieces, box, scale))
    return Movie(created, seconds, tuple(tracks))


def _header(pieces: Pieces, box: Box) -> tuple[int, int, float | None]:
    """(creation time, time scale, seconds) of mvhd and mdhd, which begin alike."""
    wide = 8 if pieces.number(box.body, 1) == 1 else 4
    created = pieces.number(box.body + 4, wide) or 0
    scale = pieces.number(box.body + 4 + 2 * wide, 4) or 0
    length = pieces.number(box.body + 8 + 2 * wide, wide) or 0
    known = scale > 0 and 0 < length < (1 << (8 * wide)) - 1
    return created, scale, length / scale if known else None


def _inside(pieces: Pieces, box: Box | None) -> dict[bytes, Box]:
    if box is None:
        return {}
    found: dict[bytes, Box] = {}
    for number, inner in enumerate(boxes(pieces, box.body, box.end)):
        if number >= MAX_ENTRIES:
            break
        found.setdefault(inner.kind, inner)
    return found


def _track(pieces: Pieces, trak: Box, movie_scale: int) -> Track:
    parts = _inside(pieces, trak)
    media = _inside(pieces, parts.get(b"mdia"))
    table = _inside(pieces, _inside(pieces, media.get(b"minf")).get(b"stbl"))
    created, scale, seconds = _header(pieces, media[b"mdhd"]) if b"mdhd" in media else (0, 0, None)
    edits = _inside(pieces, parts.get(b"edts")).get(b"elst")
    return Track(
        kind=_text(pieces, media[b"hdlr"].body + 8, 4) if b"hdlr" in media else "",
        codec=_text(pieces, table[b"stsd"].body + 12, 4) if b"stsd" in table else "",
        handler=_handler(pieces, media.get(b"hdlr")),
        language=_language(pieces, media.get(b"mdhd")),
        created=created,
        media_seconds=seconds,
        edits=tuple(_edits(pieces, edits, movie_scale, scale)) if edits else (),
        rates=_rates(pieces, table.get(b"stts")),
    )


def _text(pieces: Pieces, at: int, count: int) -> str:
    return pieces.read(at, count).decode("latin-1").strip("\0 ")


def _handler(pieces: Pieces, box: Box | None) -> str:
    if box is None:
        return ""
    raw = pieces.read(box.body + 24, min(max(0, box.end - box.body - 24), 128))
    # QuickTime counts the characters in front of them, MP4 ends them with a zero.
    raw = raw[1 : 1 + raw[0]] if raw and raw[0] == len(raw) - 1 else raw.split(b"\0", 1)[0]
    return raw.decode("utf-8", errors="replace").strip()


def _language(pieces: Pieces, box: Box | None) -> str:
    """ISO 639-2/T in three times five bits; empty for QuickTime's own numbers."""
    if box is None:
        return ""
    packed = pieces.number(box.body + (32 if pieces.number(box.body, 1) == 1 else 20), 2) or 0
    letters = [((packed >> shift) & 31) + 0x60 for shift in (10, 5, 0)]
    return "".join(map(chr, letters)) if all(0x61 <= letter <= 0x7A for letter in letters) else ""


def _edits(pieces: Pieces, box: Box, movie_scale: int, scale: int) -> Iterator[Edit]:
    wide = 8 if pieces.number(box.body, 1) == 1 else 4
    count = min(pieces.number(box.body + 4, 4) or 0, MAX_ENTRIES)
    for at in range(box.body + 8, box.body + 8 + count * (2 * wide + 4), 2 * wide + 4):
        length, start = pieces.number(at, wide), pieces.number(at + wide, wide)
        if length is None or start is None or at + 2 * wide + 4 > box.end or not movie_scale or not scale:
            return
        empty = start == (1 << (8 * wide)) - 1
        yield Edit(length / movie_scale, None if empty else start / scale)


def _rates(pieces: Pieces, box: Box | None) -> int | None:
    count = pieces.number(box.body + 4, 4) or 0 if box else 0
    if box is None or count > MAX_ENTRIES:
        return None if box else 0
    # The last sample often lasts longer or shorter than the others.
    return len({pieces.number(box.body + 12 + 8 * entry, 4) for entry in range(max(min(count, 1), count - 1))})


_SEGMENT, _TRACKS, _ENTRY = 0x18538067, 0x1654AE6B, 0xAE
_TYPE, _CODEC, _LANGUAGE = 0x83, 0x86, 0x22B59C
_KINDS = {1: "vide", 2: "soun", 17: "subt"}


def read_matroska_tracks(pieces: Pieces) -> tuple[Track, ...]:
    """The tracks of the first segment of a Matroska file."""
    for top in elements(pieces, 0, pieces.size):
        if top.id != _SEGMENT:
            continue
        end = pieces.size if top.end is None else min(top.end, pieces.size)
        for element in elements(pieces, top.body, end):
            if element.id == _TRACKS and element.end is not None:
                return tuple(_matroska(pieces, element, min(element.end, end)))
    return ()


def _matroska(pieces: Pieces, tracks: Element, end: int) -> Iterator[Track]:
    found = 0
    for entry in elements(pieces, tracks.body, end):
        if entry.id != _ENTRY or entry.end is None or found >= MAX_TRACKS:
            continue
        found += 1
        parts = {part.id: part for part in elements(pieces, entry.body, min(entry.end, end))}
        kind = pieces.number(parts[_TYPE].body, 1) if _TYPE in parts else None
        codec, language = (_value(pieces, parts.get(part)) for part in (_CODEC, _LANGUAGE))
        yield Track(_KINDS.get(kind or 0, ""), codec, "", language, 0, None)


def _value(pieces: Pieces, element: Element | None) -> str:
    if element is None or element.end is None:
        return ""
    return _text(pieces, element.body, min(64, element.end - element.body))
