from __future__ import annotations

import io
import json
import subprocess
import sysconfig
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from hypothesis import given, settings

from deepscan.reports.case_report import CaseReport
from deepscan.types import ScanReport
from tests.gold.sample import DECLARED, REPORT
from tests.report_strategies import WHOLE

VALIDATE = Path(sysconfig.get_path("scripts")) / "case_validate"
KINDS = ("uco-observable:File", "uco-analysis:AnalyticResult", "uco-core:Relationship")


def render(report: ScanReport) -> str:
    stream = io.StringIO(newline="")
    CaseReport().render(report, "report.case.jsonld", stream)
    return stream.getvalue()


def graph(report: ScanReport) -> list[Any]:
    return list(json.loads(render(report))["@graph"])


def test_case_validate_finds_nothing_wrong(tmp_path: Path) -> None:
    """The CASE community's own validator, with the ontology that it ships: no network. About 3 s."""
    path = tmp_path / "report.case.jsonld"
    hostile = replace(DECLARED.item, name=PurePosixPath("<script>\x1b\udce9\u202e.png"), sha256="ab" * 32)
    path.write_text(render(replace(REPORT, items=(*REPORT.items, replace(DECLARED, item=hostile)))), encoding="utf-8")
    done = subprocess.run([VALIDATE, path], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Conforms: True" in done.stdout


def test_every_file_is_an_object_of_the_action_and_every_verdict_a_result_of_it() -> None:
    *nodes, action = graph(REPORT)
    by_kind = {kind: [node["@id"] for node in nodes if node["@type"] == kind] for kind in KINDS}
    objects = [reference["@id"] for reference in action["uco-action:object"]]
    results = [reference["@id"] for reference in action["uco-action:result"]]
    assert sorted(objects) == sorted(by_kind["uco-observable:File"])
    assert sorted(results) == sorted(by_kind["uco-analysis:AnalyticResult"])
    assert len(objects) == len(REPORT.items) + len(REPORT.skipped)
    links = {
        node["uco-core:source"]["@id"]: node["uco-core:target"]["@id"] for node in nodes if "uco-core:source" in node
    }
    assert links.keys() == set(results)
    assert set(links.values()) <= set(objects)


def test_a_file_has_its_hash_and_its_verdict() -> None:
    text = render(REPORT)
    assert DECLARED.item.sha256 in text
    assert "deepscan:call=strong" in text
    assert "deepscan:because=DS-META-003" in text


def test_only_a_verdict_of_the_model_has_its_score_as_confidence() -> None:
    assert render(REPORT).count("classificationConfidence") == 1


@settings(deadline=None, max_examples=30)
@given(WHOLE)
def test_any_report_is_a_graph_in_which_no_node_is_named_twice(report: ScanReport) -> None:
    named = [node["@id"] for node in graph(report)]
    assert len(named) == len(set(named))
