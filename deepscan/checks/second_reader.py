"""deepscan's reading of a file's fields against ExifTool's, where ExifTool was asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from deepscan.checks.fields import Field, State
from deepscan.checks.reading.exif import ORIENTATIONS
from deepscan.text import clean
from deepscan.types import Evidence, Finding, JSONValue, Level, PointsTo

OTHER_READING = "DS-META-018"

_SHOWN = 300
_SAME_ANGLE = 1e-4
"""Degrees, about 10 m: ExifTool prints fewer digits than fractions hold."""

# deepscan's sources of a field, and ExifTool's name for the same place (family 1 groups).
_NAMES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "make": (("EXIF Make", "IFD0:Make"), ("XMP tiff:Make", "XMP-tiff:Make")),
    "model": (("EXIF Model", "IFD0:Model"), ("XMP tiff:Model", "XMP-tiff:Model")),
    "lens": (("EXIF LensModel", "ExifIFD:LensModel"),),
    "software": (("EXIF Software", "IFD0:Software"), ("XMP xmp:CreatorTool", "XMP-xmp:CreatorTool")),
    "datetime_original": (("EXIF DateTimeOriginal", "ExifIFD:DateTimeOriginal"),),
    "datetime_digitized": (("EXIF DateTimeDigitized", "ExifIFD:CreateDate"),),
    "datetime_modified": (("EXIF DateTime", "IFD0:ModifyDate"),),
    "orientation": (("EXIF Orientation", "IFD0:Orientation"),),
    "artist": (("EXIF Artist", "IFD0:Artist"),),
    "copyright": (("EXIF Copyright", "IFD0:Copyright"),),
}
_PLACE = ("Composite:GPSLatitude", "Composite:GPSLongitude")


def compare(fields: Sequence[Field], second: Mapping[str, JSONValue]) -> Iterator[Finding]:
    """One finding with every field that the two readers read differently; none where they agree.

    Only a field of one and the same place is compared. A field that deepscan does not have and ExifTool does counts.
    """
    found = [*_texts(fields, second), *_places(fields, second)]
    if not found:
        return
    names = ", ".join(evidence.label for evidence in found)
    yield Finding(
        OTHER_READING,
        Level.INFO,
        PointsTo.NEITHER,
        f"ExifTool reads this file otherwise than deepscan does: {names}. A damaged or unusual file, or a fault of one "
        "of the two readers, explains it; it says nothing about the picture.",
        tuple(found),
    )


def _texts(fields: Sequence[Field], second: Mapping[str, JSONValue]) -> Iterator[Evidence]:
    for field in fields:
        for source, tag in _NAMES.get(field.name, ()):
            theirs = second.get(tag)
            if theirs is None or (field.state is State.PRESENT and field.source != source):
                continue
            alike = _same_way_up if field.name == "orientation" else _same_text
            if str(theirs).strip() and not (field.state is State.PRESENT and alike(field.value, theirs)):
                yield _difference(field, tag, clean(str(theirs).strip(), _SHOWN))
            break


def _places(fields: Sequence[Field], second: Mapping[str, JSONValue]) -> Iterator[Evidence]:
    theirs = [second.get(name) for name in _PLACE]
    latitude, longitude = theirs
    if not isinstance(latitude, (int, float)) or not isinstance(longitude, (int, float)):
        return
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return
    for field in fields:
        if field.name != "gps":
            continue
        ours = field.value if isinstance(field.value, Mapping) else {}
        pairs = ((ours.get("latitude"), latitude), (ours.get("longitude"), longitude))
        if not all(isinstance(a, (int, float)) and abs(a - b) <= _SAME_ANGLE for a, b in pairs):
            yield _difference(field, " ".join(_PLACE), {"latitude": latitude, "longitude": longitude})


def _difference(field: Field, tag: str, theirs: JSONValue) -> Evidence:
    ours = clean(field.value, _SHOWN) if isinstance(field.value, str) else field.value
    return Evidence(field.name, {"deepscan": ours, "state": str(field.state), "exiftool": theirs, "exiftool_name": tag})


def _same_text(ours: JSONValue, theirs: JSONValue) -> bool:
    # ExifTool gives a text of digits as a number in JSON ("1.10" as 1.10), and marks bytes that are not UTF-8.
    one, two = (" ".join(str(text).split()) for text in (ours, theirs))
    return one == two or _number(one) == _number(two) is not None or "\ufffd" in two


def _same_way_up(ours: JSONValue, theirs: JSONValue) -> bool:
    return ORIENTATIONS.get(str(theirs)) == ours


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
