"""The cold start, and where it goes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

from deepscan.models.packs import BUILTIN_FOLDER
from tests.benchmarks.engine.bench import Bench, Row, in_turns, median, paths_in, spread
from tests.benchmarks.engine.child import ask_once
from tests.benchmarks.table import Table


def rows(bench: Bench) -> Iterator[Row | Table]:
    """``deepscan scan one.jpg`` from the shell, with and without the model, then its parts one by one."""
    one = paths_in(bench.files("faces"))[0]
    program = shutil.which("deepscan")
    command = [program] if program else [sys.executable, "-m", "deepscan"]

    def run(*options: str) -> float:
        started = time.perf_counter()
        ended = subprocess.run([*command, "scan", one, "--quiet", *options], capture_output=True)
        if ended.returncode not in (0, 1):
            raise RuntimeError(ended.stderr.decode(errors="replace"))
        return time.perf_counter() - started

    run()  # brings the libraries into the system's cache
    seconds = in_turns(
        {"deepscan scan one.jpg": run, "without the classifier": lambda: run("--skip", "classifier")},
        max(2, bench.size.repeats),
    )
    laps = ask_once("start", model=str(BUILTIN_FOLDER))["laps"]
    yield Table(
        "Cold start",
        ("", "seconds (range)"),
        [
            *((name, spread(values)) for name, values in seconds.items()),
            *((f"alone: {name}", f"{value:.2f}") for name, value in laps.items()),
        ],
        note="The parts are measured one after the other in a process of their own; a scan does some of them at once.",
    )
    whole = median(seconds["deepscan scan one.jpg"])
    yield Row("`deepscan scan one.jpg`, cold, model included", "-", f"{whole:.1f} s", "<= 4 s", whole <= 4)
