from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from deepscan.checks.base import CheckSpec
from deepscan.engine import casefile, casefile_connection, casefile_errors
from deepscan.engine.casefile import CaseFile
from deepscan.engine.fingerprints import Wanted
from deepscan.engine.reuse import known
from deepscan.errors import CaseFileError, DeepscanError, OutputError
from deepscan.reports import base
from deepscan.reports.base import FORMATS
from deepscan.reports.differences import differences
from deepscan.reports.json_text import dump
from deepscan.reports.schema import to_json
from deepscan.types import (
    CheckResult,
    Deferred,
    Evidence,
    Finding,
    ItemReport,
    JSONValue,
    Level,
    MediaItem,
    MediaKind,
    Outcome,
    PointsTo,
    RunInfo,
    ScanReport,
)
from tests.fake_checks import spec
from tests.gold.sample import CLASSIFIED, DECLARED, NOT_UNICODE, REPORT, RUN, SKIPPED, VIDEO


def wanted(report: ItemReport) -> Wanted:
    """Keys for every check of a report."""
    return Wanted({r.check: f"{r.check}-{r.version}" for r in report.results}, "fingerprint-1")


def reused(case: CaseFile, item: MediaItem, keys: Wanted) -> ItemReport | None:
    """The whole answer that a case file has for a file."""
    found = known(case, item, keys, (), None)
    return found.answer[1] if found.answer else None


BEGUN = replace(RUN, finished=None)


def companions(path: Path) -> tuple[Path, ...]:
    """The case file and the files that may stand beside it while it is in use."""
    real = path.resolve()
    return real, *(real.with_name(real.name + suffix) for suffix in ("-wal", "-shm", "-journal", ".lock"))


def put(case: CaseFile, position: int, report: ItemReport, **more: Any) -> None:
    case.add(position, report, wanted(report), **more)


def numbered(number: int) -> ItemReport:
    item = replace(CLASSIFIED.item, name=PurePosixPath(f"n/{number}.jpg"), sha256=f"{number:064x}")
    return replace(CLASSIFIED, item=item)


def fill(case: CaseFile, report: ScanReport = REPORT) -> None:
    """Store a report, skipped files between the items, answers out of order."""
    case.begin(replace(report.run, finished=None))
    for index in reversed(range(len(report.items))):
        put(case, 2 * index, report.items[index])
    for index, skipped in enumerate(report.skipped):
        case.skip(2 * index + 1, skipped)
    case.finish(report.run)


def fill_and_change(path: Path, statement: str) -> None:
    """A case file in which somebody else has changed something."""
    with CaseFile.open(path) as case:
        fill(case)
    _change(path, statement)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "case.deepscan"


def test_the_report_of_a_reopened_case_is_the_one_that_was_stored(path: Path) -> None:
    with CaseFile.open(path) as case:
        fill(case)
        assert case.report() == REPORT
    with CaseFile.open(path) as case:
        assert case.report() == REPORT
    with CaseFile.open(path, read_only=True) as case:
        assert case.report() == REPORT
        with case.stored() as stored:
            assert (len(stored.items), len(stored.skipped)) == (len(REPORT.items), len(REPORT.skipped))
            for _ in range(2):  # as often as is needed
                assert tuple(stored.items) == REPORT.items
                assert tuple(stored.skipped) == REPORT.skipped
            assert (stored.run, stored.finished, stored.schema) == (REPORT.run, REPORT.finished, REPORT.schema)


def test_in_memory_it_is_the_same() -> None:
    with CaseFile.open(None) as case:
        fill(case)
        assert case.report() == REPORT


def test_at_rest_it_is_one_file_that_is_read_without_writing_anything(path: Path) -> None:
    with CaseFile.open(path) as case:
        fill(case)
        assert set(path.parent.iterdir()) <= set(companions(path))
    assert list(path.parent.iterdir()) == [path]
    before = path.read_bytes()
    with CaseFile.open(path, read_only=True) as case:
        case.report()
        assert list(path.parent.iterdir()) == [path]
        with pytest.raises(CaseFileError):
            case.begin(BEGUN)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_run_that_did_not_finish_says_so(path: Path) -> None:
    with CaseFile.open(path) as case:
        case.begin(BEGUN)
        put(case, 0, CLASSIFIED)
    with CaseFile.open(path) as case:
        assert case.report() == replace(REPORT, run=BEGUN, items=(CLASSIFIED,), skipped=(), finished=False)


