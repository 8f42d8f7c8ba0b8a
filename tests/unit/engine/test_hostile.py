"""Hostile names, hostile folders and hostile files: one result or one reason each, in bounded time and memory."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

from deepscan.config import ScanOptions
from deepscan.engine.events import Silent
from deepscan.engine.scan import scan
from deepscan.types import ItemReport, Outcome, ScanReport, SkipCode
from tests import media_factory

QUICK = ScanOptions(checks=("identity", "metadata"), workers=0)


def answered(report: ScanReport) -> list[str]:
    """The names of all files that have an item or a reason, as often as they have one."""
    return sorted([str(i.item.name) for i in report.items] + [s.path.name for s in report.skipped])


@pytest.mark.skipif(os.name == "nt", reason="names that POSIX allows")
def test_every_name_that_a_disk_can_hold_has_one_answer(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    data = media_factory.write_png(tmp_path, seed=1).read_bytes()
    names = [
        b"x" * 251 + b".png",
        b"invalid \xff\xfe utf-8.png",
        b"new\nline.png",
        b"carriage\rreturn.png",
        b"\xe2\x80\xaegnp.exe",  # right-to-left override
        b"-rf.png",
        b"'; DROP TABLE answers; --.png",
        b"\x1b[31mred.png",
        "é.png".encode(),
        "e\u0301.png".encode(),
        b" .png",
        b"%s%n.png",
    ]
    for number, name in enumerate(names):
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:  # noqa: PTH123 - a name of bytes
            file.write(data + bytes([number]))
    case = tmp_path / "a.case"
    first, second = scan([folder], QUICK, case=case), scan([folder], QUICK, case=case)
    for report in (first, second):
        assert answered(report) == sorted(os.fsdecode(name) for name in names)
        assert len(report.items) == len(names)
        assert all(r.outcome is Outcome.DONE for i in report.items for r in i.results)
    assert first.items == second.items


class Changing(Silent):
    """Changes the folder after the first answer."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._done = folder, False

    def examined(self, report: ItemReport, *, reused: bool) -> None:
        if self._done:
            return
        self._done = True
        (self._folder / "198.png").unlink()
        media_factory.write_png(self._folder, "197.png", seed=777)
        media_factory.write_png(self._folder, "999.png", seed=999)
        shutil.rmtree(self._folder / "sub")
        (self._folder / "196.png").unlink()
        (self._folder / "196.png").mkdir()


def test_a_folder_that_changes_while_it_is_scanned(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    (folder / "sub").mkdir(parents=True)
    for number in range(200):
        media_factory.write_png(folder, f"{number:03}.png", seed=number % 7)
    media_factory.write_png(folder / "sub", "z.png")
    report = scan([folder], QUICK, events=Changing(folder))
    assert report.finished
    names = answered(report)
    assert len(names) == len(set(names))
    assert {f"{number:03}.png" for number in range(196)} <= set(names)
    # What went away after its name was listed has a reason; what never was found has none.
    reasons = {s.path.name: s.code for s in report.skipped}
    assert reasons.get("198.png", SkipCode.VANISHED) is SkipCode.VANISHED
    assert all(i.item.name.name != "198.png" for i in report.items)


class Removing(Silent):
    """Removes a file as soon as all are counted."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def discovered(self, files: int, *, complete: bool) -> None:
        if complete:
            self._path.unlink()


def test_a_file_named_on_the_command_line_that_goes_away_is_a_reason_and_ends_no_scan(tmp_path: Path) -> None:
    paths = [media_factory.write_png(tmp_path, f"{number}.png", seed=number) for number in range(3)]
    report = scan(paths, QUICK, events=Removing(paths[1]))
    assert report.finished
    assert [i.item.name.name for i in report.items] == ["0.png", "2.png"]
    assert [(s.path, s.code) for s in report.skipped] == [(paths[1], SkipCode.VANISHED)]


@pytest.mark.skipif(sys.platform != "linux", reason="ramfs and remounting are Linux's")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount")
def test_read_only_media(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    if os.system(f"mount -t tmpfs tmpfs '{folder}' 2>/dev/null"):
        pytest.skip("nothing may be mounted here")
    try:
        media_factory.write_png(folder, "a.png", seed=1)
        assert not os.system(f"mount -o remount,ro '{folder}'")
        report = scan([folder], QUICK, case=tmp_path / "a.case")
    finally:
        os.system(f"umount '{folder}'")
    assert [r.outcome for r in report.items[0].results] == [Outcome.DONE] * 2


def test_thousands_of_tiny_files_in_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number:05}").write_bytes(b"%d" % number)
    started = time.process_time()
    report = scan([folder], QUICK, case=tmp_path / "a.case")
    assert len(report.skipped) == 3000
    assert [s.path.name for s in report.skipped] == [f"{number:05}" for number in range(3000)]
    assert time.process_time() - started < 10


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="links make so many names cheap")
def test_200_000_tiny_files_of_which_50_000_lie_in_one_folder(tmp_path: Path) -> None:
    folder, names, together = tmp_path / "evidence", 200_000, 50_000
    for place in ("all", *map(str, range(150))):
        (folder / place).mkdir(parents=True)
    sources = [tmp_path / f"{number}.txt" for number in range(10)]  # a file has at most 65,000 names on ext4
    for source in sources:
        source.write_text(source.name, encoding="ascii")
    for number in range(names):
        place = "all" if number < together else str(number % 150)
        os.link(sources[number % 10], f"{folder}/{place}/{number}")
    try:
        report = scan([folder], QUICK, case=tmp_path / "a.case")
        assert (report.finished, len(report.items)) == (True, 0)
        answers = [(int(skipped.path.name), skipped.code) for skipped in report.skipped]
        assert sorted(answers) == [(number, SkipCode.NOT_MEDIA) for number in range(names)]
    finally:
        shutil.rmtree(folder)  # pytest would keep them, three times over


SUFFIX = re.compile(r"fuzz-afl__in__(\w+?)__")
"""How files of a fuzzer are named in the corpus: the folder of their kind stands in the name, and no suffix."""


def with_suffix(name: str) -> str:
    """A name of the hostile corpus with the suffix that its file had."""
    found = SUFFIX.search(name)
    return f"{name}.{found[1]}" if found and not name.endswith(f".{found[1]}") else name


def gather(corpus: Path, folder: Path, every: int) -> int:
    """Copy every so many-th file of the hostile corpus, suffixes put right. Returns how many."""
    source = corpus / "forensics" / "hostile"
    files = sorted(path for path in source.rglob("*") if path.is_file() and path.name != "expected.csv")[::every]
    for path in files:
        target = folder / path.relative_to(source).with_name(with_suffix(path.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return len(files)


@pytest.mark.corpus
@pytest.mark.slow
def test_hostile_files_end_in_one_result_or_one_reason_each(corpus: Path, tmp_path: Path) -> None:
    """A sample; python -m tests.benchmarks.engine faults takes all of them."""
    folder = tmp_path / "evidence"
    count = gather(corpus, folder, every=12)
    seconds, memory = 30.0, 2**30
    options = ScanOptions(skip=("classifier",), workers=2, file_seconds=seconds, max_memory=memory)
    report = scan([folder], options)
    assert report.finished
    assert len(report.items) + len(report.skipped) == count
    for item in report.items:
        for result in item.results:
            assert result.outcome is not Outcome.TIMED_OUT, (item.item.name, result.reason)
            assert "crashed" not in str(result.reason), (item.item.name, result.reason)
            assert not str(result.reason).startswith("Unexpected"), (item.item.name, result.reason)
