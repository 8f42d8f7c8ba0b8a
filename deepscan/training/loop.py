"""The training loop: Hugging Face's Trainer around our batches."""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Sampler
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils import logging as chatter

from deepscan.errors import TrainingError
from deepscan.models.card import Preprocessing
from deepscan.models.devices import best_precision, choose_device
from deepscan.models.lanes import is_out_of_memory
from deepscan.models.preprocess import normalise
from deepscan.text import duration
from deepscan.training import processes
from deepscan.training.average import Average
from deepscan.training.data import Record
from deepscan.training.draws import Draw, Pictures, Share, batches_of, collate
from deepscan.training.layers import parameter_groups
from deepscan.training.options import TrainOptions
from deepscan.training.probe import fit_head
from deepscan.training.recipe import Learning, Recipe
from deepscan.training.schedule import Schedule
from deepscan.training.watch import History, Judge, Watch

log = logging.getLogger(__name__)

LOG_STEPS = 50
"""Steps between two reports of the loss."""

SAVE_STEPS = 100
"""Steps between two checkpoints."""

Progress = Callable[[int, int, float], None]
"""Called with the step, the number of steps, and the mean loss since the last call."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run is made of. ``judge`` measures a network on the calibration part."""

    model: Any
    records: Sequence[Record]
    rule: Preprocessing
    recipe: Recipe
    options: TrainOptions
    folder: Path
    judge: Judge
    progress: Progress


def steps_of(options: TrainOptions, learning: Learning, pictures: int) -> int:
    """How many steps a run takes over a training part of so many pictures, if nothing ends it before."""
    at_once = learning.batch_size * options.accumulate * processes.count()
    return options.steps or max(1, math.ceil(learning.epochs * pictures / at_once))


