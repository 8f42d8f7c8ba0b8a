"""The HTML page in a real browser: what it shows, that nothing of a file runs, and that nobody is shut out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path, PurePosixPath

import pytest

from deepscan.reports.base import write
from deepscan.reports.setting import Setting, Style
from deepscan.types import CheckResult, Evidence, Finding, Level, Outcome, PointsTo, ScanReport, SkipCode, Skipped
from tests.browser import Page, chromium, why_not
from tests.gold import sample
from tests.unit.reports.html_page import render

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

ATTACK = "</script><script>window.ran=1</script><img src=x onerror=window.ran=1>\u202egpj.exe\x1b[31m"
ESC, DOWN = ("Escape", 27), ("ArrowDown", 40)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser: Page) -> Page:
    browser.look(1280, 900)
    return browser


def written(report: ScanReport, folder: Path, style: Style | None = None) -> Path:
    return write(report, ("html",), folder, Setting(style))[0]


def many(number: int) -> ScanReport:
    items = [sample.REPORT.items[n % 5] for n in range(number)]
    named = (replace(i, item=replace(i.item, name=PurePosixPath(f"roll/{n:05d}.jpg"))) for n, i in enumerate(items))
    return replace(sample.REPORT, items=tuple(named))


def names(page: Page) -> list[str]:
    found: list[str] = page.run("[...document.querySelectorAll('.row .title')].map(node => node.textContent)")
    return found


def hostile() -> ScanReport:
    finding = Finding(
        ATTACK, Level.WEAK, PointsTo.EDITED, ATTACK, (Evidence(ATTACK, {ATTACK: [ATTACK, {"a": ATTACK}]}),)
    )
    results = (CheckResult(ATTACK, "1", Outcome.DONE, (finding,)), CheckResult("y", "1", Outcome.FAILED, reason=ATTACK))
    item = replace(sample.DECLARED.item, root=Path("/") / ATTACK, name=PurePosixPath(ATTACK))
    skipped = Skipped(Path("/x") / ATTACK, SkipCode.UNREADABLE, ATTACK)
    return replace(sample.REPORT, items=(replace(sample.DECLARED, item=item, results=results),), skipped=(skipped,))


def test_nothing_of_a_file_runs_and_the_reader_sees_what_it_was(page: Page, tmp_path: Path) -> None:
    path = written(hostile(), tmp_path)
    page.open(path)
    page.until("document.querySelector('.row a')")
    assert names(page)[0] == ATTACK.replace("\u202e", "\\u202e").replace("\x1b", "\\x1b")
    page.run("location.hash = '#file-0'")
    page.until("!document.getElementById('file').hidden")
    text = page.run("document.getElementById('file').textContent")
    assert text.count("<script>window.ran=1</script>") > 4
    assert "\\u202egpj.exe\\x1b[31m" in text
    assert page.run("document.querySelectorAll('#file script, #file img').length") == 0
    assert page.run("typeof window.ran") == "undefined"
    assert page.errors == []


def test_a_script_that_got_into_the_page_would_not_run(page: Page, tmp_path: Path) -> None:
    """The second wall: the policy stops what the first, escaping, would have let through."""
    path = tmp_path / "report.html"
    attack = "<script>window.ran=1</script><img src='x.png' onerror='window.ran=1'><style>body{display:none}</style>"
    path.write_text(render(sample.REPORT).replace("</main>", attack + "</main>"), encoding="utf-8")
    page.open(path)
    page.until("document.querySelector('.row a')")
    assert page.run("typeof window.ran") == "undefined"
    assert page.run("getComputedStyle(document.body).display") == "block"
    assert any("Content Security Policy" in error for error in page.errors)


def test_it_asks_for_nothing_but_itself(page: Page, tmp_path: Path) -> None:
    page.open(written(sample.REPORT, tmp_path))
    page.until("document.querySelector('.row a')")
    asked = [e["params"]["request"]["url"] for e in page.events if e.get("method") == "Network.requestWillBeSent"]
    assert asked == [(tmp_path / "report.html").as_uri()]


def test_the_table_is_filtered_searched_and_sorted(page: Page, tmp_path: Path) -> None:
    page.open(written(many(3000), tmp_path))
    page.until("document.querySelector('.row a')")
    assert page.run("document.querySelectorAll('.row').length") < 60
    assert page.run("table.grid.getAttribute('aria-rowcount')") == "3003"  # 3000 files, 2 skipped, the head
    page.run("document.querySelector('[data-column=name] button').click()")
    assert page.run("document.querySelector('[data-column=name]').getAttribute('aria-sort')") == "ascending"
    listed = names(page)
    assert listed == sorted(listed)
    page.run("document.querySelector('[data-column=name] button').click()")
    assert names(page)[0] == "roll/02999.jpg"
    page.run("document.querySelector('.tally [data-call=strong]').click()")
    assert page.run("document.getElementById('shown').textContent") == "600 of 3,002 files"
    assert all(int(name[5:10]) % 5 == 0 for name in names(page))
    page.run("document.getElementById('find').value = 'ROLL/00010'")
    page.run("document.getElementById('find').dispatchEvent(new Event('input'))")
    page.until("document.getElementById('shown').textContent.startsWith('1 of')")
    assert names(page) == ["roll/00010.jpg"]
    page.run("document.getElementById('clear').click()")
    assert page.run("document.getElementById('shown').textContent") == "3,002 files"


def test_the_keyboard_goes_everywhere(page: Page, tmp_path: Path) -> None:
    page.open(written(many(400), tmp_path))
    page.until("document.querySelector('.row a')")
    page.run("document.querySelector('.row a').focus()")
    for _ in range(30):
        page.key(*DOWN)
    assert page.run("document.activeElement.closest('.row').getAttribute('aria-rowindex')") == "32"
    page.key("Enter", 13)
    page.run("document.activeElement.click()")
    page.until("!document.getElementById('file').hidden")
    assert page.run("document.activeElement.id") == "file-title"
    page.key(*ESC)
    page.until("document.getElementById('file').hidden")
    assert page.run("document.activeElement.closest('.row').getAttribute('aria-rowindex')") == "32"


def test_a_file_page_says_everything(page: Page, tmp_path: Path) -> None:
    path = written(sample.REPORT, tmp_path)
    page.open(path, "#file-1")
    page.until("!document.getElementById('file').hidden")
    text = page.run("document.getElementById('file').innerText")
    for part in (
        "group.jpg",
        "Model score 0.97, threshold 0.50",
        "What this does not show",
        "What would settle it",
        "smaller than 32 pixels",
        "DS-MODEL-001",
        sample.CLASSIFIED.item.sha256,
    ):
        assert part in text
    page.open(path, "#file-4")
    page.until("!document.getElementById('file').hidden")
    assert "Speaks for a camera's own picture" in page.run("document.getElementById('file').innerText")


def test_packed_details_open(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepscan.reports.html.islands.PLAIN_BYTES", 0)
    path = written(many(200), tmp_path)
    page.open(path, "#file-150")
    page.until("!document.getElementById('file').hidden")
    assert page.run("document.getElementById('file-title').textContent") == "roll/00150.jpg"


def test_one_file_is_shown_at_once_in_plain_words(page: Page, tmp_path: Path) -> None:
    page.open(written(replace(sample.REPORT, items=(sample.CLASSIFIED,), skipped=()), tmp_path))
    page.until("!document.getElementById('file').hidden")
    assert page.run("document.querySelector('[data-voice=brief]').getAttribute('aria-pressed')") == "true"
    assert not page.run("document.querySelector('.finding code').checkVisibility()")
    page.run("document.querySelector('[data-voice=full]').click()")
    assert page.run("document.querySelector('.finding code').checkVisibility()")


def test_without_scripts_there_is_a_plain_summary(page: Page, tmp_path: Path) -> None:
    page.look(1280, 900, scripts=False)
    page.open(written(sample.REPORT, tmp_path))
    text = page.run("document.body.innerText")
    for part in ("2 files of 5 with evidence", "a/marked.png", "Permission denied", "Record of the run"):
        assert part in text
    assert page.run("document.querySelectorAll('.tools[hidden], #files[hidden]').length") == 2


@pytest.mark.parametrize("fragment", ["", "#file-1", "#file-2", "#file-4"])
def test_a_narrow_window_needs_no_scrolling_sideways(page: Page, tmp_path: Path, fragment: str) -> None:
    path = written(sample.REPORT, tmp_path)
    page.look(400, 860)
    page.open(path, fragment)
    page.until("document.querySelector('.row a')")
    page.until(f"{json.dumps(not fragment)} || !document.getElementById('file').hidden")
    assert page.run("document.documentElement.scrollWidth") <= 400


def test_it_prints_whole(page: Page, tmp_path: Path) -> None:
    page.open(written(many(60), tmp_path))
    page.until("document.querySelector('.row a')")
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run("document.querySelectorAll('.row').length") == 62
    page.paper(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run("document.querySelectorAll('.row').length") < 60


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("fragment", ["", "#file-1", "#file-2", "#file-4"])
def test_axe_finds_no_barrier(page: Page, tmp_path: Path, fragment: str, dark: bool) -> None:
    axe = pytest.importorskip("axe_core_python", reason="axe-core-python is not installed")
    path = written(sample.REPORT, tmp_path, Style.FULL)
    page.look(1280, 900, dark=dark)
    page.open(path, fragment)
    page.until("document.querySelector('.row a')")
    page.until(f"{json.dumps(not fragment)} || !document.getElementById('file').hidden")
    page.run("for (const fold of document.querySelectorAll('details')) fold.open = true")
    page.run(resources.files(axe).joinpath("axe.min.js").read_text(encoding="utf-8") + ";0")
    found = page.run("axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))")
    broken = [(v["id"], v["help"], [n["html"][:200] for n in v["nodes"][:3]]) for v in json.loads(found)]
    assert broken == []
