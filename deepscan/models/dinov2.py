"""DINOv2 with its classifier in plain torch: the embedded pack's family, without the second that transformers takes.

Importing transformers' models costs more than importing torch, twice over, and a scan of one file waits for it. So the
one family that every installation runs is computed here, from transformers' configuration and weights, to the same
logits (a test compares them to 1e-5). :func:`build` takes what it knows in every particular and leaves the rest to
transformers, and only packs whose card has golden answers get here: these were given by transformers, and are compared
at every load.

This module imports torch at once, so that its classes can stand at its top: import it where a model is loaded.

Source: M. Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision", 2023; names of tensors and order
of operations as in ``transformers.models.dinov2``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from deepscan.models.card import ModelCard

ARCHITECTURE = "Dinov2ForImageClassification"

_PLAIN: Mapping[str, Any] = {
    "model_type": "dinov2",
    "architectures": [ARCHITECTURE],
    "hidden_act": "gelu",
    "qkv_bias": True,
    "use_swiglu_ffn": False,
    "use_mask_token": False,
}
"""What a configuration must say, word for word. Rates of dropout do not matter: nothing is trained here."""

_SHORTER = (
    (re.compile(r"^dinov2\.(embeddings\.(patch_embeddings\.)?|encoder\.)?"), ""),
    (re.compile(r"\.attention\.(attention\.|output\.)"), "."),
    (re.compile(r"\.mlp\."), "."),
    (re.compile(r"(layer_scale\d)\.lambda1$"), r"\1"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """``logits`` has shape (n, labels); ``attentions`` one of (n, heads, tokens, tokens) for each layer, if wanted."""

    logits: torch.Tensor
    attentions: tuple[torch.Tensor, ...]


class Layer(nn.Module):
    """One block: attention and a two-layer perceptron, each normalised before and scaled after."""

    def __init__(self, width: int, hidden: int, heads: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=epsilon, device="meta") for _ in range(2))
        self.query, self.key, self.value, self.dense = (nn.Linear(width, width, device="meta") for _ in range(4))
        self.fc1, self.fc2 = nn.Linear(width, hidden, device="meta"), nn.Linear(hidden, width, device="meta")
        self.layer_scale1, self.layer_scale2 = (nn.Parameter(torch.empty(width, device="meta")) for _ in range(2))

    def forward(self, tokens: torch.Tensor, kernel: str, kept: list[torch.Tensor] | None) -> torch.Tensor:
        """Shape (n, tokens, width) to the same; the attention is added to ``kept`` by the kernel that has it."""
        normal = self.norm1(tokens)
        query, key, value = (
            part(normal).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        if kernel == "sdpa":
            seen = functional.scaled_dot_product_attention(query, key, value)
        else:
            scores = query * query.shape[-1] ** -0.5 @ key.transpose(2, 3)
            # In fp32 whatever comes in: as transformers has it, and on a CPU half the time of bf16 at 122 tokens.
            attention = torch.softmax(scores, -1, dtype=torch.float32).to(value.dtype)
            if kept is not None:
                kept.append(attention)
            seen = attention @ value
        tokens = torch.addcmul(tokens, self.dense(seen.transpose(1, 2).flatten(2)), self.layer_scale1)
        return torch.addcmul(tokens, self.fc2(functional.gelu(self.fc1(self.norm2(tokens)))), self.layer_scale2)


class Dinov2(nn.Module):
    """The classifier: it looks at the class token and at the mean of all others."""

    def __init__(self, state: Mapping[str, torch.Tensor], heads: int, epsilon: float) -> None:
        """Take the tensors in ``state`` by their names in :data:`_SHORTER` form; their shapes say how large all is.

        Raises:
            KeyError, RuntimeError, ValueError: they are not those of such a model, all of them and no more.
        """
        super().__init__()
        width, channels, tall, wide = state["projection.weight"].shape
        hidden = len(state["layer.0.fc1.weight"])
        depth = sum(name.endswith("fc1.weight") for name in state)
        labels = len(state["classifier.weight"])
        self.kernel = "sdpa"
        self.cls_token = nn.Parameter(torch.empty(1, 1, width, device="meta"))
        self.position_embeddings = nn.Parameter(torch.empty(state["position_embeddings"].shape, device="meta"))
        self.projection = nn.Conv2d(channels, width, (tall, wide), stride=(tall, wide), device="meta")
        self.layer = nn.ModuleList(Layer(width, hidden, heads, epsilon) for _ in range(depth))
        self.layernorm = nn.LayerNorm(width, eps=epsilon, device="meta")
        self.classifier = nn.Linear(2 * width, labels, device="meta")
        self.load_state_dict(state, assign=True)

    def forward(self, pixel_values: torch.Tensor, *, output_attentions: bool = False) -> Answer:
        """Shape (n, 3, height, width), normalised."""
        patches = self.projection(pixel_values).flatten(2).transpose(1, 2)
        tokens = torch.cat((self.cls_token.expand(len(patches), -1, -1), patches), dim=1) + self.position_embeddings
        kept: list[torch.Tensor] | None = [] if output_attentions else None
        for layer in self.layer:
            tokens = layer(tokens, self.kernel, kept)
        tokens = self.layernorm(tokens)
        both = torch.cat((tokens[:, 0], tokens[:, 1:].mean(dim=1)), dim=1)
        return Answer(self.classifier(both), tuple(kept or ()))


def build(config: Mapping[str, Any], state: Mapping[str, torch.Tensor], card: ModelCard) -> Dinov2 | None:
    """The model of a configuration and its weights, in fp32; None where anything about them is not as expected."""
    side, heads, epsilon = (config.get(key) for key in ("image_size", "num_attention_heads", "layer_norm_eps"))
    rule = card.preprocessing
    plain = all(config.get(key) == value for key, value in _PLAIN.items()) and "head_dim" not in config
    sized = isinstance(heads, int) and isinstance(epsilon, float) and side == rule.width == rule.height
    if not (plain and sized and card.golden and card.architecture == ARCHITECTURE):
        return None
    assert isinstance(heads, int) and isinstance(epsilon, float)
    try:
        return Dinov2({_short(name): tensor.float() for name, tensor in state.items()}, heads, epsilon).eval()
    except (KeyError, RuntimeError, ValueError):  # transformers says what is wrong with it
        return None


def _short(name: str) -> str:
    for pattern, replacement in _SHORTER:
        name = pattern.sub(replacement, name)
    return name
