"""What a model costs on one core: by precision, by the kernel of its attention, through OpenVINO, and in a scan.

python -m tests.benchmarks.model_cpu            the embedded pack, and attention at several lengths
python -m tests.benchmarks.model_cpu FOLDER     another model instead (``engine --folder X model`` leaves X/vit-b16)

Processor time, single-threaded, medians: other work on the machine moves it little.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from deepscan.models import loader, packs
from deepscan.models.kernels import kernel_of, set_kernel
from deepscan.models.packs import BUILTIN_FOLDER
from tests.benchmarks.engine.bench import paths_in
from tests.benchmarks.engine.child import Child, ask_once
from tests.benchmarks.engine.inputs import faces
from tests.benchmarks.engine.model import BATCH_SIZES
from tests.benchmarks.table import Table

REPEATS, PICTURES = 5, 16
FILES = (40, 120)
LENGTHS = ((50, 12), (122, 6), (197, 12), (257, 12), (325, 12), (577, 12))
"""Tokens and heads of vision transformers in use; each head has 64 numbers."""


def main(folder: str = "builtin") -> None:
    """Print the tables."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # for the processes that it starts as well
    torch.set_num_threads(1)
    sys.stdout.write(_model(folder).render() + "\n\n")
    sys.stdout.write(_files(folder).render() + "\n\n")
    if folder == "builtin":
        sys.stdout.write(_attention().render() + "\n")


def _model(folder: str) -> Table:
    pack = packs.find(folder, fake_label="Fake", offline=True)
    rule = pack.card.preprocessing
    batch = np.random.default_rng(1).integers(0, 256, (PICTURES, rule.height, rule.width, 3), np.uint8)
    exact = loader.load(pack, device="cpu", precision="fp32").probabilities(batch)

    def rows() -> Iterator[tuple[str, str, str, str]]:
        choices = [("cpu", "fp32"), ("cpu", "bf16")]
        if importlib.util.find_spec("openvino"):
            choices += [("openvino", "fp32"), ("openvino", "bf16"), ("openvino", "int8")]
        for device, precision in choices:
            began = time.process_time()
            network = loader.load(pack, device=device, precision=precision)
            start = time.process_time() - began
            model = network._first.model
            chosen = kernel_of(model)
            for kernel in ("sdpa", "eager") if device == "cpu" and chosen is not None else (None,):
                if kernel is not None:
                    set_kernel(model, kernel)
                moved = float(np.abs(network.probabilities(batch) - exact).max())
                name = f"{device}, {precision}" + (f", {kernel}" if kernel else "") + (" (chosen)" * (kernel == chosen))
                spent = _median(lambda network=network: network.probabilities(batch)) / PICTURES  # type: ignore[misc]
                yield name, f"{spent:.1f}", f"{moved:.4f}", f"{start:.1f}"

    title = f"{pack.card.name}, {PICTURES} pictures of {rule.width} x {rule.height}"
    columns = ("", "ms a picture", "largest change of a probability", "seconds to load, torch there")
    return Table(title, columns, list(rows()))


def _files(folder: str) -> Table:
    """A scan with the classifier alone, and the pipeline, by the file: two scans of different length have one start."""
    model = str(BUILTIN_FOLDER) if folder == "builtin" else folder
    options: dict[str, object] = {"checks": ["classifier"], "workers": 1, "model": folder}
    if folder != "builtin":
        options["fake_label"] = "Fake"
    with tempfile.TemporaryDirectory() as place, Child() as child:
        few, many = (faces(Path(place) / str(count), count) for count in FILES)
        short, long = (ask_once("scan", folder=str(each), options=options)["cpu"] for each in (few, many))
        rows = [("deepscan, classifier alone", f"{1000 * (long - short) / (FILES[1] - FILES[0]):.1f}")]
        for size in BATCH_SIZES:
            files = paths_in(few)
            child.ask("pipeline", model=model, files=files[:2], batch_size=size)  # loads it
            spent = child.ask("pipeline", model=model, files=files, batch_size=size)["cpu"]
            # It begins with two files for nothing, which cost as much as the others.
            rows.append((f"pipeline, fp32, batch {size}", f"{1000 * spent / (len(files) + 2):.1f}"))
    return Table("Files of 256 px", ("", "ms of processor time a file, the start taken off"), rows)


def _attention() -> Table:
    """Plain products over torch's kernel, for a chunk of four pictures."""

    def plain(of: torch.Tensor) -> torch.Tensor:
        return (torch.softmax(of * of.shape[-1] ** -0.5 @ of.transpose(2, 3), -1) @ of).transpose(1, 2).flatten(2)

    def own(of: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.scaled_dot_product_attention(of, of, of).transpose(1, 2).flatten(2)

    rows = []
    for tokens, heads in LENGTHS:
        shares = []
        for dtype in (torch.float32, torch.bfloat16):
            of = torch.randn(4, tokens, heads, 64, dtype=dtype).transpose(1, 2)
            slow, quick = (_median(lambda how=how, of=of: how(of)) for how in (own, plain))  # type: ignore[misc]
            shares.append(f"{quick / slow:.2f}")
        rows.append((f"{tokens} tokens, {heads} heads", *shares))
    return Table("Attention: time of plain products over that of torch's kernel", ("", "fp32", "bf16"), rows)


def _median(work: Callable[[], object]) -> float:
    """Milliseconds of processor time, after once for nothing."""
    spent = []
    with torch.inference_mode():
        work()
        for _ in range(REPEATS):
            began = time.process_time()
            work()
            spent.append(time.process_time() - began)
    return 1000 * statistics.median(spent)


if __name__ == "__main__":
    main(*sys.argv[1:2])
