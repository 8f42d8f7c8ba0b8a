"""How the learning rate goes over a run: up in a line, then down along half a cosine, by steps or by the clock."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_NAME = "schedule.json"


class Schedule(TrainerCallback):
    """The part of the peak rate that a step learns at, and the end of the run.

    With ``minutes`` the run is as far as the clock says, or its steps where they are further: it ends in time with its
    rate at zero on a machine whose speed nobody knows. Such a run cannot be repeated to the same weights.
    """

    def __init__(self, steps: int, warmup: float, minutes: float | None) -> None:
        self._steps, self._warmup, self._seconds = steps, warmup, minutes and minutes * 60
        self._begun, self._spent = time.monotonic(), 0.0

    def factor(self, step: int) -> float:
        """What the peak rate is multiplied by at a step, in [0, 1]."""
        done = self._done(step)
        if done < self._warmup:
            # Not 0 at the very first step: it would be a step that learns nothing.
            return max(done, 1 / self._steps) / self._warmup
        return 0.5 * (1 + math.cos(math.pi * (done - self._warmup) / (1 - self._warmup)))

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock, with what was spent before a checkpoint."""
        self._begun = time.monotonic()
        if state.global_step and self._seconds:
            self._spent = float(json.loads(self._beside(args, state).read_text(encoding="utf-8"))["seconds"])

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Stop when the time is up."""
        if self._done(state.global_step) >= 1:
            control.should_training_stop = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Keep the time spent beside a checkpoint."""
        self._beside(args, state).write_text(json.dumps({"seconds": self._elapsed()}), encoding="utf-8")

    def _done(self, step: int) -> float:
        by_clock = self._elapsed() / self._seconds if self._seconds else 0.0
        return min(1.0, max(step / self._steps, by_clock))

    def _elapsed(self) -> float:
        return self._spent + time.monotonic() - self._begun

    @staticmethod
    def _beside(args: TrainingArguments, state: TrainerState) -> Path:
        return Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / _NAME
