from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given, settings

from deepscan.errors import UsageError
from deepscan.reports import parquet_report
from deepscan.reports.base import BINARY, write
from deepscan.reports.parquet_report import ParquetReport
from deepscan.reports.schema import run_from_json, unescape
from deepscan.types import ScanReport
from tests.gold.sample import DECLARED, EMPTY, REPORT
from tests.report_strategies import WHOLE


def render(report: ScanReport, name: str = "report.parquet") -> bytes:
    stream = io.BytesIO()
    ParquetReport().render_bytes(report, name, stream)
    return stream.getvalue()


def rows(report: ScanReport, name: str = "report.parquet") -> list[dict[str, Any]]:
    return list(pyarrow.parquet.read_table(io.BytesIO(render(report, name))).to_pylist())


def test_a_row_for_every_file_with_its_names_exactly() -> None:
    found = rows(REPORT)
    names = [str(item.item.name) for item in REPORT.items] + [skipped.path.as_posix() for skipped in REPORT.skipped]
    assert [unescape(row["path"]) for row in found] == names
    assert [row["status"] for row in found] == ["examined"] * 5 + ["skipped"] * 2
    assert found[0]["because"] == ["DS-META-003"]
    assert found[0]["findings"][0]["summary"].startswith("PNG text holds")
    assert [check["outcome"] for check in found[0]["checks"]] == ["done", "not_applicable", "failed"]
    assert found[1]["score"] == 0.96875
    assert found[-1]["code"] == "unreadable"


def test_a_row_for_every_part() -> None:
    parts = [part for item in REPORT.items for result in item.results for part in result.parts]
    found = rows(REPORT, "report.parts.parquet")
    assert [row["score"] for row in found] == [part.score.value if part.score else None for part in parts]
    assert [row["x"] for row in found] == [part.where.box.x if part.where.box else None for part in parts]


def test_the_record_of_the_run_is_in_the_metadata() -> None:
    metadata = pyarrow.parquet.read_schema(io.BytesIO(render(REPORT))).metadata
    assert run_from_json(json.loads(metadata[b"deepscan"])["run"]) == REPORT.run


def test_groups_and_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_report, "GROUP", 2)
    data = render(REPORT)
    assert data == render(REPORT)
    assert pyarrow.parquet.ParquetFile(io.BytesIO(data)).num_row_groups == 4
    assert rows(EMPTY) == []


@settings(deadline=None, max_examples=30)
@given(WHOLE)
def test_any_report_can_be_read_back(report: ScanReport) -> None:
    assert len(rows(report)) == len(report.items) + len(report.skipped)
    rows(report, "report.parts.parquet")


def test_text_of_ten_megabytes() -> None:
    huge = replace(DECLARED, item=replace(DECLARED.item, name=PurePosixPath("x" * 10_000_000)))
    assert len(rows(replace(REPORT, items=(huge,)))[0]["path"]) == 10_000_000


def test_another_file_name_and_a_missing_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file"):
        render(REPORT, "other.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError) as caught:
        write(REPORT, ("parquet",), tmp_path)
    assert "deepscan[parquet]" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", list(BINARY))
def test_binary_reports_are_registered_under_their_ids(key: str) -> None:
    assert BINARY[key].id == key
    assert BINARY[key].title
