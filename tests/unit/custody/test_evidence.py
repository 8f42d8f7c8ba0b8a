from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from deepscan.custody.evidence import check_evidence
from deepscan.custody.faults import Kind
from deepscan.errors import InputError
from deepscan.types import ScanReport
from tests.gold.sample import DECLARED, REPORT

NAMES = ("a.png", "deep/b.png", os.fsdecode(b"caf\xe9.png"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / "evidence" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "surrogateescape") * 100)
    return tmp_path / "evidence"


@pytest.fixture
def report(folder: Path) -> ScanReport:
    def about(name: str) -> object:
        data = (folder / name).read_bytes()
        return replace(
            DECLARED.item,
            root=folder,
            name=PurePosixPath(name),
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )

    return replace(REPORT, items=tuple(replace(DECLARED, item=about(name)) for name in NAMES))  # type: ignore[arg-type]


def test_what_is_as_it_was_gives_nothing_and_is_not_written_to(report: ScanReport, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert list(check_evidence(report, folder)) == []
    assert list(check_evidence(report, folder.parent)) == []  # the folder above, where several roots would lie
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_one_flipped_byte_is_found_and_named(report: ScanReport, folder: Path) -> None:
    data = bytearray((folder / "deep/b.png").read_bytes())
    data[17] ^= 1
    (folder / "deep/b.png").write_bytes(data)
    (fault,) = check_evidence(report, folder)
    assert (fault.kind, fault.what) == (Kind.CHANGED, "deep/b.png")
    assert hashlib.sha256(data).hexdigest() in fault.why


def test_another_size_a_missing_file_and_a_pipe(report: ScanReport, folder: Path) -> None:
    (folder / "a.png").write_bytes(b"short")
    (folder / "deep/b.png").unlink()
    (folder / NAMES[2]).unlink()
    os.mkfifo(folder / NAMES[2])
    kinds = [(fault.kind, fault.what) for fault in check_evidence(report, folder)]
    assert kinds == [(Kind.CHANGED, "a.png"), (Kind.MISSING, "deep/b.png"), (Kind.UNREADABLE, "caf\\udce9.png")]


def test_no_name_leads_out_of_the_folder(report: ScanReport, folder: Path) -> None:
    item = replace(report.items[0].item, name=PurePosixPath("../evidence/a.png"))
    (fault,) = check_evidence(replace(report, items=(replace(DECLARED, item=item),)), folder)
    assert fault.kind is Kind.MISSING


def test_no_folder_is_a_sentence(report: ScanReport, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        list(check_evidence(report, tmp_path / "nowhere"))
