"""A process that measures on request: what is compared runs in processes of its own, in turns.

Requests and answers are lines of JSON on the standard streams; whatever libraries print goes to the error stream.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

Answer = Mapping[str, Any]


class Child:
    """A process that runs the functions of :mod:`tests.benchmarks.engine.work`; a context manager."""

    def __init__(self) -> None:
        root = Path(__file__).resolve().parents[3]
        path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.engine.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("DEEPSCAN_BENCHMARK_DEBUG") else None,
            text=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": path},
        )

    def ask(self, function: str, **arguments: object) -> Answer:
        """Run a function there and return its answer, with ``cpu``, the processor seconds of it and its workers."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([function, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{function} ended its process; DEEPSCAN_BENCHMARK_DEBUG=1 shows why.")
        answer: Answer = json.loads(line)
        return answer

    def __enter__(self) -> Child:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def ask_once(function: str, **arguments: object) -> Answer:
    """:meth:`Child.ask` in a process that ends afterwards."""
    with Child() as child:
        return child.ask(function, **arguments)


def cpu_seconds() -> float:
    """Processor seconds of this process and of those that it started and that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main() -> None:
    from tests.benchmarks.engine import work

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        function, arguments = json.loads(line)
        before = cpu_seconds()
        answer = getattr(work, function)(**arguments)
        answers.write(json.dumps({"cpu": cpu_seconds() - before, **answer}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
