"""Nothing is lost: a scan that is killed again and again ends in the report of one that was left alone."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepscan.config import ScanOptions
from deepscan.engine import session, sources
from deepscan.engine.casefile import CaseFile
from deepscan.engine.casefile_connection import Connection
from deepscan.engine.events import Silent
from deepscan.engine.runner import Examined, Task, examine
from deepscan.engine.scan import scan
from deepscan.engine.workers import Enter
from deepscan.errors import CaseFileError, DeviceError, OutputError
from deepscan.media.identify import identify
from deepscan.reports.schema import to_json
from deepscan.types import ItemReport, Outcome, ScanReport, SkipCode
from tests import fake_pack, media_factory

KILLS = 20
QUICK = ScanOptions(checks=("identity", "metadata", "marks"), workers=0)


def whole(pack: str) -> ScanOptions:
    """Options of a scan with all that may be under way when it is killed: workers, and a model that scores."""
    return ScanOptions(checks=(*(QUICK.checks or ()), "classifier"), workers=2, model=pack, precision="fp32")


def timeless(report: ScanReport) -> str:
    """A report as JSON, without times."""
    document: Any = json.loads(json.dumps(to_json(report)))
    for name in ("started", "finished", "argv"):
        del document["run"][name]
    for item in document["items"]:
        for result in item["results"]:
            del result["seconds"]
    return json.dumps(document, indent=1)


def fill(folder: Path, count: int = 60) -> Path:
    """Pictures, copies of them, and files that are none."""
    folder.mkdir(parents=True)
    for number in range(count):
        match number % 6:
            case 4:
                shutil.copy(folder / f"{number - 4:03}.png", folder / f"{number:03}.png")
            case 5:
                (folder / f"{number:03}.txt").write_text("no picture")
            case _:
                media_factory.write_png(folder, f"{number:03}.png", seed=number)
    return folder


SCANS = """
import os, sys, time
from pathlib import Path
from deepscan.engine.events import Silent
from deepscan.engine.scan import scan
from tests.unit.engine.test_resume import QUICK, whole

options = whole(sys.argv[3]) if len(sys.argv) > 3 else QUICK

class Telling(Silent):
    def examined(self, report, *, reused):
        if not reused:
            print("answered", flush=True)
            time.sleep(0.02)
