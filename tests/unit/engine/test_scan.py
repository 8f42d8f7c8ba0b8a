"""Whole scans through the Python interface, with a tiny pack and in this process unless the test says otherwise."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deepscan.checks import catalogue
from deepscan.config import ScanOptions
from deepscan.engine import runner, session
from deepscan.engine.events import Silent
from deepscan.engine.runner import Examined, Task
from deepscan.engine.scan import exit_code, scan, worst_first
from deepscan.engine.session import Session
from deepscan.engine.workers import Enter
from deepscan.errors import (
    EXIT_CLEAN,
    EXIT_FOUND,
    EXIT_INCOMPLETE,
    CaseFileError,
    ModelNotFoundError,
    NothingToScanError,
    OutputError,
    UnknownCheckError,
)
from deepscan.reports.schema import published_schema, to_json
from deepscan.types import Call, ItemReport, Level, Outcome, SkipCode
from tests import fake_pack, media_factory, video_factory


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack that looks at whole frames, so that every picture gets a score."""
    return fake_pack.make_pack(tmp_path_factory.mktemp("packs") / "frames", subject="frame").folder


@pytest.fixture
def options(pack: Path) -> ScanOptions:
    return ScanOptions(model=str(pack), workers=0, precision="fp32")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Mixed, messy media."""
    place = tmp_path / "evidence"
    (place / "sub").mkdir(parents=True)
    media_factory.write_jpeg(place, "a.jpg", seed=1)
    media_factory.write_png(place / "sub", "b.png", seed=2)
    media_factory.write_gif(place, "c.gif")
    media_factory.write_tiff(place, "d.tif")
    media_factory.write_truncated_jpeg(place, "e.jpg")
    media_factory.write_empty(place, "f.jpg")
    media_factory.write_text(place, "notes.txt")
    media_factory.write_bomb_png(place, "g.png")
    (place / "name\nwith\x1b[31m newline.jpg").write_bytes((place / "a.jpg").read_bytes())
    return place


class Recorder(Silent):
    def __init__(self) -> None:
        self.reused: list[bool] = []
        self.by_name: dict[str, bool] = {}
        self.stop_after: int | None = None

    def examined(self, report: ItemReport, *, reused: bool) -> None:
        self.reused.append(reused)
        self.by_name[str(report.item.name)] = reused
        if self.stop_after is not None and len(self.reused) >= self.stop_after:
            raise KeyboardInterrupt


def timeless(report: Any) -> str:
    """The report as JSON without times."""
    document = to_json(report)
    run = document["run"]
    assert isinstance(run, dict)
    run = {k: v for k, v in run.items() if k not in ("started", "finished", "argv")}
    text = json.dumps({**document, "run": run})
    found = json.loads(text)
    for item in found["items"]:
        for result in item["results"]:
            result["seconds"] = 0
    return json.dumps(found)


def test_every_file_gets_one_answer(folder: Path, options: ScanOptions) -> None:
    report = scan([folder], options)
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    answered = [str(i.item.name) for i in report.items] + [str(s.path.relative_to(folder)) for s in report.skipped]
    assert sorted(answered) == files
    by_name = {str(i.item.name): i for i in report.items}
    assert by_name["a.jpg"].verdict.score is not None
    for broken in ("e.jpg", "g.png"):
        assert by_name[broken].verdict.call is Call.UNDETERMINED
        assert any(r.outcome is Outcome.FAILED for r in by_name[broken].results)
    assert {s.path.name: s.code for s in report.skipped} == {"f.jpg": SkipCode.EMPTY, "notes.txt": SkipCode.NOT_MEDIA}
    jsonschema.validate(json.loads(json.dumps(to_json(report))), published_schema())
    assert exit_code(report, Level.STRONG) == EXIT_INCOMPLETE


def test_evidence_is_not_changed(folder: Path, options: ScanOptions) -> None:
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}
    scan([folder], options)
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()} == before


@pytest.mark.skipif(not hasattr(os, "O_NOATIME"), reason="only Linux can leave access times alone")
def test_evidence_keeps_its_access_times(folder: Path, options: ScanOptions, tmp_path: Path) -> None:
    """In every check: some hand files to libraries."""
    video_factory.make(folder / "film.mp4", video_factory.times_of(10))
    control = tmp_path / "control"
    control.write_bytes(b"read by others")
    files = [control, *(path for path in folder.rglob("*") if path.is_file())]
    for path in files:
        os.utime(path, ns=(10**18, path.stat().st_mtime_ns))
    control.read_bytes()
    if control.stat().st_atime_ns == 10**18:
        pytest.skip("this disk keeps no access times")
    every = (*(spec.id for spec in catalogue.SPECS if spec.id not in catalogue.OF_MODEL), "classifier")
    scan([folder], replace(options, checks=every, verify_unchanged=True))
    assert [path.name for path in files if path.stat().st_atime_ns != 10**18] == [control.name]


def test_batch_size_and_order_change_no_verdict(folder: Path, options: ScanOptions) -> None:
    names = ["a.jpg", "c.gif", "d.tif", "sub/b.png"]
    verdicts = []
    for size, order in ((1, names), (3, names[::-1]), (64, names)):
        report = scan([folder / n for n in order], replace(options, batch_size=size))
        verdicts.append({i.item.name.name: (i.verdict, i.results[-1].parts) for i in report.items})
    assert verdicts[0] == verdicts[1] == verdicts[2]


def test_the_second_scan_is_answered_from_the_case_file(
    folder: Path, options: ScanOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, second = tmp_path / "a.case", Recorder()
    first_report = scan([folder], options, case=case)
    (folder / "e.jpg").unlink()  # failed answers are tried again; take them out to see reuse alone
    (folder / "g.png").unlink()
    expected = replace(
        first_report, items=tuple(i for i in first_report.items if i.item.name.name not in ("e.jpg", "g.png"))
    )

    def no_model(*_: object) -> None:
        raise AssertionError("nothing needs the model")

    monkeypatch.setattr(Session, "_load", no_model)
    report = scan([folder], options, case=case, events=second)
    assert second.reused == [True] * len(report.items)
    assert timeless(report) == timeless(expected)


class Examinations:
    """Counts, by file, the checks that were run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.checks: dict[str, set[str]] = {}
        real = runner.examine

        def counted(task: Task, enter: Enter) -> Examined:
            self.checks.setdefault(str(task.item.name), set()).update(spec.id for spec in task.checks)
            return real(task, enter)

        monkeypatch.setattr(session, "examine", counted)


