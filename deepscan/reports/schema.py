r"""The report as JSON: ``to_json`` and ``from_json``, exact inverses, and the published JSON Schema beside this file.

The keys are the field names of :mod:`deepscan.types`, in the order they are declared; the type hints there are the
schema that is read and written here, and a test compares ``report.schema.json`` with them.

**Text that is not Unicode.** A file name on POSIX is bytes. Python holds a byte that is not UTF-8 as a lone surrogate
(PEP 383, ``os.fsdecode``), which no UTF-8 text can hold and which JSON parsers refuse or silently replace. So every
lone surrogate, in names and in all other text, is written as U+FFFD (the replacement character) and its code point in
braces: the name ``b"caf\xe9.jpg"`` is ``"caf�{dce9}.jpg"``. A consumer sees the usual mark for "not text here", and
the last two digits are the byte. A real U+FFFD before a brace is written as ``�{fffd}``, so the escape can always be
undone. :func:`escape` and :func:`unescape` are the two directions.

**Numbers.** JSON has no NaN and no infinity. In free values they are written as the texts ``"NaN"``, ``"Infinity"`` and
``"-Infinity"``; in a field that may be null, as null. Integers beyond 64 bits (a hostile file can hold one of a million
digits) are written as hexadecimal text. Free values nested more than :data:`MAX_DEPTH` deep are cut there, with a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, cast

from deepscan.errors import ReportError
from deepscan.reports.schema_codec import CUT as CUT
from deepscan.reports.schema_codec import MAX_DEPTH as MAX_DEPTH
from deepscan.reports.schema_codec import MisfitError, codec
from deepscan.reports.schema_codec import escape as escape
from deepscan.reports.schema_codec import unescape as unescape
from deepscan.reports.upgrades import STEPS, films_added, paths_added, upgraded
from deepscan.text import clean
from deepscan.types import ItemReport, JSONValue, Known, MediaItem, RunInfo, ScanReport, Skipped, Verdict

SCHEMA_VERSION = "1.2"
"""``major.minor``: minor rises when a field or value is added, major when one changes its meaning or goes."""

SCHEMA_FILE = "report.schema.json"
"""The published JSON Schema (draft 2020-12), package data of :mod:`deepscan.reports`."""

_OTHER_VERSION = "Read it with the version of deepscan that wrote it, or scan again."


def to_json(report: ScanReport) -> dict[str, JSONValue]:
    """The whole report as a JSON document: the same report gives the same document.

    Raises:
        TypeError: a free value holds something that JSON cannot (bytes, a date): the check that made it is at fault.
    """
    return _encode(ScanReport, report)


def from_json(document: JSONValue, source: str = "The report") -> ScanReport:
    """Read a report back, exactly, except that a tuple in a free value comes back as a list. ``source`` names it.

    Raises:
        ReportError: it is of a version that is not known, or a field is missing, unknown or of the wrong type.
    """
    version = _require_version(document, source)
    if version in STEPS:
        assert isinstance(document, Mapping)
        document = {**cast("Mapping[str, JSONValue]", upgraded(document, version)), "schema": SCHEMA_VERSION}
    return _decode(ScanReport, document, source)


def item_to_json(report: ItemReport) -> dict[str, JSONValue]:
    """One file's report, as it stands in ``items``; not to be changed, as it may be what the report was read from.

    Raises TypeError as :func:`to_json`.
    """
    return _encode(ItemReport, report)


def item_from_json(document: JSONValue, source: str = "The report of a file") -> ItemReport:
    """Inverse of :func:`item_to_json`, also of what earlier versions stored in case files. Raises ReportError."""
    return _decode(ItemReport, films_added(document), source)


def file_to_json(item: MediaItem) -> dict[str, JSONValue]:
    """What an entry of ``items`` says of the file itself: the entry without what was found."""
    return {"item": _encode(MediaItem, item)}


def file_from_json(document: JSONValue, source: str = "The report of a file") -> MediaItem:
    """The file that an entry of ``items`` is about, without reading what was found in it. Raises ReportError."""
    return _decode(MediaItem, document.get("item") if isinstance(document, Mapping) else None, source)


def verdict_from_json(document: JSONValue, source: str = "The verdict on a file") -> Verdict:
    """The verdict that stands in an entry of ``items``. Raises ReportError."""
    return _decode(Verdict, document, source)


def skipped_to_json(skipped: Skipped) -> dict[str, JSONValue]:
    """One entry of ``skipped``."""
    return _encode(Skipped, skipped)


def skipped_from_json(document: JSONValue, source: str = "The record of a skipped file") -> Skipped:
    """Inverse of :func:`skipped_to_json`. Raises ReportError."""
    return _decode(Skipped, document, source)


def known_to_json(known: Known) -> dict[str, JSONValue]:
    """One entry of ``known``."""
    return _encode(Known, known)


def run_to_json(run: RunInfo) -> dict[str, JSONValue]:
    """The record of a run, as it stands in ``run``."""
    return _encode(RunInfo, run)


def run_from_json(document: JSONValue, source: str = "The record of a run") -> RunInfo:
    """Inverse of :func:`run_to_json`, also of what earlier versions stored in case files. Raises ReportError."""
    return _decode(RunInfo, paths_added(document), source)


def load(path: Path) -> ScanReport:
    """Read a ``report.json``.

    Raises:
        ReportError: the file cannot be read, is not JSON, or is not a report of this version.
    """
    shown = clean(str(path))
    try:
        document = parse(path.read_bytes())
    except OSError as e:
        raise ReportError(f"The report {shown} cannot be read: {e.strerror or e}.", "Check the path.") from e
    except ValueError as e:
        raise ReportError(
            f"The report {shown} is not valid JSON: {e}.", "Give a report.json or a case file written by deepscan."
        ) from e
    return from_json(document, f"The report {shown}")


def parse(text: str | bytes) -> JSONValue:
    """Parse JSON strictly. Raises ValueError for anything else, NaN, infinity and bottomless nesting among it."""
    try:
        document: JSONValue = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as e:
        raise ValueError("it is nested too deeply") from e
    return document


def parse_at(text: str, at: int) -> JSONValue:
    """Parse the JSON value that begins at a place in a text, whatever follows it. Raises as :func:`parse`."""
    try:
        document: JSONValue = _DECODER.raw_decode(text, at)[0]
    except RecursionError as e:
        raise ValueError("it is nested too deeply") from e
    return document


def published_schema() -> dict[str, JSONValue]:
    """The published JSON Schema (draft 2020-12) that every report of this version validates against."""
    text = resources.files("deepscan.reports").joinpath(SCHEMA_FILE).read_text(encoding="utf-8")
    schema: dict[str, JSONValue] = json.loads(text)
    return schema


def _refuse_constant(name: str) -> JSONValue:
    raise ValueError(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _require_version(document: JSONValue, source: str) -> str:
    """The version of a document, if it can be read."""
    version = document.get("schema") if isinstance(document, Mapping) else None
    if isinstance(version, str) and (version == SCHEMA_VERSION or version in STEPS):
        return version
    if not isinstance(version, str):
        raise ReportError(f"{source} is not a deepscan report: it names no schema.", "Give a report.json of deepscan.")
    number = re.fullmatch(r"(\d{1,6})\.(\d{1,6})", version, re.ASCII)
    ours = tuple(map(int, SCHEMA_VERSION.split(".")))
    if number and (int(number[1]), int(number[2])) > ours:
        raise ReportError(
            f"{source} has schema {version}, and this deepscan reads up to {SCHEMA_VERSION}.",
            "Use a newer deepscan, or scan again.",
        )
    raise ReportError(f"{source} has schema '{clean(version)}', which this deepscan does not know.", _OTHER_VERSION)


_T = TypeVar("_T")


def _encode(kind: type[_T], value: _T) -> dict[str, JSONValue]:
    hint: Any = kind
    document: dict[str, JSONValue] = codec(hint)[0](value)
    return document


def _decode(kind: type[_T], document: JSONValue, source: str) -> _T:
    hint: Any = kind
    try:
        value: _T = codec(hint)[1](document)
    except MisfitError as e:
        raise ReportError(f"{source} cannot be read: {e}.", _OTHER_VERSION) from e
    return value
