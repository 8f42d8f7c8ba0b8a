"""Templates of the reader's own: they replace built-in ones by name, and cannot weaken the page."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from deepscan.errors import OutputError
from deepscan.reports.base import write, write_stdout
from deepscan.reports.html_report import HtmlReport
from deepscan.reports.setting import Setting
from tests.gold import sample
from tests.unit.reports.html_page import take_apart

POLICY = '<meta http-equiv="Content-Security-Policy" content="{{ policy }}">'
PAGE = f"<!doctype html><html><head>{POLICY}<title>{{{{ title }}}}</title></head><body>%s</body></html>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "templates"
    made.mkdir()
    return made


def rendered(folder: Path, **changes: object) -> str:
    out = folder.parent / "out"
    write(replace(sample.REPORT, **changes), ["html"], out, Setting(template=folder))  # type: ignore[arg-type]
    return (out / "report.html").read_text(encoding="utf-8")


def test_a_template_stands_in_for_the_built_in_one_of_its_name(folder: Path) -> None:
    (folder / "report.html").write_text(PAGE % "<h1>{{ headline }}</h1>{% include 'parts/foot.html' %}")
    (folder / "parts").mkdir()
    (folder / "parts" / "foot.html").write_text("<p>Laboratory of {{ run.tool }}</p>")
    page = rendered(folder)
    assert "<p>Laboratory of deepscan</p>" in page
    assert "masthead" not in page
    assert "default-src 'none'" in take_apart(page).policy


def test_a_style_of_ones_own_is_allowed_by_the_policy_and_the_rest_stays(folder: Path) -> None:
    (folder / "report.css").write_text("body { color: teal }\n")
    page = rendered(folder)
    taken = take_apart(page)
    assert "body { color: teal }" in page
    assert taken.policy.count("'sha256-") == 2
    assert taken.policy != take_apart(rendered_plain(folder)).policy
    assert [e.text for e in taken.scripts] == [e.text for e in take_apart(rendered_plain(folder)).scripts]


def rendered_plain(folder: Path) -> str:
    write(sample.REPORT, ["html"], folder.parent / "plain")
    return (folder.parent / "plain" / "report.html").read_text(encoding="utf-8")


def test_blocks_of_the_built_in_page_can_be_replaced_alone(folder: Path) -> None:
    (folder / "report.html").write_text(
        "{% extends 'builtin/report.html' %}{% block brand %}Laboratory{% endblock %}"
        "{% block colophon %}{{ super() }} Case 17.{% endblock %}"
    )
    page = rendered(folder)
    assert page.count("Laboratory") == 1
    assert "Case 17." in page
    assert len(page) == len(rendered_plain(folder)) + len("Laboratory Case 17.") - len("deepscan")


def test_what_comes_from_files_is_escaped_in_them_too(folder: Path) -> None:
    (folder / "report.html").write_text(PAGE % "{{ run.host.name }}{% set x = run.host.name %}{{ x ~ '' }}")
    page = rendered(folder, run=replace(sample.RUN, host={"name": "<script>alert(1)</script>"}))
    assert page.count("&lt;script&gt;alert(1)") == 2
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("{% for x in %}", 3, "xpected"),
        ("{% if finished %}", 3, "nd of template"),
        ("{{ nothing_like_it }}", 3, "'nothing_like_it' is undefined"),
        ("{{ run.colour }}", 3, "has no attribute 'colour'"),
        ("{{ tally[0].colour }}", 3, "has no attribute 'colour'"),
        ("{% include 'gone.html' %}", 3, "there is no template 'gone.html'"),
        ("{% include '../outside.html' %}", 3, "there is no template '../outside.html'"),
        ("{{ headline | safe }}", 3, "No filter named 'safe'"),
        ("{{ headline.__class__.__mro__ }}", 3, "unsafe"),
        ("{{ 1 / 0 }}", 3, "division by zero"),
        ("{{ 1 + headline }}", 3, "unsupported operand"),
        ("{{ 'a'.encode('nonsense') }}", 3, "unknown encoding"),
        ("{% autoescape false %}{{ headline }}{% endautoescape %}", 3, "escaped"),
        ("\n{% include 'latin.html' %}", 1, "not UTF-8"),
    ],
)
def test_an_error_is_one_sentence_with_file_and_line(folder: Path, text: str, line: int, words: str) -> None:
    (folder / "report.html").write_text((PAGE % f"\n\n{text}\n") + "\n")
    (folder / "latin.html").write_bytes(b"caf\xe9")
    (folder.parent / "outside.html").write_text("outside")
    out = folder.parent / "out"
    for attempt in (
        lambda: HtmlReport(Setting(template=folder)).rehearse(),
        lambda: write(sample.REPORT, ["html"], out, Setting(template=folder)),
    ):
        with pytest.raises(OutputError) as caught:
            attempt()
        assert str(folder) in caught.value.message
        assert f"line {line}:" in caught.value.message
        assert words in caught.value.message
        assert "\n" not in caught.value.message
        assert caught.value.hint
    assert list(out.iterdir()) == []


def test_an_error_that_only_the_result_brings_out_leaves_no_half_written_page(folder: Path) -> None:
    (folder / "report.html").write_text(PAGE % ("x" * 100_000 + "\n{{ 1 // (run.argv[0] | length - 2) }}"))
    HtmlReport(Setting(template=folder)).rehearse()
    short = replace(sample.REPORT, run=replace(sample.RUN, argv=("ds",)))
    stream = io.StringIO()
    with pytest.raises(OutputError, match=r"report\.html cannot be used, line 2: "):
        write_stdout(short, "html", stream, Setting(template=folder))
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "page",
    [
        "<html><head><title>x</title></head></html>",
        f"<html><head><script>1</script>{POLICY}</head></html>",
        f"<html><head></head><body>{POLICY}</body></html>",
        f"<html>text<head>{POLICY}</head></html>",
        f"<html><head><!-- {POLICY} --></head></html>",
        "<html><head>" + POLICY.replace("{{ policy }}", "default-src *") + "</head></html>",
        "",
    ],
)
def test_a_page_without_its_policy_is_refused(folder: Path, page: str) -> None:
    (folder / "report.html").write_text(page)
    with pytest.raises(OutputError, match="policy"):
        rendered(folder)


@pytest.mark.parametrize(
    ("name", "text"),
    [("report.css", "a{}\n</STYLE><p>"), ("main.js", "\n'</script>'"), ("dom.js", "1;\n// <!-- <script>")],
)
def test_what_would_end_its_element_is_refused(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(OutputError, match=rf"{name} cannot be used, line 2: .* cannot stand in it"):
        rendered(folder)


def test_a_folder_without_a_template_is_refused(folder: Path) -> None:
    (folder / "other.html").write_text("x")
    for place in (folder, folder / "gone", folder / "other.html"):
        with pytest.raises(OutputError, match="replaces a built-in one"):
            HtmlReport(Setting(template=place)).rehearse()


def test_a_template_beyond_the_bound_is_refused(folder: Path) -> None:
    (folder / "report.css").write_bytes(b" " * (4 * 1024**2 + 1))
    with pytest.raises(OutputError, match="larger than 4 MiB"):
        rendered(folder)
