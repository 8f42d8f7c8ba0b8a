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
from numpy.typing import NDArray

from deepscan.models.assembly import quiet
from deepscan.models.card import ModelCard, Preprocessing
from deepscan.models.devices import OPENVINO, best_precision
from deepscan.models.lanes import Chunk, Rows, cpu_lanes
from deepscan.models.preprocess import normalise

if TYPE_CHECKING:
    import torch

_PRECISIONS = {"fp32": "f32", "bf16": "bf16"}

INT8_GROUP = 128
"""Neighbouring numbers of a picture that share a scale in int8. On one core of an EPYC with AVX-512 VNNI 64 took up to
a tenth longer, and whole rows of 768, a tenth faster, moved the answers twice as far (``tests.benchmarks.model_cpu``).
"""

_SMALLEST = 16
"""Rows of weights from which a product is worth rounding; the last layer of a classifier has two."""


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
            translated = _translated(self._model, self._card.preprocessing, chunk.shape)
            settings: dict[str, object] = {"INFERENCE_NUM_THREADS": cpu_lanes(), "NUM_STREAMS": cpu_lanes()}
            if self._precision == "int8":
                round_weights(translated)
                settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = INT8_GROUP
            # What is no product of weights stays in the best floating-point numbers of this processor.
            rest = best_precision("cpu") if self._precision == "int8" else self._precision
            settings["INFERENCE_PRECISION_HINT"] = _PRECISIONS[rest]
            compiled = openvino.Core().compile_model(translated, "CPU", settings)
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


def round_weights(translated: Any) -> None:
    """Give every product with constant weights these as 8-bit integers, with one scale for each row.

    OpenVINO then rounds what they are multiplied with as well, when it runs and in groups of :data:`INT8_GROUP`, where
    the processor multiplies 8-bit integers (AVX-512 VNNI, AMX); elsewhere it only reads fewer bytes. Nothing has to be
    calibrated on pictures. OpenVINO's own tool for this, NNCF, brings telemetry and a dozen packages.

    Source: Z. Yao et al., "ZeroQuant: Efficient and Affordable Post-Training Quantization", 2022.
    """
    from openvino import opset13 as ops

    for node in translated.get_ordered_ops():
        weights = _constant(node.input_value(1).get_node()) if node.get_type_name() == "MatMul" else None
        if weights is None or weights.ndim != 2:
            continue
        rule = node.get_attributes()
        rows = (weights if rule["transpose_b"] else weights.T).astype(np.float32)
        if len(rows) < _SMALLEST:
            continue
        scales = np.maximum(np.abs(rows).max(axis=1, keepdims=True), np.finfo(np.float32).tiny) / 127
        stored = ops.constant(np.round(rows / scales).astype(np.int8))
        restored = ops.multiply(ops.convert(stored, np.float32), ops.constant(scales))
        product = ops.matmul(node.input_value(0), restored, rule["transpose_a"], True)
        for target in node.output(0).get_target_inputs():
            target.replace_source_output(product.output(0))


def _constant(node: Any) -> NDArray[np.generic] | None:
    """The numbers of a constant, also one that is stored in fewer bits; None for anything else."""
    if node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    if node.get_type_name() != "Constant":
        return None
    numbers: NDArray[np.generic] = node.data
    return numbers
