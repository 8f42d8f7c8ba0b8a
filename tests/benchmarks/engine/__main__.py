"""Prints what the engine and the model reach, beside what they must reach.

python -m tests.benchmarks.engine                  everything, some twelve minutes on two quiet cores
python -m tests.benchmarks.engine --full again     the second scan of 10,000 files instead of 2,000
python -m tests.benchmarks.engine model start      these parts
python -m tests.benchmarks.engine --quick          fewer files and no repetitions, for a look

Parts: model, files, memory, again, start, faults. All files are drawn by code into a temporary folder (``--folder``
names another one, which is kept), but for the hostile ones of ``faults``, which are there where the data is. Rates that
are compared are measured in turns in one run.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.engine.bench import FULL, QUICK, USUAL, Bench, Row
from tests.benchmarks.table import Table

PARTS = ("model", "files", "memory", "again", "start", "faults")


def main(argv: list[str]) -> int:
    """Print the tables; end with 1 when a target is not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", dest="size", const=QUICK, default=USUAL)
    size.add_argument("--full", action="store_const", dest="size", const=FULL)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args(argv)
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    print(_machine(), flush=True)
    started = time.perf_counter()
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = args.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deepscan-benchmark-")))
        bench = Bench(folder, args.size)
        for part in args.parts or PARTS:
            for answer in importlib.import_module(f"tests.benchmarks.engine.{part}").rows(bench):
                if isinstance(answer, Row):
                    rows.append(answer)
                else:
                    print(answer.render(), end="\n\n", flush=True)
    print(_targets(rows).render())
    print(f"\nTook {time.perf_counter() - started:.0f} s; load average at the end {os.getloadavg()[0]:.1f}.")
    return int(any(row.met is False for row in rows))


def _targets(rows: list[Row]) -> Table:
    words = {True: "yes", False: "**no**", None: "-"}
    return Table(
        "It must reach",
        ("what", "against", "reached", "target", "met"),
        [(row.what, row.against, row.reached, row.target, words[row.met]) for row in rows],
    )


def _machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "pillow", "numpy"))
    cpu = platform.processor() or platform.machine()
    with Path("/proc/cpuinfo").open() as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {cores} cores ({names[0] if names else cpu}), "
        f"Python {platform.python_version()}, {libraries}; load average at the start {os.getloadavg()[0]:.1f}.\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
