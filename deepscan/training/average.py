"""The running average of the weights, which becomes the pack, and everything else a checkpoint must hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_NAME = "average.pt"


class Average(TrainerCallback):
    """An exponential moving average of weights and buffers, with a warm-up so that early steps do not linger.

    With a decay of 0 the average is the weights themselves.
    """

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        self._decay = decay
        self.model = AveragedModel(model, avg_fn=self._mix, use_buffers=True)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Mix the new weights in."""
        self.model.update_parameters(kwargs["model"])

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Keep both beside the checkpoint."""
        if not state.is_world_process_zero:
            return
        content = {"average": self.model.state_dict(), "model": kwargs["model"].state_dict()}
        torch.save(content, beside(args, state, _NAME))

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take up both from a checkpoint."""
        self.model.to(args.device)
        if state.global_step:
            # The model too: transformers 5 renames the weights of some families when it saves a checkpoint, and then
            # resumes without them (seen with ViT in 5.23).
            saved = torch.load(beside(args, state, _NAME), weights_only=True)
            self.model.load_state_dict(saved["average"])
            kwargs["model"].load_state_dict(saved["model"])

    def _mix(self, averaged: torch.Tensor, current: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
        if not averaged.is_floating_point():
            return current
        decay = min(self._decay, (1 + int(count)) / (10 + int(count)))
        return averaged.lerp(current, 1 - decay)


def beside(args: TrainingArguments, state: TrainerState, name: str) -> Path:
    """Where a file of a callback lies in the checkpoint of this step."""
    return Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / name