def test_a_new_run_takes_the_place_of_the_report_with_its_first_answer_and_keeps_the_answers(path: Path) -> None:
    with CaseFile.open(path) as case:
        fill(case)
    with CaseFile.open(path) as case:
        case.begin(BEGUN)
        case.amend(BEGUN)
        assert case.report() == REPORT  # it has no answer of its own yet
    with CaseFile.open(path) as case:
        assert case.report() == REPORT  # and has never had one
        assert case.last_run() == RUN
        case.begin(BEGUN)
        kept = reused(case, CLASSIFIED.item, wanted(CLASSIFIED))
        assert kept == CLASSIFIED
        put(case, 0, kept)
        assert case.report() == replace(REPORT, run=BEGUN, items=(CLASSIFIED,), skipped=(), finished=False)
        case.finish(RUN)
        assert case.report().items == (CLASSIFIED,)


def test_a_run_in_which_nothing_was_found_is_a_report_too() -> None:
    with CaseFile.open(None) as case:
        fill(case)
        case.begin(BEGUN)
        case.finish(RUN)
        assert case.report() == replace(REPORT, items=(), skipped=())


def test_a_first_answer_that_could_not_be_stored_leaves_the_report_before_it() -> None:
    with CaseFile.open(None) as case:
        fill(case)
        case.begin(BEGUN)
        case._connection.execute(
            "CREATE TEMP TRIGGER stop BEFORE INSERT ON entries BEGIN SELECT raise(FAIL, 'no'); END"
        )
        with pytest.raises(ValueError, match="place 0"):
            put(case, 0, CLASSIFIED)
        assert case.report() == REPORT
        case._connection.execute("DROP TRIGGER stop")
        put(case, 0, CLASSIFIED)
        assert case.report().items == (CLASSIFIED,)


def test_a_large_report_is_read_when_it_is_gone_through_and_outlives_the_case_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casefile, "HELD", 2)
    with CaseFile.open(path) as case:
        fill(case)
        report = case.report()
    assert len(report.items) == len(REPORT.items)
    assert report.items[0] == REPORT.items[0]
    assert report.items[-1] == REPORT.items[-1]
    assert report.items[1:] == REPORT.items[1:]
    assert list(report.skipped) == list(REPORT.skipped)
    with pytest.raises(IndexError):
        report.items[len(REPORT.items)]
    with CaseFile.open(None) as private:
        fill(private)
        report = private.report()
    assert report == REPORT


def test_a_large_report_of_a_case_that_was_scanned_into_again_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casefile, "HELD", 2)
    with CaseFile.open(path) as case:
        fill(case)
        report = case.report()
    with CaseFile.open(path) as case:
        fill(case)
    with pytest.raises(CaseFileError, match="scanned into again"):
        list(report.items)


def test_a_whole_answer_is_reused_for_the_same_place_bytes_and_keys() -> None:
    item, keys = CLASSIFIED.item, wanted(CLASSIFIED)
    with CaseFile.open(None) as case:
        fill(case)
        assert reused(case, item, keys) == CLASSIFIED
        assert reused(case, item, replace(keys, fingerprint="another")) is None
        assert reused(case, item, replace(keys, keys={**keys.keys, "ela": "another"})) is None
        for change in (
            replace(item, name=PurePosixPath("b/other.jpg")),
            replace(item, root=Path("/other")),
            replace(item, sha256="f" * 64),
            replace(item, size=item.size + 1),
            replace(item, container="png"),
            replace(item, kind=MediaKind.VIDEO),
        ):
            assert reused(case, change, keys) is None
        assert reused(case, NOT_UNICODE.item, wanted(NOT_UNICODE)) == NOT_UNICODE


