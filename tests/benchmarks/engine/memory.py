"""What does not grow: the peak of memory with the number of files."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.engine.bench import Bench, Row
from tests.benchmarks.engine.child import ask_once
from tests.benchmarks.table import Table

FEW = 1_000


def rows(bench: Bench) -> Iterator[Row | Table]:
    """The same check on few and on many files."""
    peaks = {}
    for count in (FEW, bench.size.specks):
        case = bench.folder / f"memory{count}.case"
        folder = str(bench.files("specks", count))
        answer = ask_once("scan", folder=folder, options={"checks": ["identity"], "workers": 2}, case=str(case))
        peaks[count] = (answer["memory"], answer["worker_memory"], answer["seconds"])
    growth = peaks[bench.size.specks][0] / peaks[FEW][0] - 1
    yield Table(
        "Peak of memory, one cheap check, with a case file",
        ("files", "this process", "largest worker", "seconds"),
        [(f"{n:,}", f"{a / 2**20:.0f} MiB", f"{b / 2**20:.0f} MiB", f"{s:.1f}") for n, (a, b, s) in peaks.items()],
    )
    yield Row(
        f"peak memory of the scanning process, {bench.size.specks:,} files",
        f"{FEW:,} files",
        f"{100 * growth:+.0f} %",
        "within 10 %",
        abs(growth) <= 0.1,
    )
