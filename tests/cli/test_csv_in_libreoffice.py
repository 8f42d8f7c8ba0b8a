"""LibreOffice opens the CSV reports and evaluates no cell of them."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_app import invoke
from tests.media_factory import write_jpeg

HOSTILE = ("=1+1.jpg", "+1+1.jpg", "-2+3.jpg", "@SUM(1+1).jpg", "\t=1+1.jpg", "=cmd|' C'!A0.jpg")

soffice = shutil.which("soffice")
pytestmark = pytest.mark.skipif(soffice is None, reason="LibreOffice (soffice) is not on this machine")


def opened(path: Path, folder: Path) -> str:
    """A table as LibreOffice understands it, in its flat XML; numbers and formulas are recognised as for a user."""
    assert soffice is not None
    command = [soffice, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to", "fods"]
    subprocess.run([*command, "--outdir", folder, path], check=True, capture_output=True, timeout=120)
    return (folder / path.with_suffix(".fods").name).read_text(encoding="utf-8")


def test_a_formula_in_a_table_that_is_not_ours_is_seen(tmp_path: Path) -> None:
    """What the next test looks for is there when a cell is evaluated."""
    (tmp_path / "naive.csv").write_text("path\n=1+1\n", encoding="utf-8")
    assert "table:formula=" in opened(tmp_path / "naive.csv", tmp_path)


def test_no_cell_of_a_report_is_evaluated(tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    for name in HOSTILE:
        write_jpeg(media, name)
    invoke("scan", str(media), "-o", str(tmp_path / "out"), "--checks", "identity", "--format", "csv", "--workers", "0")
    with (tmp_path / "out" / "report.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == len(HOSTILE)
    for name in ("report.csv", "report.parts.csv"):
        table = opened(tmp_path / "out" / name, tmp_path)
        assert "table:formula=" not in table
        assert "office:document" in table
