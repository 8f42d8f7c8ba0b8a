"""Whether the pictures of a film are encrypted, told from its headers: decoders take such data for pictures.

FFmpeg decodes encrypted H.264 now and then without an error, and what comes out is noise, which no check should score.
"""

from __future__ import annotations

import os
import re
from typing import BinaryIO

MAX_BOXES = 2_000
"""Boxes at the top of a file among which the index is looked for."""

MAX_INDEX = 8 * 1024**2
"""Bytes of the index that are searched: the description of each track stands before its tables, which may be long."""

# ISO/IEC 14496-12, 8.5.2 (stsd: version, flags and a count of entries, then each one's size and type) and 8.12: an
# encrypted sample entry has the type encv. RFC 9559, 5.1.4.1.31: ContentEncodings, ContentEncoding, ContentEncryption.
_ISO = re.compile(rb"stsd.{12}encv", re.DOTALL)
_MATROSKA = re.compile(rb"\x86.{1,8}?V_.{0,400}?\x6d\x80.{1,24}?\x62\x40.{1,80}?\x50\x35", re.DOTALL)


def is_encrypted(file: BinaryIO) -> bool:
    """Whether the track headers of an MP4 or Matroska file say that its pictures are encrypted."""
    file.seek(0)
    head = file.read(1 << 16)
    if head[:4] == b"\x1aE\xdf\xa3":
        return _MATROSKA.search(head + file.read(1 << 20)) is not None
    if head[4:8] not in (b"ftyp", b"moov", b"styp", b"wide", b"free", b"skip", b"mdat"):
        return False
    return _ISO.search(_index(file)) is not None


def _index(file: BinaryIO) -> bytes:
    """The start of the moov box of an MP4; nothing where there is none among the first boxes."""
    size = file.seek(0, os.SEEK_END)
    at = 0
    for _ in range(MAX_BOXES):
        file.seek(at)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if header[4:8] == b"moov":
            return file.read(min(MAX_INDEX, max(0, (length or size) - 16)))
        at += length
        if length < 8 or at >= size:
            break
    return b""
