"""Hostile files under limits, and very many files: answers for all of them, in bounded time and memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.engine.bench import Bench, Row
from tests.benchmarks.engine.child import ask_once
from tests.benchmarks.table import Table
from tests.conftest import corpus_folder
from tests.unit.engine.test_hostile import gather

SECONDS = 60.0
MEMORY = 2**30
FOLDERS = 200


def rows(bench: Bench) -> Iterator[Row | Table]:
    """The hostile corpus, then a great many tiny files."""
    yield from _hostile(bench)
    yield from _tiny(bench)


def _hostile(bench: Bench) -> Iterator[Row | Table]:
    corpus = corpus_folder()
    what = "hostile files with neither a result nor a reason, over the time limit, or that crashed a worker"
    if corpus is None:
        yield Row(what, "-", "the data is not here", "0", None)
        return
    folder = bench.folder / "hostile"
    count = gather(corpus, folder, every=1)
    options: dict[str, object] = {"workers": 2, "file_seconds": SECONDS, "max_memory": MEMORY}
    found = ask_once("outcomes", folder=str(folder), options=options)
    yield Table(
        f"{count} hostile files, all default checks, {SECONDS:g} s and {MEMORY // 2**20} MiB a file",
        (
            "examined",
            "skipped",
            "with a failed check",
            "timed out",
            "crashed",
            "out of memory",
            "unexpected errors",
            "slowest file",
            "all",
            "largest worker",
        ),
        [
            (
                found["items"],
                found["skipped"],
                found["failed"],
                found["timed_out"],
                found["crashed"],
                found["out_of_memory"],
                found["unexpected"],
                f"{found['slowest']:.1f} s",
                f"{found['seconds']:.0f} s",
                f"{found['worker_memory'] / 2**20:.0f} MiB",
            )
        ],
    )
    missing = abs(count - found["items"] - found["skipped"])
    bad = missing + found["timed_out"] + found["crashed"]
    yield Row(what, f"{count} files", str(bad), "0", bad == 0)
    yield Row(
        "peak memory of a worker on them",
        "its limit",
        f"{found['worker_memory'] / 2**20:.0f} MiB",
        f"<= {MEMORY // 2**20} MiB",
        found["worker_memory"] <= MEMORY,
    )


def _tiny(bench: Bench) -> Iterator[Row | Table]:
    """Four times as many files as the other parts have (200,000), in folders, and a quarter of them in a single one."""
    table = []
    for title, folders in (("in folders", FOLDERS), ("in a single folder", 1)):
        count = 4 * bench.size.specks if folders > 1 else bench.size.specks
        folder = _written(bench.folder / f"tiny{count}", count, folders)
        case = str(bench.folder / f"tiny{count}.case")
        found = ask_once("outcomes", folder=str(folder), options={"checks": ["identity"], "workers": 2}, case=case)
        if found["skipped"] != count:
            raise RuntimeError(f"{count} files, and {found['skipped']} have a reason.")
        memory = f"{found['memory'] / 2**20:.0f} MiB"
        table.append(
            (f"{count:,} {title}", f"{found['seconds']:.1f} s", f"{1e6 * found['seconds'] / count:.0f} us", memory)
        )
    yield Table("Tiny files that are no media", ("files", "seconds", "a file", "this process"), table)


def _written(folder: Path, count: int, folders: int) -> Path:
    for number in range(folders):
        (folder / f"{number:03}").mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number % folders:03}" / f"{number:06}").write_bytes(b"%d" % number)
    return folder
