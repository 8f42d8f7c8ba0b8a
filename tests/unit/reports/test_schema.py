from __future__ import annotations

import copy
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings

from deepscan import types
from deepscan.errors import ReportError
from deepscan.reports import schema
from deepscan.types import (
    CheckResult,
    Evidence,
    Finding,
    ItemReport,
    JSONValue,
    Level,
    Meaning,
    Outcome,
    Part,
    PointsTo,
    ScanReport,
    Score,
    Verdict,
    Where,
)
from tests.gold.sample import CLASSIFIED, DECLARED, EMPTY, REPORT, RUN, SKIPPED
from tests.report_strategies import REPORTS, TEXT

VALIDATOR = jsonschema.Draft202012Validator(schema.published_schema())


def dump(document: JSONValue) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8")


@settings(deadline=None, max_examples=150)
@given(REPORTS)
def test_any_report_survives_utf8_json_exactly_and_is_valid(report: ItemReport) -> None:
    whole = replace(REPORT, items=(report,))
    data = dump(schema.to_json(whole))
    assert schema.from_json(json.loads(data)) == whole
    assert dump(schema.to_json(schema.from_json(json.loads(data)))) == data
    VALIDATOR.validate(json.loads(data))


@pytest.mark.parametrize("report", [REPORT, EMPTY])
def test_the_sample_reports_round_trip_and_validate(report: ScanReport) -> None:
    document = schema.to_json(report)
    VALIDATOR.validate(document)
    assert schema.from_json(json.loads(dump(document))) == report
    assert schema.item_from_json(json.loads(dump(schema.item_to_json(DECLARED)))) == DECLARED
    assert schema.run_from_json(json.loads(dump(schema.run_to_json(RUN)))) == RUN
    assert schema.skipped_from_json(json.loads(dump(schema.skipped_to_json(SKIPPED[1])))) == SKIPPED[1]


@pytest.mark.parametrize("item", [DECLARED, CLASSIFIED])
def test_the_file_of_an_entry_is_read_without_what_was_found_in_it(item: ItemReport) -> None:
    document = json.loads(dump(schema.item_to_json(item)))
    document["results"] = "not looked at"
    assert schema.file_from_json(document) == item.item


@pytest.mark.parametrize("document", [{}, [], None, {"item": 1}])
def test_an_entry_without_a_file_is_refused(document: JSONValue) -> None:
    with pytest.raises(ReportError, match="cannot be read"):
        schema.file_from_json(document)


@settings(deadline=None)
@given(TEXT)
def test_escape_is_undone_exactly_and_gives_utf8(text: str) -> None:
    schema.escape(text).encode("utf-8")
    assert schema.unescape(schema.escape(text)) == text


def test_a_name_that_is_not_utf8_is_seen_as_documented() -> None:
    assert schema.escape(os.fsdecode(b"caf\xe9.jpg")) == "caf\ufffd{dce9}.jpg"
    assert schema.escape("a real \ufffd stays, \ufffd{ does not") == "a real \ufffd stays, \ufffd{fffd}{ does not"
    assert os.fsencode(schema.unescape("caf\ufffd{dce9}.jpg")) == b"caf\xe9.jpg"


def _with_value(value: Any) -> ItemReport:
    finding = Finding("DS-X-001", Level.INFO, PointsTo.NEITHER, "A value.", (Evidence("value", value),))
    return replace(DECLARED, results=(CheckResult("x", "1", Outcome.DONE, (finding,)),))


def _value(value: Any) -> Any:
    document: Any = schema.item_to_json(_with_value(value))
    dump(document)
    return document["results"][0]["findings"][0]["evidence"][0]["value"]


@pytest.mark.parametrize(
    ("given_", "written"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        ([-math.inf], ["-Infinity"]),
        (2**64 - 1, 2**64 - 1),
        (2**64, "0x10000000000000000"),
        (-(2**64), "-0x10000000000000000"),
        ([1, 2**64 - 1, -(2**64) + 1], [1, 2**64 - 1, -(2**64) + 1]),
        ([1, 2**64], [1, "0x10000000000000000"]),
        ((-(2**64), 1), ["-0x10000000000000000", 1]),
        ([1, True, None, 0.5], [1, True, None, 0.5]),
        ((1, ("a", True)), [1, ["a", True]]),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64("nan"), "NaN"),
        (Level.WEAK, "weak"),
        ({"k\udcff": "\ud83d"}, {"k\ufffd{dcff}": "\ufffd{d83d}"}),
    ],
)
def test_free_values_become_json(given_: Any, written: Any) -> None:
    found = _value(given_)
    assert found == written
    assert type(found) is type(written)


def test_a_number_of_a_million_digits_does_not_stop_a_report() -> None:
    assert _value(10**5000).startswith("0x")


def test_nesting_is_cut_before_it_overflows_and_the_cut_can_be_read_back() -> None:
    value: Any = "core"
    for _ in range(900):
        value = [value]
    found = _value(value)
    for _ in range(schema.MAX_DEPTH):
        assert isinstance(found, list)
        (found,) = found
    assert found == schema.CUT
    document = schema.item_to_json(_with_value(value))
    assert schema.item_to_json(schema.item_from_json(json.loads(dump(document)))) == document


