"""One normal form for what files state about themselves: field -> present, missing or unreadable."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deepscan.checks.reading.embedded import Embedded, Entry
from deepscan.types import JSONValue


class State(StrEnum):
    """Missing, unreadable and present are three answers."""

    PRESENT = "present"
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``value`` exists when present, ``reason`` when unreadable, ``source`` ("EXIF Make") for both."""

    name: str
    state: State
    value: JSONValue = None
    source: str | None = None
    reason: str | None = None


# Where each field stands, best first: the place, and the name there. "PNG" is any kind of text chunk.
_PLACES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "make": (
        ("EXIF", "Make"),
        ("XMP", "tiff:Make"),
        ("PNG", "exif:Make"),
        ("QuickTime key", "com.apple.quicktime.make"),
        ("MP4 tag", "©mak"),
    ),
    "model": (
        ("EXIF", "Model"),
        ("XMP", "tiff:Model"),
        ("PNG", "exif:Model"),
        ("QuickTime key", "com.apple.quicktime.model"),
        ("MP4 tag", "©mod"),
    ),
    "lens": (("EXIF", "LensModel"), ("XMP", "exifEX:LensModel"), ("XMP", "aux:Lens")),
    "software": (
        ("EXIF", "Software"),
        ("PNG", "Software"),
        ("PNG", "exif:Software"),
        ("XMP", "tiff:Software"),
        ("XMP", "xmp:CreatorTool"),
        ("IPTC", "OriginatingProgram"),
        ("QuickTime key", "com.apple.quicktime.software"),
        ("MP4 tag", "©swr"),
        ("MP4 tag", "©too"),
        ("Matroska Info", "WritingApp"),
        ("AVI INFO", "ISFT"),
    ),
    "datetime_original": (
        ("EXIF", "DateTimeOriginal"),
        ("XMP", "exif:DateTimeOriginal"),
        ("XMP", "photoshop:DateCreated"),
        ("PNG", "exif:DateTimeOriginal"),
        ("PNG", "Creation Time"),
        ("QuickTime key", "com.apple.quicktime.creationdate"),
        ("MP4 tag", "©day"),
        ("AVI IDIT", "IDIT"),
        ("AVI INFO", "ICRD"),
    ),
    "datetime_digitized": (
        ("EXIF", "DateTimeDigitized"),
        ("XMP", "exif:DateTimeDigitized"),
        ("XMP", "xmp:CreateDate"),
        ("PNG", "exif:DateTimeDigitized"),
        ("MP4 header", "creation_time"),
        ("Matroska Info", "DateUTC"),
    ),
    "datetime_modified": (
        ("EXIF", "DateTime"),
        ("XMP", "xmp:ModifyDate"),
        ("PNG", "exif:DateTime"),
        ("PNG tIME", "tIME"),
        ("MP4 header", "modification_time"),
    ),
    "orientation": (("EXIF", "Orientation"), ("XMP", "tiff:Orientation")),
    "artist": (("EXIF", "Artist"), ("IPTC", "By-line"), ("XMP", "dc:creator"), ("PNG", "Author"), ("MP4 tag", "©ART")),
    "copyright": (
        ("EXIF", "Copyright"),
        ("IPTC", "CopyrightNotice"),
        ("XMP", "dc:rights"),
        ("PNG", "Copyright"),
        ("MP4 tag", "©cpy"),
        ("MP4 tag", "cprt"),
    ),
}
FIELDS = (*_PLACES, "gps", "gps_time", "pixels")
"""All fields, in the order in which :func:`read_fields` gives them."""

# The words of EXIF.py for the values of the tag Orientation (EXIF 2.32, 4.6.4.A), for XMP, which has the number.
_ORIENTATIONS = {
    "1": "Horizontal (normal)",
    "2": "Mirrored horizontal",
    "3": "Rotated 180",
    "4": "Mirrored vertical",
    "5": "Mirrored horizontal then rotated 90 CCW",
    "6": "Rotated 90 CW",
    "7": "Mirrored horizontal then rotated 90 CW",
    "8": "Rotated 90 CCW",
}
_ISO6709 = re.compile(r"([+-]\d{2}(?:\.\d+)?)([+-]\d{3}(?:\.\d+)?)")
_XMP_ANGLE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])")
_GPS_CLOCK = re.compile(r"\[(\d{1,2}), (\d{1,2}), (\d{1,10})(?:/(\d{1,10}))?\]")
_SIDE = re.compile(r"[1-9][0-9]{0,9}")
_DATE = re.compile(r"(\d{4})[:/-](\d{1,2})[:/-](\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")


