"""One changed byte in a report is found, wherever it is, and an entry that was changed is named."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deepscan.custody.faults import Fault
from deepscan.custody.integrity import check_report
from deepscan.errors import InputError, ReportError
from deepscan.reports.base import write
from deepscan.types import ScanReport
from tests.gold.sample import EMPTY, REPORT


@pytest.fixture(params=["report.json", "report.jsonl"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write(REPORT, ("json", "jsonl"), tmp_path)
    return tmp_path / str(request.param)


def faults(path: Path) -> list[Fault]:
    return list(check_report(path))


@pytest.mark.parametrize("report", [REPORT, EMPTY, replace(REPORT, items=()), replace(REPORT, skipped=())])
def test_what_was_written_holds(report: ScanReport, tmp_path: Path) -> None:
    for path in write(report, ("json", "jsonl"), tmp_path):
        assert faults(path) == []


def test_every_flipped_byte_is_found(written: Path) -> None:
    """A random bit of every eleventh byte, from a fixed seed: a sample, as all bits take minutes."""
    data = written.read_bytes()
    chance = random.Random(7)
    for place in range(chance.randrange(11), len(data), 11):
        changed = bytearray(data)
        changed[place] ^= 1 << chance.randrange(8)
        written.write_bytes(changed)
        assert faults(written), f"byte {place}: {data[place : place + 1]!r} as {changed[place : place + 1]!r}"


def swap(lines: list[bytes]) -> list[bytes]:
    first = next(n for n, line in enumerate(lines) if b"marked.png" in line)
    lines[first], lines[first + 1] = lines[first + 1], lines[first]
    return lines


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda lines: [line.replace(b"an write such text", b"ot write such text") for line in lines], "a/marked.png"),
        (lambda lines: [line for line in lines if b"b/group.jpg" not in line], "c/=cmd|' -1\\x0a.mp4"),
        (swap, "b/group.jpg"),
        (lambda lines: [line.replace(b"Permission denied", b"Permission granted") for line in lines], "broken"),
    ],
)
def test_the_entry_that_was_changed_is_named(
    change: Callable[[list[bytes]], list[bytes]], named: str, written: Path
) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(b"".join(change(lines)))
    found = faults(written)
    assert named in found[0].what
    assert all(fault.what.isprintable() and fault.why.isprintable() for fault in found)


def test_one_changed_entry_is_one_fault(written: Path) -> None:
    written.write_bytes(written.read_bytes().replace(b"It was never a JPEG", b"It was ever a JPEG!", 1))
    assert [fault.what for fault in faults(written)] == ["a/marked.png"]


def test_the_record_of_the_run_is_told_from_the_entries(tmp_path: Path) -> None:
    path, lines = write(REPORT, ("json", "jsonl"), tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"version": "0.1.0"', b'"version": "0.1.1"', 1))
    lines.write_bytes(lines.read_bytes().replace(b'"version": "0.1.0"', b'"version": "0.1.1"', 1))
    assert "record of the run" in faults(path)[0].why
    assert "record of the run" in faults(lines)[0].why


def test_the_same_content_in_another_layout_is_told(tmp_path: Path) -> None:
    (path,) = write(REPORT, ("json",), tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=1), encoding="utf-8")
    assert faults(path)


def test_a_report_that_was_cut_off(written: Path) -> None:
    data = written.read_bytes()
    for end in (len(data) - 1, len(data) - 70, len(data) // 2):
        written.write_bytes(data[:end])
        if written.suffix == ".json" and end == len(data) // 2:
            with pytest.raises(ReportError, match="no seal"):
                faults(written)
        else:
            assert faults(written)


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_what_carries_no_seal_is_a_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        faults(tmp_path / name)
    for data in (b"", b"{}\n", b'{"schema": "1.0"}\n', b"\xff\xd8\xff"):
        (tmp_path / name).write_bytes(data)
        try:
            assert faults(tmp_path / name)  # a line report without its last line
        except ReportError as e:
            assert e.message.isprintable()
