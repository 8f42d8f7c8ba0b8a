"""What does not grow: the peak of memory with the number of files, and the time of a second scan."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.engine.bench import Bench, Row, paths_in
from tests.benchmarks.engine.child import ask_once
from tests.benchmarks.table import Table

FEW = 1_000


def rows(bench: Bench) -> Iterator[Row | Table]:
    """Memory with few and many files, then a scan and the same again."""
    yield from _memory(bench)
    yield from _second(bench)


def _memory(bench: Bench) -> Iterator[Row | Table]:
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


def _second(bench: Bench) -> Iterator[Row | Table]:
    """All default checks on faces: the first scan is what a user waits for, and the second what he gets for it."""
    folder = bench.files("faces", bench.size.again)
    case = str(bench.folder / "second.case")
    options: dict[str, object] = {"workers": 2}
    first = ask_once("scan", folder=str(folder), options=options, case=case)
    second = ask_once("scan", folder=str(folder), options=options, case=case)
    trusting = ask_once("scan", folder=str(folder), options={**options, "trust_mtime": True}, case=case)
    hashing = ask_once("hashing", files=paths_in(folder))
    if second["reused"] != second["files"]:
        raise RuntimeError(f"The second scan examined {second['files'] - second['reused']} files anew.")
    shares = {unit: max(0.0, second[unit] - hashing[unit]) / first[unit] for unit in ("seconds", "cpu")}
    count = first["files"]
    runs = {"first": first, "second": second, "hashing alone": hashing, "with --trust-mtime": trusting}
    yield Table(
        f"A scan of {count:,} faces of 256 pixels and the same again, all default checks",
        ("", "seconds", "processor seconds"),
        [(name, f"{run['seconds']:.2f}", f"{run['cpu']:.2f}") for name, run in runs.items()],
    )
    yield Row(
        f"second scan of {count:,} unchanged files, beyond hashing",
        "the first scan",
        f"{100 * shares['seconds']:.1f} % ({100 * shares['cpu']:.1f} % of its processor time)",
        "<= 2 %",
        shares["seconds"] <= 0.02,
    )
