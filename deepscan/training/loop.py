"""The training loop: Hugging Face's Trainer around our batches, with an average of the weights over time."""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils import logging as chatter

from deepscan.config import TrainOptions
from deepscan.errors import TrainingError
from deepscan.models.card import Preprocessing
from deepscan.models.devices import best_precision, choose_device
from deepscan.models.preprocess import normalise
from deepscan.text import duration
from deepscan.training.data import Record
from deepscan.training.draws import GroupBatches, Pictures, collate
from deepscan.training.layers import parameter_groups
from deepscan.training.schedule import Schedule

log = logging.getLogger(__name__)

LOG_STEPS = 50
"""Steps between two reports of the loss."""

SAVE_STEPS = 100
"""Steps between two checkpoints."""

Progress = Callable[[int, int, float], None]
"""Called with the step, the number of steps, and the mean loss since the last call."""


def steps_of(options: TrainOptions, pictures: int) -> int:
    """How many steps a run takes over a training part of so many pictures."""
    return options.steps or max(1, math.ceil(options.epochs * pictures / options.batch_size))


def train(
    model: Any,
    records: Sequence[Record],
    rule: Preprocessing,
    options: TrainOptions,
    folder: Path,
    progress: Progress,
) -> torch.nn.Module:
    """Train ``model`` on ``records`` and return the averaged one, in evaluation mode on the CPU.

    Checkpoints go to ``folder``; with ``options.resume`` the newest one is continued.

    Raises:
        TrainingError: the loss is not a number any more, or there is no checkpoint to resume.
    """
    steps = steps_of(options, len(records))
    device = choose_device(options.device)
    low = best_precision(device) if options.precision == "auto" else options.precision
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
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
    schedule = Schedule(steps, options.warmup, options.minutes)
    average = _Average(model, options.ema)
    trainer = _GroupTrainer(
        model=model.to(memory_format=torch.channels_last),
        args=arguments,
        train_dataset=Pictures(records, rule.height, options.degrade),
        callbacks=[average, schedule, _Report(progress)],
    )
    trainer.batches = GroupBatches(
        records,
        batch_size=options.batch_size,
        steps=steps,
        evenness=options.evenness,
        pseudo_fakes=options.pseudo_fakes,
        seed=options.seed,
    )
    trainer.rule = rule
    trainer.layer_decay = options.layer_decay
    trainer.schedule = schedule
    trainer.remove_callback(PrinterCallback)  # it prints to standard output, which is for data
    chatter.disable_progress_bar()  # type: ignore[no-untyped-call]
    chatter.set_verbosity_error()  # type: ignore[no-untyped-call]
    stop = _Stop()
    trainer.add_callback(stop)
    try:
        with stop.listening():
            result = trainer.train(resume_from_checkpoint=options.resume or None)
    except ValueError as e:
        if options.resume and "checkpoint" in str(e):
            raise TrainingError(f"There is no checkpoint in {folder} to resume.", "Start without --resume.") from e
        raise
    if stop.wanted:
        log.warning("Interrupted: the steps so far are kept in %s; --resume goes on from there.", folder)
        raise KeyboardInterrupt
    log.info("Trained %d steps in %s.", steps, duration(result.metrics["train_runtime"]))
    return average.model.module.to("cpu").eval()


class _GroupTrainer(Trainer):
    """Trainer with our batches and our preprocessing in front of the model."""

    batches: GroupBatches
    rule: Preprocessing
    layer_decay: float
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
                decay=self.layer_decay,
                weight_decay=self.args.weight_decay,
            )
            self.optimizer = torch.optim.AdamW(groups, fused=True)
        return self.optimizer

    def get_train_dataloader(self) -> DataLoader[Any]:
        assert isinstance(self.train_dataset, Pictures)
        loader = DataLoader(
            self.train_dataset,
            batch_sampler=self.batches,
            collate_fn=collate,
            num_workers=self.args.dataloader_num_workers,
        )
        prepared: DataLoader[Any] = self.accelerator.prepare(loader)
        return prepared

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict[str, torch.Tensor], *_: object, **__: object
    ) -> torch.Tensor:
        pixels = normalise(inputs["pixels"], self.rule).contiguous(memory_format=torch.channels_last)
        logits = model(pixel_values=pixels).logits
        return torch.nn.functional.cross_entropy(logits.float(), inputs["labels"], label_smoothing=0.02)


class _Average(TrainerCallback):
    """An exponential moving average of weights and buffers, with a warm-up so that early steps do not linger."""

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        self._decay = decay
        self.model = AveragedModel(model, avg_fn=self._mix, use_buffers=True)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.model.update_parameters(kwargs["model"])

    def _mix(self, averaged: torch.Tensor, current: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
        if not averaged.is_floating_point():
            return current
        decay = min(self._decay, (1 + int(count)) / (10 + int(count)))
        return averaged.lerp(current, 1 - decay)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        torch.save(
            {"average": self.model.state_dict(), "model": kwargs["model"].state_dict()}, self._beside(args, state)
        )

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.model.to(args.device)
        if state.global_step:
            # The model too: transformers 5 renames the weights of some families when it saves a checkpoint, and then
            # resumes without them (seen with ViT in 5.23).
            saved = torch.load(self._beside(args, state), weights_only=True)
            self.model.load_state_dict(saved["average"])
            kwargs["model"].load_state_dict(saved["model"])

    @staticmethod
    def _beside(args: TrainingArguments, state: TrainerState) -> Path:
        return Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / "average.pt"


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
        if self.wanted:
            control.should_save = control.should_training_stop = True


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
        self._progress(state.global_step, state.max_steps, logs["loss"])
