"""The model through OpenVINO, where that is installed: the same answers, whatever the batch, and no telemetry."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from deepscan.errors import DeviceError
from deepscan.models import loader
from deepscan.models.openvino import round_weights
from deepscan.models.packs import Pack
from tests.fake_pack import SIDE

installed = pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="OpenVINO is not installed")


def _pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


@installed
@pytest.mark.parametrize(("precision", "apart"), [("fp32", 1e-4), ("bf16", 0.02), ("int8", 0.02)])
def test_it_answers_as_torch_does_whatever_the_batch(pack: Pack, precision: str, apart: float) -> None:
    network = loader.load(pack, device="openvino", precision=precision)
    assert (network.device, network.precision) == ("openvino", precision)
    pictures = _pictures(21)
    expected = loader.load(pack, device="cpu", precision="fp32").probabilities(pictures)
    together = network.probabilities(pictures)
    assert np.abs(together - expected).max() < apart
    assert [network.probabilities(pictures[i : i + 1])[0] for i in range(21)] == together.tolist()
    order = np.random.default_rng(1).permutation(21)
    assert network.probabilities(pictures[order]).tolist() == together[order].tolist()


@installed
def test_int8_moves_answers_a_little(pack: Pack) -> None:
    network = loader.load(pack, device="openvino", precision="int8")
    pictures = _pictures(5)
    exact = loader.load(pack, device="openvino", precision="fp32").probabilities(pictures)
    assert 0 < np.abs(network.probabilities(pictures) - exact).max() < 0.02  # rounded, and not far


@installed
@pytest.mark.parametrize("transposed", [True, False])
def test_weights_are_rounded_row_by_row(transposed: bool) -> None:
    import openvino
    from openvino import opset13 as ops

    rng = np.random.default_rng(3)
    weights = rng.normal(size=(32, 24)).astype(np.float32) * 10.0 ** np.arange(-4, 28).clip(max=3)[:, None]
    weights[5] = 0
    small = rng.normal(size=(4, 32)).astype(np.float32)
    given = ops.parameter([2, 24], np.float32)
    first = ops.matmul(
        given, ops.constant((weights if transposed else weights.T).astype(np.float32)), False, transposed
    )
    model = openvino.Model([ops.matmul(first, ops.constant(small), False, True)], [given])
    round_weights(model)
    stored = [node.data for node in model.get_ordered_ops() if node.get_type_name() == "Constant"]
    (rounded,) = (each for each in stored if each.dtype == np.int8)
    (scales,) = (each for each in stored if each.shape == (32, 1))
    assert (np.abs(rounded * scales - weights) <= scales * 0.501).all()
    assert any(each.shape == (4, 32) and each.dtype == np.float32 for each in stored)  # too small to be worth it


def test_int8_asks_for_openvino(pack: Pack) -> None:
    with pytest.raises(DeviceError, match="through OpenVINO only") as caught:
        loader.load(pack, device="cpu", precision="int8")
    assert "--device openvino" in caught.value.hint


@installed
def test_a_precision_that_moves_the_answers_is_not_used(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "best_precision", lambda device: "bf16")
    answers = iter(["too far"])
    monkeypatch.setattr(loader, "_why_not", lambda low, reference, chunk: next(answers, ""))
    network = loader.load(pack, device="openvino", precision="auto")
    assert network.precision == "fp32"
    assert "bf16 was not used" in network.notes[0]


@installed
def test_it_sends_no_telemetry_and_says_nothing(pack: Pack) -> None:
    script = (
        "import sys\n"
        "from deepscan.models import loader, packs\n"
        f"found = packs.find({str(pack.folder)!r}, fake_label=None, offline=True)\n"
        "loader.load(found, device='openvino', precision='fp32').golden_logits((1,))\n"
        "from openvino.tools.ovc import telemetry_utils\n"
        "assert telemetry_utils.tm.__name__.endswith('telemetry_stub'), telemetry_utils.tm\n"
        "assert not any(name.startswith('openvino_telemetry.') for name in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_it_the_error_says_how_to_get_it(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DeviceError, match="not installed") as caught:
        loader.load(pack, device="openvino", precision="auto")
    assert "deepscan[openvino]" in caught.value.hint
