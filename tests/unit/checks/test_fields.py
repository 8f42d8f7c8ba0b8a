"""The normal form of fields: present, missing, unreadable, from the best place."""

from __future__ import annotations

from datetime import datetime

import pytest

from deepscan.checks.fields import FIELDS, Field, State, moment, read_fields
from deepscan.checks.reading.embedded import Embedded, Entry, Problem
from deepscan.checks.reading.exif import Position


def fields(*entries: Entry, position: Position | None = None, problems: tuple[Problem, ...] = ()) -> dict[str, Field]:
    return {f.name: f for f in read_fields(Embedded(entries, position, None, problems))}


def test_every_field_is_answered_in_order() -> None:
    found = read_fields(Embedded((), None, None, ()))
    assert tuple(f.name for f in found) == FIELDS
    assert {f.state for f in found} == {State.MISSING}


def test_exif_comes_before_other_places() -> None:
    found = fields(Entry("XMP", "tiff:Make", "From XMP"), Entry("EXIF", "Make", "From EXIF"))
    assert (found["make"].value, found["make"].source) == ("From EXIF", "EXIF Make")


def test_a_field_that_only_a_damaged_block_could_hold_is_unreadable() -> None:
    found = fields(Entry("XMP", "tiff:Make", "Canon"), problems=(Problem("EXIF", "It is damaged."),))
    assert found["make"].state is State.PRESENT
    assert (found["model"].state, found["model"].reason) == (State.UNREADABLE, "It is damaged.")


def test_damaged_coordinates_are_unreadable_and_not_missing() -> None:
    (gps,) = [f for f in read_fields(Embedded((), None, None, (), {"gps": "No angle."})) if f.name == "gps"]
    assert (gps.state, gps.reason) == (State.UNREADABLE, "No angle.")


@pytest.mark.parametrize(
    "entries",
    [
        (Entry("QuickTime key", "com.apple.quicktime.location.ISO6709", "-33.8568+151.2153+012.3/"),),
        (Entry("MP4 tag", "©xyz", "-33.8568+151.2153/"),),
        (Entry("XMP", "exif:GPSLatitude", "33,51.408S"), Entry("XMP", "exif:GPSLongitude", "151,12,55.08E")),
    ],
)
def test_places_of_videos_and_xmp_are_decimal_degrees(entries: tuple[Entry, ...]) -> None:
    value = fields(*entries)["gps"].value
    assert isinstance(value, dict)
    assert value == pytest.approx({"latitude": -33.8568, "longitude": 151.2153}, abs=1e-4)


def test_the_time_of_gps_is_put_together() -> None:
    found = fields(Entry("EXIF", "GPS GPSDate", "2008:10:23"), Entry("EXIF", "GPS GPSTimeStamp", "[14, 27, 301/25]"))
    assert found["gps_time"].value == "2008:10:23 14:27:12Z"
    for odd in ("[14, 27, 7/0]", "[14, 27, 7/00]", f"[{'9' * 5000}, 1, 1]"):
        assert (
            fields(Entry("EXIF", "GPS GPSTimeStamp", odd), Entry("EXIF", "GPS GPSDate", "2008:10:23"))["gps_time"].value
            is None
        )
    broken = fields(Entry("EXIF", "GPS GPSDate", "2008:10:23"), Entry("EXIF", "GPS GPSTimeStamp", "[14, 27, 7/0]"))
    assert broken["gps_time"].state is State.MISSING


def test_xmp_orientation_is_told_in_the_words_of_exif() -> None:
    assert fields(Entry("XMP", "tiff:Orientation", "8"))["orientation"].value == "Rotated 90 CCW"


def test_entries_of_a_generator_are_no_camera() -> None:
    graph = Entry("EXIF", "Make", 'workflow:{"nodes": []}')
    found = read_fields(Embedded((graph,), None, None, ()), ignore={graph})
    assert found[0].state is State.MISSING


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2008:05:30 15:56:01", datetime(2008, 5, 30, 15, 56, 1)),
        ("2008-05-30T15:56:01.5+02:00", datetime(2008, 5, 30, 15, 56, 1)),
        ("2009/10/27 12:14", datetime(2009, 10, 27, 12, 14)),
        ("2010", None),
        ("0000:00:00 00:00:00", None),
        ("2008:13:45 99:99:99", None),
        ("    :  :     :  :  ", None),
        (None, None),
    ],
)
def test_dates_in_the_forms_that_files_have(text: str | None, when: datetime | None) -> None:
    assert moment(text) == when