@pytest.mark.parametrize(
    ("change", "jpeg", "gif"),
    [
        ({"workers": 0, "file_seconds": 9.0, "max_memory": 2**30, "batch_size": 3}, set(), set()),
        ({"exiftool": True}, {"metadata"}, {"metadata"}),
        ({"frames": 3}, set(), {"classifier", "hidden_marks", "copy_move", "view"}),
        ({"skip": ("ela",)}, set(), set()),
        ({"checks": ("default", "noise")}, {"noise"}, {"noise"}),
        ({"redact_location": True}, None, None),
    ],
    ids=str,
)
def test_another_option_examines_again_just_what_it_touches(
    folder: Path,
    options: ScanOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    jpeg: set[str] | None,
    gif: set[str] | None,
) -> None:
    case, paths = tmp_path / "a.case", [folder / "a.jpg", folder / "c.gif"]
    scan(paths, options, case=case)
    seen = Examinations(monkeypatch)
    report = scan(paths, replace(options, **change), case=case)
    for name, touched in (("a.jpg", jpeg), ("c.gif", gif)):
        if touched is None:
            assert len(seen.checks[name]) > 5
        else:
            assert seen.checks.get(name, set()) <= touched
            assert not touched or seen.checks[name]
    fresh = scan(paths, replace(options, **change))
    assert timeless(report) == timeless(fresh)


def test_a_changed_file_alone_is_examined_again(folder: Path, options: ScanOptions, tmp_path: Path) -> None:
    case, second = tmp_path / "a.case", Recorder()
    paths = [folder / "a.jpg", folder / "c.gif"]
    scan(paths, options, case=case)
    media_factory.write_jpeg(folder, "a.jpg", seed=99)
    scan(paths, options, case=case, events=second)
    assert second.by_name == {"a.jpg": False, "c.gif": True}


def test_an_interrupted_scan_keeps_what_was_finished_and_goes_on(
    folder: Path, options: ScanOptions, tmp_path: Path
) -> None:
    case, recorder = tmp_path / "a.case", Recorder()
    recorder.stop_after = 2
    paths = [folder / n for n in ("a.jpg", "c.gif", "d.tif", "sub/b.png")]
    cut = scan(paths, replace(options, batch_size=1), case=case, events=recorder)
    assert not cut.finished
    assert len(cut.items) >= 2
    again = Recorder()
    report = scan(paths, replace(options, batch_size=1), case=case, events=again)
    assert report.finished
    assert again.reused[:2] == [True, True]
    assert timeless(report) == timeless(scan(paths, replace(options, batch_size=1)))


