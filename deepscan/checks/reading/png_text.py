"""PNG text chunks (tEXt, zTXt, iTXt), with a limit on what they unpack to.

Own code on purpose: Pillow refuses the whole picture when one chunk unpacks to too much, and drops chunks after the
picture data unless it is decoded.
"""

from __future__ import annotations

import re
import zlib

from deepscan.errors import LimitError, UnreadableError

_PROFILE = re.compile(r"\s*(\w+)\s+(\d+)\s+([0-9a-fA-F\s]*)")


def read_text(kind: str, body: bytes) -> tuple[str, bytes, bool]:
    """The keyword and the text of a chunk, and whether :func:`unpack` must unpack the text.

    ``kind`` is ``tEXt``, ``zTXt`` or ``iTXt``.

    Raises:
        UnreadableError: the chunk is not built as the standard asks.
    """
    keyword, separator, rest = body.partition(b"\0")
    if not separator:
        raise UnreadableError(f"A PNG {kind} chunk has no keyword.")
    name = keyword.decode("latin-1")
    if kind == "tEXt":
        return name, rest, False
    if kind == "zTXt":
        return name, rest[1:], True
    if len(rest) < 2:
        raise UnreadableError("A PNG iTXt chunk is cut short.")
    packed = rest[0] == 1
    text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return name, text, packed


def as_text(value: bytes) -> str:
    """UTF-8 where it is, as most generators write it into tEXt too; else Latin-1, as the standard has it."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def raw_profile(text: str) -> bytes:
    """The bytes of ImageMagick's "Raw profile type" text: a name, a length, and hexadecimal digits.

    Raises:
        UnreadableError: it is not built so.
    """
    found = _PROFILE.match(text)
    if found is None:
        raise UnreadableError("A raw profile in a PNG text chunk has no name and length.")
    digits = "".join(found[3].split())
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def unpack(packed: bytes, limit: int) -> bytes:
    """Unpack zlib.

    Raises:
        UnreadableError: it is damaged or cut short.
        LimitError: it unpacks to more than ``limit`` bytes.
    """
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(packed, limit + 1)
    except zlib.error as e:
        raise UnreadableError(f"A compressed part of the PNG file is damaged: {e}.") from e
    if not stream.eof and len(text) <= limit:
        raise UnreadableError("A compressed part of the PNG file is cut short.")
    if len(text) > limit:
        raise LimitError(f"A compressed part of the PNG file unpacks to more than {limit:,} bytes, and is not read.")
    return text
