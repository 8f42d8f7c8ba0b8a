"""What it costs to bring a worker's pixels to the process that has the model: through shared memory, or pickled.

python -m tests.benchmarks.engine.transfer

One worker answers with so many faces of 144 pixels a job, as a file does. The same pool of processes is used both ways;
without room in its slots, the arrays stay in the pickle and go through the pipe. Both are measured in turns.
"""

from __future__ import annotations

import resource
import time

import numpy as np

from deepscan.engine import slots
from deepscan.engine.executors import Processes
from deepscan.engine.workers import Enter
from deepscan.media.frames import Pixels
from tests.benchmarks.table import Table

SIDE = 144
JOBS = 300
FACES = (1, 4, 16, 64)
TURNS = 3


def faces(count: int, enter: Enter) -> list[Pixels]:
    """What the worker answers with."""
    return [np.full((SIDE, SIDE, 3), number % 256, np.uint8) for number in range(count)]


def main() -> None:
    """Print the table."""
    found: dict[tuple[int, bool], list[tuple[float, float]]] = {}
    for _ in range(TURNS):
        for count in FACES:
            for shared in (True, False):
                found.setdefault((count, shared), []).append(measure(count, shared=shared))
    rows = []
    for count in FACES:
        (wall, cpu), (wall_piped, cpu_piped) = min(found[count, True]), min(found[count, False])
        rows.append((count, micro(wall), micro(wall_piped), micro(cpu), micro(cpu_piped), f"{cpu_piped / cpu:.1f}"))
    columns = ("faces", "shared, wall", "pickled, wall", "shared, this process", "pickled, this process", "ratio")
    title = f"Microseconds for one answer with faces of {SIDE} pixels (best of {TURNS}, {JOBS} answers each)"
    note = "The ratio is that of processor time in the process that has the model."
    print(Table(title, columns, rows, note=note).render())


def measure(count: int, *, shared: bool) -> tuple[float, float]:
    """Wall-clock and processor seconds of this process for one answer."""
    room = slots.PIXEL_BYTES
    slots.PIXEL_BYTES = room if shared else 0
    try:
        with Processes(faces, workers=1, seconds=60) as pool:
            pool.submit(count).result()
            before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
            pending = [pool.submit(count) for _ in range(4)]
            for _ in range(JOBS - 4):
                pending.pop(0).result()
                pending.append(pool.submit(count))
            for answer in pending:
                answer.result()
            wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    finally:
        slots.PIXEL_BYTES = room
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall / JOBS, cpu / JOBS


def micro(seconds: float) -> str:
    """Seconds as microseconds."""
    return f"{1e6 * seconds:,.0f}"


if __name__ == "__main__":
    main()
