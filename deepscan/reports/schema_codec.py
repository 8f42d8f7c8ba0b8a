"""The type hints of :mod:`deepscan.types`, turned once into pairs of functions: values to JSON documents, and back.

Reports of 100,000 files go through here several times, so the usual case comes first and is short: where in a document
something is that does not fit is put together only when that has been found.
"""

from __future__ import annotations

import math
import operator
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from numbers import Integral, Real
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from deepscan.text import clean
from deepscan.types import Deferred, JSONValue

MAX_DEPTH = 64
"""Levels of nesting kept in a free value; JSON parsers of other languages begin to refuse at 100 to 128."""

CUT = f"(nested more than {MAX_DEPTH} levels deep: left out)"
"""What stands in place of what was nested deeper."""

Encode: TypeAlias = Callable[[Any], Any]
Decode: TypeAlias = Callable[[Any], Any]

_MAX_INTEGER = 2**64
_NEEDS_ESCAPE = re.compile("[\ud800-\udfff]|\ufffd(?=\\{)")
_ESCAPED = re.compile("\ufffd\\{(fffd|d[89a-f][0-9a-f]{2})\\}")

_INTEGERS = frozenset({int})
_THEMSELVES = frozenset({int, bool, type(None)})
"""Types of free values in a document that are what they stand for."""


class MisfitError(ValueError):
    """Something in a document is not what the types say. The message names the field and says what it is not."""

    def __init__(self, says: str, at: str = "") -> None:
        super().__init__(f"{clean(at)[1:] or 'the document'} {says}")
        self._says, self._at = says, at

    def under(self, part: str) -> MisfitError:
        """The same in a part of something larger."""
        return MisfitError(self._says, part + self._at)


def escape(text: str) -> str:
    """Text as valid Unicode: see the head of :mod:`deepscan.reports.schema`."""
    if text.isascii():
        return text
    return _NEEDS_ESCAPE.sub(lambda m: f"\ufffd{{{ord(m[0]):04x}}}", text)


def unescape(text: str) -> str:
    """Inverse of :func:`escape`."""
    if text.isascii():
        return text
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)


@cache
def codec(hint: Any) -> tuple[Encode, Decode]:
    """How values of a type are written and read; reading raises :class:`MisfitError`, writing TypeError."""
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


def _dataclass_codec(kind: type) -> tuple[Encode, Decode]:
    hints = get_type_hints(kind)
    names = tuple(f.name for f in fields(kind))
    codecs = [codec(hints[name]) for name in names]
    optional = [_is_optional(hints[name]) for name in names]  # None is most often there: no call for that
    writers = tuple((name, may, write) for name, may, (write, _) in zip(names, optional, codecs, strict=True))
    readers = tuple((name, may, read) for name, may, (_, read) in zip(names, optional, codecs, strict=True))

    def encode(value: Any) -> Any:
        document = {}
        for name, may_be_none, write in writers:
            part = getattr(value, name)
            document[name] = None if part is None and may_be_none else write(part)
        return document

    def decode(value: Any) -> Any:
        if not isinstance(value, dict):
            raise MisfitError("is not an object")
        if len(value) > len(names):
            raise MisfitError("is unknown", f".{min(value.keys() - set(names))}")
        found = []
        try:
            for name, may_be_none, read in readers:
                part = value[name]
                found.append(None if part is None and may_be_none else read(part))
        except MisfitError as e:
            raise e.under(f".{name}") from e
        except KeyError as e:
            raise MisfitError("is missing", f".{name}") from e
        try:
            return kind(*found)
        except ValueError as e:
            raise MisfitError(f"does not hold together ({clean(str(e))})") from e

    return encode, decode


def _is_optional(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)


def _enum_codec(kind: type[StrEnum]) -> tuple[Encode, Decode]:
    members = {str(m): m for m in kind}

    def decode(value: Any) -> Any:
        if not isinstance(value, str) or value not in members:
            raise MisfitError("is not one of " + ", ".join(members))
        return members[value]

    return str, decode


