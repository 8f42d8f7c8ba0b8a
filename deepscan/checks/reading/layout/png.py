"""The chunks of a PNG file (W3C PNG, third edition), with their check sums."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from deepscan.checks.reading.layout.base import Block, Layout, Pieces

MAX_CHECKED = 256 * 1024**2
"""Bytes whose check sums are computed; the lengths of later chunks are still followed."""

_PIECE = 1024**2
_TEXT = frozenset({b"tEXt", b"zTXt", b"iTXt"})


def walk_png(pieces: Pieces) -> Layout:
    """The text and EXIF chunks of a PNG file, where it ends, and whether a chunk is broken."""
    blocks: list[Block] = []
    problem: str | None = None
    end: int | None = None
    checked, at = 0, 8
    while end is None:
        head = pieces.read(at, 8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        fatal = _broken(head, at, pieces.size)
        if fatal is not None:
            problem = problem or fatal
            break
        if checked <= MAX_CHECKED:
            checked += length
            if problem is None and not _intact(pieces, at, length):
                problem = f"The PNG chunk {kind.decode()} at byte {at:,} does not match its check sum: it is damaged."
        if kind in _TEXT:
            blocks.append(Block("text", f"PNG {kind.decode()}", at + 8, length))
        elif kind == b"eXIf":
            blocks.append(Block("exif", "EXIF", at + 8, length))
        elif kind == b"iCCP":
            blocks.append(Block("icc-packed", "ICC", at + 8, length))
        elif kind == b"tIME" and length == 7:
            blocks.append(Block("png-time", "PNG tIME", at + 8, length))
        at += 12 + length
        end = at if kind == b"IEND" else None
    width, height = pieces.number(16, 4), pieces.number(20, 4)
    return Layout(tuple(blocks), end, problem, pixels=(width, height) if width and height else None)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its type, the offset of its length field, and the bytes of its body."""

    kind: str
    offset: int
    size: int


def chunks(pieces: Pieces) -> Iterator[Chunk]:
    """The chunks of a PNG file up to IEND, or to the first that is broken. Check sums are not computed."""
    at = 8
    while True:
        head = pieces.read(at, 8)
        if _broken(head, at, pieces.size) is not None:
            return
        chunk = Chunk(head[4:].decode("ascii"), at, int.from_bytes(head[:4], "big"))
        yield chunk
        if chunk.kind == "IEND":
            return
        at += 12 + chunk.size


def _broken(head: bytes, at: int, size: int) -> str | None:
    """Why a walk cannot go on from the chunk that begins at ``at``."""
    if len(head) < 8:
        return "The PNG file has no end chunk (IEND): it is cut short."
    kind = head[4:]
    if not (kind.isascii() and kind.isalpha()):
        return f"What stands at byte {at:,} of the PNG file is not a chunk: the file is damaged."
    length = int.from_bytes(head[:4], "big")
    if length > 2**31 - 1 or at + 12 + length > size:
        return f"The PNG chunk {kind.decode()} at byte {at:,} is longer than the rest of the file: it is cut short."
    return None


def _intact(pieces: Pieces, at: int, length: int) -> bool:
    total = 0
    first, last = at + 4, at + 8 + length
    for start in range(first, last, _PIECE):
        total = zlib.crc32(pieces.read(start, min(_PIECE, last - start)), total)
    return total == pieces.number(last, 4)
