from __future__ import annotations

import csv
import io
import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepscan.reports.base import write
from deepscan.reports.csv_report import (
    FILE_COLUMNS,
    FILES,
    FRAME_COLUMNS,
    FRAMES,
    PART_COLUMNS,
    PARTS,
    TRACK_COLUMNS,
    TRACKS,
    CsvReport,
    harmless,
)
from deepscan.types import CheckResult, ItemReport, Outcome, ScanReport, SkipCode, Skipped
from tests.gold.sample import CLASSIFIED, EMPTY, REPORT

STARTERS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


def render(report: ScanReport, name: str = FILES) -> str:
    stream = io.StringIO(newline="")
    CsvReport().render(report, name, stream)
    return stream.getvalue()


def rows(report: ScanReport, name: str = FILES) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(report, name), newline=""), strict=True))


def named(name: str) -> ItemReport:
    return replace(CLASSIFIED, item=replace(CLASSIFIED.item, name=PurePosixPath(name)))


def test_tables_written_together_are_those_written_one_by_one(tmp_path: Path) -> None:
    alone = {name: render(REPORT, name) for name in CsvReport.names}
    together = {name: io.StringIO(newline="") for name in CsvReport.names}
    CsvReport().render_together(REPORT, together)
    assert {name: stream.getvalue() for name, stream in together.items()} == alone
    written = write(REPORT, ["csv"], tmp_path)
    assert {path.name: path.read_bytes().decode() for path in written} == alone
    assert len({len(text.splitlines()) for text in alone.values()}) > 1
    with pytest.raises(ValueError, match=r"no file 'odd\.csv'"):
        CsvReport().render_together(REPORT, {"odd.csv": io.StringIO()})


def test_there_is_a_row_for_every_file_skipped_ones_too() -> None:
    found = rows(REPORT)
    assert [row["status"] for row in found] == ["examined"] * len(REPORT.items) + ["skipped"] * len(REPORT.skipped)
    assert found[-1]["reason"] == "unreadable: Permission denied."
    assert found[-1]["root"] == found[-1]["call"] == ""
    assert [Path(row["root"]) / row["path"] for row in (found[1], found[-2])] == [
        REPORT.items[1].item.path,
        REPORT.skipped[0].path,
    ]


def test_there_is_a_row_for_every_part_with_empty_cells_for_what_it_has_not() -> None:
    found = rows(REPORT, PARTS)
    assert len(found) == sum(len(r.parts) for item in REPORT.items for r in item.results)
    assert [row["score"] for row in found] == ["0.96875", "0.125", "", "0.25", "0.1"]
    assert (found[0]["x"], found[0]["seconds"], found[3]["x"], found[3]["seconds"]) == ("10", "", "", "0.0")
    assert found[2]["reason"] == "The face is smaller than 32 pixels."


def test_failed_timed_out_and_not_applicable_stay_apart_from_done() -> None:
    marked, _, video = rows(REPORT)[:3]
    assert marked["done"] == "metadata"
    assert marked["not_applicable"] == "ela: It was never a JPEG."
    assert marked["failed"] == "classifier: The model could not be loaded."
    assert video["timed_out"] == "metadata: It took longer than 120 seconds."
    assert video["done"] == "classifier"


def test_one_cause_of_many_failures_stands_in_its_cell_once() -> None:
    cut = CheckResult("ela", "1", Outcome.FAILED, reason="It is cut short.")
    part = CheckResult("view", "1", Outcome.DONE, partial="The rest is gone.")
    others = replace(cut, check="noise"), replace(cut, check="marks", reason="No."), replace(part, check="classifier")
    results = (cut, part, *others)
    (row,) = rows(replace(REPORT, items=(replace(CLASSIFIED, results=results),), skipped=()))
    assert row["failed"] == "ela, noise: It is cut short.; marks: No."
    assert row["partial"] == "view, classifier: The rest is gone."
    assert row["done"] == "view; classifier"


def test_columns_stand_in_their_order_and_an_empty_report_has_its_header() -> None:
    assert render(EMPTY) == ",".join(FILE_COLUMNS) + "\r\n"
    assert render(EMPTY, PARTS) == ",".join(PART_COLUMNS) + "\r\n"
    assert render(EMPTY, FRAMES) == ",".join(FRAME_COLUMNS) + "\r\n"
    assert render(EMPTY, TRACKS) == ",".join(TRACK_COLUMNS) + "\r\n"