def _tuple_codec(hint: Any) -> tuple[Encode, Decode]:
    write, read = codec(hint)

    def decode(value: Any) -> Any:
        if not isinstance(value, list):
            raise MisfitError("is not a list")
        found: list[Any] = []
        try:
            for entry in value:
                found.append(read(entry))  # noqa: PERF401 - the number of those that fit says which one does not
        except MisfitError as e:
            raise e.under(f"[{len(found)}]") from e
        return tuple(found)

    def encode(value: Any) -> Any:
        # What was read from a document of this schema is written as that.
        return list(value.documents) if isinstance(value, Deferred) else [write(v) for v in value]

    return encode, decode


def _mapping_codec(hint: Any) -> tuple[Encode, Decode]:
    write, read = codec(hint)

    def decode(value: Any) -> Any:
        if not isinstance(value, dict):
            raise MisfitError("is not an object")
        found = {}
        for name, inner in value.items():
            try:
                found[unescape(name)] = read(inner)
            except MisfitError as e:
                raise e.under(f".{name}") from e
        return found

    return lambda value: {_text(k): write(v) for k, v in value.items()}, decode


def _optional_codec(hint: Any) -> tuple[Encode, Decode]:
    write, read = codec(hint)

    def encode(value: Any) -> Any:
        if value is None or (hint is float and not math.isfinite(value)):
            return None
        return write(value)

    return encode, lambda value: None if value is None else read(value)


def _text(value: Any) -> str:
    if type(value) is str:
        return value if value.isascii() else escape(value)
    if not isinstance(value, str):
        raise TypeError(f"a report holds text here, not {type(value).__name__}: {clean(repr(value))}")
    return escape(str(value))


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise TypeError(f"a report holds a finite number here, not {number}")
    return number


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise MisfitError("is not text")
    return value if value.isascii() else unescape(value)


def _read_integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise MisfitError("is not a whole number")
    return value


def _read_number(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise MisfitError("is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise MisfitError("is not a finite number")
    return number


def _read_truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise MisfitError("is not true or false")
    return value


_PLAIN: Mapping[Any, tuple[Encode, Decode]] = {
    str: (_text, _read_text),
    int: (operator.index, _read_integer),
    float: (_number, _read_number),
    bool: (bool, _read_truth),
    Path: (lambda p: escape(p.as_posix()), lambda v: Path(_read_text(v))),
    PurePosixPath: (lambda p: escape(str(p)), lambda v: PurePosixPath(_read_text(v))),
}


def _free(value: Any, depth: int = 0) -> JSONValue:
    """A free value as JSON. numpy's numbers are numbers; what JSON has no word for raises TypeError."""
    kind = type(value)
    if kind is str:
        return escape(value)
    if kind is int:
        return value if abs(value) < _MAX_INTEGER else hex(value)
    if depth < MAX_DEPTH and (kind is list or kind is tuple):
        if value and _INTEGERS.issuperset(map(type, value)) and max(max(value), -min(value)) < _MAX_INTEGER:
            return list(value)  # a table of numbers
        return [_free(v, depth + 1) for v in value]
    if depth < MAX_DEPTH and kind is dict:
        return {_text(k): _free(v, depth + 1) for k, v in value.items()}
    match value:  # what is none of the plain types
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


def _read_free(value: Any, depth: int = 0) -> JSONValue:
    match value:
        case str():
            return value if value.isascii() else unescape(value)
        case list() if depth < MAX_DEPTH and _THEMSELVES.issuperset(map(type, value)):  # a table of numbers
            return list(value)
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case dict() | list() if depth >= MAX_DEPTH and value:
            raise MisfitError(f"is not nested at most {MAX_DEPTH} levels deep")
        case dict():
            return {unescape(k): _read_free(v, depth + 1) for k, v in value.items()}
        case list():
            return [_read_free(v, depth + 1) for v in value]
    raise MisfitError("is not a JSON value")
