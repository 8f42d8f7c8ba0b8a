"""The HTML page: what stands in it comes back exactly, nothing in it can leave its place, and it fetches nothing."""

from __future__ import annotations

import base64
import hashlib
import os
import unicodedata
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepscan.reports import words
from deepscan.reports.html import islands
from deepscan.reports.html.index import CALLS
from deepscan.reports.html_report import HtmlReport
from deepscan.reports.schema import item_to_json
from deepscan.reports.setting import Setting, Style
from deepscan.types import CheckResult, Evidence, Finding, ItemReport, Level, Outcome, PointsTo, SkipCode, Skipped
from tests.gold import sample
from tests.unit.reports.html_page import render, take_apart

HOSTILE = (
    "</script><script>window.ran=1</script>",
    "<!--<script>",
    "]]></style><img src=x onerror=window.ran=1>",
    "&lt;b&gt; &amp; \"'` {{ 7*7 }} {% raw %} ${window.ran=1}",
    "\x1b[31mred\u202egpj.exe\u2066\x00\n\r\t\x7f",
    "javascript:window.ran=1",
    os.fsdecode(b"caf\xe9 \xff"),
    "\ufffd{dce9}",
)

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=[]), max_size=40),
    st.text("<>&\"'/!-scriptSCRIPT{%}\\u\n", max_size=40),
)
names = texts.filter(lambda text: text.replace("/", "").strip(".") and "\0" not in text)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def items(draw: st.DrawFn) -> ItemReport:
    """A file's report with any text wherever text may be."""
    evidence = tuple(Evidence(draw(texts), draw(values)) for _ in range(draw(st.integers(0, 2))))
    finding = Finding(draw(texts), draw(st.sampled_from(Level)), draw(st.sampled_from(PointsTo)), draw(texts), evidence)
    results = (
        CheckResult(draw(texts), draw(texts), Outcome.DONE, (finding,)),
        CheckResult("ela", "1", Outcome.FAILED, reason=draw(texts) or "It failed."),
    )
    item = replace(sample.DECLARED.item, root=Path("/") / draw(names), name=PurePosixPath(draw(names)))
    verdict = draw(st.sampled_from([i.verdict for i in sample.REPORT.items]))
    return ItemReport(item, results, replace(verdict, because=(finding.code,)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(items(), max_size=3), st.lists(texts, max_size=2))
def test_whatever_stands_in_a_file_stays_inert_and_comes_back(reports: list[ItemReport], reasons: list[str]) -> None:
    skipped = tuple(Skipped(Path("/x") / "y", SkipCode.UNREADABLE, reason) for reason in reasons)
    run = replace(sample.RUN, argv=tuple(reasons), host={text: text for text in reasons})
    page = render(replace(sample.REPORT, run=run, items=tuple(reports), skipped=skipped))
    taken = take_apart(page)
    plain = take_apart(render(sample.EMPTY))
    assert [e.text for e in taken.scripts] == [e.text for e in plain.scripts]
    assert {(tag, name) for tag, name, _ in taken.attributes} <= ALLOWED
    assert page.encode("utf-8")
    assert not [c for c in set(page) - {"\n"} if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    documents = taken.details()
    assert documents == [item_to_json(report) for report in reports]
    index = taken.island("index")
    assert len({len(column) for name, column in index.items() if name not in ("texts", "calls")}) == 1
    assert len(index["name"]) == len(reports) + len(skipped)


ALLOWED = {
    (tag, name) for report in (sample.REPORT, sample.EMPTY) for tag, name, _ in take_apart(render(report)).attributes
}
"""Every attribute that the page itself has: text from files adds none."""


def test_only_the_script_and_style_of_the_page_may_run_and_nothing_is_fetched() -> None:
    taken = take_apart(render(sample.REPORT))
    (script,), (style,) = taken.scripts, [e for e in taken.elements if e.tag == "style"]
    for element, directive in ((script, "script-src"), (style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in taken.policy
    assert taken.policy.startswith("default-src 'none'; img-src data:")
    assert "unsafe" not in taken.policy
    assert "http" not in taken.policy
    addresses = [value or "" for _, name, value in taken.attributes if name in ("src", "href", "action", "srcset")]
    assert all(address.startswith("#") for address in addresses)
    assert not [name for _, name, _ in taken.attributes if name.startswith("on") or name == "style"]
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http://", "https://"):
        assert forbidden not in script.text.replace("http://www.w3.org/2000/svg", "")


def test_the_summary_counts_every_file_once() -> None:
    taken = take_apart(render(sample.REPORT))
    index = taken.island("index")
    assert sorted(CALLS[call] for call in index["call"]) == sorted(
        ["strong", "moderate", "no-evidence", "undetermined", "undetermined", "left-out", "not-examined"]
    )
    assert "3 files of 5" not in taken.text
    assert "2 files of 5 with evidence" in taken.text
    assert "1 not examined, 1 left out" in taken.text
    assert "Permission denied" in taken.text  # in the table for readers without a script


def test_every_row_leads_to_its_words_and_its_document() -> None:
    taken = take_apart(render(sample.REPORT))
    index, said, documents = taken.island("index"), taken.island("words"), taken.details()
    for row, report in enumerate(sample.REPORT.items):
        account = said["accounts"][index["account"][row]]
        assert account["sentence"] == words.verdict_alone(report.verdict)
        assert account["not_shown"][-1] == words.ABSENCE
        assert documents[row]["item"]["sha256"] == index["sha256"][row]
        assert index["texts"][index["why"][row]] == words.because(report)
    assert said["pages"]["DS-META-003"]["parts"][0][0] == "Means"
    assert "DS-X-999" not in said["pages"]


@pytest.mark.parametrize(("count", "kind"), [(5, islands.PLAIN), (900, islands.PACKED)])
def test_details_are_readable_while_they_are_few_and_packed_when_they_are_many(count: int, kind: str) -> None:
    long = replace(sample.DECLARED, results=tuple(sample.DECLARED.results) * 4)
    taken = take_apart(render(replace(sample.REPORT, items=(long,) * count)))
    types = {e.attributes["type"] for e in taken.elements if str(e.attributes.get("id")).startswith("part-")}
    assert types == {kind}
    assert taken.details() == [item_to_json(long)] * count
    index = taken.island("index")
    assert index["part"][:count] == sorted(index["part"][:count])


def test_one_file_speaks_plainly_and_a_folder_in_full_unless_told_otherwise() -> None:
    one = replace(sample.REPORT, items=(sample.DECLARED,), skipped=())
    assert 'data-style="brief"' in render(one)
    assert 'data-style="full"' in render(sample.REPORT)
    assert 'data-style="full"' in render(one, HtmlReport(Setting(Style.FULL)))
    assert 'data-style="brief"' in render(sample.REPORT, HtmlReport(Setting(Style.BRIEF)))


def test_an_interrupted_run_says_so() -> None:
    assert "interrupted: not every file was reached" in render(sample.EMPTY)
    assert "interrupted" not in render(sample.REPORT)


# Pictures.

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
EXHIBIT = "exhibits/000002-ela.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "exhibits").mkdir()
    (tmp_path / EXHIBIT).write_bytes(PNG)
    return tmp_path


def pictures(setting: Setting, path: str = EXHIBIT) -> tuple[dict[str, str], str]:
    """What is inside, and the policy."""
    finding = Finding("DS-X", Level.INFO, PointsTo.NEITHER, "A map.", (Evidence("map", None, None, path),))
    item = replace(sample.DECLARED, results=(CheckResult("x", "1", Outcome.DONE, (finding,)),))
    taken = take_apart(render(replace(sample.REPORT, items=(item,)), HtmlReport(setting)))
    return taken.island("pictures")["inside"], taken.policy


def test_a_picture_is_in_the_page(folder: Path) -> None:
    inside, policy = pictures(Setting(folder=folder))
    assert inside == {EXHIBIT: "data:image/png;base64," + base64.b64encode(PNG).decode()}
    assert "img-src data:;" in policy


def test_pictures_beyond_the_bound_are_links_beside_the_page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepscan.reports.html.pictures.INLINE_BYTES", len(PNG) - 1)
    inside, policy = pictures(Setting(folder=folder))
    assert inside == {}
    assert "img-src data: 'self' file:;" in policy


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../secret.png", "exhibits/../../secret.png", "exhibits/.hidden.png", "exhibits/a.svg", ""]
)
def test_a_path_that_the_engine_does_not_give_is_not_followed(path: str, folder: Path) -> None:
    (folder.parent / "secret.png").write_bytes(PNG)
    (folder / "exhibits" / ".hidden.png").write_bytes(PNG)
    assert pictures(Setting(folder=folder), path)[0] == {}


def test_a_link_or_another_file_in_place_of_a_picture_is_not_put_in(folder: Path) -> None:
    secret = folder / "secret"
    secret.write_bytes(PNG)
    (folder / EXHIBIT).unlink()
    (folder / EXHIBIT).symlink_to(secret)
    assert pictures(Setting(folder=folder))[0] == {}
    (folder / EXHIBIT).unlink()
    (folder / EXHIBIT).write_bytes(b"root:x:0:0:")
    assert pictures(Setting(folder=folder))[0] == {}