def test_a_film_has_a_row_for_every_frame_and_every_track() -> None:
    parts = [row for row in rows(REPORT, PARTS) if row["track"]]
    assert [(row["track"], row["timecode"]) for row in parts] == [("1", "00:00:00.000"), ("2", "00:00:01.000")]
    first, second = rows(REPORT, FRAMES)
    assert (first["frame"], first["timecode"], first["shot"], first["score"]) == ("0", "00:00:00.000", "1", "0.25")
    assert (second["seconds"], second["score"], second["meaning"]) == ("1.0", "", "")
    one, two = rows(REPORT, TRACKS)
    assert (one["start"], one["end_timecode"], one["level"]) == ("0.0", "00:00:00.500", "weak")
    assert one["clips"] == "00:00:00.000 to 00:00:00.500"
    assert (two["frames"], two["score"], two["clips"]) == ("0", "", "")
    assert one["path"] == two["path"] == first["path"]


@pytest.mark.parametrize("name", ["a\nb.jpg", "a\r\nb.jpg", 'a"b,c;d.jpg', "a\x00b", "\u2028", "\x85", "a\x1b[31m"])
def test_a_name_cannot_break_a_row_or_reach_the_terminal(name: str) -> None:
    text = render(replace(REPORT, items=(named(name),), skipped=()))
    assert text.count("\r\n") == text.count("\n") == text.count("\r") == 2
    assert len(text.split("\r\n")[1].splitlines()) == 1
    assert text.replace("\r\n", "").isprintable()
    (row,) = rows(replace(REPORT, items=(named(name),), skipped=()))
    assert None not in row
    assert row["call"] == "moderate"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-2+3+cmd", "'-2+3+cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1", "' =1"),
        ("\u3000\u00a0=1", "'\u3000\u00a0=1"),
        ("\uff1d1", "'\uff1d1"),
        ('"=1"', '\'"=1"'),
        ("''=1", "'''=1"),
        ("a;=1", "a;'=1"),
        ("a; @x;b", "a;' @x;b"),
        ("\t=1", "\\x09=1"),
        ("\r=1", "\\x0d=1"),
        ("\u200b=1", "\\u200b=1"),
        ("-1.5", "-1.5"),
        ("-1", "-1"),
        ("-1.5.jpg", "'-1.5.jpg"),
        ("-\u0661", "'-\u0661"),
        ("a=1", "a=1"),
        ("a-b.jpg", "a-b.jpg"),
        ("", ""),
    ],
)
def test_cells_that_start_a_formula_are_defused_and_numbers_are_not(text: str, cell: str) -> None:
    assert harmless(text) == cell


@settings(deadline=None, max_examples=300)
@given(
    st.text(st.one_of(st.sampled_from(STARTERS + " ;\"',\u00a0\u3000\u200b\udcff1.a"), st.characters()), max_size=10)
)
def test_no_cell_of_either_dialect_starts_a_formula(text: str) -> None:
    name = text.replace("\x00", "") or "x"
    report = replace(REPORT, items=(), skipped=(Skipped(Path(name), SkipCode.HIDDEN, text or "x"),))
    data = render(report)
    data.encode("utf-8")
    body = data.split("\r\n", 1)[1]
    for delimiter in ",;":
        for row in csv.reader(io.StringIO(body, newline=""), delimiter=delimiter):
            for cell in row:
                start = cell.strip().strip("\"'")[:1]
                guarded = cell.lstrip(' \u00a0\u3000"')[:1] == "'"
                number = cell.removeprefix("-").replace(".", "", 1).isdecimal()
                assert guarded or number or start not in tuple(STARTERS), (delimiter, cell)


def test_numbers_stay_numbers() -> None:
    moved = replace(CLASSIFIED.results[2].parts[0], where=replace(CLASSIFIED.results[2].parts[0].where, seconds=-1.5))
    result = replace(CLASSIFIED.results[2], parts=(moved,))
    report = replace(REPORT, items=(replace(CLASSIFIED, results=(result,)),))
    assert rows(report, PARTS)[0]["seconds"] == "-1.5"


def test_a_name_that_is_not_utf8_gives_utf8() -> None:
    text = render(replace(REPORT, items=(named(os.fsdecode(b"caf\xe9")),), skipped=()))
    assert text.encode("utf-8").decode("utf-8").count("caf\\udce9") == 1


def test_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no file"):
        CsvReport().render(REPORT, "report.json", io.StringIO())
