"""What wrote a JPEG picture, as far as its quantisation tables tell: libjpeg's scale, and a table of others.

The tables of ITU-T T.81, annex K, are scaled by a quality as libjpeg does (jcparam.c, ``jpeg_quality_scaling``), which
most programs and many cameras do; mozjpeg scales a table of N. Robidoux instead. Others are looked up in :data:`ROWS`:
digests of tables that were published, or measured on files whose writer names itself. H. Farid ("Digital image
ballistics from JPEG quantization: a followup study", 2008) and J. Kornblum ("Using JPEG quantization tables to identify
imagery processed by software", 2008) show what tables can tell: which writer is possible, never which one it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Table = tuple[int, ...]
"""64 divisors in zigzag order."""

_LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, *([99] * 32),
)  # fmt: skip
_ROBIDOUX = (
    16, 16, 16, 18, 25, 37, 56, 85, 16, 17, 20, 27, 34, 40, 53, 75, 16, 20, 24, 31, 43, 62, 91, 135, 18, 27, 31, 40, 53,
    74, 106, 156, 25, 34, 43, 53, 69, 94, 131, 189, 37, 40, 62, 74, 94, 124, 169, 238, 56, 53, 91, 106, 131, 169, 226,
    311, 85, 75, 135, 156, 189, 238, 311, 418,
)  # fmt: skip
"""The default of mozjpeg (jcparam.c, table 3), for luma and chroma alike; compared with what mozjpeg 4.0.3 writes."""

_ZIGZAG = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """Tables (digests of luma and chroma, by :func:`digest`), what is known to write them, and how that is known."""

    luma: str
    chroma: str
    writer: str
    source: str


_PILLOW = "published: Pillow, JpegPresets.py"
_OWN = "measured: files that name this writer in EXIF Software or Make"

ROWS: tuple[Row, ...] = (
    Row("a381357a3cbd", "18b6b483fd25", "Adobe Photoshop, Save for Web, low", _PILLOW),
    Row("ce763064e40e", "3a32cad381b3", "Adobe Photoshop, Save for Web, medium", _PILLOW),
    Row("a3b25fe92859", "e538b2e9de02", "Adobe Photoshop, Save for Web, high", _PILLOW),
    Row("f1d8ea42ea18", "79c7afeacd6e", "Adobe Photoshop, Save for Web, very high", _PILLOW),
    Row("30319ef42eb5", "15ee3f4db651", "Adobe Photoshop, Save for Web, maximum", _PILLOW),
    Row("ca01d2b90515", "6725ef59d3e0", "Adobe Photoshop, Save As, low", _PILLOW),
    Row("00f9ce57a040", "87d7c0ab0e4f", "Adobe Photoshop, Save As, medium", _PILLOW),
    Row("cc98a4b709ad", "3453883380b5", "Adobe Photoshop, Save As, high", _PILLOW),
    Row("f1d8ea42ea18", "5d81b67c43f5", "Adobe Photoshop, Save As, maximum", _PILLOW),
    Row("61cc5ef3983a", "47b1c32c2ea6", "Sanyo SX113 (VPC-SX550)", _OWN),
    Row("9cd5efccb679", "cef394efcd41", "Kodak DC210 Zoom", _OWN),
    Row("058492c33191", "c3d9ae04a5fb", "Canon Digital IXUS", _OWN),
    Row("9acf937a7a5b", "0892a842f96d", "Fujifilm DX-10", _OWN),
    Row("ab8a7b1ec0a9", "201454caf074", "Fujifilm MX-1700ZOOM", _OWN),
    Row("5f439e432d90", "0cd11d57a378", "Sanyo SR6 (VPC-G250)", _OWN),
    Row("96e497f81a0e", "ff5029cf6461", "Adobe Photoshop CS2", _OWN),
    Row("30319ef42eb5", "0ce30fc14972", "Adobe Photoshop CS to 21.1, Save As", _OWN),
    Row("5417e9c33a42", "f7349c1def12", "Adobe Photoshop 24.1", _OWN),
    Row("473f712c8fae", "6dfe0f99aeb7", "Adobe Photoshop CC 2019, Save for Web", _OWN),
    Row("510baf0b8d09", "20bc0743b762", "Adobe Photoshop 7.0", _OWN),
)
"""A new writer is a row: tables that were published, or seen in a file that names its writer, and no others."""


@dataclass(frozen=True, slots=True)
class Match:
    """How one table compares with libjpeg's: the quality, and whether it is ``exact``, ``scaled`` or ``nearest``.

    ``scaled`` is annex K's table times a factor that no whole quality of libjpeg gives; ``nearest`` another table.
    ``difference`` is the mean absolute difference from libjpeg's table at that quality.
    """

    quality: int
    kind: str
    base: str
    difference: float


def digest(table: Sequence[int]) -> str:
    """A short name for a table: the first twelve digits of the SHA-256 of its values as 16-bit numbers."""
    return hashlib.sha256(np.asarray(table, ">u2").tobytes()).hexdigest()[:12]


def compare(table: Table, *, luma: bool, prefer: int = 0) -> Match:
    """Compare a table with libjpeg's; ``luma`` says which of the two is tried first.

    At the lowest qualities several have one table, because no value exceeds 255: ``prefer`` says which one is meant.
    """
    tables = _standard()
    order = ("luma", "chroma") if luma else ("chroma", "luma")
    values = np.asarray(table, np.float64)
    for base in (*order, "mozjpeg"):
        rows = np.flatnonzero((tables[base] == values).all(axis=1))
        if len(rows):
            quality = prefer if prefer - 1 in rows else int(rows[-1]) + 1
            return Match(quality, "exact", base, 0.0)
    nearest = tables[order[0]]
    differences = np.abs(nearest - values).mean(axis=1)
    quality = int(np.argmin(differences)) + 1
    kind = "scaled" if _scaled(values, order[0]) else "nearest"
    return Match(quality, kind, order[0], round(float(differences[quality - 1]), 3))


def writers(luma: Table, chroma: Table | None) -> tuple[Row, ...]:
    """The rows whose tables these are."""
    first, second = digest(luma), digest(chroma) if chroma is not None else ""
    return tuple(row for row in ROWS if row.luma == first and (not second or row.chroma == second))


@cache
def _standard() -> dict[str, NDArray[np.float64]]:
    """The tables at every quality from 1 to 100, shape (100, 64), as libjpeg's baseline tables have them."""
    found: dict[str, NDArray[np.float64]] = {}
    for name, base in (("luma", _LUMA), ("chroma", _CHROMA), ("mozjpeg", _ROBIDOUX)):
        zigzag = np.asarray(base, np.int64)[list(_ZIGZAG)]
        scales = [5000 // quality if quality < 50 else 200 - 2 * quality for quality in range(1, 101)]
        found[name] = np.stack([np.clip((zigzag * scale + 50) // 100, 1, 255) for scale in scales]).astype(np.float64)
    return found


def _scaled(values: NDArray[np.float64], base: str) -> bool:
    """Whether every value is annex K's times one factor, rounded up or down."""
    zigzag = np.asarray(_LUMA if base == "luma" else _CHROMA, np.float64)[list(_ZIGZAG)]
    free = (values > 1) & (values < 255)
    if free.sum() < 16:
        return False
    lowest, highest = ((values - 1) / zigzag)[free].max(), ((values + 1) / zigzag)[free].min()
    return bool(lowest < highest)
