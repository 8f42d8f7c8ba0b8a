"""How hard copies are looked for: everything that costs time, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """What is tried.

    ``pixels`` is the size to which larger pictures are scaled down first. ``keypoints`` are kept, the strongest ones:
    comparing all with all grows with the square (0.3 s for 5000). SIFT seeks them in ``layers`` sizes for each octave,
    three as a rule; two find as many copies in large pictures. (In a copy of half the pixels, which costs half, half of
    the copies of a tenth of the picture's side are lost.) Windows of ``window`` pixels a side, about ``windows`` of
    them, are slid over the picture; by its grain alone a copy of 44 x 44 pixels is found in one of 96 x 96, and one of
    60 x 60 in one of 160 x 160. ``points``, ``mirrored`` and ``shifts`` are how many transforms are tried, by
    keypoints, by mirrored keypoints and by windows.
    """

    pixels: int
    keypoints: int
    layers: int
    window: int
    windows: int
    points: int
    mirrored: int
    shifts: int


FULL = Effort(pixels=1_500_000, keypoints=5000, layers=3, window=96, windows=64, points=14, mirrored=4, shifts=8)
"""A second at 1.5 megapixels."""

QUICK = Effort(pixels=300_000, keypoints=1000, layers=2, window=160, windows=15, points=6, mirrored=2, shifts=4)
"""A tenth of that, for pictures of more pixels than :data:`FULL` has: what is smaller than 20 x 20 pixels once they are
scaled down, 120 x 120 pixels of a photograph of 12 megapixels, is missed."""
