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
import math
import operator
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from numbers import Integral, Real
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from deepscan.errors import ReportError
from deepscan.reports.upgrades import STEPS, films_added, paths_added, upgraded
from deepscan.text import clean
from deepscan.types import ItemReport, JSONValue, Known, MediaItem, RunInfo, ScanReport, Skipped

SCHEMA_VERSION = "1.2"
"""``major.minor``: minor rises when a field or value is added, major when one changes its meaning or goes."""

SCHEMA_FILE = "report.schema.json"
"""The published JSON Schema (draft 2020-12), package data of :mod:`deepscan.reports`."""

MAX_DEPTH = 64
"""Levels of nesting kept in a free value; JSON parsers of other languages begin to refuse at 100 to 128."""

CUT = f"(nested more than {MAX_DEPTH} levels deep: left out)"
"""What stands in place of what was nested deeper."""

_MAX_INTEGER = 2**64
_NEEDS_ESCAPE = re.compile("[\ud800-\udfff]|\ufffd(?=\\{)")
_ESCAPED = re.compile("\ufffd\\{(fffd|d[89a-f][0-9a-f]{2})\\}")
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
    """One file's report, as it stands in ``items``. Raises TypeError as :func:`to_json`."""
    return _encode(ItemReport, report)


def item_from_json(document: JSONValue, source: str = "The report of a file") -> ItemReport:
    """Inverse of :func:`item_to_json`, also of what earlier versions stored in case files. Raises ReportError."""
    return _decode(ItemReport, films_added(document), source)


def file_from_json(document: JSONValue, source: str = "The report of a file") -> MediaItem:
    """The file that an entry of ``items`` is about, without reading what was found in it. Raises ReportError."""
    return _decode(MediaItem, document.get("item") if isinstance(document, Mapping) else None, source)


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


def published_schema() -> dict[str, JSONValue]:
    """The published JSON Schema (draft 2020-12) that every report of this version validates against."""
    text = resources.files("deepscan.reports").joinpath(SCHEMA_FILE).read_text(encoding="utf-8")
    schema: dict[str, JSONValue] = json.loads(text)
    return schema


def escape(text: str) -> str:
    """Text as valid Unicode: see the head of this module."""
    if text.isascii():
        return text
    return _NEEDS_ESCAPE.sub(lambda m: f"\ufffd{{{ord(m[0]):04x}}}", text)


def unescape(text: str) -> str:
    """Inverse of :func:`escape`."""
    if text.isascii():
        return text
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)


def _refuse_constant(name: str) -> JSONValue:
    raise ValueError(f"{name} is not a JSON number")


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


# The type hints of deepscan/types.py, turned once into pairs of functions.

_Encode: TypeAlias = Callable[[Any], Any]
_Decode: TypeAlias = Callable[[Any, str], Any]
_T = TypeVar("_T")


def _encode(kind: type[_T], value: _T) -> dict[str, JSONValue]:
    hint: Any = kind
    document: dict[str, JSONValue] = _codec(hint)[0](value)
    return document


def _decode(kind: type[_T], document: JSONValue, source: str) -> _T:
    hint: Any = kind
    try:
        value: _T = _codec(hint)[1](document, "")
    except _MisfitError as e:
        raise ReportError(f"{source} cannot be read: {e}.", _OTHER_VERSION) from e
    return value


class _MisfitError(ValueError):
    """A field is not what the types say. The message names it."""

    @classmethod
    def at(cls, at: str, wanted: str) -> _MisfitError:
        return cls(f"{clean(at)[1:] or 'the document'} is not {wanted}")


@cache
def _codec(hint: Any) -> tuple[_Encode, _Decode]:
    origin, args = get_origin(hint), get_args(hint)
    match origin:
        case None if is_dataclass(hint) and isinstance(hint, type):
            return _dataclass_codec(hint)
        case None if issubclass(hint, StrEnum):
            return _enum_codec(hint)
        case None:
            return _PLAIN[hint]
        case _ if origin in (tuple, Sequence):
            return _tuple_codec(args[0])
        case _ if origin is Mapping:
            return _mapping_codec(args[1])
    assert origin in (Union, types.UnionType)
    if type(None) in args and len(args) == 2:
        return _optional_codec(args[0] if args[1] is type(None) else args[1])
    return _free, _read_free  # JSONValue, the only other union of deepscan/types.py


