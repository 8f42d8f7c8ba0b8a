"""One normal form for what files state about themselves: field -> present, missing or unreadable."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from deepscan.checks.reading.embedded import Embedded, Entry
from deepscan.checks.reading.exif import ORIENTATIONS
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
        ("AVI exif", "ecor"),
    ),
    "model": (
        ("EXIF", "Model"),
        ("XMP", "tiff:Model"),
        ("PNG", "exif:Model"),
        ("QuickTime key", "com.apple.quicktime.model"),
        ("MP4 tag", "©mod"),
        ("AVI exif", "emdl"),
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
        ("Matroska tag", "DATE_RECORDED"),
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
    "artist": (
        ("EXIF", "Artist"),
        ("IPTC", "By-line"),
        ("XMP", "dc:creator"),
        ("PNG", "Author"),
        ("MP4 tag", "©ART"),
        ("Matroska tag", "ARTIST"),
    ),
    "copyright": (
        ("EXIF", "Copyright"),
        ("IPTC", "CopyrightNotice"),
        ("XMP", "dc:rights"),
        ("PNG", "Copyright"),
        ("MP4 tag", "©cpy"),
        ("MP4 tag", "cprt"),
        ("Matroska tag", "COPYRIGHT"),
    ),
}
PLACE_NAMES: tuple[tuple[str, str], ...] = (
    *(("IPTC", name) for name in ("Sub-location", "City", "Province-State", "Country-PrimaryLocationName")),
    *(("XMP", f"photoshop:{name}") for name in ("City", "State", "Country")),
    *(
        ("XMP", f"Iptc4xmpExt:{name}")
        for name in ("LocationName", "Sublocation", "City", "ProvinceState", "CountryName")
    ),
    ("XMP", "Iptc4xmpCore:Location"),
    ("QuickTime key", "com.apple.quicktime.location.name"),
    ("MP4 tag", "loci name"),
    ("Matroska tag", "RECORDING_LOCATION"),
)
"""Where the names of places stand; all of them together are the field ``place``."""

FIELDS = (*_PLACES, "gps", "gps_time", "place", "pixels")
"""All fields, in the order in which :func:`read_fields` gives them."""

_ISO6709 = re.compile(r"([+-]\d{2}(?:\.\d+)?)([+-]\d{3}(?:\.\d+)?)")
_XMP_ANGLE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])")
_GPS_CLOCK = re.compile(r"\[(\d{1,2}), (\d{1,2}), (\d{1,10})(?:/(\d{1,10}))?\]")
_SIDE = re.compile(r"[1-9][0-9]{0,9}")
_DATE = re.compile(r"(\d{4})[:/-](\d{1,2})[:/-](\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")


def read_fields(embedded: Embedded, ignore: Collection[Entry] = ()) -> tuple[Field, ...]:
    """The fields of a file in the order of :data:`FIELDS`; of several places that state one, the first counts.

    ``ignore`` are entries that are no statements of a camera although they stand in its places (a generator's graph in
    the tag Make).
    """
    index = _index(e for e in embedded.entries if e not in ignore)
    values = {name: _first(name, index) for name in _PLACES}
    values["gps"] = _place(embedded, index)
    values["gps_time"] = _gps_time(index)
    values["place"] = _place_names(index)
    values["pixels"] = _pixels(index)
    return tuple(_field(name, values[name], embedded) for name in FIELDS)


# Fields that two places are meant to state alike. Software is none of them: each program signs in a place of its own.
_COMPARED = ("make", "model", "lens", "orientation", "artist", "copyright")
_COMPARED_DATES = ("datetime_original", "datetime_digitized", "datetime_modified")
# What these places hold is written by the program that makes the file, at another moment than the picture's.
_OTHER_MOMENTS = frozenset({"MP4 header", "Matroska Info", "PNG tIME", "AVI INFO"})


def disagreements(embedded: Embedded) -> Iterator[tuple[Field, Field]]:
    """The field that counts, and one that another place states differently, for every field of which that is so."""
    index = _index(embedded.entries)
    for name in (*_COMPARED, *_COMPARED_DATES):
        places = [place for place in _PLACES[name] if place in index and place[0] not in _OTHER_MOMENTS]
        stated = [(place, _worded(name, index[place].text)) for place in places]
        alike = _same_moment if name in _COMPARED_DATES else _same_words
        for place, text in stated[1:]:
            if not alike(stated[0][1], text):
                first, other = ((f"{p[0]} {p[1]}", t) for p, t in (stated[0], (place, text)))
                yield (
                    Field(name, State.PRESENT, first[1], first[0]),
                    Field(name, State.PRESENT, other[1], other[0]),
                )
                break
    position = _xmp_position(index)
    if embedded.position is not None and position is not None:
        ours = (embedded.position.latitude, embedded.position.longitude)
        if any(abs(a - b) > _SAME_PLACE for a, b in zip(ours, position, strict=True)):
            yield (
                Field("gps", State.PRESENT, _coordinates(*ours), "EXIF GPS"),
                Field("gps", State.PRESENT, _coordinates(*position), "XMP exif:GPS"),
            )


_SAME_PLACE = 0.001
"""Degrees (about 100 m) by which two statements of one place may differ: some writers keep whole minutes only."""

_ZONE = timedelta(minutes=15)
_FAR = timedelta(hours=14)
_MOMENT = timedelta(seconds=2)


def _same_words(first: str, other: str) -> bool:
    """Alike apart from case and blanks, or one cut short (IPTC allows 32 characters for a name)."""
    one, two = (" ".join(text.lower().split()) for text in (first, other))
    return one == two or (min(len(one), len(two)) >= _IPTC_NAME and (one.startswith(two) or two.startswith(one)))


_IPTC_NAME = 31


def _same_moment(first: str, other: str) -> bool:
    """Alike to two seconds, whatever the time zones, which are multiples of a quarter of an hour up to 14 hours.

    A date without a time of day agrees with any time of that day.
    """
    one, two = moment(first), moment(other)
    if one is None or two is None:
        return True
    if min(len(first.strip()), len(other.strip())) <= len("2008:05:30"):
        return abs(one.date() - two.date()) <= timedelta(days=1)
    apart = abs(one - two)
    rest = apart % _ZONE
    return apart <= _FAR + _MOMENT and min(rest, _ZONE - rest) <= _MOMENT


def _index(entries: Iterable[Entry]) -> dict[tuple[str, str], Entry]:
    """The first entry by its source and name; PNG text also by the source "PNG"."""
    index: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        index.setdefault((entry.source, entry.key), entry)
        if entry.source.startswith("PNG "):
            index.setdefault(("PNG", entry.key), entry)
    return index


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
            return _worded(name, entry.text), f"{entry.source} {entry.key}".strip()
    return None


def _worded(name: str, text: str) -> str:
    """XMP gives an orientation as a number."""
    return ORIENTATIONS.get(text, text) if name == "orientation" else text


def _place(embedded: Embedded, index: Mapping[tuple[str, str], Entry]) -> _Found:
    if embedded.position is not None:
        return _coordinates(embedded.position.latitude, embedded.position.longitude), "EXIF GPS"
    for place in (("QuickTime key", "com.apple.quicktime.location.ISO6709"), ("MP4 tag", "©xyz"), ("MP4 tag", "loci")):
        found = _ISO6709.match(index[place].text) if place in index else None
        if found is not None:
            return _coordinates(float(found[1]), float(found[2])), " ".join(place)
    position = _xmp_position(index)
    return None if position is None else (_coordinates(*position), "XMP exif:GPS")


def _place_names(index: Mapping[tuple[str, str], Entry]) -> _Found:
    found = [(index[place].text, " ".join(place)) for place in PLACE_NAMES if place in index]
    if not found:
        return None
    return ", ".join(dict.fromkeys(text for text, _ in found)), ", ".join(source for _, source in found)


def _xmp_position(index: Mapping[tuple[str, str], Entry]) -> tuple[float, float] | None:
    angles = [_xmp_angle(index.get(("XMP", f"exif:GPS{axis}"))) for axis in ("Latitude", "Longitude")]
    return (angles[0], angles[1]) if angles[0] is not None and angles[1] is not None else None


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