@pytest.mark.parametrize(("name", "drawn"), [("a.jpg", "-ela.png"), ("moving.gif", "-timeline.png")])
def test_exhibits_are_written_beside_the_report_and_reused_only_while_they_are_there(
    name: str, drawn: str, folder: Path, options: ScanOptions, tmp_path: Path
) -> None:
    out, case, second = tmp_path / "out", tmp_path / "a.case", Recorder()
    media_factory.write_gif(folder, "moving.gif", durations=(200, 200, 200))
    wanted = replace(options, exhibits=True)
    report = scan([folder / name], wanted, case=case, output=out)
    exhibits = [exhibit for result in report.items[0].results for exhibit in result.exhibits]
    assert all((out / exhibit).is_file() for exhibit in exhibits)
    (gone,) = (out / exhibit for exhibit in exhibits if exhibit.endswith(drawn))
    gone.unlink()
    scan([folder / name], wanted, case=case, output=out, events=second)
    assert second.reused == [False]
    assert gone.is_file()


def test_a_model_that_is_not_there_stops_before_anything_is_written(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError):
        scan([folder], ScanOptions(model=str(tmp_path / "nowhere"), offline=True), case=tmp_path / "a.case")
    assert not (tmp_path / "a.case").exists()


def test_without_the_classifier_no_model_is_needed_and_nothing_is_called_clean(folder: Path, tmp_path: Path) -> None:
    options = ScanOptions(model=str(tmp_path / "nowhere"), skip=("classifier",), workers=0)
    report = scan([folder], options)
    assert report.run.model is None
    assert all(i.verdict.call is not Call.NO_EVIDENCE for i in report.items)


def test_refusals(folder: Path, options: ScanOptions, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToScanError):
        scan([tmp_path / "empty"], options)
    with pytest.raises(UnknownCheckError):
        scan([folder], replace(options, checks=("clasifier",)))
    with pytest.raises(OutputError, match="evidence"):
        scan([folder], options, output=folder / "report")
    with pytest.raises(OutputError, match="evidence"):
        scan([folder], options, case=folder / "sub" / "x.case")
    (tmp_path / "not.case").write_text("hello, this is no case file at all")
    with pytest.raises(CaseFileError):
        scan([folder], options, case=tmp_path / "not.case")


def test_exit_codes(folder: Path, options: ScanOptions) -> None:
    clean = scan([folder / "a.jpg"], options)
    call = clean.items[0].verdict.call
    found = {Call.WEAK: Level.WEAK, Call.MODERATE: Level.MODERATE, Call.STRONG: Level.STRONG}.get(call)
    assert exit_code(clean, None) == EXIT_CLEAN
    if found is not None:
        assert exit_code(clean, found) == EXIT_FOUND
    else:
        assert exit_code(clean, Level.WEAK) == EXIT_CLEAN
    assert exit_code(scan([folder / "a.jpg", folder / "f.jpg"], options), None) == EXIT_INCOMPLETE
    assert exit_code(scan([folder / "a.jpg", folder / "notes.txt"], options), None) == EXIT_CLEAN
    assert exit_code(scan([folder / "a.jpg", folder / "e.jpg"], options), None) == EXIT_INCOMPLETE
    assert exit_code(replace(clean, finished=False), None) == EXIT_INCOMPLETE


def test_the_worst_come_first(folder: Path, options: ScanOptions) -> None:
    order = [i.verdict.call for i in worst_first(scan([folder], options).items)]
    ranks = [["strong", "moderate", "weak", "undetermined", "no-evidence"].index(c) for c in order]
    assert ranks == sorted(ranks)


@pytest.fixture
def two_workers(options: ScanOptions) -> Iterator[ScanOptions]:
    yield replace(options, workers=2)


@pytest.mark.slow
def test_workers_give_the_same_report(folder: Path, options: ScanOptions, two_workers: ScanOptions) -> None:
    alone, together = scan([folder], options), scan([folder], two_workers)
    strip = {"workers": None}
    assert timeless(replace(together, run=replace(together.run, options=strip))) == timeless(
        replace(alone, run=replace(alone.run, options=strip))
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_reason(folder: Path, options: ScanOptions) -> None:
    (folder / "a.jpg").chmod(0)
    report = scan([folder], options)
    assert {s.path.name: s.code for s in report.skipped}["a.jpg"] is SkipCode.UNREADABLE
