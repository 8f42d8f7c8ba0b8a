"""Info and Tags of Matroska and WebM files (RFC 9559, 5.1.2 and 5.1.8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from deepscan.checks.reading.layout import Block, Pieces
from deepscan.checks.reading.layout.ebml import Element, elements

MAX_TAGS = 2_000
MAX_DEPTH = 4
"""Levels of tags inside tags. The official ones have two (RFC 9559, 5.1.8.1.2)."""

MAX_TAG_BYTES = 1024**2

_TITLE, _MUXER, _WRITER, _DATE = 0x7BA9, 0x4D80, 0x5741, 0x4461
_INFO_NAMES = {_TITLE: "Title", _MUXER: "MuxingApp", _WRITER: "WritingApp"}
_TAG, _SIMPLE_TAG, _TAG_NAME, _TAG_STRING = 0x7373, 0x67C8, 0x45A3, 0x4487
_TARGETS, _TRACK = 0x63C0, 0x63C5
_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)


def matroska_info(pieces: Pieces, info: Block) -> Iterator[tuple[str, str]]:
    """(key, text) of the Info element: ``MuxingApp``, ``WritingApp``, ``Title``, ``DateUTC``."""
    for element in elements(pieces, info.offset, info.offset + info.size):
        if element.id in _INFO_NAMES:
            yield _INFO_NAMES[element.id], _text(pieces, element)
        elif element.id == _DATE and element.end is not None and element.end - element.body == 8:
            nanoseconds = int.from_bytes(pieces.read(element.body, 8), "big", signed=True)
            moment = _EPOCH + timedelta(seconds=nanoseconds // 10**9)
            yield "DateUTC", moment.strftime("%Y:%m:%d %H:%M:%SZ")


def matroska_tags(pieces: Pieces, tags: Block) -> Iterator[tuple[str, str, str]]:
    """(source, name, text) of the simple tags and of those inside them, to :data:`MAX_DEPTH`.

    The source is ``Matroska tag``, or ``Matroska track tag`` where the tag speaks of one track.
    """
    end = tags.offset + tags.size
    for number, (source, simple) in enumerate(_simple_tags(pieces, tags.offset, end)):
        if number >= MAX_TAGS:
            return
        parts = {part.id: part for part in _inside(pieces, simple, end)}
        if _TAG_NAME in parts and _TAG_STRING in parts:
            yield source, _text(pieces, parts[_TAG_NAME]), _text(pieces, parts[_TAG_STRING])


def _simple_tags(pieces: Pieces, at: int, end: int) -> Iterator[tuple[str, Element]]:
    for tag in elements(pieces, at, end):
        if tag.id != _TAG:
            continue
        inner = _inside(pieces, tag, end)
        targets = [part.id for e in inner if e.id == _TARGETS for part in _inside(pieces, e, end)]
        source = "Matroska track tag" if _TRACK in targets else "Matroska tag"
        level = [e for e in inner if e.id == _SIMPLE_TAG]
        for _ in range(MAX_DEPTH):
            yield from ((source, e) for e in level)
            level = [e for outer in level for e in _inside(pieces, outer, end) if e.id == _SIMPLE_TAG]


def _inside(pieces: Pieces, element: Element, end: int) -> list[Element]:
    if element.end is None:
        return []
    return list(islice(elements(pieces, element.body, min(element.end, end)), MAX_TAGS))


def _text(pieces: Pieces, element: Element) -> str:
    size = (element.end or element.body) - element.body
    return pieces.read(element.body, min(size, MAX_TAG_BYTES)).decode("utf-8", errors="replace").strip("\0 \t\r\n")
