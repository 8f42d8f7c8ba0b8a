"""What a terminal shows of fixed results at 60, 100 and 200 columns, character for character.

When it changes on purpose: ``pytest tests/gold --refresh-gold``, then read the diff before it is committed.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from deepscan.cli.account import Account, sparkline
from deepscan.types import ItemReport, ScanReport
from tests.gold import sample

GOLD = Path(__file__).parent / "terminal"
FAMILIES = {check.id: check.family for check in sample.RUN.checks}
SHOWN: dict[str, ItemReport | ScanReport] = {
    "folder": sample.REPORT,
    "face": sample.CLASSIFIED,
    "film": sample.VIDEO,
    "conflict": sample.CONFLICT,
}
LINK = re.compile("\x1b\\]8;[^\x1b]*\x1b\\\\")


def shown(what: ItemReport | ScanReport, width: int, *, verbose: bool = False, colour: bool = False) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=colour, color_system="standard" if colour else None, highlight=False
    )
    account = Account(console, verbose=verbose)
    if isinstance(what, ScanReport):
        account.folder(what)
    else:
        account.file(what, FAMILIES)
    return stream.getvalue()


@pytest.mark.parametrize("verbose", [False, True], ids=["brief", "verbose"])
@pytest.mark.parametrize("width", [60, 100, 200])
@pytest.mark.parametrize("name", list(SHOWN))
def test_the_account_is_the_gold_file(name: str, width: int, verbose: bool, request: pytest.FixtureRequest) -> None:
    gold = GOLD / f"{name}-{width}{'-verbose' if verbose else ''}.txt"
    text = shown(SHOWN[name], width, verbose=verbose)
    if request.config.getoption("--refresh-gold"):
        GOLD.mkdir(exist_ok=True)
        gold.write_text(text, encoding="utf-8")
    assert text == gold.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 72, 89, 90, 120, 160, 200])
@pytest.mark.parametrize("name", list(SHOWN))
def test_no_line_is_wider_than_the_terminal_and_nothing_acts_on_it(name: str, width: int) -> None:
    for line in shown(SHOWN[name], width, verbose=True).splitlines():
        assert Text(line).cell_len <= width
        assert line.isprintable()
        assert line == line.rstrip()


@pytest.mark.parametrize("name", list(SHOWN))
def test_colours_and_links_add_no_words(name: str) -> None:
    coloured = shown(SHOWN[name], 100, colour=True)
    assert "\x1b[" in coloured
    plain = Text.from_ansi(LINK.sub("", coloured)).plain
    assert plain.splitlines() == shown(SHOWN[name], 100).splitlines()


def test_a_name_is_a_link_to_the_file_whatever_it_holds() -> None:
    coloured = shown(sample.VIDEO, 100, colour=True)
    (address,) = re.findall("\x1b\\]8;[^;]*;(file:[^\x1b]+)\x1b", coloured)
    assert address == "file:///evidence/case%207/c/%3Dcmd%7C%27%20-1%0A.mp4"


def test_an_interrupted_scan_says_so() -> None:
    assert "interrupted" in shown(replace(sample.REPORT, finished=False), 100)


def test_a_sparkline_has_a_mark_for_every_stretch() -> None:
    rising = [(float(at), at / 9) for at in range(10)]
    assert sparkline(rising, 80, plain=False) == "▁▁▂▃▄▅▆▇██"
    assert sparkline(rising, 5, plain=True) == "13579"
    assert sparkline([(0.0, 0.0), (0.1, 0.0), (9.0, 1.0)], 80, plain=True) == "0 9"
    assert sparkline([(1.0, 0.5), (1.0, 0.25)], 80, plain=True) == "5 "
