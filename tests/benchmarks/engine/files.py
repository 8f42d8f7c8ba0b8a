"""Large photographs, a mixture, a film; and what two workers give over one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.engine.bench import Bench, Row, in_turns, median, paths_in, spread
from tests.benchmarks.engine.child import ask_once
from tests.benchmarks.table import Table

CORES = 2


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


def _photographs(bench: Bench) -> Iterator[Row | Table]:
    folder = bench.files("photographs")
    files = paths_in(folder)
    rates = in_turns(
        {
            "decode and encode": lambda: float(ask_once("decode_and_encode", files=files, processes=CORES)["rate"]),
            "all default checks": partial(_scan_rate, str(folder), workers=CORES),
            "without the classifier": partial(_scan_rate, str(folder), workers=CORES, skip=["classifier"]),
            "classifier alone": partial(_scan_rate, str(folder), workers=CORES, checks=["classifier"]),
        },
        bench.size.repeats,
    )
    times = median(rates["decode and encode"]) / median(rates["all default checks"])
    yield Table(
        f"{bench.size.photographs} photographs of 12 megapixels, {CORES} workers",
        ("", "files/s (range)"),
        [(name, spread(values)) for name, values in rates.items()],
    )
    yield Row(
        "time for 12-megapixel photographs, all default checks",
        "a full decode and a JPEG encode of the same files",
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
