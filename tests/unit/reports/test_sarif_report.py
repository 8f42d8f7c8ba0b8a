from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from deepscan.reports import sarif_report
from deepscan.reports.base import write
from deepscan.reports.sarif_entries import address
from deepscan.reports.sarif_report import SarifReport
from deepscan.types import Finding, ItemReport, Level, PointsTo, ScanReport
from tests.gold.sample import DECLARED, EMPTY, REPORT
from tests.report_strategies import WHOLE

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


def parse(report: ScanReport) -> Any:
    stream = io.StringIO(newline="")
    SarifReport().render(report, "report.sarif", stream)
    log = json.loads(stream.getvalue())
    VALIDATOR.validate(log)
    return log


def test_findings_are_results_with_rules_that_explain_them() -> None:
    (run,) = parse(REPORT)["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    results = run["results"]
    assert {result["ruleId"] for result in results} == rules.keys()
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("DS-META-003", "error"),
        ("DS-MODEL-001", "warning"),
        ("DS-C2PA-001", "error"),
        ("DS-MODEL-001", "warning"),
    ]
    assert "**Does not mean**" in rules["DS-META-003"]["help"]["markdown"]
    assert "**" not in rules["DS-META-003"]["help"]["text"]
    assert rules["DS-C2PA-001"] == {"id": "DS-C2PA-001", "shortDescription": {"text": "DS-C2PA-001"}}  # has no page
    assert (
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        == "file:///evidence/case%207/a/marked.png"
    )


def test_every_file_is_an_artifact_or_a_notification() -> None:
    (run,) = parse(REPORT)["runs"]
    assert [a["hashes"]["sha-256"] for a in run["artifacts"]] == [item.item.sha256 for item in REPORT.items]
    notices = run["invocations"][0]["toolExecutionNotifications"]
    assert [(n["descriptor"]["id"], n["level"]) for n in notices] == [
        ("classifier/failed", "error"),
        ("metadata/timed-out", "error"),
        ("not-media", "note"),
        ("unreadable", "error"),
    ]
    assert run["invocations"][0]["executionSuccessful"] is True
    (empty,) = parse(EMPTY)["runs"]
    assert empty["invocations"][0]["executionSuccessful"] is False


def test_a_result_is_known_again_by_content_and_code_not_by_name() -> None:
    def prints(item: ItemReport) -> list[str]:
        (run,) = parse(replace(REPORT, items=(item,)))["runs"]
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]

    renamed = replace(DECLARED, item=replace(DECLARED.item, name=PurePosixPath("elsewhere.png")))
    changed = replace(DECLARED, item=replace(DECLARED.item, sha256="ab" * 32))
    assert prints(renamed) == prints(DECLARED)
    assert not set(prints(changed)) & set(prints(DECLARED))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (Path("photos/a b.jpg"), "photos/a%20b.jpg"),
        (Path("/e/100%#?.jpg"), "file:///e/100%25%23%3F.jpg"),
        (Path(os.fsdecode(b"caf\xe9:\n.jpg")), "caf%E9%3A%0A.jpg"),
        (Path("half\ud800.jpg"), "half%ED%A0%80.jpg"),
    ],
)
def test_addresses_hold_the_bytes_of_names(path: Path, expected: str) -> None:
    assert address(path) == expected


@settings(deadline=None, max_examples=40)
@given(WHOLE)
def test_any_report_is_valid(report: ScanReport) -> None:
    parse(report)


def many(files: int, summary: str = "x") -> tuple[ItemReport, ...]:
    finding = Finding("DS-META-003", Level.STRONG, PointsTo.GENERATED, summary)
    results = (replace(DECLARED.results[0], findings=(finding,)),)
    return tuple(
        replace(DECLARED, item=replace(DECLARED.item, name=PurePosixPath(f"{n}.png")), results=results)
        for n in range(files)
    )


def pieces(report: ScanReport) -> Iterator[tuple[str, str]]:
    for name, text in SarifReport().split(report):
        yield name, "".join(text)


def test_runs_and_files_end_at_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif_report, "MAX_RESULTS", 5)
    monkeypatch.setattr(sarif_report, "MAX_RUNS", 3)
    found = dict(pieces(replace(REPORT, items=many(32), skipped=(*REPORT.skipped, *REPORT.skipped))))
    assert list(found) == ["report.sarif", "report.2.sarif", "report.3.sarif"]
    runs = [run for text in found.values() for run in json.loads(text)["runs"]]
    assert [len(run["results"]) for run in runs] == [5, 5, 5, 5, 5, 5, 2]
    assert len({run["automationDetails"]["id"] for run in runs}) == len(runs)
    names = [a["properties"]["name"] for run in runs for a in run["artifacts"]]
    assert names == [f"{n}.png" for n in range(32)]
    for text in found.values():
        VALIDATOR.validate(json.loads(text))


def test_no_file_is_larger_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif_report, "MAX_BYTES", 60_000)
    sizes = [len(text.encode()) for _, text in pieces(replace(REPORT, items=many(300, "\U0001f4f7" * 400)))]
    assert len(sizes) > 3
    assert max(sizes) <= 60_000
    assert min(sizes[:-1]) > 30_000


def test_a_file_with_more_findings_than_a_run_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif_report, "MAX_RESULTS", 4)
    result = replace(many(1)[0].results[0], findings=many(1)[0].results[0].findings * 10)
    log = parse(replace(REPORT, items=(replace(DECLARED, results=(result,)),)))
    assert [len(run["results"]) for run in log["runs"]] == [4, 4, 2]


def test_files_of_a_longer_report_do_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif_report, "MAX_RESULTS", 1)
    monkeypatch.setattr(sarif_report, "MAX_RUNS", 1)
    write(REPORT, ("sarif",), tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"report.sarif", *(f"report.{n}.sarif" for n in (2, 3, 4))}
    (tmp_path / "report.final.sarif").write_text("the user's own")
    monkeypatch.undo()
    written = write(REPORT, ("sarif",), tmp_path)
    assert [p.name for p in written] == ["report.sarif"]
    assert {p.name for p in tmp_path.iterdir()} == {"report.sarif", "report.final.sarif"}
