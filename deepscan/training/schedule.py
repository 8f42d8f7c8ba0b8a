"""How the learning rate goes over a run: up in a line, then down as the recipe says, by steps or by the clock."""

from __future__ import annotations

import json
import math
import time
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from deepscan.training.average import beside
from deepscan.training.processes import of_first
from deepscan.training.recipe import Learning

_NAME = "schedule.json"


class Schedule(TrainerCallback):
    """The part of the peak rate that a step learns at, and the end of the run.

    With ``minutes`` the run is as far as the clock says, or its steps where they are further: it ends in time with its
    rate at zero on a machine whose speed nobody knows. Such a run cannot be repeated to the same weights.
    """

    def __init__(self, steps: int, learning: Learning, minutes: float | None) -> None:
        self._steps, self._shape, self._seconds = steps, learning.schedule, minutes and minutes * 60
        # A warm-up that the run is too short for would be all of it.
        self._warmup = min(0.5, learning.warmup_steps / steps) or learning.warmup
        self._begun, self._spent, self._now = time.monotonic(), 0.0, 0.0

    def factor(self, step: int) -> float:
        """What the peak rate is multiplied by at a step, in [0, 1]."""
        done = self.done(step)
        if done < self._warmup:
            # Not 0 at the very first step: it would be a step that learns nothing.
            return max(done, 1 / self._steps) / self._warmup
        left = (1 - done) / (1 - self._warmup)
        return {"cosine": 0.5 * (1 - math.cos(math.pi * left)), "linear": left, "constant": 1.0}[self._shape]

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock, with what was spent before a checkpoint."""
        self._begun = time.monotonic()
        if state.global_step and self._seconds:
            self._spent = float(json.loads(beside(args, state, _NAME).read_text(encoding="utf-8"))["seconds"])
            self._now = self._spent

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Look at the clock: a step learns at the rate that belongs to its beginning, in every process."""
        self._tick()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Stop when the time is up."""
        self._tick()
        if self.done(state.global_step) >= 1:
            control.should_training_stop = control.should_save = control.should_log = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Keep the time spent beside a checkpoint."""
        if state.is_world_process_zero:
            beside(args, state, _NAME).write_text(json.dumps({"seconds": self._now}), encoding="utf-8")

    def done(self, step: int) -> float:
        """How far the run is at a step, in [0, 1]."""
        by_clock = self._now / self._seconds if self._seconds else 0.0
        return min(1.0, max(step / self._steps, by_clock))

    def _tick(self) -> None:
        self._now = of_first(self._spent + time.monotonic() - self._begun)
