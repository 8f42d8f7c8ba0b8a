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

import pytest

from deepscan.engine import casefile
from deepscan.engine.casefile import CaseFile
from deepscan.engine.caselock import companions
from deepscan.errors import CaseFileError, DeepscanError, OutputError
from deepscan.types import CheckResult, ItemReport, MediaKind, Outcome, RunInfo, ScanReport
from tests.gold.sample import CLASSIFIED, DECLARED, NOT_UNICODE, REPORT, RUN, SKIPPED, VIDEO

PRINT = "fingerprint-1"
BEGUN = replace(RUN, finished=None)


def numbered(number: int) -> ItemReport:
    item = replace(CLASSIFIED.item, name=PurePosixPath(f"n/{number}.jpg"), sha256=f"{number:064x}")
    return replace(CLASSIFIED, item=item)


def fill(case: CaseFile, report: ScanReport = REPORT) -> None:
    """Store a report, skipped files between the items, answers out of order."""
    case.begin(replace(report.run, finished=None))
    for index in reversed(range(len(report.items))):
        case.add(2 * index, report.items[index], PRINT)
    for index, skipped in enumerate(report.skipped):
        case.skip(2 * index + 1, skipped)
    case.finish(report.run)


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
        case.add(0, CLASSIFIED, PRINT)
    with CaseFile.open(path) as case:
        assert case.report() == replace(REPORT, run=BEGUN, items=(CLASSIFIED,), skipped=(), finished=False)


def test_a_new_run_starts_an_empty_report_and_keeps_the_answers(path: Path) -> None:
    with CaseFile.open(path) as case:
        fill(case)
        case.begin(BEGUN)
        assert case.report() == replace(REPORT, run=BEGUN, items=(), skipped=(), finished=False)
        kept = case.reuse(CLASSIFIED.item, PRINT)
        assert kept == CLASSIFIED
        case.add(0, kept, PRINT)
        case.finish(RUN)
        assert case.report().items == (CLASSIFIED,)


def test_reuse_needs_the_same_name_bytes_and_fingerprint() -> None:
    item = CLASSIFIED.item
    with CaseFile.open(None) as case:
        fill(case)
        assert case.reuse(item, PRINT) == CLASSIFIED
        assert case.reuse(item, "another") is None
        for change in (
            replace(item, name=PurePosixPath("b/other.jpg")),
            replace(item, sha256="f" * 64),
            replace(item, size=item.size + 1),
            replace(item, container="png"),
            replace(item, kind=MediaKind.VIDEO),
        ):
            assert case.reuse(change, PRINT) is None
        assert case.reuse(NOT_UNICODE.item, PRINT) == NOT_UNICODE


def test_the_same_file_under_another_root_is_reused_as_it_lies_now() -> None:
    moved = replace(CLASSIFIED.item, root=Path("/other"))
    with CaseFile.open(None) as case:
        fill(case)
        reused = case.reuse(moved, PRINT)
        assert reused == replace(CLASSIFIED, item=moved)
        case.begin(BEGUN)
        case.add(0, CLASSIFIED, PRINT)
        case.add(1, reused, PRINT)
        assert [r.item.root for r in case.report().items] == [CLASSIFIED.item.root, Path("/other")]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.TIMED_OUT])
def test_what_another_try_may_better_is_reported_but_tried_again(outcome: Outcome) -> None:
    bad = CheckResult("ela", "2", outcome, reason="It did not work.")
    with CaseFile.open(None) as case:
        case.begin(BEGUN)
        case.add(0, replace(CLASSIFIED, results=(*CLASSIFIED.results, bad)), PRINT, reusable=False)
        assert len(case.report().items) == 1
        assert case.reuse(CLASSIFIED.item, PRINT) is None
        case.begin(BEGUN)
        case.add(0, CLASSIFIED, PRINT)
        assert case.reuse(CLASSIFIED.item, PRINT) == CLASSIFIED
        assert case.report().items == (CLASSIFIED,)


def test_a_lasting_failure_is_reused_and_a_check_that_timed_out_never_is() -> None:
    with CaseFile.open(None) as case:
        fill(case)
        assert case.reuse(DECLARED.item, PRINT) == DECLARED  # its classifier failed
        assert case.reuse(VIDEO.item, PRINT) is None  # its metadata timed out
        assert case.reuse(NOT_UNICODE.item, PRINT) is not None


def test_a_place_has_one_answer() -> None:
    with CaseFile.open(None) as case:
        case.begin(BEGUN)
        case.add(0, CLASSIFIED, PRINT)
        with pytest.raises(ValueError, match="place 0"):
            case.add(0, VIDEO, PRINT)
        with pytest.raises(ValueError, match="place 0"):
            case.skip(0, SKIPPED[0])
        assert case.report().items == (CLASSIFIED,)
        case.add(1, VIDEO, PRINT)