for _ in sys.stdin:
    child = os.fork()
    if not child:
        scan([Path(sys.argv[1])], options, case=Path(sys.argv[2]), events=Telling())
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(("kills", "with_model"), [(KILLS, False), pytest.param(6, True, marks=pytest.mark.slow)])
def test_killed_again_and_again_it_ends_in_the_report_of_a_scan_that_was_left_alone(
    tmp_path: Path, kills: int, with_model: bool
) -> None:
    folder, case, chance = fill(tmp_path / "evidence", 180), tmp_path / "a.case", random.Random(4)
    pack = [str(fake_pack.make_pack(tmp_path / "pack", subject="frame").folder)] if with_model else []
    options = whole(*pack) if with_model else QUICK
    answered, finished = [0], 0
    with subprocess.Popen(
        [sys.executable, "-c", SCANS, str(folder), str(case), *pack],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        bufsize=0,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(kills):
            process.stdin.write(b"again\n")
            child = int(process.stdout.readline())
            for _ in range(chance.randint(0, 3)):
                assert process.stdout.readline() == b"answered\n"
            time.sleep(chance.uniform(0, 0.03))
            os.kill(child, signal.SIGKILL)
            while process.stdout.readline() != b"gone\n":
                pass
            if case.exists() and case.stat().st_size:
                with CaseFile.open(case) as opened:
                    count, done = _progress(opened)
                answered.append(count)
                finished += done
        process.stdin.close()
    assert len(set(answered)) > 3  # it was cut off at different places
    assert not finished
    resumed = scan([folder], options, case=case)
    assert resumed.finished
    assert timeless(resumed) == timeless(scan([folder], options))
    assert len(resumed.items) == 150
    assert {s.code for s in resumed.skipped} == {SkipCode.NOT_MEDIA}


def _progress(case: CaseFile) -> tuple[int, bool]:
    """How many files are answered, and whether that is all."""
    try:
        report = case.report()
    except CaseFileError as e:
        assert "holds no run" in e.message
        return 0, False
    return len(report.items) + len(report.skipped), report.finished


class Stopped(Silent):
    """Presses Ctrl-C after so many answers."""

    def __init__(self, after: int) -> None:
        self.left = after

    def examined(self, report: ItemReport, *, reused: bool) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files that were examined, as often as they were."""
    names: list[str] = []

    def counted(task: Task, enter: Enter) -> Examined:
        names.append(task.item.name.name)
        return examine(task, enter)

    monkeypatch.setattr(session, "examine", counted)
    return names


def test_the_same_bytes_are_examined_once_and_reported_for_each_path(tmp_path: Path, examined: list[str]) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    media_factory.write_png(folder, "a.png", seed=1)
    for name in ("b.png", "c.jpg", "d/e.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(folder / "a.png", folder / name)
    options = replace(QUICK, checks=("default",), skip=("classifier", "identity"))
    report = scan([folder], options)
    assert examined == ["a.png"]
    assert [str(i.item.name) for i in report.items] == ["a.png", "b.png", "c.jpg", "d/e.png"]
    assert len({json.dumps(to_json(report)["items"][0]["results"]) for _ in report.items}) == 1  # type: ignore[index, call-overload]
    # A check that looks at the name runs for each: c.jpg is not what it is called.
    examined.clear()
    named = scan([folder], replace(QUICK, checks=("identity", "metadata")))
    assert examined == ["a.png", "b.png", "c.jpg", "e.png"]
    assert [bool(i.results[0].findings) for i in named.items] == [False, False, True, False]


def test_what_failed_on_a_file_is_not_tried_again_on_its_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        media_factory.write_png(folder, name, seed=1)
    tried = []

    def hungry(task: Task, enter: Enter) -> Examined:
        tried.append(task.item.name.name)
        found = examine(task, enter)
        bad = tuple(
            replace(r, outcome=Outcome.FAILED, reason="It ran out of memory in decode.", findings=())
            for r in found.results
        )
        return Examined(bad, {}, frozenset(r.check for r in bad))

    monkeypatch.setattr(session, "examine", hungry)
    options = replace(QUICK, checks=("metadata",))
    report = scan([folder], options, case=tmp_path / "a.case")
    assert tried == ["a.png"]
    assert [i.results[0].outcome for i in report.items] == [Outcome.FAILED] * 3
    monkeypatch.setattr(session, "examine", examine)
    again = scan([folder], options, case=tmp_path / "a.case")
    assert [i.results[0].outcome for i in again.items] == [Outcome.DONE] * 3


def test_a_model_that_does_not_load_leaves_the_report_there_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, case = fill(tmp_path / "evidence", 3), tmp_path / "a.case"
    before = scan([folder], QUICK, case=case)
    pack = fake_pack.make_pack(tmp_path / "pack", subject="frame")

    def broken(self: object) -> object:
        raise DeviceError("There is no such device.")

    monkeypatch.setattr(session.Session, "_load", broken)
    with pytest.raises(DeviceError):
        scan([folder], ScanOptions(model=str(pack.folder), checks=("classifier",), workers=0), case=case)
    with CaseFile.open(case, read_only=True) as opened:
        assert opened.report() == before


def test_on_a_full_disk_the_scan_stops_and_what_was_finished_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, case = fill(tmp_path / "evidence"), tmp_path / "a.case"
    prepare: Callable[[Connection], None] = Connection._prepare

    def small(self: Connection) -> None:
        prepare(self)
        self._connection.execute("PRAGMA max_page_count = 24")  # SQLite's own way to a full disk

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "_prepare", small)
        with pytest.raises(OutputError, match="the disk is full"):
            scan([folder], QUICK, case=case)
    with CaseFile.open(case, read_only=True) as opened:
        cut = opened.report()
    assert not cut.finished
    assert 5 < len(cut.items) < 50
    resumed = scan([folder], QUICK, case=case)
    assert resumed.items[: len(cut.items)] == cut.items
    assert timeless(resumed) == timeless(scan([folder], QUICK))


def test_interrupted_before_its_first_answer_a_scan_is_not_taken_for_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, case = fill(tmp_path / "evidence", 3), tmp_path / "a.case"
    before = scan([folder], QUICK, case=case)
    first = (folder / "000.png").read_bytes()
    media_factory.write_png(folder, "000.png", seed=99)

    def ctrl_c(task: Task, enter: Enter) -> Examined:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(session, "examine", ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            scan([folder], QUICK, case=case)
    with CaseFile.open(case, read_only=True) as opened:
        assert opened.report() == before
    (folder / "000.png").write_bytes(first)
    for options in (QUICK, replace(QUICK, checks=("metadata",))):  # entered again as it is, and put together anew
        after_one = scan([folder], options, case=case, events=Stopped(1))
        assert (len(after_one.items), after_one.finished) == (1, False)


def test_a_large_scan_is_reported_as_a_small_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "evidence", 12)
    small = scan([folder], QUICK)
    monkeypatch.setattr("deepscan.engine.casefile.HELD", 3)
    for case in (None, tmp_path / "a.case"):
        large = scan([folder], QUICK, case=case)
        assert not isinstance(large.items, tuple)
        assert timeless(large) == timeless(small)


def test_with_trust_mtime_unchanged_files_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, examined: list[str]
) -> None:
    folder, case = fill(tmp_path / "evidence", 6), tmp_path / "a.case"
    options = replace(QUICK, trust_mtime=True)
    first = scan([folder], options, case=case)
    examined.clear()
    read: list[str] = []

    def counted(candidate: Any, given: ScanOptions) -> Any:
        read.append(candidate.name.name)
        return identify(candidate, given)

    monkeypatch.setattr(sources, "identify", counted)
    assert timeless(scan([folder], options, case=case)) == timeless(first)
    assert read == ["005.txt"]  # what is no picture is told from its first bytes each time
    assert examined == []
    media_factory.write_png(folder, "001.png", seed=99)
    read.clear()
    changed = scan([folder], options, case=case)
    assert read == ["001.png", "005.txt"]
    assert examined == ["001.png"]
    assert changed.items[1].item.sha256 != first.items[1].item.sha256
    too_large = scan([folder], replace(options, max_size=10), case=case)
    assert {s.code for s in too_large.skipped} == {SkipCode.TOO_LARGE, SkipCode.NOT_MEDIA}


def test_a_trusted_file_is_read_before_anything_new_is_said_of_it(tmp_path: Path, examined: list[str]) -> None:
    """Bytes that changed under an unchanged time: an old answer is what was asked for, a mixture of two is not."""
    folder, case = fill(tmp_path / "evidence", 5), tmp_path / "a.case"
    options = replace(QUICK, trust_mtime=True)
    first = scan([folder], options, case=case)
    for name in ("000.png", "004.png"):  # a file and its copy
        path = folder / name
        times, data = path.stat(), bytearray(path.read_bytes())
        data[-20] ^= 1
        path.write_bytes(data)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert scan([folder], options, case=case).items == first.items
    assert scan([folder], replace(options, checks=("metadata",)), case=case).items[0].item == first.items[0].item
    examined.clear()
    wider = replace(options, checks=("identity", "metadata", "marks", "view"))
    assert timeless(scan([folder], wider, case=case)) == timeless(scan([folder], wider))


def test_a_trusted_file_that_goes_away_while_it_is_looked_up_ends_no_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, case = fill(tmp_path / "evidence", 3), tmp_path / "a.case"
    options = replace(QUICK, trust_mtime=True)
    first = scan([folder], options, case=case)
    real = CaseFile.same_place

    def removed(self: CaseFile, root: Path, name: str, modified: int) -> Any:
        (root / name).unlink()
        return real(self, root, name, modified)

    monkeypatch.setattr(CaseFile, "same_place", removed)
    assert scan([folder], options, case=case).items == first.items


def test_verify_unchanged_hashes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "evidence", 3)
    options = replace(QUICK, verify_unchanged=True)
    assert all(r.outcome is Outcome.DONE for i in scan([folder], options).items for r in i.results)
    target = folder / "001.png"
    real = examine

    def touched(task: Task, enter: Enter) -> Examined:
        """As a program that changes a file and puts its times back."""
        if task.item.path == target:
            data = bytearray(target.read_bytes())
            data[-1] ^= 1
            target.write_bytes(data)
            with monkeypatch.context() as patch:
                patch.setattr("deepscan.engine.runner.read_stamp", lambda item: task.stamp)
                return real(task, enter)
        return real(task, enter)

    monkeypatch.setattr(session, "examine", touched)
    report = scan([folder], options)
    reasons = [{r.reason for r in item.results} for item in report.items]
    assert reasons[0] == reasons[2] == {None}
    (reason,) = reasons[1]
    assert "its SHA-256 is now" in str(reason)


def test_a_signal_in_the_middle_keeps_the_order(tmp_path: Path) -> None:
    """Interrupted at every answer in turn, the report in between is always a part of the whole."""
    folder, case = fill(tmp_path / "evidence", 12), tmp_path / "a.case"
    whole = scan([folder], QUICK)
    for after in (1, 2, 5):
        cut = scan([folder], QUICK, case=case, events=Stopped(after))
        assert not cut.finished
        assert all(any(item.item == other.item for other in whole.items) for item in cut.items)
    assert timeless(scan([folder], QUICK, case=case)) == timeless(whole)
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
