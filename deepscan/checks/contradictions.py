"""Statements of a file that cannot all be true. Each has an innocent cause more often than not, and none says more
than weak.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from deepscan.checks.fields import Field, State, moment
from deepscan.checks.reading.embedded import Embedded
from deepscan.types import Evidence, Finding, JSONValue, Level, PointsTo

MODIFIED_FIRST, IMPOSSIBLE_DATE, OTHER_SIZE, OTHER_TIME = "DS-META-004", "DS-META-005", "DS-META-006", "DS-META-007"

SLACK = timedelta(days=1)
"""Two times of one file may differ by this much without contradiction: EXIF has no time zone in most files."""

FIRST_CAMERAS = datetime(1990, 1, 1)
"""Before the first digital cameras on the market (Dycam Model 1, 1990)."""


def find_contradictions(
    fields: Mapping[str, Field], embedded: Embedded, now: datetime | None = None
) -> Iterator[Finding]:
    """Contradictions among the fields of a file. ``now`` is a naive time in UTC, the clock's by default."""
    taken, modified = _when(fields, "datetime_original"), _when(fields, "datetime_modified")
    if taken and modified and modified < taken - SLACK:
        yield Finding(
            MODIFIED_FIRST,
            Level.INFO,
            PointsTo.NEITHER,
            f"The file says that it was last changed ({modified}) before it was taken ({taken}). A camera clock that "
            "was set in between, or a program that wrote one of the two dates, explains it as well as a forged date.",
            _evidence(fields, "datetime_original", "datetime_modified"),
        )
    yield from _impossible_dates(fields, now or datetime.now(UTC).replace(tzinfo=None))
    yield from _other_size(fields, embedded)
    located = _when(fields, "gps_time")
    if taken and located and abs(taken - located) > SLACK:
        yield Finding(
            OTHER_TIME,
            Level.INFO,
            PointsTo.NEITHER,
            f"The camera's clock ({taken}) and the GPS receiver's ({located}) are more than a day apart. A camera "
            "clock that was never set explains it as well as a forged date.",
            _evidence(fields, "datetime_original", "gps_time"),
        )


def _impossible_dates(fields: Mapping[str, Field], now: datetime) -> Iterator[Finding]:
    for name, words in (
        ("datetime_original", "taken"),
        ("datetime_digitized", "digitised"),
        ("datetime_modified", "changed"),
    ):
        when = _when(fields, name)
        if when is None or FIRST_CAMERAS <= when <= now + SLACK:
            continue
        # Containers count from 1904 and 1970: such a year is a field that was never set.
        why = (
            "that is in the future: a clock was wrong, or the date was written by hand."
            if when > now
            else "before there were digital cameras: a scan of an old picture, a clock that was never set, or a date "
            "written by hand."
        )
        yield Finding(
            IMPOSSIBLE_DATE,
            Level.INFO,
            PointsTo.NEITHER,
            f"The file says that it was {words} on {when}, {why}",
            _evidence(fields, name),
        )


def _other_size(fields: Mapping[str, Field], embedded: Embedded) -> Iterator[Finding]:
    stated, real = fields["pixels"].value, embedded.pixels
    if not isinstance(stated, list) or real is None or sorted(map(str, stated)) == sorted(map(str, real)):
        return
    yield Finding(
        OTHER_SIZE,
        Level.WEAK,
        PointsTo.EDITED,
        f"EXIF says that the picture has {stated[0]} x {stated[1]} pixels, and it has {real[0]} x {real[1]}: it was "
        "scaled or cropped by a program that left EXIF as it was, as many websites and messengers do.",
        (*_evidence(fields, "pixels"), Evidence("pixels of the picture", list[JSONValue](real))),
    )


def _when(fields: Mapping[str, Field], name: str) -> datetime | None:
    return moment(fields[name].value) if fields[name].state is State.PRESENT else None


def _evidence(fields: Mapping[str, Field], *names: str) -> tuple[Evidence, ...]:
    return tuple(as_evidence(fields[name]) for name in names)


def as_evidence(field: Field) -> Evidence:
    """A field in its normal form."""
    return Evidence(field.name, {"state": str(field.state), "value": field.value, "source": field.source})