@pytest.mark.parametrize("value", [b"bytes", bytearray(b"x"), {1: "a"}, {"a"}, object(), [b"x"], np.bool_(True)])
def test_what_json_cannot_hold_is_an_error_of_the_check(value: Any) -> None:
    with pytest.raises(TypeError, match="a report"):
        schema.item_to_json(_with_value(value))


def test_numbers_of_numpy_in_typed_fields_become_plain() -> None:
    sides: Any = [np.int32(n) for n in (1, 2, 3, 4)]
    box = types.Box(*sides)
    part = Part("face", Where(0, math.nan, box), Score(np.float32(0.5), Meaning.PROBABILITY))  # type: ignore[arg-type]
    result = CheckResult("x", "1", Outcome.DONE, parts=(part,))
    document: Any = schema.item_to_json(replace(DECLARED, results=(result,)))
    assert json.loads(dump(document))["results"][0]["parts"][0] == {
        "kind": "face",
        "where": {"frame": 0, "seconds": None, "box": {"x": 1, "y": 2, "width": 3, "height": 4}},
        "score": {"value": 0.5, "meaning": "probability"},
        "reason": None,
        "track": None,
    }


def _sample() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(dump(schema.to_json(REPORT)))
    return document


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("1.3", "reads up to 1.2"),
        ("2.0", "reads up to 1.2"),
        ("10.0", "reads up to 1.2"),
        ("0.9", "does not know"),
        ("1.0.0", "does not know"),
        ("x\x1b[31m", r"x\\x1b"),
        (None, "names no schema"),
        (1.0, "names no schema"),
    ],
)
def test_other_versions_are_refused_with_a_sentence(version: Any, words: str) -> None:
    with pytest.raises(ReportError, match=words) as caught:
        schema.from_json(_sample() | {"schema": version}, "The report r.json")
    assert caught.value.message.startswith("The report r.json")
    assert caught.value.hint


def test_a_report_of_the_first_version_is_read_as_one_without_films() -> None:
    document = _sample() | {"schema": "1.0"}
    for item in document["items"]:
        for result in item["results"]:
            del result["film"]
            for part in result["parts"]:
                del part["track"]
    before = copy.deepcopy(document)
    items = tuple(
        replace(
            item,
            results=tuple(
                replace(r, film=None, parts=tuple(replace(p, track=None) for p in r.parts)) for r in item.results
            ),
        )
        for item in REPORT.items
    )
    assert schema.from_json(document) == replace(REPORT, items=items)
    assert document == before
    assert schema.item_from_json(document["items"][2]) == items[2]
    document["items"][2]["results"] = 3
    with pytest.raises(ReportError, match=r"results is not a list"):
        schema.from_json(document)


