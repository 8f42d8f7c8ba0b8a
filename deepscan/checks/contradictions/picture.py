"""What EXIF and the colour profile say of the picture, against the picture's own structure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepscan.checks.contradictions.base import Statements, note, size_evidence, trace
from deepscan.checks.contradictions.dates import SLACK
from deepscan.checks.fields import moment
from deepscan.text import clean
from deepscan.types import Finding

OTHER_SIZE, OTHER_WAY_UP, OTHER_COLOURS = "DS-META-006", "DS-META-012", "DS-META-015"

_TURNED = "Rotated 90"  # exifread's words for the orientations 5 to 8
_UPRIGHT = 1.1
"""How much longer one side must be for a shape to count as upright or lying: thumbnails are cut and rounded."""

# Display P3 is missing on purpose: phones whose EXIF says sRGB write it into their own pictures.
_WIDER = re.compile(r"(?i)\b(?:adobe ?rgb|prophoto|romm|apple rgb|colormatch|wide ?gamut|cmyk|swop|fogra)\b")
_SRGB = re.compile(r"(?i)\bsrgb\b")


def other_size(said: Statements) -> Iterator[Finding]:
    """EXIF states another number of pixels than the picture has; sides that are swapped count as equal."""
    stated, real = said.fields["pixels"].value, said.embedded.pixels
    if not isinstance(stated, list) or real is None or sorted(map(str, stated)) == sorted(map(str, real)):
        return
    yield trace(
        OTHER_SIZE,
        f"EXIF says that the picture has {stated[0]} x {stated[1]} pixels, and it has {real[0]} x {real[1]}: it was "
        "scaled or cropped by a program that left EXIF as it was, as many websites and messengers do.",
        (*said.shown("pixels"), size_evidence("pixels of the picture", real)),
    )


def other_way_up(said: Statements) -> Iterator[Finding]:
    """The picture was turned, and EXIF or the thumbnail was not."""
    real, small, stated = said.embedded.pixels, said.embedded.thumbnail, said.fields["pixels"].value
    if real is None:
        return
    words = "It was turned by a program that left the rest as it was, which changes no content."
    turn = said.exif("Orientation") or ""
    if isinstance(stated, list) and [*reversed(stated)] == [*real] != stated and turn.startswith(_TURNED):
        yield note(
            OTHER_WAY_UP,
            f"EXIF says that the picture has {stated[0]} x {stated[1]} pixels and is to be turned for display, and it "
            f"has {real[0]} x {real[1]}: it seems to be turned already. {words}",
            (*said.shown("pixels", "orientation"), size_evidence("pixels of the picture", real)),
        )
    elif small is not None and _lies(real) is not None and _lies(small) not in (None, _lies(real)):
        yield note(
            OTHER_WAY_UP,
            f"The picture has {real[0]} x {real[1]} pixels, and its thumbnail {small[0]} x {small[1]}: one of them "
            f"lies and the other stands. {words}",
            (size_evidence("pixels of the picture", real), size_evidence("pixels of the thumbnail", small)),
        )


def other_colours(said: Statements) -> Iterator[Finding]:
    """EXIF names another colour space than the profile, or the profile is younger than the file."""
    profile, space = said.first("ICC", "ProfileDescription"), said.exif("ColorSpace")
    pair = said.quoted("EXIF", "ColorSpace") + said.quoted("ICC", "ProfileDescription", "ProfileCreator")
    if profile and ((space == "sRGB" and _WIDER.search(profile)) or (space == "Adobe RGB" and _SRGB.search(profile))):
        yield note(
            OTHER_COLOURS,
            f'EXIF says that the colours are {space}, and the colour profile is "{clean(profile, 80)}". A program that '
            "converted the colours and left EXIF as it was explains it. It does not show that content was changed.",
            pair,
        )
    made, changed = moment(said.first("ICC", "ProfileDateTime")), said.when("datetime_modified")
    if made and changed and changed + SLACK < made <= said.now + SLACK:
        yield note(
            OTHER_COLOURS,
            f"The colour profile was made on {made}, after the last change that the file states ({changed}): a program "
            "wrote the file later and left that date as it was. It does not show that content was changed.",
            (*said.quoted("ICC", "ProfileDateTime", "ProfileDescription"), *said.shown("datetime_modified")),
        )


def _lies(size: tuple[int, int]) -> bool | None:
    width, height = size
    return True if width > _UPRIGHT * height else False if height > _UPRIGHT * width else None
