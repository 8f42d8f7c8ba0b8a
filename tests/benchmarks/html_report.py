"""How long the HTML report of a large case takes to make, and how quickly a browser shows, searches and sorts it.

    python -m tests.benchmarks.html_report [FILES] [FOLDER]

Scans the example files once, and fills a case file with variations of their answers, each with its own name and hash.
Then ``deepscan report`` renders it in a process of its own, whose processor time and memory are measured, and headless
Chromium opens the page. Times of the browser are those of its own clock, on this machine as busy as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path, PurePosixPath

from deepscan.config import ScanOptions
from deepscan.engine.casefile import CaseFile
from deepscan.engine.fingerprints import Wanted
from deepscan.engine.scan import scan
from deepscan.types import ItemReport, ScanReport
from tests.browser import Page, chromium, why_not

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "media"

TIMED = """(async () => {{
  const begun = performance.now();
  {action};
  const sized = document.getElementById("frame").offsetHeight;  // lays the page out
  return performance.now() - begun;
}})()"""


def fill(case: Path, files: int) -> None:
    """Make a case file with so many answers."""
    first = scan([EXAMPLES], ScanOptions())
    with CaseFile.open(case) as opened:
        opened.begin(first.run)
        for number in range(files):
            report = _variation(first, number)
            opened.add(number, report, Wanted({result.check: "benchmark" for result in report.results}, "benchmark"))
        for number, skipped in enumerate(first.skipped, files):
            opened.skip(number, skipped)
        opened.finish(first.run)


def _variation(first: ScanReport, number: int) -> ItemReport:
    report = first.items[number % len(first.items)]
    name = PurePosixPath(f"camera {number % 97:02d}/roll {number % 1009:04d}/DSC{number:06d}{report.item.name.suffix}")
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return replace(report, item=replace(report.item, name=name, sha256=digest))


def rendered(case: Path, folder: Path) -> dict[str, float]:
    """Render the page in a process of its own."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    words = [sys.executable, "-m", "deepscan", "report", str(case), "-o", str(folder), "--format", "html"]
    subprocess.run(words, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall_seconds": round(time.monotonic() - begun, 1),
        "processor_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "peak_MiB": round(after.ru_maxrss / 1024),  # of the largest child there was: the scan works in this process
        "page_MB": round((folder / "report.html").stat().st_size / 1e6, 1),
    }


def shown(page: Page, report: Path) -> dict[str, float]:
    """What the browser needs, in milliseconds."""
    page.look(1280, 900)
    page.open(report)
    page.until("document.querySelector('.row a')")
    painted = page.run("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    usable = page.run("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    action = "document.getElementById('find').value = '{0}'; table.text = '{0}'; refresh()"
    return {
        "first_paint_ms": round(painted),
        "usable_ms": round(usable),
        "first_search_ms": round(page.run(TIMED.format(action=action.format("photoshop")))),
        "search_ms": round(page.run(TIMED.format(action=action.format("roll 0042 dsc0")))),
        "cleared_ms": round(page.run(TIMED.format(action=action.format("")))),
        **{
            f"sort_by_{column}_ms": round(page.run(TIMED.format(action=f"sortBy('{column}')")))
            for column in ("name", "why", "size", "score", "call")
        },
        "sort_again_ms": round(page.run(TIMED.format(action="sortBy('name')"))),
        "scroll_ms": round(page.run(TIMED.format(action="table.frame.scrollTop = 3e6; draw(false)"))),
        "open_file_ms": round(page.run(TIMED.format(action="await open(4711)"))),
        "heap_MB": round(page.run("performance.memory.usedJSHeapSize / 1e6")),
    }


def main() -> None:
    """Measure, and print JSON."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as made:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(made)
        case = folder / "benchmark.case"
        if not case.exists():
            fill(case, files)
        result: dict[str, object] = {"files": files, "case_MB": round(case.stat().st_size / 1e6)}
        result["render"] = rendered(case, folder)
        if why_not() is None:
            profile = Path(made) / "profile"
            profile.mkdir()
            with chromium(profile) as page:
                result["browser"] = shown(page, folder / "report.html")
        sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
