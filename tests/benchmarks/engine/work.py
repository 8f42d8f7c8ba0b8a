"""What is measured, one function each; they run in a :class:`tests.benchmarks.engine.child.Child`."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from deepscan.config import ScanOptions, with_settings
from deepscan.engine.events import Silent
from deepscan.engine.pipeline import BATCH_SIZES
from deepscan.machine import usable_cores
from deepscan.types import ItemReport
from tests.benchmarks.engine.child import cpu_seconds

Answer = dict[str, Any]

BURST = 0.02
"""Seconds between two answers that do not come of one batch."""

WORKERS_SEEN = 250
"""Answers between two looks at the memory of the workers."""

_PIPELINES: dict[str, Any] = {}


class _Clock(Silent):
    """Notes when each file was answered, and the peak of memory of the largest worker until then."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.reused = 0
        self.largest_worker = 0

    def examined(self, report: ItemReport, *, reused: bool) -> None:
        self.times.append(time.perf_counter())
        self.reused += reused
        if len(self.times) % WORKERS_SEEN == 1:
            self.largest_worker = max(self.largest_worker, *map(_peak_of, _children()), 0)


def _children() -> list[str]:
    """The processes that this one started."""
    return [child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()]


def _peak_of(process: str) -> int:
    """The most bytes that a process had at once since it became a program of its own; 0 of one that has ended.

    What the system says of ended children (RUSAGE_CHILDREN) begins with the memory of the process that started them.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def scan(folder: str, options: Mapping[str, object], case: str | None = None) -> Answer:
    """``deepscan.scan`` of a folder.

    ``rate`` is files a second once all run, ``start`` the seconds to the first answer: the row on the cold start has
    what they are spent on. ``seconds`` is the whole call; ``cpu`` the processor seconds of all of it, ``own_cpu`` those
    of this process; ``memory`` the peak in bytes of this process, and of the largest worker.
    """
    from deepscan import scan as run

    clock = _Clock()
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    started, all_before, own_before = time.perf_counter(), cpu_seconds(), time.process_time()
    report = run(
        [Path(folder)], with_settings(ScanOptions(), settings), case=Path(case) if case else None, events=clock
    )
    seconds = time.perf_counter() - started
    cpu, own_cpu = cpu_seconds() - all_before, time.process_time() - own_before
    workers = int(str(options.get("workers") or usable_cores()))
    ahead = 2 * workers + 2 * (int(str(options.get("batch_size") or 0)) or BATCH_SIZES["cpu"])
    return {
        "files": len(report.items),
        "seconds": seconds,
        "cpu": cpu,
        "own_cpu": own_cpu,
        "start": clock.times[0] - started,
        "rate": _steady_rate(clock.times, workers, ahead) or len(clock.times) / seconds,
        "reused": clock.reused,
        "precision": report.run.precision,
        "failed": sum(result.outcome in ("failed", "timed_out") for item in report.items for result in item.results),
        "scored": sum(item.verdict.score is not None for item in report.items),
        "memory": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "worker_memory": clock.largest_worker,
    }


def _steady_rate(times: Sequence[float], workers: int, ahead: int) -> float | None:
    """Answers a second between two moments at which as much was under way; None where there are not two.

    The clock starts once every worker has answered: what they began together is not counted. Answers come in bursts, a
    batch at a time, and the burst that is complete then is left out as well. Of many files, the clock stops when as
    many are left as workers may be ahead: from there on, the model has the processor to itself.
    """
    first = times[max(0, min(workers, len(times) - 1) - 1)]
    ends = [i for i, (one, next_) in enumerate(pairwise(times)) if next_ - one > BURST and len(times) - i > ahead]
    last = ends[-1] if len(times) > 4 * ahead and ends else len(times) - 1
    counted = sum(moment - first > BURST for moment in times[: last + 1])
    return counted / (times[last] - first) if counted else None


SENTENCES = {
    "crashed": re.compile(r"^Its worker (crashed|was killed)"),
    "out_of_memory": re.compile(r"^It ran out of memory in "),
    "unexpected": re.compile(r"^Unexpected \w+:"),
}
"""What reasons begin with, by what they are counted as: they may quote anything after that."""


def command(words: Sequence[str]) -> Answer:
    """The command line in a process of its own, from its start to its end."""
    started = time.perf_counter()
    ended = subprocess.run([sys.executable, "-m", "deepscan", *words], capture_output=True)
    if ended.returncode not in (0, 1):
        raise RuntimeError(ended.stderr.decode(errors="replace"))
    return {"seconds": time.perf_counter() - started}


def outcomes(folder: str, options: Mapping[str, object], case: str | None = None) -> Answer:
    """What became of the files of a folder, counted; ``slowest`` is the longest that the checks of one file took."""
    from deepscan import scan as run

    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    started = time.perf_counter()
    report = run([Path(folder)], with_settings(ScanOptions(), settings), case=Path(case) if case else None)
    seconds = time.perf_counter() - started
    counts = dict.fromkeys(("failed", "timed_out", *SENTENCES), 0)
    slowest, items = 0.0, 0
    for item in report.items:
        items += 1
        slowest = max(slowest, sum(result.seconds for result in item.results))
        reasons = [result.reason or "" for result in item.results if result.outcome in ("failed", "timed_out")]
        counts["failed"] += bool(reasons)
        counts["timed_out"] += any(result.outcome == "timed_out" for result in item.results)
        for name, sentence in SENTENCES.items():
            counts[name] += any(sentence.search(reason) for reason in reasons)
    return {
        **counts,
        "items": items,
        "skipped": len(report.skipped),
        "seconds": seconds,
        "slowest": slowest,
        "memory": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "worker_memory": 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
    }


def pipeline(model: str, files: Sequence[str], batch_size: int) -> Answer:
    """transformers' own way to classify files, its model loaded before the clock starts."""
    if model not in _PIPELINES:
        from transformers import pipeline as make

        device = "cuda" if has_cuda()["cuda"] else "cpu"
        _PIPELINES[model] = make("image-classification", model=model, device=device)
    classify = _PIPELINES[model]
    classify(list(files[:2]), batch_size=batch_size)
    started = time.perf_counter()
    answers = sum(1 for _ in classify(list(files), batch_size=batch_size))
    seconds = time.perf_counter() - started
    return {"files": answers, "seconds": seconds, "rate": answers / seconds}


