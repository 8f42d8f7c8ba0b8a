from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from deepscan.reports.jsonl_report import JsonLines, JsonLinesReport
from deepscan.reports.schema import item_from_json, run_from_json, skipped_from_json
from deepscan.types import ScanReport
from tests.gold.sample import EMPTY, REPORT


def lines(report: ScanReport) -> list[str]:
    stream = io.StringIO(newline="")
    JsonLinesReport().render(report, "report.jsonl", stream)
    return stream.getvalue().split("\n")[:-1]


def test_every_file_has_a_line_and_all_of_it_comes_back() -> None:
    first, *entries, last = [json.loads(line) for line in lines(REPORT)]
    assert first == {"schema": REPORT.schema}
    for entry in entries:
        entry.pop("link")
    number = len(REPORT.items)
    assert tuple(item_from_json(entry) for entry in entries[:number]) == REPORT.items
    assert tuple(skipped_from_json(entry) for entry in entries[number:]) == REPORT.skipped
    assert run_from_json(last["run"]) == REPORT.run
    assert (last["finished"], last["examined"], last["skipped"]) == (True, number, len(REPORT.skipped))


def test_what_came_to_nothing_has_a_first_and_a_last_line() -> None:
    first, last = lines(EMPTY)
    assert json.loads(first) == {"schema": EMPTY.schema}
    assert json.loads(last)["finished"] is False


def head(found: list[str]) -> str:
    """The head of the chain, worked out from the text alone, as docs/formats.md says it is done."""
    last = hashlib.sha256(b"deepscan chain 1").hexdigest()
    for line in found[1:-1]:
        entry, _, link = line.rpartition(', "link": "')
        last = hashlib.sha256(f"{last}\n{entry}}}".encode()).hexdigest()
        assert link == f'{last}"}}'
    closing, _, _ = found[-1].rpartition(', "head": "')
    return hashlib.sha256(f"{last}\n{closing}}}".encode()).hexdigest()


def test_the_chain_is_as_documented() -> None:
    found = lines(REPORT)
    assert json.loads(found[-1])["head"] == head(found)


@pytest.mark.parametrize("change", ["left out", "moved", "changed", "run", "finished"])
def test_whatever_is_changed_changes_the_head(change: str) -> None:
    report = {
        "left out": replace(REPORT, items=REPORT.items[1:]),
        "moved": replace(REPORT, items=(*REPORT.items[1:], REPORT.items[0])),
        "changed": replace(REPORT, skipped=(replace(REPORT.skipped[0], reason="Another."), REPORT.skipped[1])),
        "finished": replace(REPORT, finished=False),
        "run": replace(REPORT, run=replace(REPORT.run, device="cuda:0")),
    }[change]
    assert json.loads(lines(report)[-1])["head"] != json.loads(lines(REPORT)[-1])["head"]


class Watched(io.StringIO):
    """What has been flushed so far."""

    def __init__(self) -> None:
        super().__init__(newline="")
        self.seen = ""

    def flush(self) -> None:
        self.seen = self.getvalue()


def test_a_line_is_out_the_moment_its_file_is_examined() -> None:
    stream = Watched()
    live = JsonLines(stream)
    for number, item in enumerate(REPORT.items, 2):
        live.examined(item)
        assert stream.seen.count("\n") == number
    live.end(REPORT)
    whole: Any = "\n".join(lines(REPORT)) + "\n"
    assert stream.getvalue() == whole
