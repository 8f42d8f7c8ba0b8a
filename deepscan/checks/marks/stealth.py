"""Records hidden in the lowest bits of pixels: the "stealth PNG info" of A1111 and its relatives, and of NovelAI.

The bits go down the columns, column after column: of alpha alone, or of red, green and blue of each pixel in turn.
First come 15 characters that name the form, then 32 bits with the length of the rest in bits, then the text in UTF-8,
or packed with gzip. Sources: neggles/sd-webui-stealth-pnginfo; NovelAI/novelai-image-metadata, README.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.marks.values import load_object
from deepscan.checks.reading.embedded import Entry
from deepscan.errors import LimitError, UnreadableError

MAX_TEXT = 8 * 1024**2
"""Bytes of text that a hidden record may unpack to."""

_SIGNATURES = {
    b"stealth_pnginfo": ("alpha", False),
    b"stealth_pngcomp": ("alpha", True),
    b"stealth_rgbinfo": ("rgb", False),
    b"stealth_rgbcomp": ("rgb", True),
}
_NAME_BITS, _LENGTH_BITS = 15 * 8, 32
_HEAD_BITS = _NAME_BITS + _LENGTH_BITS
PLACES = {"alpha": "the lowest bits of alpha", "rgb": "the lowest bits of red, green and blue"}


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is hidden: its signature, where, and the bytes of the record as they stand there."""

    signature: str
    place: str
    packed: bool
    raw: bytes
    told_bits: int

    def text(self) -> str:
        """The record.

        Raises:
            UnreadableError: its length is more than there is, it is damaged, or it is no UTF-8.
            LimitError: it unpacks to more than :data:`MAX_TEXT`.
        """
        if not self.told_bits or len(self.raw) * 8 < self.told_bits:
            raise UnreadableError("The hidden record says that it is longer than the picture, or empty.")
        return _decoded(_unpacked(self.raw) if self.packed else self.raw)


def find_hidden(pixels: NDArray[np.uint8]) -> Hidden | None:
    """The hidden record of a picture as stored, shape (height, width, 3 or 4) uint8; None when there is none.

    Only the columns that hold the signature are looked at where there is none.
    """
    planes = [("rgb", pixels[..., :3])]
    if pixels.shape[2] == 4:
        planes.insert(0, ("alpha", pixels[..., 3:]))
    for place, plane in planes:
        head = _bits(plane, 0, _HEAD_BITS)
        name = head[: _NAME_BITS // 8]
        if len(head) * 8 < _HEAD_BITS or _SIGNATURES.get(name, ("", False))[0] != place:
            continue
        told = int.from_bytes(head[_NAME_BITS // 8 :], "big")
        raw = _bits(plane, _HEAD_BITS, min(told, 8 * MAX_TEXT))
        return Hidden(name.decode("ascii"), PLACES[place], _SIGNATURES[name][1], raw, told)
    return None


def entries_of(text: str) -> tuple[Entry, ...]:
    """The hidden text as the entries it stands for: an object of PNG texts (NovelAI, ComfyUI), or A1111's settings."""
    members = load_object(text)
    whole = Entry("hidden", "parameters", text)
    return (whole, *(Entry("hidden", key[:80], value) for key, value in members.items() if isinstance(value, str)))


def _bits(plane: NDArray[np.uint8], start: int, count: int) -> bytes:
    """``count`` lowest bits from ``start`` on, as far as there are, as bytes."""
    height, _, channels = plane.shape
    column = height * channels
    first, last = start // column, -(-(start + count) // column)
    part = plane[:, first:last].transpose(1, 0, 2).reshape(-1)[start - first * column :][:count]
    return np.packbits(part & 1).tobytes()


def _unpacked(raw: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        text = stream.decompress(raw, MAX_TEXT + 1)
    except zlib.error as e:
        raise UnreadableError(f"The hidden record is packed, and damaged: {e}.") from e
    if len(text) > MAX_TEXT:
        raise LimitError(f"The hidden record unpacks to more than {MAX_TEXT:,} bytes.")
    if not stream.eof:
        raise UnreadableError("The hidden record is packed, and cut short.")
    return text


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as e:
        raise UnreadableError("The hidden record is no text in UTF-8.") from e