def train(run: Run) -> tuple[torch.nn.Module, History]:
    """Train a model and return the best of its averages, in evaluation mode on the CPU, with the learning curve.

    Of several processes each learns from its own batches of ``batch_size``, and the network is the same in all of them.
    Checkpoints go to ``run.folder``; with ``options.resume`` the newest one is continued.

    Raises:
        TrainingError: the loss is not a number any more, memory ran out, or there is no checkpoint to resume.
        KeyboardInterrupt: Ctrl-C was pressed; a checkpoint was written.
    """
    options, learning = run.options, run.recipe.learning
    steps = steps_of(options, learning, len(run.records))
    pictures = Pictures(run.records, run.rule.height, run.recipe)
    if options.probe and not options.resume:
        drawn = batches_of(run.records, learning, -(-options.probe // learning.batch_size), options.seed + 1)
        run.progress(0, steps, fit_head(run.model, _loader(pictures, drawn, 0), run.rule))
    schedule = Schedule(steps, learning, options.minutes)
    average = Average(run.model, learning.ema)
    watch = Watch(average, schedule, learning, run.judge)
    stop = _Stop()
    trainer = _Trainer(
        model=run.model.to(memory_format=torch.channels_last),
        args=_arguments(run, steps),
        train_dataset=pictures,
        callbacks=[average, schedule, watch, _Report(run.progress), stop],
    )
    batches = steps * options.accumulate * processes.count()
    trainer.batches = Share(batches_of(run.records, learning, batches, options.seed), batches)
    trainer.run, trainer.schedule = run, schedule
    # Trainer divides the loss of accumulated batches itself, unless it thinks that the model does.
    trainer.model_accepts_loss_kwargs = False
    trainer.remove_callback(PrinterCallback)  # it prints to standard output, which is for data
    chatter.disable_progress_bar()  # type: ignore[no-untyped-call]
    chatter.set_verbosity_error()  # type: ignore[no-untyped-call]
    with stop.listening(), _sentences(run):
        result = trainer.train(resume_from_checkpoint=options.resume or None)
    processes.leave()
    if stop.wanted:
        log.warning("Interrupted: the steps so far are kept in %s; --resume goes on from there.", run.folder)
        raise KeyboardInterrupt
    log.info("Trained %d steps in %s.", trainer.state.global_step, duration(result.metrics["train_runtime"]))
    return watch.finish(), watch.history


def _arguments(run: Run, steps: int) -> TrainingArguments:
    options, learning = run.options, run.recipe.learning
    device = choose_device(options.device)
    low = best_precision(device) if options.precision == "auto" else options.precision
    return TrainingArguments(
        output_dir=str(run.folder),
        max_steps=steps,
        per_device_train_batch_size=learning.batch_size,
        gradient_accumulation_steps=options.accumulate,
        learning_rate=learning.learning_rate,
        weight_decay=learning.weight_decay,
        max_grad_norm=1.0,
        logging_steps=min(LOG_STEPS, steps),
        logging_nan_inf_filter=False,
        save_steps=SAVE_STEPS,
        save_total_limit=1,
        report_to=[],
        disable_tqdm=True,
        seed=options.seed,
        data_seed=options.seed,
        use_cpu=device == "cpu",
        bf16=low == "bf16",
        fp16=low == "fp16",
        remove_unused_columns=False,
        dataloader_num_workers=0 if device == "cpu" else min(8, os.cpu_count() or 1),
    )


@contextmanager
def _sentences(run: Run) -> Iterator[None]:
    """Turn what a run can end with into a sentence."""
    try:
        yield
    except ValueError as e:
        if run.options.resume and "checkpoint" in str(e):
            raise TrainingError(f"There is no checkpoint in {run.folder} to resume.", "Start without --resume.") from e
        raise
    except (RuntimeError, MemoryError) as e:
        if not is_out_of_memory(e):
            raise
        size = run.recipe.learning.batch_size
        raise TrainingError(
            f"There is not enough memory for {size} pictures of {run.rule.width} pixels at a time. Checkpoints are "
            f"kept in {run.folder}.",
            f"Use --batch-size {max(2, size // 2)} --accumulate {2 * run.options.accumulate}, which learns the same.",
        ) from e


def _loader(pictures: Pictures, batches: Sampler[list[Draw]], workers: int) -> DataLoader[Any]:
    return DataLoader(pictures, batch_sampler=batches, collate_fn=collate, num_workers=workers)


class _Trainer(Trainer):
    """Trainer with our batches, our rates and our preprocessing in front of the model."""

    batches: Sampler[list[Draw]]
    run: Run
    schedule: Schedule

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> torch.optim.lr_scheduler.LambdaLR:
        if self.lr_scheduler is None:
            steered = optimizer or self.optimizer
            assert steered is not None
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(steered, self.schedule.factor)
        return self.lr_scheduler

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            assert self.model is not None
            groups = parameter_groups(
                self.model,
                rate=self.args.learning_rate,
                decay=self.run.recipe.learning.layer_decay,
                weight_decay=self.args.weight_decay,
            )
            self.optimizer = torch.optim.AdamW(groups, fused=True)
        return self.optimizer

    def get_train_dataloader(self) -> DataLoader[Any]:
        assert isinstance(self.train_dataset, Pictures)
        # Not prepared by accelerate, which would divide batches that are divided already.
        return _loader(self.train_dataset, self.batches, self.args.dataloader_num_workers)

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict[str, torch.Tensor], *_: object, **__: object
    ) -> torch.Tensor:
        pixels = normalise(inputs["pixels"], self.run.rule).contiguous(memory_format=torch.channels_last)
        logits = model(pixel_values=pixels).logits
        smoothing = self.run.recipe.learning.label_smoothing
        return torch.nn.functional.cross_entropy(logits.float(), inputs["labels"], label_smoothing=smoothing)


class _Stop(TrainerCallback):
    """Ctrl-C ends the run after the step under way, with a checkpoint."""

    def __init__(self) -> None:
        self.wanted = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGINT while the block runs; a second one ends it at once. Signals belong to the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _note(self, number: int, frame: object) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if processes.any_of(flag=self.wanted):
            self.wanted = control.should_save = control.should_training_stop = True


class _Report(TrainerCallback):
    """Passes the loss on, and stops a run whose loss is not a number."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        if logs is None or "loss" not in logs:
            return
        if not math.isfinite(logs["loss"]):
            raise TrainingError(
                f"The loss is not a number any more at step {state.global_step}.",
                "Lower --learning-rate, or train with --precision fp32.",
            )
        if state.is_world_process_zero:
            self._progress(state.global_step, state.max_steps, logs["loss"])
