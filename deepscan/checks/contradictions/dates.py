"""Dates that contradict each other, or cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from deepscan.checks.contradictions.base import Statements, note
from deepscan.text import clean
from deepscan.types import Finding

MODIFIED_FIRST, IMPOSSIBLE_DATE, OTHER_TIME, OTHER_CLOCK = "DS-META-004", "DS-META-005", "DS-META-007", "DS-META-016"

SLACK = timedelta(days=1)
"""Two times of one file may differ by this much without contradiction: EXIF has no time zone in most files."""

ZONED_SLACK = timedelta(hours=1)
"""The same where the camera names its time zone: receivers give the time of their last fix, a while ago."""

FIRST_CAMERAS = datetime(1990, 1, 1)
"""Before the first digital cameras on the market (Dycam Model 1, 1990)."""

_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")


def modified_first(said: Statements) -> Iterator[Finding]:
    """Changed before it was taken."""
    taken, modified = said.when("datetime_original"), said.when("datetime_modified")
    if taken and modified and modified < taken - SLACK:
        yield note(
            MODIFIED_FIRST,
            f"The file says that it was last changed ({modified}) before it was taken ({taken}). A camera clock that "
            "was set in between, or a program that wrote one of the two dates, explains it as well as a forged date.",
            said.shown("datetime_original", "datetime_modified"),
        )


def impossible_dates(said: Statements) -> Iterator[Finding]:
    """In the future, or before there were digital cameras."""
    for name, words in (
        ("datetime_original", "taken"),
        ("datetime_digitized", "digitised"),
        ("datetime_modified", "changed"),
    ):
        when = said.when(name)
        if when is None or FIRST_CAMERAS <= when <= said.now + SLACK:
            continue
        # Containers count from 1904 and 1970: such a year is a field that was never set.
        why = (
            "that is in the future: a clock was wrong, or the date was written by hand."
            if when > said.now
            else "before there were digital cameras: a scan of an old picture, a clock that was never set, or a date "
            "written by hand."
        )
        yield note(IMPOSSIBLE_DATE, f"The file says that it was {words} on {when}, {why}", said.shown(name))


def other_time(said: Statements) -> Iterator[Finding]:
    """The camera's clock against the clock of the GPS receiver, which is in UTC."""
    taken, located = said.when("datetime_original"), said.when("gps_time")
    if not taken or not located:
        return
    offset = offset_of(said.exif("OffsetTimeOriginal")) if said.fields["datetime_original"].source in _ZONED else None
    apart = abs(taken - (offset or timedelta()) - located)
    if apart <= (SLACK if offset is None else ZONED_SLACK):
        return
    known = "" if offset is None else f", which states its time zone ({said.exif('OffsetTimeOriginal')}),"
    far = "a day" if offset is None else "an hour"
    yield note(
        OTHER_TIME,
        f"The camera's clock ({taken}){known} and the GPS receiver's ({located} UTC) are more than {far} apart. A "
        "camera clock that was never set, or a receiver without a fix, explains it as well as a forged date.",
        (*said.shown("datetime_original", "gps_time"), *said.quoted("EXIF", "OffsetTimeOriginal")),
    )


_ZONED = ("EXIF DateTimeOriginal",)


def other_clock(said: Statements) -> Iterator[Finding]:
    """Fractions and time zones of one moment that differ: a camera takes and digitises a picture at once."""
    taken, digitised = said.exif("DateTimeOriginal"), said.exif("DateTimeDigitized")
    if taken is None or taken != digitised:
        return
    for what, tag in (("fractions of a second", "SubSecTime"), ("time zones", "OffsetTime")):
        first, second = said.exif(f"{tag}Original"), said.exif(f"{tag}Digitized")
        if first is None or second is None or first.rstrip("0 ") == second.rstrip("0 "):
            continue
        yield note(
            OTHER_CLOCK,
            f"The file says that the picture was taken and digitised in the same second ({clean(taken, 40)}), with "
            f'different {what} ("{clean(first, 20)}" and "{clean(second, 20)}"). Most cameras write both from one '
            "clock; a program that wrote only some of these fields explains it. It does not show what was changed.",
            said.quoted("EXIF", "DateTimeOriginal", "DateTimeDigitized", f"{tag}Original", f"{tag}Digitized"),
        )


def offset_of(text: str | None) -> timedelta | None:
    """A zone such as "+02:00" as a time difference; None for what is none (EXIF 2.31: blanks where it is unknown)."""
    found = _OFFSET.fullmatch(text.strip()) if text is not None else None
    if found is None or int(found[2]) > 14 or int(found[3]) > 59:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return offset if found[1] == "+" else -offset
