"""Puts excerpts of real reports into ``formats.md``: the examples are scanned, and one piece of each report is shown.

python docs/make_formats.py            write them
python docs/make_formats.py --check    end with 1 when they are not what would be written

Only the checks of metadata run, which are the same everywhere, and times are written as 0.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from generated import write_or_check

from deepscan.config import ScanOptions
from deepscan.engine.scan import scan
from deepscan.reports.base import write
from deepscan.types import ScanReport

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "formats.md"
MEDIA = Path("docs/examples/media")
SHOWN = "generated/comfyui.png"
FORMATS = ("csv", "jsonl", "markdown", "junit", "sarif", "case")
MAX_LINE = 400
"""Characters of a line that are shown."""


def _line(name: str, wanted: str) -> Callable[[Path], str]:
    """The first line of a report that holds a text."""
    return lambda folder: next(line for line in _lines(folder, name) if wanted in line).strip()


def _lines(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text(encoding="utf-8").splitlines()


def _table(folder: Path) -> str:
    return "\n".join([_lines(folder, "report.csv")[0], _line("report.csv", SHOWN)(folder)])


def _case(folder: Path) -> str:
    """A test case: three lines."""
    lines = _lines(folder, "report.junit.xml")
    first = next(number for number, line in enumerate(lines) if SHOWN in line)
    return "\n".join(lines[first : first + 3])


PIECES: dict[str, Callable[[Path], str]] = {
    "csv": _table,
    "jsonl": _line("report.jsonl", SHOWN),
    "markdown": lambda folder: "\n".join(_lines(folder, "report.md")[:18]),
    "junit": _case,
    "sarif": _line("report.sarif", '"ruleId"'),
    "case": _line("report.case.jsonld", "uco-analysis:AnalyticResult"),
}


def render(page: str) -> str:
    """The page with its excerpts as they are now."""
    with tempfile.TemporaryDirectory() as folder:
        write(_report(), FORMATS, Path(folder))
        for name, piece in PIECES.items():
            lines = [_cut(line) for line in piece(Path(folder)).split("\n")]
            pattern = rf"(<!-- excerpt:{name} -->\n+````\n).*?(^````)"
            text = "\n".join(lines)
            page, found = re.subn(
                pattern, lambda m, text=text: f"{m[1]}{text}\n{m[2]}", page, flags=re.DOTALL | re.MULTILINE
            )
            if found != 1:
                raise SystemExit(f"{PAGE.name} needs one excerpt of {name}")
    return page


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]} …"


def _report() -> ScanReport:
    options = ScanOptions(checks=("identity", "metadata", "marks"), workers=0)
    report = scan([MEDIA], options, argv=("deepscan", "scan", str(MEDIA)))
    still = [
        replace(item, results=tuple(replace(result, seconds=0.0) for result in item.results)) for item in report.items
    ]
    run = replace(report.run, started="2026-01-01T00:00:00+00:00", finished="2026-01-01T00:00:00+00:00")
    return replace(report, run=run, items=tuple(still), skipped=tuple(report.skipped))


def main(words: list[str]) -> int:
    """Write the excerpts, or compare them; returns the exit code."""
    return write_or_check({PAGE: render(PAGE.read_text(encoding="utf-8"))}, words, "make_formats.py")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
