"""Editors, raw developers and converters that name themselves in metadata: a table. A new program is a row.

A name says that the program wrote the file, not what was changed in it. What firmware writes ("Ver.1.00",
"HDR+ 1.0", "10.0.2") is in no row, nor are programs that only fetch pictures from a camera.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from deepscan.checks.reading.embedded import Entry


class Trade(StrEnum):
    """What kind of program it is, in the words of a report."""

    EDITOR = "a picture editor"
    DEVELOPER = "a raw developer"
    VIDEO = "a video editor"
    CONVERTER = "a converter"


_ROWS: tuple[tuple[Trade, str, str], ...] = (
    # Camera Raw and Lightroom also carry Adobe's and Photoshop's name, so they come first.
    (Trade.DEVELOPER, "Adobe Camera Raw", r"\bCamera Raw\b"),
    (Trade.DEVELOPER, "Adobe Lightroom", r"\bLightroom\b"),
    (Trade.DEVELOPER, "Capture One", r"\bCapture One\b"),
    (Trade.DEVELOPER, "darktable", r"\bdarktable\b"),
    (Trade.DEVELOPER, "RawTherapee", r"\bRaw ?Therapee\b"),
    (Trade.DEVELOPER, "DxO PhotoLab", r"\bDxO\b"),
    (Trade.DEVELOPER, "Nikon Capture", r"\b(?:Nikon Capture|Capture NX|NX Studio|ViewNX)\b"),
    (Trade.DEVELOPER, "Canon Digital Photo Professional", r"\bDigital Photo Professional\b"),
    (Trade.DEVELOPER, "SIGMA Photo Pro", r"\bSIGMA Photo ?Pro\b"),
    (Trade.DEVELOPER, "SILKYPIX", r"\bSILKYPIX\b"),
    (Trade.DEVELOPER, "Sony Imaging Edge", r"\bImaging Edge\b"),
    (Trade.DEVELOPER, "ON1 Photo RAW", r"\bON1 Photo\b"),
    (Trade.EDITOR, "Adobe Photoshop", r"\bPhotoshop\b"),
    (Trade.EDITOR, "Adobe Fireworks", r"\bAdobe Fireworks\b"),
    (Trade.EDITOR, "Adobe Illustrator", r"\bAdobe Illustrator\b"),
    (Trade.EDITOR, "Adobe Express", r"\bAdobe Express\b"),
    (Trade.EDITOR, "GIMP", r"\bGIMP\b"),
    (Trade.EDITOR, "Affinity Photo", r"\bAffinity (?:Photo|Designer)\b"),
    (Trade.EDITOR, "Pixelmator", r"\bPixelmator\b"),
    (Trade.EDITOR, "Paint.NET", r"\bpaint\.net\b"),
    (Trade.EDITOR, "PaintShop Pro", r"\bPaint ?Shop\b"),
    (Trade.EDITOR, "Corel PHOTO-PAINT", r"\bPHOTO-PAINT\b"),
    (Trade.EDITOR, "Krita", r"\bKrita\b"),
    (Trade.EDITOR, "Photopea", r"\bPhotopea\b"),
    (Trade.EDITOR, "Canva", r"\bCanva\b"),
    (Trade.EDITOR, "Pixlr", r"\bPixlr\b"),
    (Trade.EDITOR, "Fotor", r"\bFotor\b"),
    (Trade.EDITOR, "Luminar", r"\bLuminar\b"),
    (Trade.EDITOR, "Topaz", r"\bTopaz (?:Photo|Gigapixel|DeNoise|Sharpen|Studio)\b"),
    (Trade.EDITOR, "Snapseed", r"\bSnapseed\b"),
    (Trade.EDITOR, "PicsArt", r"\bPicsArt\b"),
    (Trade.EDITOR, "VSCO", r"\bVSCO\b"),
    (Trade.EDITOR, "Facetune", r"\bFacetune\b"),
    (Trade.EDITOR, "FaceApp", r"\bFaceApp\b"),
    (Trade.EDITOR, "Meitu", r"\b(?:Meitu|BeautyPlus|AirBrush)\b"),
    (Trade.EDITOR, "Remini", r"\bRemini\b"),
    (Trade.EDITOR, "Lensa", r"\bLensa\b"),
    (Trade.EDITOR, "Picasa", r"\bPicasa\b"),
    (Trade.EDITOR, "ACDSee", r"\bACDSee\b"),
    (Trade.EDITOR, "IrfanView", r"\bIrfanView\b"),
    (Trade.EDITOR, "XnView", r"\bXnView\b"),
    (Trade.EDITOR, "FastStone", r"\bFastStone\b"),
    (Trade.EDITOR, "GraphicConverter", r"\bGraphicConverter\b"),
    (Trade.EDITOR, "PhotoScape", r"\bPhotoScape\b"),
    (
        Trade.EDITOR,
        "Microsoft Photos",
        r"\b(?:Microsoft Photo (?:Gallery|Editor)|Windows Photo Editor|Windows Live Photo)\b",
    ),
    (Trade.EDITOR, "Microsoft Paint", r"\bMicrosoft Paint\b"),
    (Trade.VIDEO, "Adobe Premiere", r"\bPremiere\b"),
    (Trade.VIDEO, "Adobe After Effects", r"\bAfter Effects\b"),
    (Trade.VIDEO, "DaVinci Resolve", r"\bDaVinci Resolve\b|\bBlackmagic Design\b"),
    (Trade.VIDEO, "Final Cut Pro", r"\bFinal Cut\b"),
    (Trade.VIDEO, "iMovie", r"\biMovie\b"),
    (Trade.VIDEO, "CapCut", r"\bCapCut\b|\bJianying\b"),
    (Trade.VIDEO, "InShot", r"\bInShot\b"),
    (Trade.VIDEO, "VEGAS", r"\bVEGAS Pro\b"),
    (Trade.VIDEO, "Kdenlive", r"\bKdenlive\b"),
    (Trade.VIDEO, "Shotcut", r"\bShotcut\b"),
    (Trade.CONVERTER, "ImageMagick", r"\b(?:Image|Graphics)Magick\b"),
    (Trade.CONVERTER, "GD", r"\bgd-jpeg\b"),
    (Trade.CONVERTER, "HandBrake", r"\bHandBrake\b"),
    (Trade.CONVERTER, "FFmpeg", r"\bLav[fc]\d"),
    (Trade.CONVERTER, "MKVToolNix", r"\bmkvmerge\b"),
)
_TABLE = tuple((trade, name, re.compile(pattern, re.IGNORECASE)) for trade, name, pattern in _ROWS)

# Where a program signs: its own field, Adobe's history, and comments of the form that programs leave by default.
_PLACES = re.compile(
    r"(?:exif:|tiff:|xmp:)?(?:Software|CreatorTool)|stEvt:softwareAgent|OriginatingProgram|ProcessingSoftware"
    r"|©too|©swr|com\.apple\.quicktime\.software|ENCODER|WritingApp|MuxingApp|ISFT",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"^(?:CREATOR: gd-jpeg|Created with GIMP|File written by Adobe Photoshop|Edited (?:with|by|in) )")


@dataclass(frozen=True, slots=True)
class Editor:
    """A program that names itself in an entry."""

    name: str
    trade: Trade
    entry: Entry


def find_editors(entries: Iterable[Entry]) -> tuple[Editor, ...]:
    """Each program that signs the file once, with the first entry that names it, in the order they stand."""
    found: dict[str, Editor] = {}
    seen: set[str] = set()
    for entry in entries:
        if not _PLACES.fullmatch(entry.key) and not (entry.key == "" and _COMMENT.match(entry.text)):
            continue
        text = entry.text[:_LOOKED_AT]
        if text in seen or len(seen) >= MAX_SIGNATURES:
            continue
        seen.add(text)
        row = _row(text)
        if row is not None:
            found.setdefault(row[1], Editor(row[1], row[0], entry))
    return tuple(found.values())


def program_of(text: str) -> str | None:
    """The program of the table that a signature names."""
    row = _row(text[:_LOOKED_AT])
    return row[1] if row is not None else None


MAX_SIGNATURES = 1_000
"""Different signatures of one file that are looked at. A history of years in Photoshop has some hundred entries."""

_LOOKED_AT = 1_000


def _row(text: str) -> tuple[Trade, str] | None:
    return next(((trade, name) for trade, name, pattern in _TABLE if pattern.search(text)), None)