def test_answers_need_a_run() -> None:
    with CaseFile.open(None) as case:
        with pytest.raises(ValueError, match="no run"):
            case.add(0, CLASSIFIED, PRINT)
        with pytest.raises(ValueError, match="no run"):
            case.skip(0, SKIPPED[0])
        with pytest.raises(CaseFileError, match="holds no run"):
            case.report()


def test_an_answer_that_is_no_json_leaves_the_case_as_it_was() -> None:
    result = replace(CLASSIFIED.results[1], findings=(replace(CLASSIFIED.results[1].findings[0], code=b"x"),))  # type: ignore[arg-type]
    with CaseFile.open(None) as case:
        case.begin(BEGUN)
        with pytest.raises(TypeError):
            case.add(0, replace(CLASSIFIED, results=(result,)), PRINT)
        case.add(0, CLASSIFIED, PRINT)
        assert case.report().items == (CLASSIFIED,)


# Who may write.


def test_a_second_scan_is_refused_and_the_first_goes_on(path: Path) -> None:
    with CaseFile.open(path) as first:
        first.begin(BEGUN)
        with pytest.raises(CaseFileError, match="in use by another deepscan") as caught:
            CaseFile.open(path)
        assert str(path) in caught.value.message
        assert caught.value.hint
        first.add(0, CLASSIFIED, PRINT)
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
        case.add(0, CLASSIFIED, PRINT)
        with CaseFile.open(path, read_only=True) as reader:
            assert reader.report().items == (CLASSIFIED,)
            case.add(1, VIDEO, PRINT)
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
from tests.unit.engine.test_casefile import BEGUN, PRINT, numbered
case = CaseFile.open(Path(sys.argv[1]))
case.begin(BEGUN)
number = 0
while True:
    case.add(number, numbered(number), PRINT)
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
        ("PRAGMA user_version = 2", "newer version"),
        ("PRAGMA user_version = 0", "damaged"),
        ("DROP TABLE entries", "damaged"),
        ("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM answers; END", "damaged"),
        ("CREATE VIEW v AS SELECT 1", "damaged"),
    ],
)
def test_another_version_and_changed_tables_are_refused(
    path: Path, statement: str, words: str, read_only: bool
) -> None:
    with CaseFile.open(path) as case:
        fill(case)
    _change(path, statement)
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
    with CaseFile.open(path) as case:
        fill(case)
    _change(path, statement)
    with CaseFile.open(path) as case, pytest.raises(CaseFileError, match=r"case\.deepscan is damaged"):
        case.report()


def test_damaged_bytes_are_a_sentence(path: Path) -> None:
    with CaseFile.open(path) as case:
        case.begin(BEGUN)
        for number in range(50):
            case.add(number, numbered(number), PRINT)
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
            report = case.report()
    except DeepscanError as e:
        return type(e).__name__
    return "whole" if report.items == tuple(map(numbered, range(50))) else "wrong"


def test_a_full_disk_is_an_output_error_and_what_was_finished_is_kept(path: Path) -> None:
    with CaseFile.open(path) as case:
        case.begin(BEGUN)
        case.add(0, CLASSIFIED, PRINT)
        ((pages,),) = case._connection.execute("PRAGMA page_count")
        case._connection.execute(f"PRAGMA max_page_count = {pages + 2}")  # SQLite's own way to a full disk
        with pytest.raises(OutputError, match="the disk is full") as caught:
            for number in range(1, 1000):
                case.add(number, numbered(number), PRINT)
        assert "Free some space" in caught.value.hint
        kept = case.report().items
    with CaseFile.open(path) as case:
        assert case.report().items == kept
        assert kept[0] == CLASSIFIED


@pytest.mark.parametrize("message", ["attempt to write a readonly database", "disk I/O error"])
def test_a_disk_that_refuses_is_an_output_error(path: Path, message: str) -> None:
    code = {"disk I/O error": sqlite3.SQLITE_IOERR | 3 << 8}.get(message, sqlite3.SQLITE_READONLY)
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    with pytest.raises(OutputError, match=message), casefile._translated("case", read_only=False):
        raise error
    with pytest.raises(CaseFileError, match="cannot be read"), casefile._translated("case", read_only=True):
        raise error


def test_a_case_another_program_writes_to_is_a_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casefile, "_WAIT", 0.05)
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
            case.add(0, numbered(number), PRINT)
    with CaseFile.open(path) as case:
        report = case.report()
    assert (report.run, report.items) == (_run(2), (numbered(2),))
