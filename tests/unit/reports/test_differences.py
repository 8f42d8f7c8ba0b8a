from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from deepscan.reports.differences import BYTES, UNKNOWN, Change, Difference, differences
from deepscan.types import Basis, Call, CheckInfo, Family, ItemReport, PointsTo, ScanReport, Verdict
from tests.gold.sample import CLASSIFIED, DECLARED, REPORT, RUN

WEAK = Verdict(Call.WEAK, PointsTo.GENERATED, Basis.MODEL, 0.6, 0.5, ("DS-MODEL-001",))


def found(old: ScanReport, new: ScanReport) -> list[Difference]:
    return list(differences(old, new))


def weaker(report: ItemReport = CLASSIFIED) -> ItemReport:
    """The same file, of which the classifier says something else."""
    classifier = replace(report.results[-1], findings=())
    return replace(report, results=(*report.results[:-1], classifier), verdict=WEAK)


def with_item(report: ItemReport, **run: object) -> ScanReport:
    items = tuple(report if item.item.name == report.item.name else item for item in REPORT.items)
    return replace(REPORT, items=items, run=replace(RUN, **run))  # type: ignore[arg-type]


def test_a_report_does_not_differ_from_itself_or_in_times() -> None:
    assert found(REPORT, REPORT) == []
    slower = tuple(
        replace(item, results=tuple(replace(result, seconds=9.0) for result in item.results)) for item in REPORT.items
    )
    assert found(REPORT, replace(REPORT, items=slower, run=replace(RUN, started="2027-01-01T00:00:00Z"))) == []


@pytest.mark.parametrize(
    ("run", "cause"),
    [
        ({"model": {"name": "tiny", "weights_sha256": "ab" * 32}}, "the model tiny (None) became tiny (abababababab)"),
        ({"model": {**(RUN.model or {}), "thresholds": []}}, "the card of the model changed, and its weights did not"),
        (
            {"checks": (*RUN.checks[:2], CheckInfo("classifier", "Classifier", Family.MODEL, "2"))},
            "check classifier 1 became 2",
        ),
        ({"options": {**RUN.options, "frames": 32}}, "option frames 16 became 32"),
        ({"version": "0.2.0"}, "deepscan 0.1.0 became 0.2.0"),
        ({"libraries": {**RUN.libraries, "torch": "3.0"}}, "library torch 2.13.0 became 3.0"),
        ({"device": "cuda:0"}, "device cpu became cuda:0"),
        ({}, UNKNOWN),
    ],
)
def test_a_verdict_that_changed_names_what_changed_it(run: dict[str, object], cause: str) -> None:
    (difference,) = found(REPORT, with_item(weaker(), **run))
    assert difference.change is Change.VERDICT
    assert (difference.name, difference.checks) == ("b/group.jpg", ("classifier",))
    assert difference.before == "moderate, generated (model)"
    assert difference.after == "weak, generated (model)"
    assert difference.causes == (cause,)


def test_options_that_change_no_answer_are_no_cause() -> None:
    (difference,) = found(REPORT, with_item(weaker(), options={**RUN.options, "workers": 8}))
    assert difference.causes == (UNKNOWN,)


def test_another_file_in_the_same_place_explains_itself() -> None:
    changed = weaker(replace(CLASSIFIED, item=replace(CLASSIFIED.item, sha256="ab" * 32)))
    (difference,) = found(REPORT, with_item(changed, version="0.2.0"))
    assert difference.causes == (BYTES,)


def test_findings_that_changed_under_the_same_verdict() -> None:
    (difference,) = found(REPORT, with_item(replace(weaker(), verdict=CLASSIFIED.verdict), version="0.2.0"))
    assert difference.change is Change.FINDINGS


def test_new_gone_renamed_and_moved_files() -> None:
    renamed = replace(DECLARED, item=replace(DECLARED.item, name=PurePosixPath("new.png")))
    later = replace(REPORT, items=(renamed, *REPORT.items[2:]), skipped=REPORT.skipped[:1])
    kinds = [(difference.change, difference.name) for difference in found(REPORT, later)]
    assert kinds == [
        (Change.RENAMED, "a/marked.png -> new.png"),
        (Change.REMOVED, "b/group.jpg"),
        (Change.REMOVED, "/evidence/case 7/-broken\udcff.jpg"),
    ]
    assert [d.change for d in found(later, REPORT)][-2:] == [Change.ADDED, Change.ADDED]
    moved = tuple(replace(item, item=replace(item.item, root=Path("/elsewhere"))) for item in REPORT.items)
    assert found(REPORT, replace(REPORT, items=moved)) == []


def test_where_a_file_is_counts_and_not_how_its_place_is_written() -> None:
    split = replace(
        DECLARED, item=replace(DECLARED.item, root=DECLARED.item.root / "a", name=PurePosixPath("marked.png"))
    )
    assert found(REPORT, replace(REPORT, items=(split, *REPORT.items[1:]))) == []


def test_pictures_of_exhibits_are_no_answer() -> None:
    def bare(item: ItemReport) -> ItemReport:
        ela = item.results[1]
        findings = tuple(replace(f, evidence=tuple(replace(e, exhibit=None) for e in f.evidence)) for f in ela.findings)
        return replace(item, results=(item.results[0], replace(ela, findings=findings), *item.results[2:]))

    assert found(REPORT, with_item(bare(CLASSIFIED))) == []


def test_a_file_that_was_examined_and_now_is_not() -> None:
    skipped = replace(REPORT.skipped[1], path=CLASSIFIED.item.path)
    items = tuple(item for item in REPORT.items if item is not CLASSIFIED)
    (difference,) = found(REPORT, replace(REPORT, items=items, skipped=(*REPORT.skipped, skipped)))
    assert (difference.change, difference.after) == (Change.VERDICT, "not examined (unreadable)")
