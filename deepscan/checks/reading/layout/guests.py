"""Files that are two things at once: a document or archive that readers find inside a picture or video.

Readers of PDF look for its header in the first 1,024 bytes (ISO 32000-1, annex H), those of ZIP for its directory at
the end of the file (APPNOTE.TXT 4.3.16): neither needs to begin where the file begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deepscan.checks.reading.layout.base import Pieces

_PDF_WITHIN = 1024
_ZIP_WITHIN = 22 + 65_535
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Guest:
    """What else the file is: a short name, the words of a report, and where its mark stands."""

    name: str
    title: str
    offset: int


def find_guests(pieces: Pieces) -> Iterator[Guest]:
    """The other files that a file is, each told by two marks that fit each other."""
    head, tail = pieces.read(0, _PDF_WITHIN), pieces.read(max(0, pieces.size - _PDF_WITHIN), _PDF_WITHIN)
    at = head.find(b"%PDF-")
    if at >= 0 and (b"startxref" in tail or b"%%EOF" in tail):
        yield Guest("pdf", "a PDF document", at)
    directory = _zip_directory(pieces)
    if directory is not None:
        yield Guest("zip", "a ZIP archive", directory)


def _zip_directory(pieces: Pieces) -> int | None:
    """The offset of a ZIP directory that ends where the end record says, and begins with an entry."""
    start = max(0, pieces.size - _ZIP_WITHIN)
    tail = pieces.read(start, _ZIP_WITHIN)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) < at + 22:
        return None
    size, comment = int.from_bytes(tail[at + 12 : at + 16], "little"), int.from_bytes(tail[at + 20 : at + 22], "little")
    first = start + at - size
    if size < 46 or first < 0 or at + 22 + comment > len(tail) or pieces.read(first, 4) != b"PK\1\2":
        return None
    return first


def is_rest_of_a_png(pieces: Pieces, end: int) -> bool:
    """Whether what follows the end of a PNG is the tail of an earlier, larger PNG that was written over.

    Such a file ends with a second IEND chunk, and no PNG signature stands before it (CVE-2023-21036, "aCropalypse").
    """
    if pieces.size - end < len(_PNG_END) or pieces.read(pieces.size - len(_PNG_END), len(_PNG_END)) != _PNG_END:
        return False
    return pieces.read(end, len(_PNG_SIGNATURE)) != _PNG_SIGNATURE
