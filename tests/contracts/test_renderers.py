"""What every report must hold to; registering one in RENDERERS is what tests it."""

from __future__ import annotations

import io
import os
import unicodedata
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings

from deepscan.reports.base import RENDERERS, Renderer
from deepscan.types import CheckResult, Evidence, Finding, Level, Outcome, PointsTo, ScanReport, SkipCode, Skipped
from tests.gold.sample import DECLARED, EMPTY, REPORT
from tests.report_strategies import WHOLE

HOSTILE = os.fsdecode(b'=HYPERLINK("x") \x1b[31m <script>alert(1)</script>\n\xff ') + "\u202e{{7*7}} [red]"


def _hostile() -> ScanReport:
    """Text that means something to a terminal, a spreadsheet, a browser or a template, wherever text may be."""
    finding = Finding("DS-X-001", Level.WEAK, PointsTo.EDITED, HOSTILE, (Evidence(HOSTILE, {HOSTILE: [HOSTILE]}),))
    results = (
        CheckResult("x", "1", Outcome.DONE, (finding,)),
        CheckResult("y", "1", Outcome.FAILED, reason=HOSTILE),
    )
    item = replace(DECLARED.item, root=Path(HOSTILE), name=PurePosixPath(HOSTILE))
    return replace(
        REPORT,
        items=(replace(DECLARED, item=item, results=results),),
        skipped=(Skipped(Path(HOSTILE), SkipCode.UNREADABLE, HOSTILE),),
    )


REPORTS = {"sample": REPORT, "empty": EMPTY, "hostile": _hostile()}
FILES = [(renderer, name) for renderer in RENDERERS.values() for name in renderer.names]


def render(renderer: Renderer, name: str, report: ScanReport) -> bytes:
    stream = io.StringIO(newline="")
    renderer.render(report, name, stream)
    return stream.getvalue().encode("utf-8")


@pytest.mark.parametrize("key", list(RENDERERS))
def test_it_is_registered_under_its_id_and_says_what_it_is(key: str) -> None:
    renderer = RENDERERS[key]
    assert renderer.id == key
    assert renderer.title
    assert renderer.names


def test_no_two_reports_write_the_same_file() -> None:
    names = [name for _, name in FILES]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(name == Path(name).name for name in names)


@pytest.mark.parametrize("which", list(REPORTS))
@pytest.mark.parametrize(("renderer", "name"), FILES)
def test_the_same_report_gives_the_same_utf8_bytes(renderer: Renderer, name: str, which: str) -> None:
    first = render(renderer, name, REPORTS[which])
    assert first == render(renderer, name, REPORTS[which])
    assert first.endswith(b"\n")


@pytest.mark.parametrize(("renderer", "name"), FILES)
def test_no_control_code_or_hidden_mark_of_a_file_reaches_a_reader(renderer: Renderer, name: str) -> None:
    text = render(renderer, name, REPORTS["hostile"]).decode("utf-8")
    assert all(line.isprintable() for line in text.replace("\r\n", "\n").split("\n"))


@pytest.mark.parametrize(("renderer", "name"), FILES)
def test_any_report_renders_to_text_that_a_terminal_can_show(renderer: Renderer, name: str) -> None:
    @settings(deadline=None, max_examples=25)
    @given(WHOLE)
    def check(report: ScanReport) -> None:
        text = render(renderer, name, report).decode("utf-8").replace("\r\n", "\n").replace("\n", "")
        assert not {unicodedata.category(c) for c in text} & {"Cc", "Cf", "Cs", "Zl", "Zp"}

    check()


@pytest.mark.parametrize(("renderer", "name"), FILES)
def test_text_of_ten_megabytes_breaks_nothing(renderer: Renderer, name: str) -> None:
    huge = "x\x1b" * 5_000_000
    item = replace(DECLARED, results=(CheckResult("y", "1", Outcome.FAILED, reason=huge),))
    assert render(renderer, name, replace(REPORT, items=(item,), skipped=())).endswith(b"\n")


@pytest.mark.parametrize("renderer", RENDERERS.values(), ids=list(RENDERERS))
def test_the_main_file_names_every_file_and_tells_skipped_ones_apart(renderer: Renderer) -> None:
    text = render(renderer, renderer.names[0], REPORT).decode("utf-8")
    for part in ("marked.png", "group.jpg", "cmd|", "caf", "sum.jpg", "notes.txt", "broken", "Permission denied"):
        assert part in text


@pytest.mark.parametrize("renderer", RENDERERS.values(), ids=list(RENDERERS))
def test_another_file_name_is_refused(renderer: Renderer) -> None:
    with pytest.raises(ValueError, match="no file"):
        renderer.render(REPORT, "other.name", io.StringIO())
