"""The segments of a JPEG file (ITU-T T.81, annex B), up to its end-of-image marker."""

from __future__ import annotations

import re

from deepscan.checks.reading.layout.base import WINDOW, Block, Layout, Pieces

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_SOI, _EOI, _SOS, _APP1, _APP2, _APP13, _COM = 0xD8, 0xD9, 0xDA, 0xE1, 0xE2, 0xED, 0xFE
# In entropy-coded data FF is followed by 00 (a stuffed byte), a restart marker, or another FF (fill).
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)

_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (_APP1, b"Exif\0\0", "exif", "EXIF"),
    (_APP1, b"Exif\0\xff", "exif", "EXIF"),
    (_APP1, b"http://ns.adobe.com/xap/1.0/\0", "xmp", "XMP"),
    (_APP1, b"http://ns.adobe.com/xmp/extension/\0", "xmp-extension", "extended XMP"),
    (_APP2, b"ICC_PROFILE\0", "icc-part", "ICC"),
    (_APP2, b"MPF\0", "mpf", "Multi-Picture Format"),
    (_APP13, b"Photoshop 3.0\0", "photoshop", "Photoshop resources"),
    (_COM, b"", "comment", "JPEG comment"),
)


def walk_jpeg(pieces: Pieces) -> Layout:
    """The metadata segments of a JPEG file, where the picture ends, and whether it ends at all."""
    blocks: list[Block] = []
    pixels: tuple[int, int] | None = None
    seen_scan = False
    at = 2
    while True:
        marker_at = _next_marker(pieces, at)
        if marker_at is None:
            state = "its picture data has no end" if seen_scan else "it ends before the picture data begins"
            problem = f"The JPEG file has no end-of-image marker: {state}."
            break
        marker = pieces.read(marker_at, 2)[1]
        if marker == _EOI:
            return Layout(tuple(blocks), marker_at + 2, pixels=pixels)
        if marker in _STANDALONE or marker == _SOI:
            at = marker_at + 2
            continue
        length = pieces.number(marker_at + 2, 2)
        if length is None or marker_at + 2 + length > pieces.size:
            problem = f"The JPEG segment at byte {marker_at:,} is longer than the rest of the file: it is cut short."
            break
        if not seen_scan:
            block = _named(pieces, marker, marker_at + 4, max(0, length - 2))
            blocks += [block] if block is not None else []
            pixels = pixels or _size(pieces, marker, marker_at)
        seen_scan = seen_scan or marker == _SOS
        at = marker_at + 2 + max(2, length)
    return Layout(tuple(blocks), None, problem, pixels=pixels)


def _size(pieces: Pieces, marker: int, at: int) -> tuple[int, int] | None:
    height, width = pieces.number(at + 5, 2), pieces.number(at + 7, 2)
    return (width, height) if marker in _FRAMES and width and height else None


def _named(pieces: Pieces, marker: int, offset: int, size: int) -> Block | None:
    for wanted, signature, kind, name in _SIGNATURES:
        if marker == wanted and size >= len(signature) and pieces.read(offset, len(signature)) == signature:
            return Block(kind, name, offset + len(signature), size - len(signature))
    return None


def _next_marker(pieces: Pieces, at: int) -> int | None:
    """The offset of the next marker at or after ``at``: stuffed bytes, restarts and fill bytes are passed over."""
    if _MARKER.match(pieces.read(at, 2)):
        return at
    while at < pieces.size:
        data = pieces.read(at, WINDOW)
        found = _MARKER.search(data)
        if found is not None:
            return at + found.start()
        # The last byte may be the FF of a marker that the next window completes.
        at += len(data) - 1 if data.endswith(b"\xff") and len(data) > 1 else max(1, len(data))
    return None
