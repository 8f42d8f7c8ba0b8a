"""The luma tables of the Independent JPEG Group's encoder (ITU-T T.81, K.1, scaled as jcparam.c does)."""

from __future__ import annotations

from functools import cache

_STANDARD = (
    *(16, 11, 10, 16, 24, 40, 51, 61),
    *(12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77),
    *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101),
    *(72, 92, 95, 98, 112, 100, 103, 99),
)


@cache
def luma_table(quality: int) -> tuple[int, ...]:
    """The 64 steps of a quality from 1 to 100, row by row: [8 * vertical + horizontal frequency]."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(min(255, max(1, (step * scale + 50) // 100)) for step in _STANDARD)
