"""The classifier: against transformers' pipeline on the same files, and against the bare model."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from deepscan.models.packs import BUILTIN_FOLDER
from tests.benchmarks.engine.bench import Bench, Row, in_turns, median, paths_in, spread
from tests.benchmarks.engine.child import Child, ask_once
from tests.benchmarks.table import Table

BATCH_SIZES = (1, 8, 32)
ALONE: Mapping[str, object] = {"checks": ["classifier"]}
OPENVINO = "classifier alone, --device openvino"
INT8 = f"{OPENVINO} --precision int8"


def rows(bench: Bench) -> Iterator[Row | Table]:
    """Against the pipeline with the embedded pack and with ViT-B/16, then the share of the bare model's rate."""
    with Child() as child:
        yield from _embedded(bench, child)
        yield from _vit(bench, child)


def _embedded(bench: Bench, child: Child) -> Iterator[Row | Table]:
    folder = bench.files("faces")
    rates, starts = _side_by_side(
        bench,
        child,
        model=str(BUILTIN_FOLDER),
        folder=folder,
        scans={"all default checks": {}, "classifier alone": ALONE, **_through_openvino(ALONE)},
        bare="builtin",
    )
    yield _table(f"{bench.size.faces} faces of 256 px, embedded pack", rates, starts)
    pipeline = max(median(rates[f"pipeline, batch {size}"]) for size in BATCH_SIZES)
    for name, least in (("all default checks", 1.0), ("classifier alone", 4.0), (OPENVINO, 4.0), (INT8, 4.0)):
        if name in rates:
            yield _times(f"files/s, embedded pack, 256 px faces, {name}", median(rates[name]) / pipeline, least)
    share = median(rates["classifier alone"]) / median(rates["bare model"])
    yield Row(
        "files/s, embedded pack, 256 px faces, classifier alone (finds the faces)",
        "the bare model, same precision",
        f"{100 * share:.0f} %",
        ">= 80 %",
        share >= 0.8,
    )


def _vit(bench: Bench, child: Child) -> Iterator[Row | Table]:
    model = str(bench.vit())
    folder = bench.files("faces", bench.size.vit)
    options = {**ALONE, "model": model, "fake_label": "Fake"}
    rates, starts = _side_by_side(
        bench,
        child,
        model=model,
        folder=folder,
        scans={"classifier alone": options, **_through_openvino(options)},
        bare=model,
    )
    yield _table(f"{bench.size.vit} pictures of 256 px, ViT-B/16", rates, starts)
    scan = median(rates["classifier alone"])
    pipeline = max(median(rates[f"pipeline, batch {size}"]) for size in BATCH_SIZES)
    for name in ("classifier alone", OPENVINO, INT8):
        if name in rates:
            yield _times(f"files/s, ViT-B/16, {name}", median(rates[name]) / pipeline, 3.0)
    share = scan / median(rates["bare model"])
    yield Row(
        "files/s, ViT-B/16, classifier alone",
        "the bare model, same precision",
        f"{100 * share:.0f} %",
        ">= 80 %",
        share >= 0.8,
    )
    yield _on_a_gpu(scan, child.ask("has_cuda")["cuda"])


def _times(what: str, ratio: float, least: float) -> Row:
    return Row(what, "the pipeline, its best batch size", f"{ratio:.2f}x", f">= {least:g}x", ratio >= least)


def _through_openvino(options: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """The same scan with the optional library, where it is installed, and in 8-bit integers."""
    if importlib.util.find_spec("openvino") is None:
        return {}
    return {
        OPENVINO: {**options, "device": "openvino"},
        INT8: {**options, "device": "openvino", "precision": "int8"},
    }


def _on_a_gpu(scan: float, cuda: bool) -> Row:
    what, target = "images/s, ViT-B/16, classifier alone, on a GPU", ">= 3,000 with 16 cores"
    if not cuda:
        return Row(what, "-", "not measured: no GPU here", target, None)
    return Row(what, "-", f"{scan:,.0f}", target, scan >= 3000)


def _side_by_side(
    bench: Bench, child: Child, *, model: str, folder: Path, scans: Mapping[str, Mapping[str, object]], bare: str
) -> tuple[dict[str, list[float]], Mapping[str, list[float]]]:
    """Files a second of the pipeline with each batch size, of each kind of scan, and of the bare model; and the seconds
    that each kind of scan took to start.
    """
    files = paths_in(folder)
    starts: dict[str, list[float]] = {name: [] for name in scans}
    measures = {
        f"pipeline, batch {size}": partial(_rate, child, "pipeline", model=model, files=files, batch_size=size)
        for size in BATCH_SIZES
    }
    measures |= {name: partial(_scan_rate, str(folder), options, starts[name]) for name, options in scans.items()}
    measures["bare model"] = partial(_rate, child, "bare", model=bare, pictures=len(files), precision="auto")
    return in_turns(measures, bench.size.repeats), starts


def _rate(child: Child, function: str, **arguments: object) -> float:
    return float(child.ask(function, **arguments)["rate"])


def _scan_rate(folder: str, options: Mapping[str, object], starts: list[float]) -> float:
    answer = ask_once("scan", folder=folder, options=options)
    if answer["failed"] or answer["scored"] < 0.9 * answer["files"]:
        raise RuntimeError(f"{answer['failed']} checks failed, {answer['scored']} of {answer['files']} files scored.")
    starts.append(float(answer["start"]))
    return float(answer["rate"])


def _table(title: str, rates: Mapping[str, list[float]], starts: Mapping[str, list[float]]) -> Table:
    """Rates of what runs; the start of a scan, until its first answer, stands beside them and is in none."""
    rows = [(name, spread(values), spread(starts.get(name, []))) for name, values in rates.items()]
    return Table(title, ("", "files/s (range)", "seconds to the first answer"), rows)
