"""Statements that cannot all be true, each told with its level and never above weak."""

from __future__ import annotations

from datetime import datetime

import pytest

from deepscan.checks.contradictions import IMPOSSIBLE_DATE, MODIFIED_FIRST, OTHER_SIZE, OTHER_TIME, find_contradictions
from deepscan.checks.fields import read_fields
from deepscan.checks.reading.embedded import Embedded, Entry
from deepscan.types import Finding, Level

NOW = datetime(2025, 6, 1)


def found(pixels: tuple[int, int] | None = None, **tags: str) -> dict[str, Finding]:
    entries = tuple(Entry("EXIF", name.replace("GPS_", "GPS "), text) for name, text in tags.items())
    embedded = Embedded(entries, None, pixels, ())
    return {f.code: f for f in find_contradictions({f.name: f for f in read_fields(embedded)}, embedded, NOW)}


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
