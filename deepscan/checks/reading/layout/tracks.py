"""The tracks of MP4, MOV and 3GP files, and of Matroska and WebM, as their headers describe them.

Sources: ISO/IEC 14496-12, 8.2 to 8.6 (mvhd, tkhd, mdhd, hdlr, stsd, stts, elst) and 12.1.3 (VisualSampleEntry);
RFC 9559, 5.1.4 (Tracks).
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
class Pace:
    """How the samples of a track follow each other: how many, and the shortest and longest of them in seconds.

    ``even`` says whether all last alike, the last one apart, which often does not; None where the table is longer than
    is looked at. ``samples`` is 0 where only their usual duration is stated (Matroska).
    """

    samples: int
    shortest: float
    longest: float
    even: bool | None


@dataclass(frozen=True, slots=True)
class Track:
    """A track. ``kind`` is the handler (``vide``, ``soun`` ...), ``created`` in seconds since 1904 (0: not set).

    ``size`` is the width and height that pictures are stored in, (0, 0) for other tracks; ``enabled`` is False where
    players are told to leave the track out; ``compressor`` what the writer calls its encoder. ``pace`` is None where
    nothing tells (fragments).
    """

    kind: str
    codec: str
    handler: str
    language: str
    created: int
    media_seconds: float | None
    edits: tuple[Edit, ...] = ()
    pace: Pace | None = None
    size: tuple[int, int] = (0, 0)
    enabled: bool = True
    compressor: str = ""


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
    kind = _text(pieces, media[b"hdlr"].body + 8, 4) if b"hdlr" in media else ""
    entry = table.get(b"stsd") if kind == "vide" else None
    return Track(
        kind=kind,
        codec=_text(pieces, table[b"stsd"].body + 12, 4) if b"stsd" in table else "",
        handler=_handler(pieces, media.get(b"hdlr")),
        language=_language(pieces, media.get(b"mdhd")),
        created=created,
        media_seconds=seconds,
        edits=tuple(_edits(pieces, edits, movie_scale, scale)) if edits else (),
        pace=_pace(pieces, table.get(b"stts"), scale),
        size=(pieces.number(entry.body + 40, 2) or 0, pieces.number(entry.body + 42, 2) or 0) if entry else (0, 0),
        enabled=b"tkhd" not in parts or bool((pieces.number(parts[b"tkhd"].body + 3, 1) or 0) & 1),
        compressor=_compressor(pieces, entry),
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


def _compressor(pieces: Pieces, stsd: Box | None) -> str:
    """The name of the encoder in a visual sample entry: 32 bytes, the first of which counts the others."""
    if stsd is None or stsd.end < stsd.body + 90:
        return ""
    raw = pieces.read(stsd.body + 58, 32)
    return raw[1 : 1 + min(31, raw[0])].decode("utf-8", errors="replace").strip("\0 ") if len(raw) == 32 else ""


def _pace(pieces: Pieces, box: Box | None, scale: int) -> Pace | None:
    """The pace that a table of sample durations (stts) tells."""
    count = pieces.number(box.body + 4, 4) or 0 if box else 0
    if box is None or not count or not scale:
        return None
    runs: list[tuple[int, int]] = []
    for at in range(box.body + 8, box.body + 8 + 8 * min(count, MAX_ENTRIES), 8):
        samples, lasts = pieces.number(at, 4), pieces.number(at + 4, 4)
        if samples is None or lasts is None or at + 8 > box.end:
            break
        runs.append((samples, lasts))
    if not runs:
        return None
    # The last sample often lasts longer or shorter than the others.
    usual = runs[:-1] if len(runs) > 1 and runs[-1][0] == 1 else runs
    durations = [lasts for _, lasts in usual]
    even = None if count > len(runs) else len(set(durations)) == 1
    return Pace(sum(samples for samples, _ in runs), min(durations) / scale, max(durations) / scale, even)


_SEGMENT, _TRACKS, _ENTRY = 0x18538067, 0x1654AE6B, 0xAE
_TYPE, _CODEC, _LANGUAGE, _ENABLED, _USUAL = 0x83, 0x86, 0x22B59C, 0xB9, 0x23E383
_VIDEO, _WIDTH, _HEIGHT = 0xE0, 0xB0, 0xBA
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
        kind = _number(pieces, parts.get(_TYPE))
        codec, language = (_value(pieces, parts.get(part)) for part in (_CODEC, _LANGUAGE))
        usual = _number(pieces, parts.get(_USUAL)) / 1e9  # DefaultDuration, in nanoseconds
        video = parts.get(_VIDEO)
        inner = {e.id: e for e in elements(pieces, video.body, min(video.end or end, end))} if video else {}
        yield Track(
            kind=_KINDS.get(kind, ""),
            codec=codec,
            handler="",
            language=language,
            created=0,
            media_seconds=None,
            pace=Pace(0, usual, usual, even=None) if usual else None,
            size=(_number(pieces, inner.get(_WIDTH)), _number(pieces, inner.get(_HEIGHT))),
            enabled=_ENABLED not in parts or _number(pieces, parts[_ENABLED]) != 0,
        )


def _number(pieces: Pieces, element: Element | None) -> int:
    """An unsigned integer element; 0 where it is not there or too long to be one."""
    size = 0 if element is None or element.end is None else element.end - element.body
    return pieces.number(element.body, size) or 0 if element is not None and 0 < size <= 8 else 0


def _value(pieces: Pieces, element: Element | None) -> str:
    if element is None or element.end is None:
        return ""
    return _text(pieces, element.body, min(64, element.end - element.body))
