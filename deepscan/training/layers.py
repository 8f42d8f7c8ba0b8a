"""Which parameters learn how fast: blocks near the input of a network that is not new less than those near its head."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import torch

_BLOCK = re.compile(r"(?:^|\.)(?:layers?|blocks?|stages?|block|network)\.(\d+)(?:\.|$)")
_HEADS = re.compile(r"(?:^|\.)(classifier|cls_classifier|distillation_classifier|dist_head|head|fc)(?:\.|$)")


def depths(model: torch.nn.Module) -> dict[str, int]:
    """How deep each parameter lies: 0 for embeddings and stem, then its block's number plus 1, then norms and head.

    A block is the first number after a word such as ``layer`` in its name, which is how transformers names its
    families. In a network without such names everything but the head lies at depth 0.
    """
    found: dict[str, int] = {}
    for name, _ in model.named_parameters():
        block = _BLOCK.search(name)
        found[name] = int(block[1]) + 1 if block else -1 if _is_last(name) else 0
    top = max(found.values(), default=0) + 1
    return {name: top if depth < 0 else depth for name, depth in found.items()}


def parameter_groups(model: torch.nn.Module, *, rate: float, decay: float, weight_decay: float) -> list[dict[str, Any]]:
    """Groups for an optimiser: the rate of a block is ``decay`` to the power of its distance from the head.

    Vectors (norms, biases) are not pulled towards zero by weight decay, as in the papers that introduced it.
    """
    depth = depths(model)
    top = max(depth.values(), default=0)
    groups: dict[tuple[int, bool], list[torch.nn.Parameter]] = defaultdict(list)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups[depth[name], parameter.ndim > 1].append(parameter)
    return [
        {"params": members, "lr": rate * decay ** (top - at), "weight_decay": weight_decay if matrix else 0.0}
        for (at, matrix), members in sorted(groups.items(), key=lambda g: g[0])
    ]


def is_head(name: str) -> bool:
    """Whether a parameter belongs to the classifier at the end."""
    return _HEADS.search(name) is not None and _BLOCK.search(name) is None


def _is_last(name: str) -> bool:
    return is_head(name) or re.search(r"(?:^|\.)(layernorm|norm|post_layernorm)\.(weight|bias)$", name) is not None
