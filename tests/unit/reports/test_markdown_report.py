from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt

from deepscan.reports.markdown_report import MAX_ROWS, MarkdownReport, code
from deepscan.text import clean
from deepscan.types import CheckResult, Outcome, ScanReport, SkipCode, Skipped
from tests.gold.sample import DECLARED, EMPTY, REPORT
from tests.report_strategies import TEXT, WHOLE

GITHUB = MarkdownIt("gfm-like", {"linkify": False})


def render(report: ScanReport) -> str:
    stream = io.StringIO(newline="")
    MarkdownReport().render(report, "report.md", stream)
    return stream.getvalue()


def tokens(text: str) -> list[tuple[str, str]]:
    """Every token of the document, inner ones too, with its content."""
    parsed = GITHUB.parse(text)
    return [(part.type, part.content) for token in parsed for part in (token, *(token.children or ()))]


@settings(deadline=None, max_examples=200)
@given(TEXT)
def test_any_text_is_one_code_span_that_shows_it(text: str) -> None:
    spans = [content for kind, content in tokens(f"- {code(text)}: **x**") if kind == "code_inline"]
    assert [span.strip() for span in spans] == [clean(text).strip()]


@pytest.mark.parametrize(
    "text",
    [
        "`",
        "``",
        "a`b",
        "`a`",
        " ",
        "<script>alert(1)</script>",
        "@everyone #1",
        "https://evil.example/",
        "| a | b |",
        "![x](y)",
    ],
)
def test_markup_in_a_name_is_text(text: str) -> None:
    item = replace(DECLARED, item=replace(DECLARED.item, name=PurePosixPath(text)))
    found = tokens(render(replace(REPORT, items=(item,), skipped=())))
    assert ("code_inline", str(PurePosixPath(text)).strip()) in [(kind, content.strip()) for kind, content in found]
    assert not {kind for kind, _ in found} & {"link_open", "image", "html_inline"}


@settings(deadline=None, max_examples=30)
@given(WHOLE)
def test_nothing_of_a_report_becomes_markup(report: ScanReport) -> None:
    found = tokens(render(report))
    assert not {kind for kind, _ in found} & {"link_open", "image", "html_inline"}
    html = [content.strip() for kind, content in found if kind == "html_block"]
    assert all(part.startswith("<details><summary>") or part == "</details>" for part in html)


def test_it_says_what_was_found_and_what_was_not_examined() -> None:
    text = render(REPORT)
    assert "| strong | 1 |" in text
    assert "`a/marked.png`: **strong, generated**, the file says so itself: `DS-META-003` " in text
    assert "`/evidence/case 7/-broken\\udcff.jpg`: unreadable: `Permission denied.`" in text
    assert text.index("### What was found") < text.index("### Not examined") < text.index("<details>")
    assert "interrupted" in render(EMPTY)


def test_a_large_report_stays_within_a_step_summary() -> None:
    """1 MiB is what GitHub takes: https://docs.github.com/actions/reference/workflow-commands-for-github-actions ."""
    name = PurePosixPath("x" * 255 + "/" + "y" * 255)
    items = tuple(replace(DECLARED, item=replace(DECLARED.item, name=name)) for _ in range(MAX_ROWS + 5))
    skipped = (Skipped(Path("z" * 500), SkipCode.UNREADABLE, "r" * 10_000_000),) * (MAX_ROWS + 1)
    text = render(replace(REPORT, items=items, skipped=skipped))
    assert "… and 5 more" in text
    assert "… and 1 more" in text
    assert len(text.encode()) < 2**20 / 2


def test_one_cause_of_many_failures_is_told_once() -> None:
    reason = "The file ends before its picture does."
    failed = tuple(CheckResult(name, "1", Outcome.FAILED, reason=reason) for name in ("ela", "ghosts", "copy_move"))
    other = CheckResult("marks", "1", Outcome.FAILED, reason="Another.")
    page = render(replace(REPORT, items=(replace(DECLARED, results=(*failed, other)),), skipped=()))
    assert page.count(reason) == 1
    assert f"`ela`, `ghosts`, `copy_move` failed: `{reason}`; `marks` failed: `Another.`" in page
