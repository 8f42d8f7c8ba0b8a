"""DINOv2 without transformers: the same logits and maps, for what is known in every particular and for nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deepscan.errors import CorruptPackError
from deepscan.models import assembly, loader
from deepscan.models.attribution import attention
from deepscan.models.card import Golden
from deepscan.models.kernels import choose_kernel, kernel_of, set_kernel
from deepscan.models.packs import BUILTIN_FOLDER, Pack
from tests.fake_pack import SIDE, dinov2_config, make_card, make_model, make_pack, vit_config


def _model(**changes: Any) -> Any:
    """One with all its tensors drawn at random: ones and zeros, as libraries begin with, hide what is left out."""
    import torch

    model = make_model(dinov2_config(**changes), spread=0.3)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(5)
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    return model


@pytest.fixture(scope="module")
def dinov2(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return make_pack(tmp_path_factory.mktemp("packs") / "dinov2", model=_model())


def _pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def _is_own(model: Any) -> bool:
    return type(model).__module__ == "deepscan.models.dinov2"


@pytest.mark.parametrize("labels", [("Real", "Fake"), ("Deepfake", "Real", "Other")])
@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
def test_it_gives_the_logits_of_transformers(tmp_path: Path, kernel: str, labels: tuple[str, ...]) -> None:
    import torch

    theirs = _model(labels=labels)
    ours = assembly.assemble(make_pack(tmp_path / "p", model=theirs, fake_label=labels[1]))
    assert _is_own(ours)
    set_kernel(ours, kernel)
    pixels = torch.from_numpy(_pictures(5)).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.inference_mode():
        wanted, found = theirs(pixel_values=pixels).logits, ours(pixel_values=pixels).logits
    assert wanted.std(dim=0).min() > 0.01, "the pictures must differ in their answers"
    assert (wanted - found).abs().max() < 1e-5


def test_it_gives_the_map_of_transformers(dinov2: Pack) -> None:
    ours = assembly.assemble(dinov2)
    assert _is_own(ours)
    maps = [attention(model, dinov2.card, _pictures(1)[0], "cpu") for model in (_model(), ours)]
    assert maps[0] is not None and maps[1] is not None
    assert maps[0].shape == (SIDE // 12, SIDE // 12)
    assert np.allclose(maps[0], maps[1], atol=1e-6)
    assert kernel_of(ours) == "sdpa", "the map leaves the model as it was"


@pytest.mark.parametrize(
    "changes", [{"hidden_act": "gelu_new"}, {"use_swiglu_ffn": True}, {"qkv_bias": False}, {"use_mask_token": True}]
)
def test_variants_are_left_to_transformers(tmp_path: Path, changes: dict[str, Any]) -> None:
    pack = make_pack(tmp_path / "p", model=_model(**changes))
    assert pack.card.golden
    assert not _is_own(assembly.assemble(pack))


def test_a_card_that_vouches_for_nothing_is_left_to_transformers(dinov2: Pack) -> None:
    assert not _is_own(assembly.assemble(replace(dinov2, card=replace(dinov2.card, golden=()))))


def test_another_input_size_is_left_to_transformers(dinov2: Pack) -> None:
    rule = replace(dinov2.card.preprocessing, width=SIDE + 12, height=SIDE + 12)
    assert not _is_own(assembly.assemble(replace(dinov2, card=replace(dinov2.card, preprocessing=rule))))


@pytest.mark.parametrize(("change", "words"), [("drop", "lack"), ("add", "does not have"), ("shape", "another shape")])
def test_tensors_that_do_not_fit_are_refused_by_name(tmp_path: Path, change: str, words: str) -> None:
    from safetensors.torch import load_file, save_file

    from deepscan.models.files import hash_weights, weight_files

    pack = make_pack(tmp_path / "p", model=_model())
    path = tmp_path / "p" / "model.safetensors"
    state = load_file(path)
    last = next(name for name in state if name.endswith("layer.1.mlp.fc2.bias"))
    match change:
        case "drop":
            del state[last]
        case "add":
            state["dinov2.extra"] = state[last].clone()
            last = "dinov2.extra"
        case _:
            state[last] = state[last][:7].clone()
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(CorruptPackError, match=words) as caught:
        assembly.assemble(replace(pack, sha256=hash_weights(weight_files(pack.folder))))
    assert last.removeprefix("dinov2.") in caught.value.message


def test_a_configuration_that_names_other_heads_does_not_pass_the_golden_answers(dinov2: Pack, tmp_path: Path) -> None:
    """What the shapes cannot show, the golden answers do."""
    folder = tmp_path / "p"
    folder.mkdir()
    for path in dinov2.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_attention_heads": 4}))
    with pytest.raises(CorruptPackError, match="does not answer as it did"):
        loader.load(replace(dinov2, folder=folder), device="cpu", precision="fp32")


def test_a_lower_precision_is_held_against_the_card_and_not_only_against_the_model(dinov2: Pack) -> None:
    golden = tuple(Golden(g.seed, g.logit + 5) for g in dinov2.card.golden)
    with pytest.raises(CorruptPackError, match="does not answer as it did"):
        loader.load(replace(dinov2, card=replace(dinov2.card, golden=golden)), device="cpu", precision="bf16")


def test_a_lower_precision_that_passes_costs_no_pass_in_fp32(dinov2: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(network: loader.Network) -> tuple[float, ...]:
        raise AssertionError("fp32 was computed")

    monkeypatch.setattr(loader, "_checked_reference", never)
    assert loader.load(dinov2, device="cpu", precision="bf16").precision == "bf16"


def test_the_embedded_pack_is_loaded_and_explained_without_transformers() -> None:
    """Importing transformers costs more than all the rest of a scan of one file."""
    code = """if True:
        import sys
        import numpy as np
        from deepscan.models import loader, packs
        network = loader.load(packs.find("builtin", fake_label=None, offline=True), device="cpu", precision="auto")
        side = network.card.preprocessing.width
        assert 0 <= network.probabilities(np.zeros((1, side, side, 3), np.uint8))[0] <= 1
        assert network.heat_map(np.zeros((side, side, 3), np.uint8), seconds=5).method == "attention"
        assert "torch" in sys.modules
        sys.exit("transformers" in sys.modules)
    """
    if json.loads((BUILTIN_FOLDER / "config.json").read_text())["model_type"] != "dinov2":
        pytest.skip("the embedded pack is of another family")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    ("side", "device", "precision", "wanted"),
    [
        (224, "cpu", "bf16", "eager"),
        (256, "cpu", "bf16", "eager"),
        (384, "cpu", "bf16", "sdpa"),
        (224, "cpu", "fp32", "sdpa"),
        (224, "cuda:0", "bf16", "sdpa"),
    ],
)
def test_short_sequences_are_multiplied_plainly_in_bf16_on_a_cpu(
    side: int, device: str, precision: str, wanted: str
) -> None:
    model = make_model(vit_config(image_size=side))
    rule = replace(make_card().preprocessing, width=side, height=side)
    choose_kernel(model, rule, device=device, precision=precision)
    assert kernel_of(model) == wanted


def test_a_family_whose_tokens_cannot_be_counted_keeps_its_kernel() -> None:
    import torch

    choose_kernel(torch.nn.Linear(2, 2), make_card().preprocessing, device="cpu", precision="bf16")
    model = make_model(vit_config())
    model.config.patch_size = [16, 16]
    choose_kernel(model, make_card().preprocessing, device="cpu", precision="bf16")
    assert kernel_of(model) == "sdpa"
