"""The chunks of a RIFF file: WebP (RFC 9649) and AVI."""

from __future__ import annotations

from deepscan.checks.reading.layout.base import Block, Layout, Pieces

_MAX_DEPTH = 4
_WEBP_BLOCKS = {b"EXIF": ("exif", "EXIF"), b"XMP ": ("xmp", "XMP"), b"ICCP": ("icc", "ICC")}
_PICTURES = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH"})


def walk_webp(pieces: Pieces) -> Layout:
    """The metadata chunks of a WebP file and where its RIFF form ends."""
    declared = 8 + (pieces.number(4, 4, little=True) or 0)
    blocks: list[Block] = []
    problem = _beyond("WebP", declared, pieces.size)
    end = min(declared, pieces.size)
    at, pictures = 12, 0
    while at + 8 <= end:
        kind, length = pieces.read(at, 4), pieces.number(at + 4, 4, little=True) or 0
        if at + 8 + length > end:
            problem = problem or f"The WebP chunk at byte {at:,} is longer than the file's own declared length."
            break
        pictures += kind in _PICTURES
        if kind in _WEBP_BLOCKS:
            blocks.append(Block(*_WEBP_BLOCKS[kind], at + 8, length))
        at += 8 + length + length % 2
    if problem is None and not pictures:
        problem = "The WebP file holds no picture chunk."
    return Layout(tuple(blocks), None if problem else declared, problem)


def walk_avi(pieces: Pieces) -> Layout:
    """The INFO list of an AVI file and where its last RIFF form ends (OpenDML files have several)."""
    at = 0
    blocks: list[Block] = []
    while pieces.read(at, 4) == b"RIFF" and pieces.read(at + 8, 4) in (b"AVI ", b"AVIX"):
        length = pieces.number(at + 4, 4, little=True) or 0
        problem = _beyond("AVI", at + 8 + length, pieces.size)
        end = min(at + 8 + length, pieces.size)
        blocks += _avi_lists(pieces, at + 12, end, 0)
        if problem is not None:
            return Layout(tuple(blocks), None, problem)
        at = end + length % 2
    return Layout(tuple(blocks), min(at, pieces.size))


def _avi_lists(pieces: Pieces, at: int, end: int, depth: int) -> list[Block]:
    found: list[Block] = []
    while at + 12 <= end and depth < _MAX_DEPTH:
        kind, length = pieces.read(at, 4), pieces.number(at + 4, 4, little=True) or 0
        inner_end = min(at + 8 + length, end)
        if kind == b"IDIT":
            found.append(Block("avi-date", "AVI IDIT", at + 8, inner_end - at - 8))
        elif kind == b"_PMX":  # XMP specification part 3, "AVI"
            found.append(Block("xmp", "XMP", at + 8, inner_end - at - 8))
        elif kind == b"strd":
            found.append(Block("avi-stream", "AVI strd", at + 8, inner_end - at - 8))
        elif kind == b"LIST":
            form = pieces.read(at + 8, 4)
            if form == b"INFO":
                found.append(Block("avi-info", "AVI INFO", at + 12, inner_end - at - 12))
            elif form == b"exif":  # Exif 2.32, 5.6.4: the LIST of a RIFF file
                found.append(Block("avi-exif", "AVI exif", at + 12, inner_end - at - 12))
            elif form in (b"hdrl", b"strl"):
                found += _avi_lists(pieces, at + 12, inner_end, depth + 1)
        at += 8 + length + length % 2
    return found


def _beyond(what: str, declared: int, size: int) -> str | None:
    # Some writers leave out the last chunk's padding byte, and then declare an odd length.
    if declared > size + declared % 2:
        return f"The {what} file declares {declared:,} bytes and has {size:,}: it is cut short."
    return None
