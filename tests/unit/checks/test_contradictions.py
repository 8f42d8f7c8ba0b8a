"""Statements that cannot all be true, each told with its level and never above weak."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from deepscan.checks.contradictions import CODES, find_contradictions
from deepscan.checks.contradictions.cameras import (
    ANNOUNCED,
    BEFORE_CAMERA,
    INCOMPLETE,
    NOTES_LOST,
    OTHER_MAKER,
)
from deepscan.checks.contradictions.dates import (
    IMPOSSIBLE_DATE,
    MODIFIED_FIRST,
    OTHER_CLOCK,
    OTHER_TIME,
    offset_of,
)
from deepscan.checks.contradictions.picture import OTHER_COLOURS, OTHER_SIZE, OTHER_WAY_UP
from deepscan.checks.contradictions.programs import DIFFERS, SEVERAL_PROGRAMS
from deepscan.checks.editors import find_editors
from deepscan.checks.fields import read_fields
from deepscan.checks.reading.embedded import Embedded, Entry
from deepscan.types import Finding, Level

NOW = datetime(2025, 6, 1)


def judged(
    *entries: Entry,
    pixels: tuple[int, int] | None = None,
    thumbnail: tuple[int, int] | None = None,
    container: str = "jpeg",
) -> dict[str, Finding]:
    embedded = Embedded(entries, None, pixels, (), thumbnail=thumbnail, container=container)
    fields = {f.name: f for f in read_fields(embedded)}
    return {f.code: f for f in find_contradictions(fields, embedded, find_editors(entries), NOW)}


def found(pixels: tuple[int, int] | None = None, **tags: str) -> dict[str, Finding]:
    return judged(*(Entry("EXIF", name.replace("GPS_", "GPS "), text) for name, text in tags.items()), pixels=pixels)


def camera(make: str, model: str, **tags: str) -> dict[str, Finding]:
    return found(None, Make=make, Model=model, **{"ExifVersion": "0230", "MakerNote": "900 bytes", **tags})


def test_a_picture_changed_before_it_was_taken() -> None:
    answer = found(DateTimeOriginal="2020:05:03 10:00:00", DateTime="2020:05:01 10:00:00")
    assert answer.keys() == {MODIFIED_FIRST}
    assert answer[MODIFIED_FIRST].level is Level.INFO


@pytest.mark.parametrize("modified", ["2020:05:02 11:00:00", "2020:05:03 10:00:00", "2024:01:01 00:00:00"])
def test_a_day_of_time_zones_and_later_changes_are_no_contradiction(modified: str) -> None:
    assert found(DateTimeOriginal="2020:05:03 10:00:00", DateTime=modified) == {}


@pytest.mark.parametrize(
    ("date", "word"), [("2031:01:01 00:00:00", "future"), ("1955:11:05 06:00:00", "before there were digital cameras")]
)
def test_dates_that_cannot_be(date: str, word: str) -> None:
    assert word in found(DateTimeOriginal=date)[IMPOSSIBLE_DATE].summary


@pytest.mark.parametrize("date", ["2025:06:01 20:00:00", "1990:01:01 00:00:00", "0000:00:00 00:00:00", "garbage"])
def test_dates_that_can_be_or_say_nothing(date: str) -> None:
    assert found(DateTimeOriginal=date) == {}


def test_a_scaled_picture() -> None:
    answer = found((800, 600), ExifImageWidth="4000", ExifImageLength="3000")
    assert answer[OTHER_SIZE].level is Level.WEAK
    assert "4000 x 3000" in answer[OTHER_SIZE].summary


@pytest.mark.parametrize("pixels", [(4000, 3000), (3000, 4000), None])
def test_the_same_size_a_turned_picture_and_an_unknown_size_are_none(pixels: tuple[int, int] | None) -> None:
    assert found(pixels, ExifImageWidth="4000", ExifImageLength="3000") == {}


@pytest.mark.parametrize("side", ["0", "-5", "[1, 2]", "x", "9" * 5000, "٣"])
def test_sides_that_are_no_number_say_nothing(side: str) -> None:
    assert found((800, 600), ExifImageWidth=side, ExifImageLength="3000") == {}


def test_two_clocks_days_apart() -> None:
    tags = {"GPS_GPSDate": "2020:05:01", "GPS_GPSTimeStamp": "[10, 0, 0]"}
    assert found(None, DateTimeOriginal="2020:05:03 10:00:01", **tags).keys() == {OTHER_TIME}
    assert found(None, DateTimeOriginal="2020:05:02 09:00:00", **tags) == {}


def test_with_a_time_zone_an_hour_is_enough() -> None:
    tags = {"GPS_GPSDate": "2020:05:01", "GPS_GPSTimeStamp": "[10, 0, 0]", "OffsetTimeOriginal": "+02:00"}
    assert found(None, DateTimeOriginal="2020:05:01 12:10:00", **tags) == {}
    answer = found(None, DateTimeOriginal="2020:05:01 10:10:00", **tags)
    assert answer.keys() == {OTHER_TIME}
    assert "+02:00" in answer[OTHER_TIME].summary


@pytest.mark.parametrize(
    ("text", "hours"), [("+02:00", 2.0), ("-03:30", -3.5), ("   :  ", None), ("+99:00", None), ("", None), (None, None)]
)
def test_time_zones(text: str | None, hours: float | None) -> None:
    assert offset_of(text) == (None if hours is None else timedelta(hours=hours))


def test_fractions_and_zones_of_one_moment_that_differ() -> None:
    same = {"DateTimeOriginal": "2020:05:01 10:00:00", "DateTimeDigitized": "2020:05:01 10:00:00"}
    assert found(None, **same, SubSecTimeOriginal="120", SubSecTimeDigitized="12") == {}
    assert found(None, **same, SubSecTimeOriginal="12", SubSecTimeDigitized="77").keys() == {OTHER_CLOCK}
    assert found(None, **same, OffsetTimeOriginal="+02:00", OffsetTimeDigitized="+00:00").keys() == {OTHER_CLOCK}
    later = {**same, "DateTimeDigitized": "2020:05:01 10:00:01"}
    assert found(None, **later, SubSecTimeOriginal="12", SubSecTimeDigitized="77") == {}


def test_a_camera_that_was_not_there_yet() -> None:
    answer = camera("Apple", "iPhone 15 Pro", DateTimeOriginal="2019:07:01 10:00:00")
    assert answer.keys() == {BEFORE_CAMERA}
    assert "announced in 2023" in answer[BEFORE_CAMERA].summary
    for date in ("2022:02:01 10:00:00", "2025:01:01 10:00:00"):
        assert camera("Apple", "iPhone 15 Pro", DateTimeOriginal=date) == {}
    assert camera("Apple", "iPhone 99", DateTimeOriginal="1999:01:01 10:00:00") == {}


def test_the_table_of_cameras_names_each_model_once() -> None:
    import re

    for model in ("iPhone 5", "iPhone SE", "Pixel 4", "Pixel 4a", "NIKON D3", "NIKON D300", "Canon EOS R", "ILCE-7M3"):
        assert len([year for year, form in ANNOUNCED if re.fullmatch(form, model)]) == 1, model
    assert all(1995 <= year <= NOW.year for year, _ in ANNOUNCED)


def test_a_camera_without_what_exif_asks_of_every_camera() -> None:
    assert found(Make="FakeBrand", Model="ForgeryCam 3000").keys() == {INCOMPLETE}
    assert found(Make="FakeBrand", Model="ForgeryCam 3000", ExifVersion="0230") == {}
    assert found(Software="x") == {}
    assert judged(Entry("EXIF", "Make", "Epson"), Entry("EXIF", "Model", "Scanner"), container="tiff") == {}


def test_makers_notes_that_are_lost() -> None:
    entries = {"Make": "Canon", "Model": "Canon EOS 5D", "ExifVersion": "0221"}
    assert found(None, **entries, MakerNote="900 bytes") == {}
    assert "does not name itself" in found(None, **entries)[NOTES_LOST].summary
    assert found(None, **entries, Software="GIMP 2.10")[NOTES_LOST].summary.count("GIMP") == 1
    assert found(Make="Canon", Model="CanoScan 9000F", ExifVersion="0221") == {}
    assert found(Make="Rollei", Model="dk4010", ExifVersion="0221") == {}


@pytest.mark.parametrize(
    ("make", "model"), [("NIKON CORPORATION", "Canon EOS 5D"), ("FakeBrand", "iPhone 7"), ("Canon", "DMC-FZ30")]
)
def test_models_of_another_maker(make: str, model: str) -> None:
    answer = camera(make, model)
    assert answer.keys() == {OTHER_MAKER}
    assert answer[OTHER_MAKER].level is Level.WEAK


@pytest.mark.parametrize(
    ("make", "model"),
    [
        ("Canon", "Canon EOS 5D"),
        ("FakeBrand", "ForgeryCam 3000"),
        ("Fuji Photo Film", "FinePix S1"),
        ("samsung", "SM-G930F"),
        ("LEICA", "DMC-LX1"),
        ("", "iPhone 7"),
    ],
)
def test_makers_of_their_own_models_and_unknown_ones_are_no_contradiction(make: str, model: str) -> None:
    assert camera(make, model) == {}


def test_a_picture_that_is_turned_already() -> None:
    stated = {"ExifImageWidth": "4000", "ExifImageLength": "3000"}
    assert found((3000, 4000), **stated, Orientation="Rotated 90 CW").keys() == {OTHER_WAY_UP}
    assert found((4000, 3000), **stated, Orientation="Rotated 90 CW") == {}
    assert found((3000, 4000), **stated, Orientation="Horizontal (normal)") == {}


def test_a_thumbnail_that_lies_where_the_picture_stands() -> None:
    assert judged(pixels=(3000, 4000), thumbnail=(160, 120)).keys() == {OTHER_WAY_UP}
    assert judged(pixels=(4000, 3000), thumbnail=(160, 120)) == {}
    assert judged(pixels=(4000, 4000), thumbnail=(160, 120)) == {}


def test_colours_by_two_names() -> None:
    def said(space: str, profile: str) -> dict[str, Finding]:
        return judged(Entry("EXIF", "ColorSpace", space), Entry("ICC", "ProfileDescription", profile))

    assert said("sRGB", "Adobe RGB (1998)").keys() == {OTHER_COLOURS}
    assert said("Adobe RGB", "sRGB IEC61966-2.1").keys() == {OTHER_COLOURS}
    for space, profile in (("sRGB", "sRGB IEC61966-2.1"), ("sRGB", "Display P3"), ("Uncalibrated", "Adobe RGB (1998)")):
        assert said(space, profile) == {}


def test_a_colour_profile_that_is_younger_than_the_last_change() -> None:
    profile = Entry("ICC", "ProfileDateTime", "2023:01:01 00:00:00")
    assert judged(profile, Entry("EXIF", "DateTime", "2008:01:01 00:00:00")).keys() == {OTHER_COLOURS}
    assert judged(profile, Entry("EXIF", "DateTime", "2024:01:01 00:00:00")) == {}


def test_two_places_that_differ() -> None:
    def said(exif: str, other: str, tag: str = "DateTimeOriginal") -> dict[str, Finding]:
        xmp = {"DateTimeOriginal": "exif:DateTimeOriginal", "Make": "tiff:Make", "Artist": "dc:creator"}[tag]
        ours = Entry("EXIF", tag, exif)
        version = Entry("EXIF", "ExifVersion", "0230")
        return judged(ours, version, Entry("XMP", xmp, other))

    assert said("2020:05:01 10:00:00", "2020-05-01T10:05:00").keys() == {DIFFERS}
    assert said("2020:05:01 10:00:00", "2020-05-03").keys() == {DIFFERS}
    for alike in ("2020-05-01T10:00:00.50+02:00", "2020-05-01T08:00:00Z", "2020-05-01", "garbage"):
        assert said("2020:05:01 10:00:00", alike) == {}
    assert said("Canon", "NIKON", "Make").keys() == {DIFFERS}
    # In words, and not by the name of the field in a program.
    assert "states make twice" in said("Canon", "NIKON", "Make")[DIFFERS].summary
    taken = said("2020:05:01 10:00:00", "2020-05-03")[DIFFERS].summary
    assert "states the time at which it was taken twice" in taken
    assert said("Canon", " CANON ", "Make") == {}
    long = "A photographer whose name is longer than IPTC has room for"
    assert said(long, long[:32], "Artist") == {}


def test_programs_in_turn() -> None:
    def said(software: str, *agents: str) -> dict[str, Finding]:
        history = (Entry("XMP", "stEvt:softwareAgent", agent) for agent in agents)
        return judged(Entry("EXIF", "Software", software), *history)

    assert said("GIMP 2.10", "Adobe Photoshop Lightroom 5.0", "Adobe Photoshop CC").keys() == {SEVERAL_PROGRAMS}
    assert said("Adobe Photoshop CC", "Adobe Photoshop Lightroom 5.0", "Adobe Photoshop CC") == {}
    assert said("17.1.2", "Adobe Photoshop CC") == {}


def test_every_rule_has_a_code_of_its_own_and_says_no_more_than_weak() -> None:
    assert len(set(CODES)) == len(CODES)