def read_fields(embedded: Embedded, ignore: Collection[Entry] = ()) -> tuple[Field, ...]:
    """The fields of a file in the order of :data:`FIELDS`.

    ``ignore`` are entries that are no statements of a camera although they stand in its places (a generator's graph in
    the tag Make).
    """
    entries = [e for e in embedded.entries if e not in ignore]
    index: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        index.setdefault((entry.source, entry.key), entry)
        if entry.source.startswith("PNG "):
            index.setdefault(("PNG", entry.key), entry)
    values = {name: _first(name, index) for name in _PLACES}
    values["gps"] = _place(embedded, index)
    values["gps_time"] = _gps_time(index)
    values["pixels"] = _pixels(index)
    return tuple(_field(name, values[name], embedded) for name in FIELDS)


def moment(value: JSONValue) -> datetime | None:
    """A date field as a naive time, its zone left aside; None when it is no full date ("0000:00:00 00:00:00")."""
    found = _DATE.match(value) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        return datetime(*(int(part or 0) for part in found.groups()))  # type: ignore[arg-type]
    except ValueError:
        return None


_Found = tuple[JSONValue, str] | None


def _field(name: str, found: _Found, embedded: Embedded) -> Field:
    if found is not None:
        return Field(name, State.PRESENT, found[0], found[1])
    if name in embedded.damaged:
        return Field(name, State.UNREADABLE, source="EXIF", reason=embedded.damaged[name])
    places = {"EXIF", *(place for place, _ in _PLACES.get(name, ()))}
    for problem in embedded.problems:
        if problem.source in places:
            return Field(name, State.UNREADABLE, source=problem.source, reason=problem.reason)
    return Field(name, State.MISSING)


def _first(name: str, index: Mapping[tuple[str, str], Entry]) -> _Found:
    for place in _PLACES[name]:
        entry = index.get(place)
        if entry is not None:
            text = _ORIENTATIONS.get(entry.text, entry.text) if name == "orientation" else entry.text
            return text, f"{entry.source} {entry.key}".strip()
    return None


def _place(embedded: Embedded, index: Mapping[tuple[str, str], Entry]) -> _Found:
    if embedded.position is not None:
        return _coordinates(embedded.position.latitude, embedded.position.longitude), "EXIF GPS"
    for place in (("QuickTime key", "com.apple.quicktime.location.ISO6709"), ("MP4 tag", "©xyz")):
        found = _ISO6709.match(index[place].text) if place in index else None
        if found is not None:
            return _coordinates(float(found[1]), float(found[2])), " ".join(place)
    angles = [_xmp_angle(index.get(("XMP", f"exif:GPS{axis}"))) for axis in ("Latitude", "Longitude")]
    if angles[0] is not None and angles[1] is not None:
        return _coordinates(angles[0], angles[1]), "XMP exif:GPS"
    return None


def _coordinates(latitude: float, longitude: float) -> JSONValue:
    return {"latitude": latitude, "longitude": longitude}


def _xmp_angle(entry: Entry | None) -> float | None:
    found = _XMP_ANGLE.fullmatch(entry.text) if entry is not None else None
    if found is None:
        return None
    degrees = int(found[1]) + float(found[2]) / 60 + float(found[3] or 0) / 3600
    return round(-degrees if found[4] in "SW" else degrees, 7)


def _gps_time(index: Mapping[tuple[str, str], Entry]) -> _Found:
    date, clock = index.get(("EXIF", "GPS GPSDate")), index.get(("EXIF", "GPS GPSTimeStamp"))
    found = _GPS_CLOCK.fullmatch(clock.text) if clock is not None else None
    if date is None or found is None or not int(found[4] or 1):
        return None
    seconds = int(found[3]) // int(found[4] or 1)
    return f"{date.text} {int(found[1]):02d}:{int(found[2]):02d}:{seconds:02d}Z", "EXIF GPS"


def _pixels(index: Mapping[tuple[str, str], Entry]) -> _Found:
    sides = [index.get(("EXIF", f"ExifImage{side}")) for side in ("Width", "Length")]
    texts = [entry.text for entry in sides if entry is not None]
    if len(texts) != 2 or not all(_SIDE.fullmatch(text) for text in texts):
        return None
    return [int(texts[0]), int(texts[1])], "EXIF ExifImageWidth, ExifImageLength"
