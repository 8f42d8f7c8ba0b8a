"""The segments of a JPEG file (ITU-T T.81, annex B), up to its end-of-image marker."""

from __future__ import annotations

from deepscan.checks.reading.layout.base import Block, Layout, Pieces
from deepscan.checks.reading.layout.segments import COM, EOI, FRAMES, SOS, segments

_APP1, _APP2, _APP13 = 0xE1, 0xE2, 0xED

_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (_APP1, b"Exif\0\0", "exif", "EXIF"),
    (_APP1, b"Exif\0\xff", "exif", "EXIF"),
    (_APP1, b"http://ns.adobe.com/xap/1.0/\0", "xmp", "XMP"),
    (_APP1, b"http://ns.adobe.com/xmp/extension/\0", "xmp-extension", "extended XMP"),
    (_APP2, b"ICC_PROFILE\0", "icc-part", "ICC"),
    (_APP2, b"MPF\0", "mpf", "Multi-Picture Format"),
    (_APP13, b"Photoshop 3.0\0", "photoshop", "Photoshop resources"),
    (COM, b"", "comment", "JPEG comment"),
)


def walk_jpeg(pieces: Pieces) -> Layout:
    """The metadata segments of a JPEG file, where the picture ends, and whether it ends at all."""
    blocks: list[Block] = []
    pixels: tuple[int, int] | None = None
    seen_scan = False
    for segment in segments(pieces):
        if segment.marker == EOI:
            return Layout(tuple(blocks), segment.offset + 2, pixels=pixels)
        if segment.offset + 4 + segment.size > pieces.size and segment.size:
            problem = (
                f"The JPEG segment at byte {segment.offset:,} is longer than the rest of the file: it is cut short."
            )
            return Layout(tuple(blocks), None, problem, pixels=pixels)
        if not seen_scan:
            block = _named(pieces, segment.marker, segment.offset + 4, segment.size)
            blocks += [block] if block is not None else []
            pixels = pixels or _size(pieces, segment.marker, segment.offset)
        seen_scan = seen_scan or segment.marker == SOS
    state = "its picture data has no end" if seen_scan else "it ends before the picture data begins"
    return Layout(tuple(blocks), None, f"The JPEG file has no end-of-image marker: {state}.", pixels=pixels)


def _size(pieces: Pieces, marker: int, at: int) -> tuple[int, int] | None:
    height, width = pieces.number(at + 5, 2), pieces.number(at + 7, 2)
    return (width, height) if marker in FRAMES and width and height else None


def _named(pieces: Pieces, marker: int, offset: int, size: int) -> Block | None:
    for wanted, signature, kind, name in _SIGNATURES:
        if marker == wanted and size >= len(signature) and pieces.read(offset, len(signature)) == signature:
            return Block(kind, name, offset + len(signature), size - len(signature))
    return None
