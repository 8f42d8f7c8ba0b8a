"""Looks at the calibration part while a run learns: the learning curve, the best weights, and an early end."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from deepscan.training.average import Average, beside
from deepscan.training.processes import of_first
from deepscan.training.recipe import Learning
from deepscan.training.schedule import Schedule

log = logging.getLogger(__name__)

Judge = Callable[[torch.nn.Module], float]
"""The AUC of a network on the calibration part."""

_HISTORY = "history.json"
_BEST = "best.pt"


@dataclass(slots=True)
class History:
    """What is known of a run: (step, loss) and (step, AUC on the calibration part), and where that was best."""

    losses: list[tuple[int, float]] = field(default_factory=list)
    aucs: list[tuple[int, float]] = field(default_factory=list)
    best: int | None = None
    stopped_early: bool = False


class Watch(TrainerCallback):
    """Evaluates the averaged weights evenly over the run, keeps the best, and ends a run that gets no better."""

    def __init__(self, average: Average, schedule: Schedule, learning: Learning, judge: Judge) -> None:
        self.history = History()
        self._average, self._schedule, self._learning, self._judge = average, schedule, learning, judge
        self._best: dict[str, Any] | None = None

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Look, where it is time to."""
        wanted = self._learning.evaluations
        if len(self.history.aucs) >= int(self._schedule.done(state.global_step) * wanted + 1e-9):
            return
        auc = of_first(self._judge(self._average.model.module) if state.is_world_process_zero else 0.0)
        # A clock may jump over a look: it is then not made up for.
        self.history.aucs.append((state.global_step, auc))
        known = dict(self.history.aucs)
        # Among equals the later: it has learnt longer, and a set that is easy to rank must not end its run by that.
        if self.history.best is None or auc >= known[self.history.best]:
            self.history.best = state.global_step
            self._best = copy.deepcopy(self._average.model.module.state_dict())
        since = [step for step, _ in self.history.aucs if step > self.history.best]
        if len(since) >= self._learning.patience:
            log.info("No better AUC in %d looks: the run ends at step %d.", len(since), state.global_step)
            self.history.stopped_early = True
            control.should_training_stop = control.should_save = control.should_log = True

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Keep the loss."""
        logs = kwargs.get("logs") or {}
        if "loss" in logs:
            self.history.losses.append((state.global_step, float(logs["loss"])))

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Keep what was seen beside the checkpoint."""
        if not state.is_world_process_zero:
            return
        beside(args, state, _HISTORY).write_text(json.dumps(asdict(self.history)), encoding="utf-8")
        if self._best is not None:
            torch.save(self._best, beside(args, state, _BEST))

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take up what was seen from a checkpoint."""
        if not state.global_step:
            return
        seen = json.loads(beside(args, state, _HISTORY).read_text(encoding="utf-8"))
        self.history = History(
            [(int(s), float(v)) for s, v in seen["losses"]],
            [(int(s), float(v)) for s, v in seen["aucs"]],
            seen["best"],
            bool(seen["stopped_early"]),
        )
        best: Path = beside(args, state, _BEST)
        if best.exists():
            self._best = torch.load(best, weights_only=True)

    def finish(self) -> torch.nn.Module:
        """The averaged network with its best weights, in evaluation mode on the CPU."""
        network: torch.nn.Module = self._average.model.module
        if self._best is not None:
            network.load_state_dict(self._best)
        return network.to("cpu").eval()
