"""The top-level elements of a Matroska or WebM file (RFC 8794, RFC 9559)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deepscan.checks.reading.layout.base import Block, Layout, Pieces

_EBML, _SEGMENT, _INFO, _TAGS = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1254C367
_KEPT = {_INFO: ("mkv-info", "Matroska Info"), _TAGS: ("mkv-tags", "Matroska tag")}


@dataclass(frozen=True, slots=True)
class Element:
    """An element: its id, where its body begins, and where it ends (None for an unknown size, as live streams have)."""

    id: int
    body: int
    end: int | None


def elements(pieces: Pieces, at: int, end: int) -> Iterator[Element]:
    """The elements between two offsets, up to the first of unknown size or that reaches beyond ``end``."""
    while at < end:
        element = _element(pieces, at)
        if element is None:
            return
        yield element
        if element.end is None or element.end > end or element.end <= at:
            return
        at = element.end


def _element(pieces: Pieces, at: int) -> Element | None:
    first = pieces.number(at, 1)
    if not first:
        return None
    id_length = 9 - first.bit_length()
    identity = pieces.number(at, id_length) if id_length <= 4 else None
    head = pieces.number(at + id_length, 1)
    if identity is None or not head:
        return None
    size_length = 9 - head.bit_length()
    size = pieces.number(at + id_length, size_length)
    if size is None:
        return None
    ones = (1 << (7 * size_length)) - 1
    body = at + id_length + size_length
    return Element(identity, body, None if size & ones == ones else body + (size & ones))


def walk_ebml(pieces: Pieces) -> Layout:
    """The Info and Tags of a Matroska file, where its last segment ends, and whether it is cut short."""
    blocks: list[Block] = []
    end: int | None = None
    segments = 0
    for top in elements(pieces, 0, pieces.size):
        cut = top.end is not None and top.end > pieces.size
        if top.id == _SEGMENT:
            segments += 1
            inner = pieces.size if top.end is None else min(top.end, pieces.size)
            blocks += _metadata(pieces, top.body, inner)
        if cut:
            return Layout(
                tuple(blocks),
                None,
                f"The Matroska file declares {top.end:,} bytes and has {pieces.size:,}: it is cut short.",
            )
        end = top.end
    problem = None if segments else "The Matroska file ends before its content begins: it is cut short."
    return Layout(tuple(blocks), end if segments else None, problem)


def _metadata(pieces: Pieces, at: int, end: int) -> list[Block]:
    return [
        Block(*_KEPT[e.id], e.body, e.end - e.body)
        for e in elements(pieces, at, end)
        if e.id in _KEPT and e.end is not None and e.end <= end
    ]