def specs(report: ItemReport, *, by_name: str = "") -> tuple[CheckSpec, ...]:
    return tuple(replace(spec(r.check), by_name=r.check == by_name) for r in report.results)


def test_results_are_reused_for_copies_and_for_the_same_keys_one_by_one() -> None:
    item, keys = CLASSIFIED.item, wanted(CLASSIFIED)
    first, *others = CLASSIFIED.results
    copy = replace(item, root=Path("/other"), name=PurePosixPath("copy.jpg"))
    with CaseFile.open(None) as case:
        fill(case)
        found = known(case, copy, keys, specs(CLASSIFIED), None)
        assert found.answer is None
        assert found.results == {r.check: r for r in CLASSIFIED.results}
        changed = replace(keys, keys={**keys.keys, first.check: "another"})
        assert known(case, item, changed, specs(CLASSIFIED), None).results == {r.check: r for r in others}
        named = specs(CLASSIFIED, by_name=first.check)
        assert known(case, copy, keys, named, None).results == {r.check: r for r in others}
        for other in (replace(copy, size=1), replace(copy, container="png"), replace(copy, sha256="f" * 64)):
            assert not known(case, other, keys, specs(CLASSIFIED), None).results


def test_what_quotes_a_name_is_not_reused_for_a_copy_of_another_name() -> None:
    item = replace(CLASSIFIED.item, name=PurePosixPath("x/odd\x1b name.jpg"))
    quoting = CheckResult("ela", "2", Outcome.FAILED, reason="odd\\x1b name.jpg is truncated.")
    report = replace(CLASSIFIED, item=item, results=(quoting, *CLASSIFIED.results))
    keys = wanted(report)
    with CaseFile.open(None) as case:
        case.begin(BEGUN)
        put(case, 0, report)
        copy = replace(item, name=PurePosixPath("copy.jpg"))
        assert known(case, copy, keys, specs(report), None).results.keys() == {r.check for r in CLASSIFIED.results}
        elsewhere = replace(item, root=Path("/other"))
        assert known(case, elsewhere, keys, specs(report), None).results.keys() == keys.keys.keys()


def test_answers_of_other_options_stay_and_are_found() -> None:
    few = replace(CLASSIFIED, results=CLASSIFIED.results[:1])
    with CaseFile.open(None) as case:
        for report, name in ((CLASSIFIED, "all"), (few, "few")):
            case.begin(BEGUN)
            case.add(0, report, replace(wanted(report), fingerprint=name))
        assert reused(case, CLASSIFIED.item, replace(wanted(CLASSIFIED), fingerprint="all")) == CLASSIFIED
        assert reused(case, CLASSIFIED.item, replace(wanted(few), fingerprint="few")) == few


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.TIMED_OUT])
def test_what_another_try_may_better_is_reported_but_tried_again(outcome: Outcome) -> None:
    bad = CheckResult("bad", "2", outcome, reason="It did not work.")
    report = replace(CLASSIFIED, results=(*CLASSIFIED.results, bad))
    passing = frozenset({"bad"} if outcome is Outcome.FAILED else ())
    with CaseFile.open(None) as case:
        case.begin(BEGUN)
        put(case, 0, report, passing=passing)
        assert case.report().items == (report,)
        found = known(case, report.item, wanted(report), specs(report), None)
        assert found.answer is None
        assert found.results.keys() == {r.check for r in CLASSIFIED.results}


def test_a_lasting_failure_is_reused() -> None:
    with CaseFile.open(None) as case:
        fill(case)
        assert reused(case, DECLARED.item, wanted(DECLARED)) == DECLARED  # its classifier failed
        assert reused(case, VIDEO.item, wanted(VIDEO)) is None  # its metadata timed out


