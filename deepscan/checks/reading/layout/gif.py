"""The blocks of a GIF file (GIF89a), up to its trailer."""

from __future__ import annotations

from deepscan.checks.reading.layout.base import Block, Layout, Pieces

_XMP = b"XMP DataXMP"
_XMP_TRAILER = 258


def walk_gif(pieces: Pieces) -> Layout:
    """The comments and XMP of a GIF file and where its trailer stands."""
    blocks: list[Block] = []
    flags = pieces.number(10, 1) or 0
    at = 13 + _table(flags)
    while True:
        kind = pieces.read(at, 1)
        if kind == b";":
            return Layout(tuple(blocks), at + 1)
        if kind == b",":
            at += 10 + _table(pieces.number(at + 9, 1) or 0) + 1
            at_end = _skip(pieces, at)
        elif kind == b"!":
            label = pieces.number(at + 1, 1)
            at_end = _skip(pieces, at + 2)
            if at_end is not None and label == 0xFE:
                blocks.append(Block("gif-comment", "GIF comment", at + 2, at_end - at - 2))
            elif at_end is not None and label == 0xFF and pieces.read(at + 3, 11) == _XMP:
                # The packet stands bare among sub-blocks; a trailer of 258 bytes leads every reader to its end
                # (XMP specification part 3, "GIF").
                blocks.append(Block("xmp", "XMP", at + 14, max(0, at_end - at - 14 - _XMP_TRAILER)))
        else:
            state = "it is cut short" if not kind else f"what stands at byte {at:,} is not a block"
            return Layout(tuple(blocks), None, f"The GIF file has no trailer: {state}.")
        if at_end is None:
            return Layout(tuple(blocks), None, f"The GIF block at byte {at:,} is longer than the rest of the file.")
        at = at_end


def _table(flags: int) -> int:
    """Bytes of the colour table that a flags byte announces."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _skip(pieces: Pieces, at: int) -> int | None:
    """The offset after the sub-blocks that begin at ``at``; None when the file ends inside them."""
    while True:
        length = pieces.number(at, 1)
        if length is None:
            return None
        at += 1 + length
        if length == 0:
            return at
