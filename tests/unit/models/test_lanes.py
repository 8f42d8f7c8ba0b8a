"""Lanes: every chunk once, answers in order, a copy of the model for each GPU."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from deepscan.errors import DeviceError
from deepscan.models import devices, lanes, loader
from deepscan.models.lanes import Chunk, Lanes, OutOfMemoryError, Rows
from deepscan.models.packs import Pack
from tests.fake_pack import SIDE, make_card


class _Echo:
    """A lane whose row for a picture is its first value."""

    def __init__(self, device: str, *, starved: bool = False) -> None:
        self.device, self.starved = device, starved
        self.seen = 0
        self.threads: set[int] = set()

    def run(self, chunks: Sequence[Chunk]) -> Rows:
        self.seen += len(chunks)
        self.threads.add(threading.get_ident())
        if self.starved:
            raise OutOfMemoryError("full")
        return [[float(picture[0, 0, 0])] for chunk in chunks for picture in chunk]


def _chunks(count: int, size: int = 4) -> list[Chunk]:
    numbered = np.arange(count * size, dtype=np.uint8).reshape(count, size, 1, 1, 1)
    return list(np.broadcast_to(numbered, (count, size, 2, 2, 3)))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_every_picture_is_answered_once_and_in_order(count: int, width: int) -> None:
    several = [_Echo(f"cuda:{i}") for i in range(width)]
    rows = Lanes(several).run(_chunks(count))
    assert [row[0] for row in rows] == list(range(4 * count))
    assert sum(lane.seen for lane in several) == count
    assert sum(lane.seen > 0 for lane in several) == min(width, count)


def test_a_lane_without_memory_is_told() -> None:
    with pytest.raises(OutOfMemoryError):
        Lanes([_Echo("cuda:0"), _Echo("cuda:1", starved=True)]).run(_chunks(4))


def test_a_failure_is_told_when_no_lane_works_any_more() -> None:
    failed, ended = threading.Event(), threading.Event()

    class _Failing(_Echo):
        def run(self, chunks: Sequence[Chunk]) -> Rows:
            failed.set()
            raise OutOfMemoryError("full")

    class _Slow(_Echo):
        def run(self, chunks: Sequence[Chunk]) -> Rows:
            failed.wait()
            time.sleep(0.2)
            ended.set()
            return super().run(chunks)

    with pytest.raises(OutOfMemoryError):
        Lanes([_Failing("cuda:0"), _Slow("cuda:1")]).run(_chunks(2))
    assert ended.is_set()


def test_lanes_of_a_cpu_leave_torch_one_thread_each() -> None:
    seen: list[int] = []

    class _Counting(_Echo):
        def run(self, chunks: Sequence[Chunk]) -> Rows:
            seen.append(torch.get_num_threads())
            return super().run(chunks)

    lane = _Counting("cpu")
    Lanes([lane, lane]).run(_chunks(4))
    assert seen == [1, 1]
    assert threading.get_ident() not in lane.threads


class _AsIfOnGpu(lanes.TorchLane):
    """Says that it is on a GPU, and computes on the CPU."""

    made: list[str] = []  # noqa: RUF012

    def __init__(self, model: Any, card: Any, *, device: str, precision: str) -> None:
        super().__init__(model, card, device="cpu", precision=precision)
        self.device = device
        self.made.append(device)

    def _forward(self, chunk: Chunk) -> torch.Tensor:
        device, self.device = self.device, "cpu"
        try:
            return super()._forward(chunk)
        finally:
            self.device = device


def test_pictures_go_to_a_gpu_pinned_and_without_waiting_and_are_made_ready_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[object] = []
    really = torch.Tensor.to

    def pinned(tensor: torch.Tensor) -> torch.Tensor:
        done.append(("pinned", tensor.dtype))
        return tensor

    def moved(tensor: torch.Tensor, *to: Any, **how: Any) -> Any:
        if to == ("cuda:0",):
            done.append(("moved", tensor.dtype, how))
            return tensor
        return really(tensor, *to, **how)

    def model(pixel_values: torch.Tensor) -> Any:
        done.append(("computed", pixel_values.dtype, torch.is_inference_mode_enabled()))
        assert pixel_values.is_contiguous(memory_format=torch.channels_last)
        return SimpleNamespace(logits=pixel_values.mean(dim=(2, 3))[:, :2])

    monkeypatch.setattr(torch.Tensor, "pin_memory", pinned)
    monkeypatch.setattr(torch.Tensor, "to", moved)
    lane = lanes.TorchLane(model, make_card(), device="cuda:0", precision="bf16")  # type: ignore[arg-type]
    lane.run([np.zeros((2, SIDE, SIDE, 3), np.uint8)])
    assert done == [
        ("pinned", torch.uint8),
        ("moved", torch.uint8, {"non_blocking": True}),
        ("computed", torch.bfloat16, True),
    ]


@pytest.mark.parametrize("device", ["cuda:0", "cpu"])
def test_a_device_that_is_lost_is_told_in_one_sentence(device: str) -> None:
    said = "CUDA error: unspecified launch failure\nCUDA kernel errors might be asynchronously reported at some other"

    def lost(pixel_values: Any) -> Any:
        raise RuntimeError(said if device == "cuda:0" else "mat1 and mat2 shapes cannot be multiplied")

    lane = _AsIfOnGpu(lost, make_card(), device=device, precision="fp32")
    picture = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    with pytest.raises(RuntimeError if device == "cpu" else DeviceError) as caught:
        lane.run([picture])
    if device != "cpu":
        assert str(caught.value) == "The device cuda:0 failed: CUDA error: unspecified launch failure."


def test_all_gpus_share_the_work_and_answer_alike(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.random.default_rng(7).integers(0, 256, (150, SIDE, SIDE, 3), dtype=np.uint8)
    expected = loader.load(pack, device="cpu", precision="fp32").probabilities(pictures)
    monkeypatch.setattr(devices, "_cuda_names", lambda: ("NVIDIA H200", "NVIDIA H200", "NVIDIA H200"))
    monkeypatch.setattr(loader, "best_precision", lambda device: "fp32")
    monkeypatch.setattr(loader, "_to_device", lambda model, place: model)
    monkeypatch.setattr(loader, "TorchLane", _AsIfOnGpu)
    _AsIfOnGpu.made.clear()
    network = loader.load(pack, device="cuda", precision="auto")
    assert network.device == "cuda:0,cuda:1,cuda:2"
    assert {"cuda:0", "cuda:1", "cuda:2"} == set(_AsIfOnGpu.made)
    assert np.abs(network.probabilities(pictures) - expected).max() < 1e-4
    assert loader.load(pack, device="cuda:1", precision="auto").device == "cuda:1"


def test_one_gpu_without_bf16_decides_for_all(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_cuda_names", lambda: ("NVIDIA H200", "NVIDIA T4"))
    monkeypatch.setattr(loader, "best_precision", lambda device: "bf16" if device == "cuda:0" else "fp32")
    monkeypatch.setattr(loader, "_to_device", lambda model, place: model)
    monkeypatch.setattr(loader, "TorchLane", _AsIfOnGpu)
    assert loader.load(pack, device="auto", precision="auto").precision == "fp32"
