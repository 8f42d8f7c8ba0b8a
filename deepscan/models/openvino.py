"""The processor through OpenVINO: an optional way to compute, for scans large enough to repay its start.

Measured against torch in docs/performance.md. The model is translated and compiled each time it is loaded, which takes
seconds; what comes out must answer the golden inputs as torch does, or is not used.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from deepscan.models.assembly import quiet
from deepscan.models.card import ModelCard, Preprocessing
from deepscan.models.devices import OPENVINO
from deepscan.models.lanes import Chunk, Rows, cpu_lanes
from deepscan.models.preprocess import normalise

if TYPE_CHECKING:
    import torch

_PRECISIONS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoLane:
    """A model compiled for the processor: one stream for each core, each with one thread, as torch's lanes have."""

    device = OPENVINO

    def __init__(self, model: torch.nn.Module, card: ModelCard, *, precision: str) -> None:
        self._model, self._card, self._precision = model, card, precision
        self._queues: dict[int, Any] = {}

    def run(self, chunks: Sequence[Chunk]) -> Rows:
        """The rows of all pictures."""
        if not chunks:
            return []
        queue = self._queue(chunks[0])
        answers: dict[int, list[list[float]]] = {}

        def keep(request: Any, number: int) -> None:
            answers[number] = request.get_output_tensor().data.tolist()

        queue.set_callback(keep)
        for number, chunk in enumerate(chunks):
            queue.start_async([np.ascontiguousarray(chunk)], number)
        queue.wait_all()
        return [row for number in range(len(chunks)) for row in answers[number]]

    def _queue(self, chunk: Chunk) -> Any:
        """The requests for chunks of this shape: the compiled model takes no other."""
        if len(chunk) not in self._queues:
            openvino = _library()
            settings = {
                "INFERENCE_PRECISION_HINT": _PRECISIONS[self._precision],
                "INFERENCE_NUM_THREADS": cpu_lanes(),
                "NUM_STREAMS": cpu_lanes(),
            }
            compiled = openvino.Core().compile_model(
                _translated(self._model, self._card.preprocessing, chunk.shape), "CPU", settings
            )
            self._queues[len(chunk)] = openvino.AsyncInferQueue(compiled, cpu_lanes())
        return self._queues[len(chunk)]


def _library() -> Any:
    """OpenVINO without its telemetry, which would tell Google Analytics of the import: deepscan goes to no network."""
    sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))  # None: "not installed"; it then goes without
    import openvino

    return openvino


def _translated(model: torch.nn.Module, rule: Preprocessing, shape: tuple[int, ...]) -> Any:
    """The model as OpenVINO has it, for uint8 pixels of one shape (n, height, width, 3), which it normalises itself."""
    import torch

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, pixels: torch.Tensor) -> Any:
            return self.inner(pixel_values=normalise(pixels, rule)).logits

    # Torch's tracer, which OpenVINO uses, warns of shapes that it takes as fixed, and asks a model of transformers' for
    # its loss, of which that warns in turn.
    with quiet() if "transformers" in sys.modules else warnings.catch_warnings(action="ignore"):
        translated = _library().convert_model(Logits().eval(), example_input=torch.zeros(shape, dtype=torch.uint8))
    translated.reshape(list(shape))
    return translated