def _dataclass_codec(kind: type) -> tuple[_Encode, _Decode]:
    hints = get_type_hints(kind)
    parts = tuple((f.name, *_codec(hints[f.name])) for f in fields(kind))
    names = frozenset(hints)

    def encode(value: Any) -> Any:
        return {name: write(getattr(value, name)) for name, write, _ in parts}

    def decode(value: Any, at: str) -> Any:
        if not isinstance(value, dict):
            raise _MisfitError.at(at, "an object")
        if value.keys() != names:
            name = min(names ^ value.keys())
            word = "missing" if name in names else "unknown"
            raise _MisfitError(f"{clean(f'{at}.{name}')[1:]} is {word}")
        found = {name: read(value[name], f"{at}.{name}") for name, _, read in parts}
        try:
            return kind(**found)
        except _MisfitError:
            raise
        except ValueError as e:
            raise _MisfitError(f"{clean(at)[1:]} does not hold together ({clean(str(e))})") from e

    return encode, decode


def _enum_codec(kind: type[StrEnum]) -> tuple[_Encode, _Decode]:
    members = {str(m): m for m in kind}

    def decode(value: Any, at: str) -> Any:
        if not isinstance(value, str) or value not in members:
            raise _MisfitError.at(at, "one of " + ", ".join(members))
        return members[value]

    return str, decode


def _tuple_codec(hint: Any) -> tuple[_Encode, _Decode]:
    write, read = _codec(hint)

    def decode(value: Any, at: str) -> Any:
        if not isinstance(value, list):
            raise _MisfitError.at(at, "a list")
        return tuple([read(v, f"{at}[{i}]") for i, v in enumerate(value)])

    return lambda value: [write(v) for v in value], decode


def _mapping_codec(hint: Any) -> tuple[_Encode, _Decode]:
    write, read = _codec(hint)

    def decode(value: Any, at: str) -> Any:
        if not isinstance(value, dict):
            raise _MisfitError.at(at, "an object")
        return {unescape(k): read(v, f"{at}.{k}") for k, v in value.items()}

    return lambda value: {_text(k): write(v) for k, v in value.items()}, decode


def _optional_codec(hint: Any) -> tuple[_Encode, _Decode]:
    write, read = _codec(hint)

    def encode(value: Any) -> Any:
        if value is None or (hint is float and not math.isfinite(value)):
            return None
        return write(value)

    return encode, lambda value, at: None if value is None else read(value, at)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a report holds text here, not {type(value).__name__}: {clean(repr(value))}")
    return escape(str(value))


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise TypeError(f"a report holds a finite number here, not {number}")
    return number


def _read_text(value: Any, at: str) -> str:
    if not isinstance(value, str):
        raise _MisfitError.at(at, "text")
    return unescape(value)


def _read_integer(value: Any, at: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _MisfitError.at(at, "a whole number")
    return value


def _read_number(value: Any, at: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise _MisfitError.at(at, "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _MisfitError.at(at, "a finite number")
    return number


def _read_truth(value: Any, at: str) -> bool:
    if not isinstance(value, bool):
        raise _MisfitError.at(at, "true or false")
    return value


_PLAIN: Mapping[Any, tuple[_Encode, _Decode]] = {
    str: (_text, _read_text),
    int: (operator.index, _read_integer),
    float: (_number, _read_number),
    bool: (bool, _read_truth),
    Path: (lambda p: escape(p.as_posix()), lambda v, at: Path(_read_text(v, at))),
    PurePosixPath: (lambda p: escape(str(p)), lambda v, at: PurePosixPath(_read_text(v, at))),
}


def _free(value: Any, depth: int = 0) -> JSONValue:
    """A free value as JSON. numpy's numbers are numbers; what JSON has no word for raises TypeError."""
    match value:
        case str():
            return escape(str(value))
        case None | bool():
            return value
        case int() | Integral():
            whole = int(value)
            return whole if abs(whole) < _MAX_INTEGER else hex(whole)
        case float() | Real():
            number = float(value)
            if math.isfinite(number):
                return number
            return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
        case dict() | list() | Mapping() | Sequence() if depth >= MAX_DEPTH and len(value):
            return CUT
        case Mapping():
            return {_text(k): _free(v, depth + 1) for k, v in value.items()}
        case Sequence() if not isinstance(value, (bytes, bytearray, memoryview)):
            return [_free(v, depth + 1) for v in value]
    raise TypeError(f"a report cannot hold a value of type {type(value).__name__}: {clean(repr(value))}")


def _read_free(value: Any, at: str, depth: int = 0) -> JSONValue:
    match value:
        case str():
            return unescape(value)
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case dict() | list() if depth >= MAX_DEPTH and value:
            raise _MisfitError.at(at, f"nested at most {MAX_DEPTH} levels deep")
        case dict():
            return {unescape(k): _read_free(v, at, depth + 1) for k, v in value.items()}
        case list():
            return [_read_free(v, at, depth + 1) for v in value]
    raise _MisfitError.at(at, "a JSON value")
