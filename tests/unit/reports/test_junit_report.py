from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import pytest
import xmlschema
from hypothesis import given, settings

from deepscan.reports.junit_report import JUnitReport
from deepscan.types import CheckResult, Outcome, ScanReport
from tests.gold.sample import DECLARED, EMPTY, REPORT
from tests.report_strategies import WHOLE

XSD = Path(__file__).parents[2] / "schemas" / "junit-10.xsd"


@cache
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(XSD))


def render(report: ScanReport) -> str:
    stream = io.StringIO(newline="")
    JUnitReport().render(report, "report.junit.xml", stream)
    return stream.getvalue()


def parse(report: ScanReport) -> ElementTree.Element:
    text = render(report)
    schema().validate(text)
    suite = ElementTree.fromstring(text.encode()).find("testsuite")
    assert suite is not None
    return suite


def kinds(suite: ElementTree.Element) -> list[str]:
    return [next((child.tag for child in case), "") for case in suite.iter("testcase")]


def failing(report: ScanReport, level: str) -> ScanReport:
    return replace(report, run=replace(report.run, options={"fail_on": level}))


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("strong", ["failure", "", "error", "", ""]),
        ("moderate", ["failure", "failure", "error", "", ""]),
        ("never", ["error", "", "error", "", ""]),
    ],
)
def test_a_case_per_file_with_the_outcome_that_the_scan_had(level: str, expected: list[str]) -> None:
    suite = parse(failing(REPORT, level))
    found = kinds(suite)
    assert found == [*expected, "skipped", "error"]
    assert suite.get("tests") == "7"
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert suite.get(name) == str(found.count(kind))
    assert suite.get("timestamp") == "2026-01-02T03:04:05"


def test_reasons_and_findings_can_be_read() -> None:
    text = "\n".join(element.text or "" for element in parse(REPORT).iter())
    assert "DS-META-003 (strong, generated): PNG text holds" in text
    assert "classifier failed: The model could not be loaded." in text
    assert "SHA-256 " + "0" * 63 + "1" in text


def test_one_cause_of_many_failures_is_told_once() -> None:
    cut = CheckResult("ela", "1", Outcome.FAILED, reason="It is cut short.")
    item = replace(DECLARED, results=(cut, replace(cut, check="noise")))
    text = "\n".join(element.text or "" for element in parse(replace(REPORT, items=(item,))).iter())
    assert text.count("It is cut short.") == 1
    assert "ela, noise failed: It is cut short." in text


def test_an_empty_report_is_valid() -> None:
    assert parse(EMPTY).get("tests") == "0"


@settings(deadline=None, max_examples=60)
@given(WHOLE)
def test_any_report_is_valid_xml(report: ScanReport) -> None:
    assert len(kinds(parse(report))) == len(report.items) + len(report.skipped)


def test_what_xml_cannot_hold_is_shown() -> None:
    hostile = "\x00\x1b[31m\ufffe\uffff\ud800]]><x>&amp;\u202e"
    item = replace(DECLARED, item=replace(DECLARED.item, name=PurePosixPath(hostile)))
    (case,) = parse(replace(REPORT, items=(item,), skipped=())).iter("testcase")
    assert case.get("name") == "\\x00\\x1b[31m\\ufffe\\uffff\\ud800]]><x>&amp;\\u202e"


def test_long_text_is_cut() -> None:
    skipped = replace(REPORT.skipped[1], reason="r" * 10_000_000)
    assert len(render(replace(REPORT, skipped=(skipped,)))) < 10_000
