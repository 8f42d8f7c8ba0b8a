"""EXIF, XMP and the colour profile of a HEIC or AVIF file (ISO/IEC 23008-12, annex A; ISO/IEC 14496-12, 8.11, 12.1.5).

Only the item tables are read, and only the bytes of the two items: pillow-heif and Pillow's AVIF reader would read the
whole file into memory for them.
"""

from __future__ import annotations

from collections.abc import Iterator

from deepscan.checks.reading.layout import Block, Pieces
from deepscan.checks.reading.layout.isobmff import Box, boxes

MAX_ITEMS = 20_000
"""Items in one table. Grid pictures of 8K have some hundred."""

_XMP_TYPE = b"application/rdf+xml\0"


def item_blocks(pieces: Pieces, meta: Block) -> Iterator[Block]:
    """The colour profile, and EXIF and XMP in the extents that ``meta`` gives; several extents are several blocks."""
    parts = {box.kind: box for box in boxes(pieces, meta.offset + 4, meta.offset + meta.size)}
    if b"iprp" in parts:
        yield from _profiles(pieces, parts[b"iprp"])
    if b"iinf" not in parts or b"iloc" not in parts:
        return
    wanted = dict(_wanted(pieces, parts[b"iinf"]))
    idat = parts[b"idat"].body if b"idat" in parts else None
    for item, offset, size in _extents(pieces, parts[b"iloc"], idat):
        if item not in wanted or offset >= pieces.size or size <= 0:
            continue
        if wanted[item] == "xmp":
            yield Block("xmp", "XMP", offset, size)
            continue
        # An EXIF item begins with the distance from after this number to the TIFF header (23008-12, A.2.1).
        skip = 4 + (pieces.number(offset, 4) or 0)
        if skip < size:
            yield Block("exif", "EXIF", offset + skip, size - skip)


def _profiles(pieces: Pieces, iprp: Box) -> Iterator[Block]:
    """The first colour profile among the properties (14496-12, 12.1.5)."""
    for container in boxes(pieces, iprp.body, iprp.end):
        for number, box in enumerate(boxes(pieces, container.body, container.end)):
            if number >= MAX_ITEMS:
                return
            if box.kind == b"colr" and pieces.read(box.body, 4) in (b"prof", b"rICC"):
                yield Block("icc", "ICC", box.body + 4, box.end - box.body - 4)
                return


def _wanted(pieces: Pieces, iinf: Box) -> Iterator[tuple[int, str]]:
    version = pieces.number(iinf.body, 1) or 0
    first = iinf.body + 4 + (2 if version == 0 else 4)
    for index, entry in enumerate(boxes(pieces, first, iinf.end)):
        if index >= MAX_ITEMS:
            return
        wide = 4 if pieces.number(entry.body, 1) == 3 else 2
        item = pieces.number(entry.body + 4, wide)
        kind = pieces.read(entry.body + 4 + wide + 2, 4)
        if item is None or entry.kind != b"infe":
            continue
        if kind == b"Exif":
            yield item, "exif"
        elif kind == b"mime" and _XMP_TYPE in pieces.read(entry.body, min(entry.end - entry.body, 512)):
            yield item, "xmp"


def _extents(pieces: Pieces, iloc: Box, idat: int | None) -> Iterator[tuple[int, int, int]]:
    """(item, offset in the file, size) of every extent that lies in this file."""
    version = pieces.number(iloc.body, 1) or 0
    sizes = pieces.number(iloc.body + 4, 2) or 0
    offset_size, length_size, base_size, index_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
    wide = 4 if version == 2 else 2
    count = min(pieces.number(iloc.body + 6, wide) or 0, MAX_ITEMS)
    at = iloc.body + 6 + wide
    for _ in range(count):
        item = pieces.number(at, wide)
        at += wide
        method = (pieces.number(at, 2) or 0) & 15 if version else 0
        at += (2 if version else 0) + 2
        base = pieces.number(at, base_size) or 0
        extents = pieces.number(at + base_size, 2)
        at += base_size + 2
        if item is None or extents is None or at > iloc.end:
            return
        start = {0: 0, 1: idat}.get(method)
        for _ in range(min(extents, MAX_ITEMS)):
            at += index_size if version else 0
            offset, length = pieces.number(at, offset_size) or 0, pieces.number(at + offset_size, length_size) or 0
            at += offset_size + length_size
            if at > iloc.end:
                return
            if start is not None:
                yield item, start + base + offset, length or pieces.size - (start + base + offset)
