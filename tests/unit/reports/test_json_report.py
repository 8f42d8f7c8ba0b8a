from __future__ import annotations

import io
import json
import sys
import unicodedata
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from deepscan.reports.json_report import JsonReport
from deepscan.reports.schema import from_json, to_json
from deepscan.types import ScanReport
from tests.gold.sample import EMPTY, REPORT

UNSEEN = "".join(
    c for c in map(chr, range(1, sys.maxunicode + 1)) if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")
)


def render(report: ScanReport) -> str:
    stream = io.StringIO(newline="")
    JsonReport().render(report, "report.json", stream)
    return stream.getvalue()


@pytest.mark.parametrize("report", [REPORT, EMPTY, replace(REPORT, items=()), replace(REPORT, skipped=())])
def test_it_is_the_document_of_the_schema_in_its_order(report: ScanReport) -> None:
    text = render(report)
    assert text.endswith("\n}\n")
    seal = json.loads(text)["seal"]
    assert json.dumps(json.loads(text)) == json.dumps(to_json(report) | {"seal": seal})
    assert from_json(json.loads(text)) == report


def test_every_file_has_a_line_of_its_own() -> None:
    lines = [line.strip().rstrip(",") for line in render(REPORT).splitlines()]
    assert [json.loads(line)["item"]["size"] for line in lines if line.startswith('{"item"')] == [
        r.item.size for r in REPORT.items
    ]
    assert sum(line.startswith('{"path"') for line in lines) == len(REPORT.skipped)


def test_nothing_in_it_acts_on_a_terminal_and_all_of_it_reads_back() -> None:
    item = replace(REPORT.items[0].item, name=PurePosixPath(UNSEEN + "\udcff\u0301\U0001f600"))
    report = replace(REPORT, items=(replace(REPORT.items[0], item=item),))
    text = render(report)
    assert not set(UNSEEN) - {"\n"} & set(text)
    text.encode("utf-8")
    assert from_json(json.loads(text)) == report


def test_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no file"):
        JsonReport().render(REPORT, "report.csv", io.StringIO())
