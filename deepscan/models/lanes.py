"""Forward passes side by side: one lane for each GPU, or for each core of a CPU.

On a CPU each lane computes with one thread of torch's own. Torch's threads wait for one another after each operation,
turning in circles meanwhile; where worker processes want the same cores, one that is held up holds up all of them: see
docs/performance.md.
Lanes wait for nothing but their last chunk.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deepscan.errors import CorruptPackError, DeviceError
from deepscan.machine import usable_cores
from deepscan.models.card import ModelCard
from deepscan.models.devices import device_name
from deepscan.models.preprocess import normalise
from deepscan.text import clean

if TYPE_CHECKING:
    import torch

_OUT_OF_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "cannot allocate memory",
    "cublas_status_alloc_failed",
)

_LOST_WORDS = ("CUDA error", "HIP error", "CUDNN_STATUS", "CUBLAS_STATUS")
"""What torch says of a device that has failed (torch.AcceleratorError, from 2.8 on; a plain RuntimeError before)."""

Chunk = NDArray[np.uint8]
"""Shape (chunk, height, width, 3), always the same number of pictures."""

Rows = list[list[float]]
"""One row of logits for each picture, in fp32."""


class OutOfMemoryError(Exception):
    """A batch did not fit into memory. The network takes smaller bites from now on: try again, with a smaller batch."""


class Lane(Protocol):
    """One place where the model is."""

    @property
    def device(self) -> str:
        """The device, as torch writes it."""

    def run(self, chunks: Sequence[Chunk]) -> Rows:
        """The rows of all pictures. Raises OutOfMemoryError."""


class TorchLane:
    """A model that lies on a device, in a precision."""

    def __init__(self, model: torch.nn.Module, card: ModelCard, *, device: str, precision: str) -> None:
        self.model = model
        self.device = device
        self._card = card
        self._precision = precision

    def run(self, chunks: Sequence[Chunk]) -> Rows:
        """Queue all passes on the device, then wait for the answers: copies and computations of a GPU overlap."""
        import torch

        try:
            with torch.inference_mode():
                answers = [self._forward(chunk) for chunk in chunks]
                return [row for answer in answers for row in answer.float().cpu().tolist()]
        except (RuntimeError, MemoryError) as e:
            if not is_out_of_memory(e):
                if any(part in str(e) for part in _LOST_WORDS):
                    raise _lost(e, self.device) from e
                raise
            # The error's frames hold what was computed before it; a smaller try needs that room.
            traceback.clear_frames(e.__traceback__)
            count = len(chunks[0]) if chunks else 0
            raise OutOfMemoryError(f"{device_name(self.device)} has not enough memory for {count} pictures.") from e

    def _forward(self, chunk: Chunk) -> torch.Tensor:
        import torch

        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[self._precision]
        stored = torch.from_numpy(chunk)
        if self.device.startswith("cuda"):
            stored = stored.pin_memory()  # without it the copy waits for the device
        pixels = normalise(stored.to(self.device, non_blocking=True), self._card.preprocessing)
        pixels = pixels.to(dtype).contiguous(memory_format=torch.channels_last)
        answer: Any = self.model(pixel_values=pixels)
        logits: torch.Tensor = answer.logits
        if logits.shape != (len(chunk), len(self._card.labels)):
            raise CorruptPackError(
                f"The model {clean(self._card.name)} gives {tuple(logits.shape)[-1]} numbers for a picture, "
                f"and its card has {len(self._card.labels)} labels."
            )
        return logits


class Lanes:
    """Spreads chunks over lanes, and puts the answers together in their order."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = tuple(lanes)
        self._threads: ThreadPoolExecutor | None = None

    def run(self, chunks: Sequence[Chunk]) -> Rows:
        """The rows of all pictures of all chunks, in order. Raises OutOfMemoryError, or what a lane raises."""
        count = len(self._lanes)
        if count == 1:
            return self._lanes[0].run(chunks)
        if self._threads is None:
            on_cpu = self._lanes[0].device == "cpu"
            self._threads = ThreadPoolExecutor(count, "lane", initializer=compute_alone if on_cpu else None)
        shares = [chunks[number::count] for number in range(min(count, len(chunks)))]
        running = [self._threads.submit(lane.run, share) for lane, share in zip(self._lanes, shares, strict=False)]
        wait(running)  # also where one fails: what the others still do would take room from a smaller try
        answers = [each.result() for each in running]
        rows: Rows = []
        for at, chunk in enumerate(chunks):
            first = (at // count) * len(chunk)
            rows += answers[at % count][first : first + len(chunk)]
        return rows


def cpu_lanes() -> int:
    """How many lanes a CPU gets: one for each core that this process may use."""
    return usable_cores()


def _lost(error: BaseException, device: str) -> DeviceError:
    words = clean(str(error).partition("\n")[0]).rstrip(".")  # what follows is advice for programmers
    return DeviceError(f"The device {device} failed: {words}.", "Scan again to score the rest.")


def is_out_of_memory(error: BaseException) -> bool:
    """Torch's own OutOfMemoryError is a RuntimeError; its CPU and MPS allocators raise plain ones."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or any(part in words for part in _OUT_OF_MEMORY_WORDS)


def compute_alone() -> None:
    """Leave torch one thread for what the calling thread computes: others are busy."""
    import torch

    torch.set_num_threads(1)
