"""Tiny real models with random weights of a fixed seed, for tests only: nothing they answer means anything.

:func:`make_pack` writes a deepscan pack (weights, config.json, card with golden answers); :func:`make_plain` writes a
Hugging Face image classifier as its authors publish it, without a card.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from deepscan.models import card as cards
from deepscan.models.calibration import Calibration
from deepscan.models.card import Golden, ModelCard, Preprocessing, Threshold, View
from deepscan.models.files import hash_weights, weight_files
from deepscan.models.packs import Origin, Pack
from deepscan.types import Level

SIDE = 48
SEEDS = (1, 2, 3)


def vit_config(labels: tuple[str, ...] = ("Real", "Fake"), **changes: Any) -> Any:
    """A ViT with two layers and about 30,000 weights."""
    from transformers import ViTConfig

    settings: dict[str, Any] = {
        "image_size": SIDE,
        "patch_size": 16,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        **_labels(labels),
    }
    return ViTConfig(**{**settings, **changes})


def dinov2_config(labels: tuple[str, ...] = ("Real", "Fake"), **changes: Any) -> Any:
    """A DINOv2 with two layers, the family that deepscan computes without transformers."""
    from transformers import Dinov2Config

    settings: dict[str, Any] = {
        "image_size": SIDE,
        "patch_size": 12,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "use_mask_token": False,
        "layerscale_value": 0.7,
        **_labels(labels),
    }
    return Dinov2Config(**{**settings, **changes})


def pvt_config(labels: tuple[str, ...] = ("Real", "Fake")) -> Any:
    """A PVTv2 with four stages of one layer: a family with convolutions, unlike ViT."""
    from transformers import PvtV2Config

    return PvtV2Config(
        image_size=SIDE,
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 16, 24, 32],
        num_attention_heads=[1, 2, 3, 4],
        **_labels(labels),
    )


def make_model(config: Any, *, seed: int = 0, spread: float = 1.0) -> Any:
    """A model in evaluation mode; its head is spread so that different pictures get clearly different answers."""
    import torch
    from transformers import AutoModelForImageClassification

    auto: Any = AutoModelForImageClassification
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = auto.from_config(config).eval()
        with torch.no_grad():
            for parameter in model.classifier.parameters():
                parameter.copy_(torch.randn(parameter.shape) * spread)
    return model


def make_plain(folder: Path, model: Any, processor: Any = None, *, readme: str | None = None, **save: Any) -> Path:
    """Write a model and its image processor (a ViT's when none is given) as transformers does; no card."""
    from transformers import ViTImageProcessor

    folder.mkdir(parents=True, exist_ok=True)
    with_bars_off(model.save_pretrained, folder, **save)
    processor = processor or ViTImageProcessor(size={"height": SIDE, "width": SIDE})
    processor.save_pretrained(folder)
    if readme is not None:
        (folder / "README.md").write_text(readme, encoding="utf-8")
    return folder


def make_card(labels: tuple[str, ...] = ("Real", "Fake"), *, subject: str = "face", **changes: Any) -> ModelCard:
    """A card for a model of these labels, without golden answers and with a hash that fits nothing."""
    card = ModelCard(
        format=cards.CARD_FORMAT,
        name="fake-pack",
        version="1",
        architecture="ViTForImageClassification",
        preprocessing=Preprocessing(SIDE, SIDE, None, "bilinear", 1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        view=View(subject=subject, margin=0.2, min_side=24),
        labels=labels,
        fake_label=labels[-1],
        calibration=Calibration("temperature", 1.5, 0.1),
        thresholds=(
            Threshold(Level.WEAK, 0.5, 0.1, "500 made-up faces"),
            Threshold(Level.MODERATE, 0.8, 0.02, "500 made-up faces"),
        ),
        coverage="Nothing: a pack with random weights, for tests.",
        data="None.",
        licence="Apache-2.0",
        licence_class="open",
        metrics={},
        provenance={"made_by": "tests/fake_pack.py"},
        weights_sha256="0" * 64,
        golden=(),
        tolerance=1e-3,
    )
    return replace(card, **changes)


def make_pack(folder: Path, *, subject: str = "face", model: Any = None, **changes: Any) -> Pack:
    """Write a deepscan pack with golden answers, and return it as :func:`deepscan.models.packs.find` would."""
    from deepscan.models import loader

    model = model or make_model(vit_config())
    folder.mkdir(parents=True, exist_ok=True)
    with_bars_off(model.save_pretrained, folder)
    labels = tuple(model.config.id2label[i] for i in range(len(model.config.id2label)))
    card = make_card(labels, subject=subject, **{"architecture": type(model).__name__, **changes})
    card = replace(card, weights_sha256=hash_weights(weight_files(folder)))
    pack = Pack(folder, card, Origin("folder", str(folder)), card.weights_sha256)
    answers = loader.load(pack, device="cpu", precision="fp32").golden_logits(SEEDS)
    card = replace(card, golden=tuple(Golden(s, a) for s, a in zip(SEEDS, answers, strict=True)))
    cards.save(card, folder)
    return replace(pack, card=card)


def with_bars_off(action: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function of transformers without its progress bars."""
    from transformers.utils import logging as transformers_logging

    chatter: Any = transformers_logging
    bars = chatter.is_progress_bar_enabled()
    chatter.disable_progress_bar()
    try:
        return action(*args, **kwargs)
    finally:
        if bars:
            chatter.enable_progress_bar()


def _labels(labels: tuple[str, ...]) -> dict[str, Any]:
    return {"id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}}
