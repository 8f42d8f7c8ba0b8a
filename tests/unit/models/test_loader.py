"""Loading: hashed bytes only, every tensor accounted for, and the same answer whatever the batch."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deepscan.errors import CorruptPackError, DeviceError
from deepscan.models import devices, loader, packs
from deepscan.models.calibration import Calibration
from deepscan.models.card import Golden
from deepscan.models.loader import Network, OutOfMemoryError
from deepscan.models.packs import Pack
from tests.fake_pack import SIDE, make_card, make_model, make_pack, make_plain, pvt_config, vit_config


def _pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def _load(pack: Pack, precision: str = "fp32") -> Network:
    return loader.load(pack, device="cpu", precision=precision)


@pytest.mark.parametrize("family", [vit_config, pvt_config])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_score_does_not_depend_on_its_batch(tmp_path: Path, family: Any, precision: str) -> None:
    pack = make_pack(tmp_path / "p", model=make_model(family(), spread=0.2))
    network = _load(pack, precision)
    assert network.precision == precision
    pictures = _pictures(13)
    alone = [network.logits(pictures[i : i + 1])[0] for i in range(13)]
    assert len(set(alone)) > 6
    for size in (3, 8, 13):
        together = [a for i in range(0, 13, size) for a in network.logits(pictures[i : i + size])]
        assert together == alone, size
    order = np.random.default_rng(1).permutation(13)
    assert [alone[i] for i in order] == list(network.logits(pictures[order]))
    assert network.probabilities(pictures[3:4])[0] == network.probabilities(pictures)[3]


def test_probabilities_are_the_calibrated_odds_of_the_fake_label(tmp_path: Path) -> None:
    import torch

    model = make_model(vit_config(("Deepfake", "Real", "Artificial", "Photo")), spread=0.3)
    pack = make_pack(
        tmp_path / "p", model=model, fake_label="Artificial", calibration=Calibration("temperature", 2.0, -0.5)
    )
    pictures = _pictures(6)
    with torch.inference_mode():
        logits = model(pixel_values=torch.tensor(pictures).permute(0, 3, 1, 2) / 127.5 - 1).logits.double()
    odds = logits[:, 2] - torch.logsumexp(logits[:, [0, 1, 3]], dim=1)
    network = _load(pack)
    assert network.logits(pictures) == pytest.approx(odds.tolist(), abs=1e-5)
    expected = torch.sigmoid(odds / 2.0 - 0.5).tolist()
    assert network.probabilities(pictures).tolist() == pytest.approx(expected, abs=1e-6)
    assert network.probabilities(pictures).dtype == np.float32
    curve = Calibration("isotonic", 1.0, 0.0, ((-5.0, -3.0), (0.0, -1.0), (2.0, 4.0)))
    network.card = replace(network.card, calibration=curve)
    expected = torch.sigmoid(torch.tensor(np.interp(odds, *np.array(curve.points).T))).tolist()
    assert network.probabilities(pictures).tolist() == pytest.approx(expected, abs=1e-6)


def test_an_empty_batch_and_wrong_shapes(pack: Pack) -> None:
    network = _load(pack)
    assert network.probabilities(_pictures(0)).shape == (0,)
    with pytest.raises(ValueError, match="want uint8"):
        network.probabilities(_pictures(1)[0])
    with pytest.raises(ValueError, match="want uint8"):
        network.probabilities(_pictures(1).astype(np.float32))
    with pytest.raises(ValueError, match="want uint8"):
        network.probabilities(_pictures(1)[:, :10])


def test_read_only_and_strided_batches_are_fine(pack: Pack) -> None:
    network = _load(pack)
    pictures = _pictures(4)
    expected = network.logits(pictures)
    mirrored = np.ascontiguousarray(pictures[:, :, ::-1])[:, :, ::-1]
    mirrored.flags.writeable = False
    assert network.logits(mirrored) == expected


def _weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    tensors: dict[str, Any] = load_file(folder / "model.safetensors")
    return tensors


def _rewritten(plain: Path, to: Path, tensors: dict[str, Any]) -> Pack:
    from safetensors.torch import save_file

    folder = Path(shutil.copytree(plain, to))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return packs.find(str(folder), fake_label=None, offline=True)


def test_a_missing_head_is_never_made_up(plain: Path, tmp_path: Path) -> None:
    tensors = {k: v for k, v in _weights(plain).items() if not k.startswith("classifier")}
    with pytest.raises(CorruptPackError, match=r"lack classifier\.bias, classifier\.weight"):
        _load(_rewritten(plain, tmp_path / "m", tensors))


def test_left_over_tensors_are_refused(plain: Path, tmp_path: Path) -> None:
    import torch

    tensors = {**_weights(plain), "second_head.weight": torch.zeros(2, 2)}
    with pytest.raises(CorruptPackError, match=r"second_head\.weight"):
        _load(_rewritten(plain, tmp_path / "m", tensors))


def test_tensors_of_another_shape_are_refused_by_name(plain: Path, tmp_path: Path) -> None:
    import torch

    tensors = {**_weights(plain), "classifier.weight": torch.zeros(3, 32), "classifier.bias": torch.zeros(3)}
    with pytest.raises(CorruptPackError, match=r"shape for classifier\.bias, classifier\.weight"):
        _load(_rewritten(plain, tmp_path / "m", tensors))


def test_weights_that_are_no_numbers_are_refused(plain: Path, tmp_path: Path) -> None:
    tensors = _weights(plain)
    tensors["classifier.bias"][0] = math.nan
    with pytest.raises(CorruptPackError, match=r"classifier\.bias"):
        _load(_rewritten(plain, tmp_path / "m", tensors))


@pytest.mark.parametrize(
    "content",
    [b"", b"abc", b"\xff" * 8, (10**6).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"[]"],
    ids=["empty", "short", "huge-header", "cut-header", "list"],
)
def test_damaged_safetensors_are_one_error(plain: Path, tmp_path: Path, content: bytes) -> None:
    folder = Path(shutil.copytree(plain, tmp_path / "m"))
    (folder / "model.safetensors").write_bytes(content)
    pack = packs.find(str(folder), fake_label=None, offline=True)
    with pytest.raises(CorruptPackError, match=r"model\.safetensors"):
        _load(pack)


def test_weights_exchanged_after_the_check_are_refused(plain: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(plain, tmp_path / "m"))
    pack = packs.find(str(folder), fake_label=None, offline=True)
    make_plain(folder, make_model(vit_config(), seed=99))
    with pytest.raises(CorruptPackError, match="changed after they were checked"):
        _load(pack)


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "no-such-model"},
        {"model_type": "bert"},
        {"hidden_size": "wide"},
        {"hidden_size": 31},
        {"num_attention_heads": 0},
        {"image_size": 64},
        {"num_channels": 1},
        {"hidden_act": "explode"},
        {"patch_size": 0},
        {"id2label": {"0": "Real", "1": "Fake", "2": "Other"}},
    ],
    ids=str,
)
def test_a_configuration_that_does_not_fit_the_weights_is_refused(
    plain: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    import json

    folder = Path(shutil.copytree(plain, tmp_path / "m"))
    document = json.loads((folder / "config.json").read_text())
    document.update(changes)
    (folder / "config.json").write_text(json.dumps(document))
    with pytest.raises(CorruptPackError):
        _load(packs.find(str(folder), fake_label="Fake", offline=True))


def test_an_input_size_the_model_cannot_take_is_refused(pack: Pack) -> None:
    rule = replace(pack.card.preprocessing, width=64, height=64)
    with pytest.raises(CorruptPackError):
        _load(replace(pack, card=replace(pack.card, preprocessing=rule, golden=())))


def test_a_card_with_other_labels_than_outputs_is_refused(pack: Pack) -> None:
    card = replace(pack.card, labels=("Real", "Fake", "Other"), golden=())
    with pytest.raises(CorruptPackError, match="3 labels"):
        _load(replace(pack, card=card))


def test_golden_answers_guard_every_load(pack: Pack) -> None:
    golden = tuple(Golden(g.seed, g.logit + 0.5) for g in pack.card.golden)
    with pytest.raises(CorruptPackError, match="does not answer as it did"):
        _load(replace(pack, card=replace(pack.card, golden=golden)))


def test_bf16_that_moves_the_answers_is_not_used(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "best_precision", lambda device: "bf16")
    pack = replace(pack, card=replace(pack.card, score_tolerance=1e-9))
    network = _load(pack, "auto")
    assert network.precision == "fp32"
    assert "bf16 was not used" in network.notes[0]
    with pytest.raises(DeviceError, match="bf16"):
        _load(pack, "bf16")


def test_bf16_is_chosen_where_the_machine_computes_in_it(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_cpu_computes_bf16", lambda: True)
    network = _load(pack, "auto")
    assert (network.precision, network.notes) == ("bf16", ())
    reference = _load(pack)
    pictures = _pictures(8)
    assert np.abs(network.probabilities(pictures) - reference.probabilities(pictures)).max() < 0.02
    monkeypatch.setattr(devices, "_cpu_computes_bf16", lambda: False)
    assert _load(pack, "auto").precision == "fp32"


def test_fp16_on_a_cpu_is_refused(pack: Pack) -> None:
    with pytest.raises(DeviceError, match="fp16") as caught:
        _load(pack, "fp16")
    assert "--precision" in caught.value.hint


@pytest.mark.parametrize("device", ["cuda:99", "cuda:1000000"])
def test_a_device_that_is_not_there_is_named_beside_those_that_are(pack: Pack, device: str) -> None:
    with pytest.raises(DeviceError, match=device) as caught:
        loader.load(pack, device=device, precision="fp32")
    assert "cpu" in caught.value.hint


def test_cuda_is_listed_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_cuda_names", lambda: ("NVIDIA H200", "NVIDIA T4"))
    assert devices.choose_device("auto") == "cuda:0"
    assert devices.choose_device("cuda") == "cuda:0"
    assert devices.choose_device("cuda:1") == "cuda:1"
    assert devices.device_name("cuda:1") == "cuda:1 (NVIDIA T4)"
    with pytest.raises(DeviceError, match="cuda:2") as caught:
        devices.choose_device("cuda:2")
    assert "NVIDIA H200" in caught.value.hint


class _Starved:
    """A model that runs out of memory above ``limit`` pictures, in the words of ``error``."""

    def __init__(self, limit: int, error: Exception) -> None:
        self.limit, self.error, self.seen = limit, error, []  # type: ignore[var-annotated]

    def __call__(self, pixel_values: Any) -> Any:
        from types import SimpleNamespace

        self.seen.append(len(pixel_values))
        if len(pixel_values) > self.limit:
            raise self.error
        return SimpleNamespace(logits=pixel_values.mean(dim=(2, 3))[:, :2])


def _starved(limit: int, words: str = "CUDA out of memory. Tried to allocate 2 GiB") -> tuple[Network, _Starved]:
    model: Any = _Starved(limit, RuntimeError(words))
    network = Network(model, make_card(), device="cpu", precision="fp32")
    network.chunk = 8
    return network, model


@pytest.mark.parametrize(
    "words",
    [
        "CUDA out of memory. Tried to allocate 2 GiB",
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes",
        "[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.",
        "MPS backend out of memory (MPS allocated: 9 GB)",
    ],
)
def test_lack_of_memory_is_told_and_the_next_bite_is_smaller(words: str) -> None:
    network, model = _starved(2, words)
    pictures = _pictures(8)
    for _ in range(2):
        with pytest.raises(OutOfMemoryError):
            network.probabilities(pictures)
    assert network.probabilities(pictures).shape == (8,)
    assert model.seen[0] == 8 and model.seen[-4:] == [2] * 4 and set(model.seen) == {8, 4, 2}


def test_what_did_not_fit_is_let_go_before_the_next_try() -> None:
    import weakref

    held: list[Any] = []

    def layers(pixel_values: Any) -> Any:
        activation = pixel_values * 2
        held.append(weakref.ref(activation))
        raise RuntimeError("CUDA out of memory")

    model: Any = layers
    network = Network(model, make_card(), device="cpu", precision="fp32")
    with pytest.raises(OutOfMemoryError) as caught:
        network.probabilities(_pictures(2))
    assert caught.value.__cause__ is not None  # the error is still there, as it is while a smaller batch is tried
    assert [activation() for activation in held] == [None] * len(held) != []


def test_one_picture_alone_is_tried_until_nothing_is_smaller() -> None:
    network, model = _starved(1)
    assert network.probabilities(_pictures(1)).shape == (1,)
    assert model.seen == [8, 4, 2, 1]
    network, model = _starved(0)
    with pytest.raises(OutOfMemoryError):
        network.probabilities(_pictures(1))
    assert model.seen == [8, 4, 2, 1]


def test_other_errors_are_not_mistaken_for_lack_of_memory() -> None:
    network, _ = _starved(0, "mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(RuntimeError, match="mat1"):
        network.probabilities(_pictures(2))


def test_an_answer_that_is_no_number_stays_with_its_picture() -> None:
    from types import SimpleNamespace

    import torch

    def model(pixel_values: Any) -> Any:
        logits = pixel_values.mean(dim=(2, 3))[:, :2]
        return SimpleNamespace(logits=torch.where(logits[:, :1] > 0.9, torch.nan, logits))

    network = Network(model, make_card(), device="cpu", precision="fp32")  # type: ignore[arg-type]
    pictures = _pictures(5)
    pictures[2] = 255
    assert np.isnan(network.probabilities(pictures)).tolist() == [False, False, True, False, False]


def test_extreme_logits_give_the_ends_of_the_scale() -> None:
    from types import SimpleNamespace

    import torch

    def model(pixel_values: Any) -> Any:
        return SimpleNamespace(logits=torch.tensor([[-3e38, 3e38], [3e38, -3e38], [0.0, 0.0], [5.0, 5.0]]))

    network = Network(model, make_card(), device="cpu", precision="fp32")  # type: ignore[arg-type]
    assert network.probabilities(_pictures(2)).tolist() == [1.0, 0.0]


def test_nothing_reaches_the_terminal_and_nothing_warns(pack: Pack, plain: Path) -> None:
    script = (
        "from deepscan.models import loader, packs\n"
        f"for model in ({str(pack.folder)!r}, {str(plain)!r}):\n"
        "    found = packs.find(model, fake_label=None, offline=True)\n"
        "    loader.load(found, device='cpu', precision='auto').golden_logits((1,))\n"
        "from transformers.utils import logging\n"
        "assert logging.is_progress_bar_enabled() and logging.get_verbosity() == logging.WARNING\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.gpu
def test_a_gpu_answers_as_the_cpu_does(pack: Pack) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device on this machine")
    pictures = _pictures(70)
    expected = _load(pack).probabilities(pictures)
    network = loader.load(pack, device="cuda", precision="fp32")
    found = network.probabilities(pictures)
    assert np.abs(found - expected).max() < 1e-3
    alone = np.concatenate([network.probabilities(pictures[i : i + 1]) for i in range(70)])
    assert alone.tolist() == found.tolist()