def test_a_file_is_known_by_its_place_and_its_last_change() -> None:
    item = NOT_UNICODE.item
    with CaseFile.open(None) as case:
        case.begin(BEGUN)
        put(case, 0, NOT_UNICODE, modified=17)
        assert case.same_place(item.root, str(item.name), 17) == item
        assert case.same_place(item.root, str(item.name), 18) is None
        assert case.same_place(Path("/other"), str(item.name), 17) is None
        assert case.same_place(item.root, "other.jpg", 17) is None
        case.begin(BEGUN)
        (stored,) = case.same_bytes(item)
        case.repeat(0, stored, modified=18)
        assert case.same_place(item.root, str(item.name), 18) == item
        assert case.report().items == (NOT_UNICODE,)


def test_what_is_entered_again_waits_for_others_and_is_there_for_whoever_looks(path: Path) -> None:
    with CaseFile.open(path) as case:
        fill(case)
        case.begin(BEGUN)
        stored = {report.item: whole for report in REPORT.items if (whole := case.whole(report.item, wanted(report)))}
        first, second, third, *_ = stored
        case.repeat(0, stored[first])
        with CaseFile.open(path, read_only=True) as looking_on:
            assert looking_on.report() == REPORT  # of the run before
            case.repeat(1, stored[second])
            put(case, 2, CLASSIFIED)
            assert [i.item for i in looking_on.report().items] == [first, second, CLASSIFIED.item]
        case.repeat(3, stored[third])
        assert [i.item for i in case.report().items] == [first, second, CLASSIFIED.item, third]
        case.repeat(4, stored[first])
        case.finish(RUN)
        assert [i.item for i in case.report().items] == [first, second, CLASSIFIED.item, third, first]


def test_no_more_than_a_bounded_number_waits(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casefile, "MOST_WAITING", 3)
    with CaseFile.open(path) as case, CaseFile.open(path, read_only=True) as looking_on:
        fill(case)
        case.begin(BEGUN)
        stored = case.whole(CLASSIFIED.item, wanted(CLASSIFIED))
        assert stored is not None
        seen = []
        for position in range(7):
            case.repeat(position, stored)
            seen.append(len(looking_on.report().items))
        assert seen == [len(REPORT.items)] * 2 + [3, 3, 3, 6, 6]


def test_what_waits_is_entered_once_when_ctrl_c_comes_as_it_is_stored(path: Path) -> None:
    with CaseFile.open(path) as case:
        fill(case)
        case.begin(BEGUN)
        stored = case.whole(CLASSIFIED.item, wanted(CLASSIFIED))
        assert stored is not None
        case.repeat(0, stored)
        waiting = list(case._waiting)
        case.repeat(1, stored)
        assert len(case.report().items) == 2
        case._waiting.extend(waiting)  # stored, and interrupted before that was noted
        assert len(case.report().items) == 2
        other = case.whole(NOT_UNICODE.item, wanted(NOT_UNICODE))
        assert other is not None
        case.repeat(0, other)
        with pytest.raises(ValueError, match="place 0"):
            case.report()


def test_a_whole_answer_is_read_in_parts_and_damage_is_told_where_it_is_looked_at(path: Path) -> None:
    fill_and_change(path, 'UPDATE answers SET report = replace(report, \'"outcome":"done"\', \'"outcome":"odd"\')')
    with CaseFile.open(path) as case:
        found = reused(case, CLASSIFIED.item, wanted(CLASSIFIED))
        assert found is not None
        assert (found.item, found.verdict) == (CLASSIFIED.item, CLASSIFIED.verdict)
        with pytest.raises(CaseFileError, match=r"case\.deepscan is damaged.*outcome is not one of"):
            len(found.results)
        with pytest.raises(CaseFileError, match=r"case\.deepscan is damaged"):
            case.report()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE answers SET report = replace(report, '\"verdict\":', '\"verdict\":,')",
        "UPDATE answers SET report = replace(report, '\"verdict\":', '\"judgement\":')",
        "UPDATE answers SET report = CAST(report AS BLOB)",
    ],
)
def test_a_damaged_end_is_told_or_not_reused(path: Path, statement: str) -> None:
    fill_and_change(path, statement)
    with CaseFile.open(path) as case, pytest.raises(CaseFileError, match=r"case\.deepscan is damaged"):
        reused(case, CLASSIFIED.item, wanted(CLASSIFIED))


