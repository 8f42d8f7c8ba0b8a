"""Fixtures and marks shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--refresh-gold", action="store_true", help="write the gold files of tests/gold anew, and look at the diff"
    )


def corpus_folder() -> Path | None:
    """Where the real data lies: ``$DEEPSCAN_DATA``, else ``../shared/data`` beside the repository; None if absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("DEEPSCAN_DATA", beside))
    return folder if (folder / "README.md").is_file() else None


@pytest.fixture
def corpus() -> Path:
    """The folder of real data; the test is skipped where it is absent."""
    folder = corpus_folder()
    if folder is None:
        pytest.skip("the real data (../shared/data or $DEEPSCAN_DATA) is not on this machine")
    return folder


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own DEEPSCAN_ variables must not reach the tests."""
    for name in [n for n in os.environ if n.startswith("DEEPSCAN_") and n != "DEEPSCAN_DATA"]:
        monkeypatch.delenv(name)
