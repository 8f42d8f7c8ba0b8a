"""What the settings of a run do to a tiny network: each of them is looked at by what it changes, or leaves alone."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import TrainerControl, TrainerState, TrainingArguments

from deepscan.errors import TrainingError
from deepscan.models import packs
from deepscan.training import loop
from deepscan.training.average import Average
from deepscan.training.data import Record
from deepscan.training.draws import Draw
from deepscan.training.export import logits_of
from deepscan.training.loop import Run
from deepscan.training.options import TrainOptions
from deepscan.training.recipe import prepare
from deepscan.training.schedule import Schedule
from deepscan.training.start import merged, start
from deepscan.training.watch import Watch
from tests.fake_pack import SIDE, make_card, make_model, make_pack, vit_config

WITH_PEFT = pytest.mark.skipif(
    importlib.util.find_spec("peft") is None, reason="peft (the extra 'train') is not installed"
)
OPTIONS = TrainOptions(steps=2, batch_size=4, device="cpu", precision="fp32")


@pytest.fixture
def base(tmp_path: Path) -> packs.Pack:
    """A pack of random weights to start from."""
    return make_pack(tmp_path / "base")


def network() -> Any:
    return make_model(vit_config())


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Record, ...]:
    """Four dark pictures that are real and four bright ones that are fake."""
    found = []
    for i in range(8):
        path = tmp_path / f"{i}.png"
        Image.fromarray(np.full((SIDE, SIDE, 3), 190 if i % 2 else 60, np.uint8)).save(path)
        found.append(Record(path, bool(i % 2), "s", str(i)))
    return tuple(found)


def learnt(
    model: Any,
    pictures: Sequence[Record],
    folder: Path,
    options: TrainOptions,
    progress: loop.Progress = lambda *_: None,
) -> Any:
    """The network after a run without an average, in the recipe that leaves pictures nearly alone."""
    recipe = prepare(replace(options, ema=0.0, evaluations=0, pseudo_fakes=0.0, degrade=0.0))
    rule = make_card().preprocessing
    return loop.train(Run(model, pictures, rule, recipe, options, folder / "run", lambda _: 0.5, progress))[0]


def weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}


@WITH_PEFT
def test_adapters_learn_and_are_worked_into_the_weights(
    base: packs.Pack, pictures: tuple[Record, ...], tmp_path: Path
) -> None:
    options = replace(OPTIONS, lora=2, learning_rate=0.05)
    model, _ = start(options, 0.0, base)
    learns = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learns
    assert all("lora_" in name or "classifier" in name for name in learns)
    before = weights(start(OPTIONS, 0.0, base)[0])
    network = merged(learnt(model, pictures, tmp_path, options))
    after = weights(network)
    assert after.keys() == before.keys()
    moved = changed(before, after)
    assert any("layer" in name for name in moved)
    # What adapters do not stand on is as it was: biases and norms below the head, and embeddings.
    assert all(name.endswith(".weight") or "classifier" in name for name in moved)
    assert not any("embeddings" in name or "norm" in name for name in moved)


def test_without_peft_adapters_are_a_sentence(base: packs.Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(TrainingError, match="needs peft"):
        start(replace(OPTIONS, lora=2), 0.0, base)


def test_frozen_blocks_keep_their_weights(base: packs.Pack, pictures: tuple[Record, ...], tmp_path: Path) -> None:
    options = replace(OPTIONS, freeze=1, learning_rate=0.01)
    model, _ = start(options, 0.0, base)
    before = weights(model)
    moved = changed(before, weights(learnt(model, pictures, tmp_path, options)))
    assert not any("embeddings" in name or "layer.0." in name or "layers.0." in name for name in moved)
    assert any(".1." in name for name in moved)
    assert any("classifier" in name for name in moved)
    with pytest.raises(TrainingError, match="has 2 blocks, and 3 of them cannot be frozen"):
        start(replace(OPTIONS, freeze=3), 0.0, base)


def test_dropout_is_set_while_it_learns_and_silent_when_it_answers(base: packs.Pack) -> None:
    model, rule = start(OPTIONS, 0.5, base)
    assert model.config.hidden_dropout_prob == 0.5
    batch = torch.randint(0, 256, (4, SIDE, SIDE, 3), dtype=torch.uint8)
    model.train()
    assert not torch.equal(logits_of(model, batch, rule), logits_of(model, batch, rule))
    model.eval()
    assert torch.equal(logits_of(model, batch, rule), logits_of(model, batch, rule))


def test_dropout_of_a_family_that_has_none_is_refused() -> None:
    with pytest.raises(TrainingError, match="no dropout"):
        start(replace(OPTIONS, arch="levit-128s"), 0.5, None)


class InOrder(torch.utils.data.Sampler[list[Draw]]):
    """All eight pictures, in batches of ``size``, again and again."""

    def __init__(self, size: int, count: int) -> None:
        self.size, self.count = size, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[list[Draw]]:
        order = [Draw(i % 8, i, blended=False) for i in range(self.size * self.count)]
        return (order[i : i + self.size] for i in range(0, len(order), self.size))


def test_accumulated_batches_learn_what_a_larger_batch_does(
    pictures: tuple[Record, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for size, accumulate in ((8, 1), (4, 2)):
        batches = InOrder(size, 2 * accumulate)
        monkeypatch.setattr(loop, "batches_of", lambda *_, batches=batches: batches)
        options = replace(OPTIONS, batch_size=size, accumulate=accumulate, learning_rate=0.01)
        found.append(weights(learnt(network(), pictures, tmp_path / str(size), options)))
    whole, parts = found
    assert changed(weights(network()), whole)
    for name, tensor in whole.items():
        torch.testing.assert_close(parts[name], tensor, rtol=1e-3, atol=2e-4)


def watched(aucs: Sequence[float], tmp_path: Path, patience: int) -> tuple[list[float], Watch, TrainerControl]:
    """What the watch does when each look finds the next of ``aucs``: weights count the steps."""
    model = torch.nn.Linear(1, 1, bias=False)
    learning = replace(prepare(TrainOptions()).learning, evaluations=len(aucs), patience=patience, ema=0.0)
    average = Average(model, 0.0)
    waiting, seen = iter(aucs), []

    def judge(looked_at: Any) -> float:
        seen.append(float(looked_at.weight.detach()))
        return next(waiting)

    watch = Watch(average, Schedule(len(aucs), learning, None), learning, judge)
    state, control = TrainerState(max_steps=len(aucs)), TrainerControl()
    arguments = TrainingArguments(output_dir=str(tmp_path), report_to=[], use_cpu=True)
    for step in range(1, len(aucs) + 1):
        state.global_step = step
        with torch.no_grad():
            model.weight.fill_(float(step))
        average.on_step_end(arguments, state, control, model=model)
        watch.on_step_end(arguments, state, control)
        if control.should_training_stop:
            break
    return seen, watch, control


def weight_of(watch: Watch) -> float:
    (weight,) = watch.finish().parameters()
    return float(weight.detach())


def test_an_early_end_keeps_the_best_weights(tmp_path: Path) -> None:
    seen, watch, control = watched([0.6, 0.8, 0.7, 0.75, 0.9], tmp_path, patience=2)
    assert control.should_training_stop
    assert seen == [1, 2, 3, 4]
    assert watch.history.stopped_early
    assert watch.history.best == 2
    assert weight_of(watch) == 2


def test_a_run_that_gets_better_is_not_ended(tmp_path: Path) -> None:
    _, watch, control = watched([0.6, 0.5, 0.7, 0.7], tmp_path, patience=2)
    assert not control.should_training_stop
    # Among equals the later one.
    assert weight_of(watch) == 4


@pytest.mark.parametrize("lora", [None, pytest.param(2, marks=WITH_PEFT)])
def test_a_probe_fits_the_head_and_nothing_else(
    lora: int | None, base: packs.Pack, pictures: tuple[Record, ...], tmp_path: Path
) -> None:
    before = weights(start(OPTIONS, 0.0, base)[0])
    options = replace(OPTIONS, probe=16, steps=1, learning_rate=1e-12, lora=lora)
    model, rule = start(options, 0.0, base)
    after = merged(learnt(model, pictures, tmp_path, options))
    moved = {name for name, t in weights(after).items() if not torch.allclose(t, before[name], atol=1e-6)}
    assert moved <= {"classifier.weight", "classifier.bias"}
    assert "classifier.weight" in moved
    batch = torch.stack([torch.full((SIDE, SIDE, 3), v, dtype=torch.uint8) for v in (60, 190)])
    dark, bright = logits_of(after, batch, rule)
    assert dark < bright


@WITH_PEFT
def test_adapters_go_on_from_a_checkpoint_to_the_same_weights(
    base: packs.Pack, pictures: tuple[Record, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_STEPS", 2)
    options = replace(OPTIONS, lora=2, steps=4, learning_rate=0.05)
    whole = merged(learnt(start(options, 0.0, base)[0], pictures, tmp_path / "whole", options))

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "LOG_STEPS", 3)
    with pytest.raises(KeyboardInterrupt):
        learnt(start(options, 0.0, base)[0], pictures, tmp_path / "cut", options, progress=cut)
    again = replace(options, resume=True)
    resumed = merged(learnt(start(again, 0.0, base)[0], pictures, tmp_path / "cut", again))
    assert not changed(weights(whole), weights(resumed))


def test_from_scratch_takes_the_shape_of_a_base_and_not_its_weights(base: packs.Pack) -> None:
    known = weights(start(OPTIONS, 0.0, base)[0])
    model, rule = start(replace(OPTIONS, from_scratch=True), 0.0, base)
    new = weights(model)
    assert rule == base.card.preprocessing
    assert {name: t.shape for name, t in new.items()} == {name: t.shape for name, t in known.items()}
    assert {name for name in known if name.endswith("dense.weight")} <= changed(known, new)
    again = weights(start(replace(OPTIONS, from_scratch=True), 0.0, base)[0])
    assert not changed(new, again)
    assert changed(new, weights(start(replace(OPTIONS, from_scratch=True, seed=1), 0.0, base)[0]))


def test_a_size_that_a_base_cannot_take_is_refused(base: packs.Pack) -> None:
    with pytest.raises(TrainingError, match="fake-pack cannot take pictures of 64 pixels") as refused:
        start(replace(OPTIONS, size=64), 0.0, base)
    assert refused.value.hint is not None
    assert f"made for {SIDE}" in refused.value.hint
    new, rule = start(replace(OPTIONS, size=64, from_scratch=True), 0.0, base)
    assert (rule.width, new.config.image_size) == (64, 64)


class Hungry(torch.nn.Module):
    """A network that no memory is enough for, as torch's CPU allocator says it."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = torch.nn.Linear(1, 2)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9999999999 bytes.")


def test_out_of_memory_says_what_to_do(pictures: tuple[Record, ...], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="not enough memory for 8 pictures of 48 pixels") as refused:
        learnt(Hungry(), pictures, tmp_path, replace(OPTIONS, batch_size=8, accumulate=3))
    assert refused.value.hint is not None
    assert "--batch-size 4 --accumulate 6" in refused.value.hint


def test_another_error_of_torch_is_not_called_so(pictures: tuple[Record, ...], tmp_path: Path) -> None:
    class Broken(Hungry):
        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        learnt(Broken(), pictures, tmp_path, OPTIONS)
