"""Every answer has words, they say no more than the answer, and nothing of a file acts on the terminal."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from rich.console import Console as RichConsole

from deepscan.cli import console, words
from deepscan.cli.account import WORST, Account
from deepscan.reports.words import ABSENCE
from deepscan.types import (
    Basis,
    Box,
    Call,
    CheckInfo,
    CheckResult,
    Evidence,
    Family,
    Finding,
    ItemReport,
    JSONValue,
    Level,
    Outcome,
    PointsTo,
    ScanReport,
    SkipCode,
    Skipped,
    Verdict,
    Where,
)
from tests.gold import sample
from tests.unit.checks.test_maps import MAPS

ITEM = sample.DECLARED.item
FINDING = Finding("DS-TEST-001", Level.WEAK, PointsTo.EDITED, "It was saved by an editor.")
FAILED = CheckResult("ela", "1", Outcome.FAILED, reason="The file is cut short.")
NOT_APPLICABLE = CheckResult("classifier", "1", Outcome.NOT_APPLICABLE, reason="No face was found.")


def answered(*results: CheckResult, verdict: Verdict | None = None) -> ItemReport:
    silent = Verdict(Call.UNDETERMINED, PointsTo.NEITHER, Basis.NO_USABLE_CHECK)
    return ItemReport(ITEM, results, verdict or silent)


def report(*items: ItemReport, skipped: tuple[Skipped, ...] = ()) -> ScanReport:
    return replace(sample.REPORT, items=items, skipped=skipped)


def test_a_file_is_named_by_its_bytes() -> None:
    item = replace(ITEM, name=PurePosixPath("photo.jpg"), container="png", size=1536)
    assert words.about(item) == f"png image, 1.5 KiB, SHA-256 {item.sha256}"


def test_evidence_is_bounded_harmless_and_says_where() -> None:
    pieces = (
        Evidence("words", "\x1b[31m" + "x" * 10_000, Where(seconds=1.5)),
        Evidence("region", 7, Where(box=Box(1, 2, 30, 40)), "exhibits/1-ela.png"),
        Evidence("settings", {"sam\x1bpler": "Euler \u202ea", "long": "y" * 10_000}),
        Evidence("nothing", None),
    )
    lines = list(words.evidence(replace(FINDING, evidence=pieces)))
    for line in lines:
        assert line.replace("…", "").isascii()
        assert line.isprintable()
        assert len(line) < 3 * words.MAX_VALUE
    text = "\n".join(lines)
    assert "\\x1b[31m" in text
    assert "\\u202ea" in text
    assert "at 1.50 s" in text
    assert "30 x 40 at (1, 2)" in text
    assert "exhibits/1-ela.png" in text


def test_the_counts_add_up() -> None:
    skipped = (
        Skipped(sample.ROOT / "a.txt", SkipCode.NOT_MEDIA, "No media."),
        Skipped(sample.ROOT / ".a", SkipCode.HIDDEN, "It is hidden."),
        Skipped(sample.ROOT / "d.psd", SkipCode.UNSUPPORTED, "No reader."),
        Skipped(sample.ROOT / "b.jpg", SkipCode.EMPTY, "It is empty."),
        Skipped(sample.ROOT / "c.jpg", SkipCode.EMPTY, "It is empty."),
    )
    lines = list(words.counts(report(sample.DECLARED, sample.CLASSIFIED, answered(FAILED), skipped=skipped)))
    assert lines[0] == "8 files: 3 examined."
    text = " ".join(" ".join(lines).split())
    assert "strong 1" in text
    assert "moderate 1" in text
    assert "undetermined 1" in text
    assert "NOT EXAMINED: 2 files (empty)" in text
    # What is missing stands before what was left out on purpose, whatever their codes are called.
    assert text.index("NOT EXAMINED: 2 files (empty)") < text.index("left out: 1 file (hidden)")
    assert "left out: 1 file (not-media)" in text
    # Both the failed one and the one whose classifier failed.
    assert "2 of them could be examined only in part" in text


def test_nothing_is_said_of_what_there_is_none_of() -> None:
    fine = answered(CheckResult("identity", "1", Outcome.DONE))
    assert [line.split() for line in words.counts(report(fine))] == [
        ["1", "file:", "1", "examined."],
        ["undetermined", "1"],
    ]


def test_what_was_not_examined_is_named_with_its_reason_within_bounds() -> None:
    skipped = tuple(
        Skipped(sample.ROOT / f"{number}\n.jpg", SkipCode.EMPTY, "It is empty: zero bytes.") for number in range(100)
    )
    harmless = Skipped(sample.ROOT / "notes.txt", SkipCode.NOT_MEDIA, "No media.")
    lines = list(words.unexamined(report(skipped=(harmless, *skipped))))
    assert len(lines) == words.MAX_UNEXAMINED + 1
    assert lines[0].endswith("0\\x0a.jpg: It is empty: zero bytes.")
    assert f"{100 - words.MAX_UNEXAMINED} more" in lines[-1]
    assert not list(words.unexamined(report(skipped=(harmless,))))


@pytest.mark.parametrize("licence_class", ["open", "non-commercial", "unknown"])
def test_a_model_that_is_not_free_says_so_and_every_report_ends_with_what_it_does_not_show(
    licence_class: str,
) -> None:
    card = {"name": "the\x1bpack", "licence": "Research only.", "licence_class": licence_class}
    lines = list(words.limits(replace(sample.REPORT, run=replace(sample.RUN, model=card))))
    assert lines[-1] == ABSENCE == "The absence of findings does not show that a picture is authentic."
    terms = {
        "non-commercial": "for research and other non-commercial use only",
        "unknown": "licence unknown",
    }
    said = [f"Model the\\x1bpack, {terms[licence_class]}: Research only."] if licence_class != "open" else []
    assert lines[:-1] == said


def test_of_a_single_file_the_terms_of_a_model_that_gave_no_answer_are_not_said() -> None:
    checks = (CheckInfo("classifier", "A model", Family.MODEL, "1"),)
    card = {"name": "pack", "licence": "Research only.", "licence_class": "non-commercial"}
    run = replace(sample.RUN, model=card, checks=checks)
    done = CheckResult("classifier", "1", Outcome.DONE)
    for items, said in (((), False), ((answered(NOT_APPLICABLE),), False), ((answered(done),), True)):
        lines = list(words.limits(replace(report(*items), run=run)))
        assert (lines[0] != ABSENCE) is said


def test_without_a_model_only_the_limits_of_all_are_said() -> None:
    assert list(words.limits(sample.EMPTY)) == [ABSENCE]


def written(width: int, tell: Callable[[Account], None], *, verbose: bool = False) -> str:
    text = io.StringIO()
    tell(Account(RichConsole(file=text, width=width, color_system=None), verbose=verbose))
    return text.getvalue()


def test_one_cause_of_many_failures_is_told_once() -> None:
    other = replace(FAILED, check="noise", outcome=Outcome.TIMED_OUT, reason="It took too long.")
    results = (FAILED, replace(FAILED, check="ghosts"), other, NOT_APPLICABLE, replace(NOT_APPLICABLE, check="view"))
    text = " ".join(written(110, lambda a: a.file(answered(*results), {}), verbose=True).split())
    assert text.count("The file is cut short.") == 1
    assert "Could not be examined: ela, ghosts: The file is cut short." in text
    assert "Gave up: noise: It took too long." in text
    assert "Not applicable: classifier, view: No face was found." in text


def test_evidence_below_evidence_stays_indented_where_it_wraps() -> None:
    piece = Evidence("table", {"values": list(range(64)), "base": "luma"})
    item = answered(CheckResult("jpeg_file", "1", Outcome.DONE, (replace(FINDING, evidence=(piece,)),)))
    lines = written(60, lambda a: a.file(item, {}), verbose=True).splitlines()
    first = next(n for n, line in enumerate(lines) if "values: 0, 1" in line)
    last = next(n for n, line in enumerate(lines) if "62, 63" in line)
    indents = {len(line) - len(line.lstrip()) for line in lines[first : last + 1]}
    assert last > first
    assert len(indents) == 1
    assert indents.pop() > len(lines[first - 1]) - len(lines[first - 1].lstrip())


def test_what_deepscan_says_of_its_own_maps_is_shown_whole() -> None:
    for own in (*(check.look_for for check in MAPS), *(check.ignore for check in MAPS)):
        assert list(words.evidence(replace(FINDING, evidence=(Evidence("look", own),)))) == [f"look: {own}"]


@pytest.mark.parametrize("width", [60, 120])
def test_a_folder_says_how_many_files_are_not_shown(width: int) -> None:
    items = [replace(answered(NOT_APPLICABLE), item=replace(ITEM, name=PurePosixPath(f"{n}.jpg"))) for n in range(25)]
    clear = Verdict(Call.NO_EVIDENCE, PointsTo.NEITHER, Basis.BELOW_THRESHOLD, 0.1, 0.9)
    text = written(width, lambda a: a.folder(report(*items, replace(items[0], verdict=clear))))
    assert text.count(".jpg") == WORST
    assert "… and 5 files more" in text
    assert "more" not in written(width, lambda a: a.folder(report(*items[:WORST])))


def test_no_line_of_progress_is_written_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "PLAIN_SECONDS", 0.0)
    shown = console.Console(quiet=False, colour=False, stdout_is_data=False)
    with shown.events() as events:
        events.discovered(2, complete=True)
        for _ in range(2):
            events.examined(answered(FAILED), reused=False)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("1 of 2 files")
    assert second.startswith("2 of 2 files")


@pytest.mark.parametrize("width", [40, 57, 80])
def test_a_paragraph_is_cut_after_a_whole_word(width: int) -> None:
    said = [f"{'m' * (n % 9 + 3)}{n}" for n in range(80)]
    lines = written(width, lambda a: a.line(" ".join(said), lines=2)).splitlines()
    assert len(lines) == 2
    assert lines[-1].endswith(" …")
    assert all(len(line) <= width for line in lines)
    assert " ".join(lines).split()[:-1] == said[: len(" ".join(lines).split()) - 1]


def test_one_word_longer_than_the_line_is_cut_in_it() -> None:
    assert written(30, lambda a: a.line("m" * 90, lines=1)) == "m" * 28 + " …\n"


def test_evidence_is_written_as_people_write_it() -> None:
    faults: list[JSONValue] = [
        {"code": "hash.mismatch", "means": "It differs.", "sure": True, "more": None},
        {"code": "x"},
    ]
    pieces = (
        Evidence("what does not match", faults),
        Evidence("programs", ["one", "two"]),
        Evidence("left", []),
        Evidence("flag", value=False),
        Evidence("map", None, None, "exhibits/1-ela.png"),
        Evidence("many", [[n] for n in range(20)]),
        Evidence("picture", {"sampling": ["1x1", "2x2"], "inner": {"a": 1}}),
    )
    text = "\n".join(words.evidence(replace(FINDING, evidence=pieces)))
    assert "code: hash.mismatch, means: It differs., sure: yes, more: none; code: x" in text
    assert "programs: one, two\nleft: none\nflag: no\n" in text
    assert "map\n  see exhibits/1-ela.png\n" in text
    assert "; 7; and 12 more" in text
    assert "sampling: 1x1, 2x2; inner: a: 1" in text
    assert not set("[]{}'") & set(text)
