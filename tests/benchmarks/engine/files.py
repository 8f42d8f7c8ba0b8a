"""Large photographs, a mixture, a film; and what two workers give over one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.engine.bench import Bench, Row, in_turns, median, paths_in, spread
from tests.benchmarks.engine.child import ask_once
from tests.benchmarks.table import Table

CORES = 2

MORE = 3
"""How many times as many photographs the longer of two runs has."""


def rows(bench: Bench) -> Iterator[Row | Table]:
    """Photographs against a decode and an encode, workers against one, and the film."""
    yield from _photographs(bench)
    yield from _workers(bench)
    yield _film(bench)


def _scan_rate(folder: str, **options: object) -> float:
    answer = ask_once("scan", folder=folder, options=options)
    if answer["failed"]:
        raise RuntimeError(f"{answer['failed']} checks failed.")
    return float(answer["rate"])


def _further_rate(few: str, many: str, **options: object) -> float:
    """Files a second of what the second folder holds more than the first: the start, and what is left over in a last
    short batch, are in both.
    """
    runs = [ask_once("scan", folder=folder, options=options) for folder in (few, many)]
    if failed := sum(run["failed"] for run in runs):
        raise RuntimeError(f"{failed} checks failed.")
    return float((runs[1]["files"] - runs[0]["files"]) / (runs[1]["seconds"] - runs[0]["seconds"]))


def _photographs(bench: Bench) -> Iterator[Row | Table]:
    few = bench.files("photographs")
    many = bench.files("photographs", MORE * bench.size.photographs)
    files = paths_in(many)[: MORE * CORES * 2]
    rate = partial(_further_rate, str(few), str(many), workers=CORES)
    rates = in_turns(
        {
            "decode and encode": lambda: float(ask_once("decode_and_encode", files=files, processes=CORES)["rate"]),
            "all default checks": rate,
            "without the classifier": partial(rate, skip=["classifier"]),
            "classifier alone": partial(rate, checks=["classifier"]),
        },
        bench.size.repeats,
    )
    times = median(rates["decode and encode"]) / median(rates["all default checks"])
    count = bench.size.photographs
    yield Table(
        f"Photographs of 12 megapixels, {CORES} workers: {MORE * count} of them less {count}, the start in both",
        ("", "files/s (range)"),
        [(name, spread(values)) for name, values in rates.items()],
    )
    yield Row(
        "time for each further 12-megapixel photograph, all default checks",
        "a full decode and a JPEG encode of such files",
        f"{times:.1f}x",
        "<= 5x",
        times <= 5,
    )


def _workers(bench: Bench) -> Iterator[Row | Table]:
    folder = str(bench.files("mixed"))
    measures = {n: partial(_scan_rate, folder, workers=n, skip=["classifier"]) for n in (1, 2)}
    rates = in_turns(measures, bench.size.repeats)
    gain = median(rates[2]) / median(rates[1])
    yield Row("files/s, CPU checks, mixed files, 2 workers", "1 worker", f"{gain:.2f}x", ">= 1.7x", gain >= 1.7)


def _film(bench: Bench) -> Table:
    from tests.benchmarks.engine.inputs import video

    path = bench.folder / "film" / "film.mp4"
    video(path, 60)
    cases = {"all default checks": {}, "classifier alone": {"checks": ["classifier"]}}
    seconds = {name: ask_once("scan", folder=str(path), options=options)["seconds"] for name, options in cases.items()}
    return Table(
        "A film of 60 s in 720p, the model's start included",
        ("", "seconds"),
        [(k, f"{v:.1f}") for k, v in seconds.items()],
    )