def bare(model: str, pictures: int, precision: str) -> Answer:
    """The loaded model on pictures that are ready in memory, in batches as a scan's."""
    import numpy as np

    network = _network(model, precision)
    rule = network.card.preprocessing
    rng = np.random.default_rng(1)
    batch = rng.integers(0, 256, (min(32, pictures), rule.height, rule.width, 3), np.uint8)
    network.probabilities(batch)
    started = time.perf_counter()
    done = 0
    while done < pictures:
        network.probabilities(batch)
        done += len(batch)
    seconds = time.perf_counter() - started
    return {"rate": done / seconds, "precision": network.precision, "device": network.device}


def decode_and_encode(files: Sequence[str], processes: int) -> Answer:
    """One full decode and one JPEG encode of each file with Pillow, spread over as many processes."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(_decode_and_encode, files[:processes], chunksize=1)
        started = time.perf_counter()
        pool.map(_decode_and_encode, files, chunksize=1)
        seconds = time.perf_counter() - started
    return {"rate": len(files) / seconds}


def _decode_and_encode(path: str) -> int:
    from PIL import Image

    target = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(target, "JPEG", quality=90)
    return target.tell()


def hashing(files: Sequence[str]) -> Answer:
    """Reading all files once, for their SHA-256."""
    started = time.perf_counter()
    for path in files:
        with Path(path).open("rb") as file:
            hashlib.file_digest(file, "sha256")
    return {"seconds": time.perf_counter() - started}


def start(model: str) -> Answer:
    """Where a cold start goes, in seconds, one part after the other in a fresh process.

    The last part is for other models than the embedded one only, and imports what loading it left out.
    """
    laps: dict[str, float] = {}
    before = time.perf_counter()

    def lap(name: str, part: Callable[[], object]) -> None:
        nonlocal before
        part()
        now = time.perf_counter()
        laps[name] = now - before
        before = now

    lap("import deepscan.engine", lambda: __import__("deepscan.engine.scan"))
    lap("import cv2, SciPy, c2pa", _import_readers)
    lap("import torch", lambda: __import__("torch"))
    lap("load and check the model", lambda: _network(model, "auto"))
    lap("for another model than the embedded: import transformers and a class", lambda: _model_class(model))
    return {"laps": laps}


def _import_readers() -> None:
    for name in ("cv2", "scipy.fft", "c2pa"):
        __import__(name)


def _model_class(model: str) -> object:
    import json

    import transformers

    config = json.loads((Path(model) / "config.json").read_text())
    return getattr(transformers, config["architectures"][0])


@cache
def _network(model: str, precision: str) -> Any:
    from deepscan.models import loader, packs

    return loader.load(packs.find(model, fake_label="Fake", offline=True), device="auto", precision=precision)


def has_cuda() -> Answer:
    """Whether there is a GPU that torch can use."""
    import torch

    return {"cuda": torch.cuda.is_available()}
