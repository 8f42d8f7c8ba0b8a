"""A trained network into a pack: safetensors, configuration, preprocessor configuration, card."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch

from deepscan.errors import OutputError
from deepscan.models.card import WEIGHTS_NAME, Golden, Preprocessing
from deepscan.models.preprocess import RESAMPLING, golden_input, normalise

GOLDEN_SEEDS = (1, 2, 3)
MAX_FP32_BYTES = 16 * 1024**2
"""Weights that need more than this in fp32 are stored in half precision: an embedded pack is to stay below 30 MB."""


def save_network(model: Any, rule: Preprocessing, folder: Path) -> str:
    """Write weights, configuration and preprocessor configuration; returns the SHA-256 of the weights.

    The model is rounded to what the file holds, so that whatever is measured afterwards is what the pack does.
    Vectors (norms, biases, running statistics) stay fp32: they are small, and variances overflow half precision.

    Raises:
        OutputError: the folder cannot be written.
    """
    state = {name: tensor.detach().to("cpu").contiguous() for name, tensor in model.state_dict().items()}
    if sum(t.numel() * t.element_size() for t in state.values()) > MAX_FP32_BYTES:
        state = {n: t.half() if t.ndim >= 2 and t.is_floating_point() else t for n, t in state.items()}
        model.load_state_dict(state)
    processor = {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": rule.height, "width": rule.width},
        "resample": int(RESAMPLING[rule.resample]),
        "do_rescale": True,
        "rescale_factor": rule.scale,
        "do_normalize": True,
        "image_mean": list(rule.mean),
        "image_std": list(rule.std),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(folder, state_dict=state)
        # safetensors writes for the owner alone; a pack is as readable as its card.
        (folder / WEIGHTS_NAME).chmod((folder / "config.json").stat().st_mode)
        (folder / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n", encoding="utf-8")
        return hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest()
    except OSError as e:
        raise OutputError(f"The pack {folder} cannot be written: {e.strerror}.", "Check space and permissions.") from e


def logits_of(model: Any, batch: torch.Tensor, rule: Preprocessing) -> torch.Tensor:
    """Differences logit(fake) - logit(real) of shape (n,) in fp32, for a batch (n, height, width, 3) uint8."""
    with torch.inference_mode():
        logits: torch.Tensor = model(pixel_values=normalise(batch, rule)).logits.float()
    return logits[:, 1] - logits[:, 0]


def golden_vectors(model: Any, rule: Preprocessing) -> tuple[Golden, ...]:
    """What the network says of the golden inputs, in fp32, one at a time."""
    found = []
    for seed in GOLDEN_SEEDS:
        batch = torch.from_numpy(golden_input(seed, rule)[None])
        found.append(Golden(seed, round(float(logits_of(model, batch, rule)[0]), 5)))
    return tuple(found)
