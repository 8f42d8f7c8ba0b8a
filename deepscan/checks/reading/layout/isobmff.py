"""The top-level boxes of an ISO base media file (ISO/IEC 14496-12): MP4, MOV, 3GP, HEIC, AVIF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deepscan.checks.reading.layout.base import Block, Layout, Pieces

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""The uuid box that holds XMP (XMP specification part 3, "MPEG-4")."""

_KEPT = frozenset({b"moov", b"meta"})
_MOVIE = frozenset({b"moov", b"moof", b"sidx", b"styp"})


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its four-character type, where its body begins, where it ends, and whether it reaches its end."""

    kind: bytes
    body: int
    end: int
    whole: bool


def boxes(pieces: Pieces, at: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets; stops at what is not a box. A box that claims more than ``end`` is not whole."""
    while at + 8 <= end:
        size, kind = pieces.number(at, 4), pieces.read(at + 4, 4)
        body = at + 8
        if size == 1:
            size, body = pieces.number(at + 8, 8), at + 16
        elif size == 0:
            size = end - at
        if size is None or size < body - at or not _printable(kind):
            return
        yield Box(kind, body, min(at + size, end), at + size <= end)
        at += size


def _printable(kind: bytes) -> bool:
    # QuickTime's own types begin with the copyright sign of Mac Roman; spaces only fill up at the end ("xml ").
    return len(kind) == 4 and kind[0] != 0x20 and all(0x20 <= c < 0x7F or c == 0xA9 for c in kind)


def walk_isobmff(pieces: Pieces) -> Layout:
    """The boxes that hold metadata, where the last box ends, and whether one reaches beyond the end of the file."""
    blocks: list[Block] = []
    kinds: set[bytes] = set()
    end = 0
    for box in boxes(pieces, 0, pieces.size):
        kinds.add(box.kind)
        name = box.kind.decode("latin-1")
        if not box.whole:
            return Layout(
                tuple(blocks),
                None,
                f"The box {name!r} at byte {end:,} reaches beyond the end of the file: the file is cut short.",
            )
        if box.kind in _KEPT:
            blocks.append(Block(name, name, box.body, box.end - box.body))
        elif box.kind == b"uuid" and pieces.read(box.body, 16) == XMP_UUID:
            blocks.append(Block("xmp", "XMP", box.body + 16, box.end - box.body - 16))
        end = box.end
    if b"mdat" in kinds and not kinds & (_MOVIE | {b"meta"}):
        problem = "The file has media data, but the index that is needed to read it (the box 'moov') is missing."
        return Layout(tuple(blocks), None, problem)
    if 0 < pieces.size - end < 8 and any(pieces.read(end, 8)):
        return Layout(tuple(blocks), None, "The last box of the file is cut short.")
    return Layout(tuple(blocks), end or None)
