"""Findings without the place: what --redact-location leaves of them.

Replaced are the fields that state a place or the time of a GPS receiver, and the same words wherever else they stand in
a finding. A place that someone wrote into a description in words of his own is not recognised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from deepscan.checks.base import Subject
from deepscan.checks.fields import PLACE_NAMES, Field, moment, read_fields
from deepscan.checks.reading.embedded import Embedded
from deepscan.text import clean
from deepscan.types import CheckResult, Evidence, Finding, JSONValue

REDACTED = "redacted"

_FIELDS = frozenset({"gps", "gps_time", "place"})
_KEYS = frozenset({"latitude", "longitude"})
_LOCATED = re.compile(
    r"(?:.*[ :.])?(?:GPS.*|location\..*|©xyz|loci.*|RECORDING_LOCATION"
    r"|City|Sub-?location|Province-?State|State|Country.*"
    r"|LocationName|LocationCreated.*|LocationShown.*|Location)",
    re.IGNORECASE,
)
# A date alone is the camera's date too, and a reference is one letter.
_TOO_COMMON = re.compile(r".{0,2}|\d{4}[:/-]\d\d[:/-]\d\d|\d{1,3}", re.DOTALL)
_MAX_WORDS = 500
_MAX_LENGTH = 300


def sensitive(embedded: Embedded, fields: Iterable[Field], second: Mapping[str, JSONValue]) -> tuple[str, ...]:
    """Every word of the file that states a place, longest first, as it stands and as a report would show it."""
    words = dict.fromkeys(text for raw in _words(embedded, fields, second) for text in (raw, clean(raw)))
    usable = [word for word in words if len(word) <= _MAX_LENGTH and not _TOO_COMMON.fullmatch(word)]
    return tuple(sorted(usable[:_MAX_WORDS], key=len, reverse=True))


def _words(embedded: Embedded, fields: Iterable[Field], second: Mapping[str, JSONValue]) -> Iterator[str]:
    for field in fields:
        if field.name == "gps" and isinstance(field.value, Mapping):
            yield from (str(number) for number in field.value.values())
        elif field.name == "gps_time" and isinstance(field.value, str):
            yield field.value
            yield str(moment(field.value))
    for entry in embedded.entries:
        if (entry.source, entry.key) in PLACE_NAMES or _LOCATED.fullmatch(entry.key):
            yield entry.text
    for name, value in second.items():
        if _LOCATED.fullmatch(name):
            yield str(value)


def redact_results(subject: Subject, results: Iterable[CheckResult]) -> list[CheckResult]:
    """The results of all checks on a file without the places that its metadata states.

    Raises:
        UnreadableError: the disk gives an error.
    """
    embedded = subject.embedded()
    words = sensitive(embedded, read_fields(embedded), {})
    return [replace(result, findings=tuple(redact(result.findings, words))) for result in results]


def redact(findings: Iterable[Finding], words: Sequence[str]) -> list[Finding]:
    """The findings with every place replaced by :data:`REDACTED`; that there was one is still said."""
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words) or r"(?!)")
    return [
        replace(
            finding,
            summary=pattern.sub(REDACTED, finding.summary),
            evidence=tuple(_redacted(evidence, pattern) for evidence in finding.evidence),
        )
        for finding in findings
    ]


def _redacted(evidence: Evidence, pattern: re.Pattern[str]) -> Evidence:
    value = evidence.value
    if evidence.label in _FIELDS and isinstance(value, Mapping):
        hidden = {name: REDACTED for name in ("value", "deepscan", "exiftool") if value.get(name) is not None}
        return replace(evidence, value={**value, **hidden})
    if _LOCATED.fullmatch(evidence.label):
        return replace(evidence, value=REDACTED)
    return replace(evidence, value=_without(value, pattern))


def _without(value: JSONValue, pattern: re.Pattern[str]) -> JSONValue:
    if isinstance(value, str):
        return pattern.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {name: REDACTED if name in _KEYS else _without(inner, pattern) for name, inner in value.items()}
    return [_without(inner, pattern) for inner in value] if isinstance(value, Sequence) else value
