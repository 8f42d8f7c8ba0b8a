"""The reports of one fixed result, byte for byte; of the HTML page without its style and its script.

When a renderer changes on purpose: ``pytest tests/gold --refresh-gold``, then read the diff before it is committed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deepscan.reports.base import RENDERERS, write
from tests.gold.sample import REPORT

GOLD = Path(__file__).parent / "files"
NAMES = [name for renderer in RENDERERS.values() for name in renderer.names]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The reports as they are now; with --refresh-gold they become the gold files first."""
    folder = tmp_path_factory.mktemp("reports")
    written = write(REPORT, tuple(RENDERERS), folder)
    if request.config.getoption("--refresh-gold"):
        GOLD.mkdir(exist_ok=True)
        for path in GOLD.iterdir():
            path.unlink()
        for path in written:
            (GOLD / path.name).write_bytes(compared(path))
    return folder


def compared(path: Path) -> bytes:
    """What is compared: the style and the script of the page are files of their own, with hashes in its policy."""
    content = path.read_bytes()
    if path.suffix == ".html":
        content = re.sub(rb"<(style|script)>.*?</\1>", rb"<\1></\1>", content, flags=re.DOTALL)
        content = re.sub(rb"'sha256-[^']+'", b"'sha256-'", content)
    return content


@pytest.mark.parametrize("name", NAMES)
def test_report_is_the_gold_file(name: str, made: Path) -> None:
    assert compared(made / name) == (GOLD / name).read_bytes()


def test_every_gold_file_has_a_renderer(made: Path) -> None:
    assert {p.name for p in GOLD.iterdir()} == set(NAMES)