@pytest.mark.parametrize(("old", "new"), [('{"item":', '{ "item" : '), ('{"item":', '{"item": '), ('{"', '{ "')])
def test_an_answer_laid_out_otherwise_is_read_all_the_same(path: Path, old: str, new: str) -> None:
    fill_and_change(path, f"UPDATE answers SET report = replace(report, '{old}', '{new}'), modified = 17")
    with CaseFile.open(path) as case:
        assert reused(case, CLASSIFIED.item, wanted(CLASSIFIED)) is None
        found = known(case, CLASSIFIED.item, wanted(CLASSIFIED), specs(CLASSIFIED), None)
        assert found.results == {r.check: r for r in CLASSIFIED.results}
        assert case.report() == REPORT
        assert case.same_place(CLASSIFIED.item.root, str(CLASSIFIED.item.name), 17) == CLASSIFIED.item
        with case.stored() as stored:
            assert tuple(stored.items) == REPORT.items


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_read_entry_by_entry_is_written_as_the_one_in_memory(
    name: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CaseFile.open(path) as case:
        fill(case)
        monkeypatch.setattr(casefile, "HELD", 2)
        read = case.report()
    assert {type(item.results) for item in read.items} == {Deferred}
    folders = [path.parent / "read", path.parent / "held"]
    for report, folder in zip((read, REPORT), folders, strict=True):
        base.write(report, [name], folder)
    written = [{file.name: file.read_bytes() for file in folder.iterdir()} for folder in folders]
    assert written[0] == written[1]


def test_comparing_reports_changes_nothing_in_them(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with CaseFile.open(path) as case:
        fill(case)
        monkeypatch.setattr(casefile, "HELD", 2)
        items = tuple(case.report().items)
    read = replace(REPORT, items=items)
    list(differences(read, REPORT))
    assert dump(to_json(read)) == dump(to_json(REPORT))


def saying(value: JSONValue) -> Finding:
    return Finding("DS-1", Level.INFO, PointsTo.NEITHER, "s", (Evidence("", value),))


@pytest.mark.parametrize(
    ("change", "incomplete", "known_beforehand"),
    [
        ({}, False, True),
        ({"partial": "The end is missing."}, True, False),
        ({"outcome": Outcome.FAILED, "reason": "It broke."}, True, False),
        ({"outcome": Outcome.TIMED_OUT, "reason": "It took too long."}, True, False),
        ({"outcome": Outcome.NOT_APPLICABLE, "reason": 'It is no "failed", nor "partial":"odd".'}, False, True),
        ({"findings": (saying("failed"),)}, False, False),
        ({"findings": (saying({"partial": 1}),)}, False, False),
    ],
)
def test_a_glance_says_what_is_complete_and_never_too_much(
    change: dict[str, Any], incomplete: bool, known_beforehand: bool
) -> None:
    report = replace(CLASSIFIED, results=(replace(CheckResult("ela", "2", Outcome.DONE), **change),))
    with CaseFile.open(None) as case:
        case.begin(BEGUN)
        put(case, 0, report)
        with case.stored() as stored:
            (read,) = stored.items
        assert isinstance(read.results, Deferred)
        assert read.results.complete is known_beforehand
        assert read.incomplete is report.incomplete is incomplete
        assert read == report


def test_a_place_has_one_answer() -> None:
    with CaseFile.open(None) as case:
        case.begin(BEGUN)
        put(case, 0, CLASSIFIED)
        with pytest.raises(ValueError, match="place 0"):
            put(case, 0, VIDEO)
        with pytest.raises(ValueError, match="place 0"):
            case.skip(0, SKIPPED[0])
        assert case.report().items == (CLASSIFIED,)
        put(case, 1, VIDEO)


def test_answers_need_a_run() -> None:
    with CaseFile.open(None) as case:
        with pytest.raises(ValueError, match="no run"):
            put(case, 0, CLASSIFIED)
        with pytest.raises(ValueError, match="no run"):
            case.skip(0, SKIPPED[0])
        with pytest.raises(CaseFileError, match="holds no run"):
            case.report()


def test_an_answer_that_is_no_json_leaves_the_case_as_it_was() -> None:
    result = replace(CLASSIFIED.results[1], findings=(replace(CLASSIFIED.results[1].findings[0], code=b"x"),))  # type: ignore[arg-type]
    with CaseFile.open(None) as case:
        case.begin(BEGUN)
        with pytest.raises(TypeError):
            put(case, 0, replace(CLASSIFIED, results=(result,)))
        put(case, 0, CLASSIFIED)
        assert case.report().items == (CLASSIFIED,)


# Who may write.


def test_a_second_scan_is_refused_and_the_first_goes_on(path: Path) -> None:
    with CaseFile.open(path) as first:
        first.begin(BEGUN)
        with pytest.raises(CaseFileError, match="in use by another deepscan") as caught:
            CaseFile.open(path)
        assert str(path) in caught.value.message
        assert caught.value.hint
        put(first, 0, CLASSIFIED)
    with CaseFile.open(path) as case:
        assert case.report().items == (CLASSIFIED,)


def test_a_link_to_the_case_file_is_the_same_case_file(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    with CaseFile.open(path):
        link.symlink_to(path)
        with pytest.raises(CaseFileError, match="in use"):
            CaseFile.open(link)


def test_reading_the_files_of_an_open_case_does_not_free_it(path: Path) -> None:
    with CaseFile.open(path) as case:
        case.begin(BEGUN)
        for beside in companions(path):
            if beside.exists():
                beside.read_bytes()  # as a scan of its own folder does: POSIX record locks would be gone now
        refused = subprocess.run([sys.executable, "-c", _OPEN, str(path)], capture_output=True, text=True, check=False)
        assert "in use by another deepscan" in refused.stdout


def test_a_reader_may_look_on_and_sees_what_is_done(path: Path) -> None:
    with CaseFile.open(path) as case:
        case.begin(BEGUN)
        put(case, 0, CLASSIFIED)
        with CaseFile.open(path, read_only=True) as reader:
            assert reader.report().items == (CLASSIFIED,)
            put(case, 1, VIDEO)
            assert reader.report().items == (CLASSIFIED, VIDEO)
        case.finish(RUN)
    with CaseFile.open(path) as case:
        assert case.report().finished


_OPEN = """
import sys
from pathlib import Path
from deepscan.engine.casefile import CaseFile
from deepscan.errors import CaseFileError
try:
    CaseFile.open(Path(sys.argv[1]))
    print("open")
except CaseFileError as e:
    print(e.message)
"""

_ADD_FOR_EVER = """
import sys
from dataclasses import replace
from pathlib import Path
from deepscan.engine.casefile import CaseFile
from tests.unit.engine.test_casefile import BEGUN, numbered, put
case = CaseFile.open(Path(sys.argv[1]))
case.begin(BEGUN)
number = 0
while True:
    put(case, number, numbered(number))
    print(number, flush=True)
    number += 1
"""


@pytest.fixture
def adding(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that adds answers until it is killed, and says of each when it is in."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_ADD_FOR_EVER), str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as process:
        yield process
        process.kill()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("wanted", [1, 60])
def test_killed_at_any_instant_it_holds_every_answer_it_had_taken(
    path: Path, adding: subprocess.Popen[str], wanted: int
) -> None:
    assert adding.stdout
    last = [int(adding.stdout.readline()) for _ in range(wanted)][-1]
    with pytest.raises(CaseFileError, match="in use"):
        CaseFile.open(path)
    adding.send_signal(signal.SIGKILL)
    last = max([last, *map(int, adding.stdout.read().splitlines())])
    adding.wait()
    # A copy without its lock, as an examiner would carry it away, and the file itself.
    copy = path.parent / "copy"
    copy.mkdir()
    for file in path.parent.glob(path.name + "*"):
        shutil.copy(file, copy)
    for opened in (CaseFile.open(copy / path.name, read_only=True), CaseFile.open(path)):
        with opened as case:
            report = case.report()
            assert not report.finished
            assert len(report.items) in (last + 1, last + 2)  # the last one may be in without having been said
            assert report.items == tuple(map(numbered, range(len(report.items))))


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_killed_while_it_is_made_it_can_be_made_again(path: Path) -> None:
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom deepscan.engine.casefile import CaseFile\n"
        "CaseFile._transaction = lambda self, kind='': os.kill(os.getpid(), signal.SIGKILL)\n"
        "CaseFile.open(Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.exists()
    with CaseFile.open(path) as case:
        fill(case)
        assert case.report() == REPORT
    assert list(path.parent.iterdir()) == [path]


# Files that are no case files, damaged ones, and disks that refuse.


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("data", [b"x", b"{}\n", b"\xff\xd8\xff\xe0" * 300, b"SQLite format 3\0" + b"\xff" * 500])
def test_another_file_is_refused_and_left_as_it_is(path: Path, data: bytes, read_only: bool) -> None:
    path.write_bytes(data)
    with pytest.raises(CaseFileError, match=r"not a deepscan case file|is damaged"):
        CaseFile.open(path, read_only=read_only)
    assert path.read_bytes() == data
    assert list(path.parent.iterdir()) == [path]


def test_another_programs_database_is_refused_and_left_as_it_is(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE runs (id)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(CaseFileError, match="not a deepscan case file") as caught:
        CaseFile.open(path)
    assert "--case" in caught.value.hint
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def _change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("PRAGMA user_version = 3", "newer version"),
        ("PRAGMA user_version = 1", "older version"),
        ("PRAGMA user_version = 0", "damaged"),
        ("DROP TABLE entries", "damaged"),
        ("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM answers; END", "damaged"),
        ("CREATE VIEW v AS SELECT 1", "damaged"),
    ],
)
def test_another_version_and_changed_tables_are_refused(
    path: Path, statement: str, words: str, read_only: bool
) -> None:
    fill_and_change(path, statement)
    with pytest.raises(CaseFileError, match=words):
        CaseFile.open(path, read_only=read_only)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE answers SET report = '{\"item\": 1}'",
        "UPDATE answers SET report = substr(report, 1, 100)",
        "UPDATE answers SET report = x'ff00'",
        "UPDATE answers SET report = CAST(x'22ff22' AS TEXT)",
        "DELETE FROM answers",
        "UPDATE runs SET info = '[]'",
        "UPDATE entries SET skipped = '{}' WHERE skipped IS NOT NULL",
    ],
)
def test_damaged_answers_are_a_sentence(path: Path, statement: str) -> None:
    fill_and_change(path, statement)
    with CaseFile.open(path) as case, pytest.raises(CaseFileError, match=r"case\.deepscan is damaged"):
        report = case.report()
        list(report.items), list(report.skipped)


def test_damaged_bytes_are_a_sentence(path: Path) -> None:
    with CaseFile.open(path) as case:
        case.begin(BEGUN)
        for number in range(50):
            put(case, number, numbered(number))
    whole = path.read_bytes()
    assert len(whole) > 8 * 4096
    outcomes = set()
    for start in range(0, len(whole), 4096):
        path.write_bytes(whole[:start] + b"\xa5" * 4096 + whole[start + 4096 :])
        outcomes.add(_reading(path))
    path.write_bytes(whole[: len(whole) // 2])
    outcomes.add(_reading(path))
    assert "CaseFileError" in outcomes
    assert outcomes <= {"CaseFileError", "whole"}


def _reading(path: Path) -> str:
    """Any page of it may be hit; what is read must be right, or refused."""
    try:
        with CaseFile.open(path, read_only=True) as case:
            items = tuple(case.report().items)
    except DeepscanError as e:
        return type(e).__name__
    return "whole" if items == tuple(map(numbered, range(50))) else "wrong"


def test_a_full_disk_is_an_output_error_and_what_was_finished_is_kept(path: Path) -> None:
    with CaseFile.open(path) as case:
        case.begin(BEGUN)
        put(case, 0, CLASSIFIED)
        ((pages,),) = case._connection.execute("PRAGMA page_count")
        case._connection.execute(f"PRAGMA max_page_count = {pages + 2}")  # SQLite's own way to a full disk
        with pytest.raises(OutputError, match="the disk is full") as caught:
            for number in range(1, 1000):
                put(case, number, numbered(number))
        assert "Free some space" in caught.value.hint
        kept = tuple(case.report().items)
    with CaseFile.open(path) as case:
        assert case.report().items == kept
        assert kept[0] == CLASSIFIED


@pytest.mark.parametrize("message", ["attempt to write a readonly database", "disk I/O error"])
def test_a_disk_that_refuses_is_an_output_error(path: Path, message: str) -> None:
    code = {"disk I/O error": sqlite3.SQLITE_IOERR | 3 << 8}.get(message, sqlite3.SQLITE_READONLY)
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    with pytest.raises(OutputError, match=message), casefile_errors.translated("case", read_only=False):
        raise error
    with pytest.raises(CaseFileError, match="cannot be read"), casefile_errors.translated("case", read_only=True):
        raise error


def test_a_case_another_program_writes_to_is_a_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casefile_connection, "_WAIT", 0.05)
    with CaseFile.open(path) as case:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CaseFileError, match="held by another program"):
            case.begin(BEGUN)
        other.execute("ROLLBACK")
        other.close()
        case.begin(BEGUN)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the system refuses root nothing")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            CaseFile.open(tmp_path / "case")
    finally:
        tmp_path.chmod(0o700)


def test_places_where_no_case_can_be(tmp_path: Path, path: Path) -> None:
    path.write_bytes(b"")
    with pytest.raises(CaseFileError, match="is a folder"):
        CaseFile.open(tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        CaseFile.open(path / "below" / "a" / "file")
    with pytest.raises(CaseFileError, match="There is no case file"):
        CaseFile.open(tmp_path / "none", read_only=True)
    with pytest.raises(CaseFileError, match="is empty"):
        CaseFile.open(path, read_only=True)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_pipe_is_refused_without_waiting_for_it(path: Path) -> None:
    os.mkfifo(path)
    for read_only in (False, True):
        with pytest.raises(CaseFileError, match="folder or a device"):
            CaseFile.open(path, read_only=read_only)


def test_missing_folders_are_made_and_odd_names_are_names(tmp_path: Path) -> None:
    for name in (os.fsdecode(b"caf\xe9"), "a?mode=memory", "100%25 #1", ":memory:", "new\nline"):
        path = tmp_path / "deep" / name / name
        with CaseFile.open(path) as case:
            fill(case)
        with CaseFile.open(path, read_only=True) as case:
            assert case.report() == REPORT
        assert list(path.parent.iterdir()) == [path]


def test_a_name_with_escape_codes_is_shown_harmlessly(tmp_path: Path) -> None:
    path = tmp_path / "c\x1b[2J"
    path.write_bytes(b"no")
    with pytest.raises(CaseFileError, match=r"c\\x1b") as caught:
        CaseFile.open(path)
    assert caught.value.message.isprintable()


def test_companions_are_the_files_that_appear_beside_it(path: Path) -> None:
    with CaseFile.open(path) as case:
        case.begin(BEGUN)
        names = {p.resolve() for p in path.parent.iterdir()}
        assert len(names) > 2
        assert names <= set(companions(path))


def test_what_is_stored_is_utf8_whatever_the_names_are(path: Path) -> None:
    with CaseFile.open(path) as case:
        fill(case)
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    names = [row[0].decode("utf-8") for row in connection.execute("SELECT name FROM answers")]
    connection.close()
    assert "caf\ufffd{dce9} \U0001f4f7 \ufffd{fffd}{.jpg" in names


def _run(number: int) -> RunInfo:
    return replace(BEGUN, started=f"2026-01-02T03:04:{number:02}Z")


def test_the_report_is_of_the_last_run(path: Path) -> None:
    for number in range(3):
        with CaseFile.open(path) as case:
            case.begin(_run(number))
            put(case, 0, numbered(number))
    with CaseFile.open(path) as case:
        report = case.report()
    assert (report.run, report.items) == (_run(2), (numbered(2),))
