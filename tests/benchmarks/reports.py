"""What each report costs: seconds of processor time and peak memory, from a case file of many made-up files.

python -m tests.benchmarks.reports [FILES] [FOLDER]

Every format is written by a process of its own (``deepscan report``), so that its peak memory is its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

from deepscan.engine.casefile import CaseFile
from deepscan.engine.fingerprints import Wanted
from deepscan.reports.base import FORMATS
from tests.gold.sample import CLASSIFIED, DECLARED, RUN, SKIPPED


def make_case(path: Path, files: int) -> None:
    """A case of that many files, of which one in a hundred is skipped and one in ten flagged."""
    with CaseFile.open(path) as case:
        case.begin(replace(RUN, finished=None))
        for number in range(files):
            if number % 100 == 99:
                case.skip(number, replace(SKIPPED[1], path=Path(f"/evidence/{number}.jpg")))
                continue
            like = (DECLARED, CLASSIFIED)[number % 10 != 0]
            item = replace(like.item, name=PurePosixPath(f"{number:06d}.jpg"), sha256=f"{number:064x}")
            keys = Wanted({result.check: result.version for result in like.results}, "0")
            case.add(number, replace(like, item=item), keys)
        case.finish(RUN)


def measure(case: Path, name: str, folder: Path) -> tuple[float, int, int]:
    """Processor seconds, peak memory in MiB, and MiB written."""
    target = folder / f"{name}-report"
    words = [sys.executable, "-m", "deepscan", "report", str(case), "--format", name, "-o", str(target)]
    program = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(program.pid, 0)
    if status:
        raise SystemExit(f"{name} ended with {status}")
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, size >> 20


def main(words: list[str]) -> None:
    """Print the table."""
    files = int(words[0]) if words else 100_000
    with tempfile.TemporaryDirectory(dir=words[1] if len(words) > 1 else None) as folder:
        case = Path(folder) / "case"
        make_case(case, files)
        sys.stdout.write(f"{files:,} files, case file of {case.stat().st_size >> 20:,} MiB" + "\n")
        sys.stdout.write("| format | CPU seconds | peak memory, MiB | written, MiB |" + "\n")
        sys.stdout.write("|---|---:|---:|---:|" + "\n")
        for name in FORMATS:
            seconds, memory, size = measure(case, name, Path(folder))
            sys.stdout.write(f"| `{name}` | {seconds:.1f} | {memory:,} | {size:,} |" + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