@pytest.mark.parametrize("document", [None, [], "text", 3, {}])
def test_what_is_no_report_is_refused(document: JSONValue) -> None:
    with pytest.raises(ReportError, match="not a deepscan report"):
        schema.from_json(document)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a report that has declared fields (free ones have not)."""
    if isinstance(value, dict):
        yield value
        for name, inner in value.items():
            if name not in ("options", "model", "libraries", "host", "value"):
                yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def test_every_missing_and_every_unknown_field_is_refused_here_and_by_the_schema() -> None:
    count = sum(1 for _ in _objects(_sample()))
    assert count > 60
    for index in range(count):
        for change in ("missing", "unknown"):
            document = _sample()
            target = list(_objects(document))[index]
            if change == "unknown":
                target["surprise"] = 1
            else:
                target.pop(sorted(set(target) - {"schema"})[0])
            with pytest.raises(ReportError, match=change):
                schema.from_json(document)
            assert not VALIDATOR.is_valid(document)


def _set(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        target: Any = document
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("finished", value="yes"), "finished is not true or false"),
        (_set("items", value={}), "items is not a list"),
        (_set("items", 0, "item", "size", value=True), r"items\[0\].item.size is not a whole number"),
        (_set("items", 0, "item", "size", value=1.5), "whole number"),
        (_set("items", 0, "item", "kind", value="audio"), "one of image, video"),
        (_set("items", 0, "item", "kind", value=[]), "one of image, video"),
        (_set("items", 0, "item", "name", value=None), "name is not text"),
        (_set("items", 1, "verdict", "score", value="0.5"), "score is not a number"),
        (_set("items", 1, "verdict", "because", value="DS"), "because is not a list"),
        (_set("items", 1, "results", 2, "score", "value", value=1.5), r"score lies in \[0, 1\]"),
        (_set("items", 0, "results", 0, "reason", value="why"), "exactly when the outcome is not done"),
        (_set("items", 0, "results", 1, "reason", value=None), "exactly when the outcome is not done"),
        (_set("items", 0, "results", 0, "findings", 0, "level", value="extreme"), "one of info, weak"),
        (_set("run", "libraries", "torch", value=2), "run.libraries.torch is not text"),
        (_set("run", "host", value=None), "run.host is not an object"),
        (_set("run", "checks", 0, value="metadata"), r"run.checks\[0\] is not an object"),
        (_set("skipped", 0, "code", value="lost"), "one of excluded"),
    ],
)
def test_wrong_values_are_named_here_and_refused_by_the_schema(
    change: Callable[[dict[str, Any]], None], words: str
) -> None:
    document = _sample()
    change(document)
    with pytest.raises(ReportError, match=words):
        schema.from_json(document)
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    "change",
    [
        _set("items", 0, "verdict", "because", value=[]),
        _set("items", 0, "verdict", "points_to", value="authentic"),
        _set("items", 0, "verdict", "basis", value="below-threshold"),
        _set("items", 0, "verdict", "threshold", value=0.5),
        _set("items", 2, "verdict", "points_to", value="generated"),
        _set("items", 2, "verdict", "score", value=None),
        _set("items", 2, "verdict", "basis", value="no-usable-check"),
        _set("items", 4, "verdict", "basis", value="model"),
        _set("items", 0, "item", "sha256", value="0F" * 32),
        _set("items", 0, "item", "size", value=-1),
        _set("items", 1, "results", 2, "parts", 2, "reason", value=None),
        _set("run", "started", value="2026-01-02 03:04"),
        _set("run", "started", value="2026-01-02T03:04:05+02:00"),
    ],
)
def test_the_schema_refuses_what_no_scan_can_mean(change: Callable[[dict[str, Any]], None]) -> None:
    document = _sample()
    assert VALIDATOR.is_valid(document)
    change(document)
    assert not VALIDATOR.is_valid(document)


def test_numbers_too_large_to_hold_are_refused() -> None:
    document = _sample()
    document["items"][0]["results"][0]["seconds"] = 10**400
    with pytest.raises(ReportError, match="finite number"):
        schema.from_json(document)
    document = json.loads(dump(_sample()).replace(b'"cfg": 7.5', b'"cfg": 1e999'))
    with pytest.raises(ReportError, match="JSON value"):
        schema.from_json(document)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xd8\xff\xe0 a picture", "not valid JSON"),
        (b'{"schema": "1.0"', "not valid JSON"),
        (b'{"schema": NaN}', "NaN is not a JSON number"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"schema": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[]", "not a deepscan report"),
    ],
)
def test_load_refuses_what_is_no_report(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "r\x1b.json"
    path.write_bytes(data)
    with pytest.raises(ReportError, match=words) as caught:
        schema.load(path)
    assert "\x1b" not in caught.value.message


def test_load_reads_back_what_was_written_and_says_when_there_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(b"\xef\xbb\xbf" + dump(schema.to_json(REPORT)))
    assert schema.load(path) == REPORT
    with pytest.raises(ReportError, match="cannot be read: No such file"):
        schema.load(tmp_path / "none.json")


def test_a_hostile_field_name_cannot_reach_a_terminal() -> None:
    document = _sample()
    document["run"]["\x1b[2J"] = 1
    with pytest.raises(ReportError, match=r"run.\\x1b") as caught:
        schema.from_json(document)
    assert caught.value.message.isprintable()


def test_the_published_schema_is_valid_and_carries_this_version() -> None:
    published: Any = schema.published_schema()
    jsonschema.Draft202012Validator.check_schema(published)
    assert published["properties"]["schema"] == {"const": schema.SCHEMA_VERSION}
    assert published["$id"].endswith(schema.SCHEMA_VERSION)


def test_the_published_schema_lists_the_enums_of_the_code() -> None:
    definitions: Any = schema.published_schema()["$defs"]
    enums = {
        name: found for name, found in vars(types).items() if isinstance(found, type) and issubclass(found, StrEnum)
    }
    listed = {name[0].upper() + name[1:]: tuple(d["enum"]) for name, d in definitions.items() if "enum" in d}
    assert listed == {name: tuple(str(member) for member in enum) for name, enum in enums.items()}


def test_the_published_schema_has_the_fields_of_the_types_in_their_order() -> None:
    published: Any = schema.published_schema()
    named = {name[0].upper() + name[1:]: d for name, d in published["$defs"].items() if "properties" in d}
    named["MediaItem"], named["RunInfo"], named["ScanReport"] = named.pop("Item"), named.pop("Run"), published
    declared = {n: t for n, t in vars(types).items() if is_dataclass(t)}
    assert named.keys() == declared.keys()
    for name, kind in declared.items():
        expected = [f.name for f in fields(kind)]
        assert list(named[name]["properties"]) == named[name]["required"] == expected, name
        assert named[name]["additionalProperties"] is False, name


def test_keys_stand_in_the_declared_order() -> None:
    document: Any = schema.to_json(replace(REPORT, items=(CLASSIFIED,)))
    assert list(document) == [f.name for f in fields(ScanReport)]
    assert list(document["items"][0]["results"][0]) == [f.name for f in fields(CheckResult)]
    assert list(document["items"][0]["verdict"]) == [f.name for f in fields(Verdict)]


def test_writing_changes_nothing_of_the_report() -> None:
    before = copy.deepcopy(REPORT)
    schema.to_json(REPORT)
    assert before == REPORT
