"""A head that knows something before the layers below it move: logistic regression on what the base already sees.

A new head starts from random numbers, and its first gradients then spoil the features that were the reason to take
the base. Source: Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution",
ICLR 2022.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepscan.errors import TrainingError
from deepscan.models.card import Preprocessing
from deepscan.models.preprocess import normalise
from deepscan.training.layers import is_head

log = logging.getLogger(__name__)

STRENGTH = 0.003
"""Inverse regularisation of the regression: some thousand pictures in some hundred dimensions."""


def fit_head(model: Any, batches: Iterable[dict[str, torch.Tensor]], rule: Preprocessing) -> float:
    """Set the model's head from the pictures in ``batches``; returns the loss it has on them.

    Raises:
        TrainingError: the model does not end in one linear layer of two outputs.
    """
    from sklearn.linear_model import LogisticRegression

    head = _head(model)
    seen: list[torch.Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().float().cpu()))
    labels: list[torch.Tensor] = []
    model.eval()
    try:
        for batch in batches:
            with torch.inference_mode():
                model(pixel_values=normalise(batch["pixels"], rule))
            labels.append(batch["labels"])
    finally:
        hook.remove()
        model.train()
    features: NDArray[np.float32] = torch.cat(seen).numpy()
    fake = torch.cat(labels).numpy()
    centre, spread = features.mean(0), features.std(0) + 1e-6
    found = LogisticRegression(C=STRENGTH, max_iter=1000).fit((features - centre) / spread, fake)
    weight = found.coef_[0] / spread
    bias = float(found.intercept_[0] - weight @ centre)
    with torch.no_grad():
        # Half to each side: only the difference of the two outputs counts.
        head.weight.copy_(torch.from_numpy(np.stack([-weight, weight]) / 2))
        head.bias.copy_(torch.tensor([-bias / 2, bias / 2]))
    chance = found.predict_proba((features - centre) / spread)[np.arange(len(fake)), fake]
    return float(-np.log(chance).mean())


def _head(model: Any) -> torch.nn.Linear:
    heads = (m for name, m in model.named_modules() if is_head(f"{name}.weight") and isinstance(m, torch.nn.Linear))
    linear = [m for m in heads if m.weight.requires_grad]  # beside adapters the head of before lies, and is not used
    if len(linear) != 1 or linear[0].out_features != 2:
        raise TrainingError(
            "The head of this model is not one linear layer, and cannot be fitted alone.", "Leave out --probe."
        )
    return linear[0]
