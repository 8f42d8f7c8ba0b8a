"""Recipe files: what the published recipe comes to, what the user's flags override, and what a file may not say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from deepscan.errors import ConfigError, TrainingError
from deepscan.media.frames import Pixels
from deepscan.media.images import load_rgb
from deepscan.training import draws, loop
from deepscan.training.augment import augment
from deepscan.training.data import read_records
from deepscan.training.draws import ShuffledBatches, batches_of
from deepscan.training.loop import Run
from deepscan.training.options import TrainOptions
from deepscan.training.recipe import FOLDER, KNOWN, Augmentation, Learning, prepare
from deepscan.training.run import train_pack
from deepscan.training.schedule import Schedule
from deepscan.training.splits import split
from tests.fake_pack import make_card, make_model, make_pack, vit_config
from tests.unit.training.test_splits import records

CLASSIC = prepare(TrainOptions(recipe="classic"))


def test_the_published_recipe() -> None:
    assert CLASSIC.learning == Learning(
        epochs=2,
        batch_size=32,
        learning_rate=1e-6,
        layer_decay=1,
        weight_decay=0.02,
        dropout=0,
        label_smoothing=0,
        warmup=0,
        warmup_steps=50,
        schedule="linear",
        ema=0,
        evaluations=2,
        patience=2,
        together=False,
        oversample=True,
        evenness=1,
        pseudo_fakes=0,
        degrade=0,
        held_out=0.4,
    )
    nothing = dict.fromkeys(("flip", "recolour", "grey", "erase", "rescale", "blur", "noise", "encode"), 0.0)
    # A side of 0.28 is the 8 % of the area that RandomResizedCrop starts at.
    assert CLASSIC.augmentation == Augmentation(crop=0.28, around_centre=False, rotate=90, sharpness=2, **nothing)


def test_the_published_recipe_warms_up_for_fifty_steps_and_then_falls_in_a_line() -> None:
    schedule = Schedule(1000, CLASSIC.learning, None)
    assert [round(schedule.factor(step), 3) for step in (25, 50, 525, 1000)] == [0.5, 1, 0.5, 0]


def test_the_published_recipe_holds_out_forty_in_a_hundred_of_each_stratum() -> None:
    everything = [*records(100, source="a"), *records(50, source="b")]
    parts = split(everything, CLASSIC.learning.held_out)
    for source, pairs in (("a", 100), ("b", 50)):
        learnt = [r.fake for r in parts.train if r.source == source]
        assert (learnt.count(False), learnt.count(True)) == (0.6 * pairs, 2 * 0.6 * pairs)


def test_the_published_recipe_draws_both_classes_alike_after_the_split() -> None:
    everything = [r for i, r in enumerate(records(40)) if r.fake or i % 8 == 0]
    batches = batches_of(everything, CLASSIC.learning, 40, seed=1)
    assert isinstance(batches, ShuffledBatches)
    drawn = [draw for batch in batches for draw in batch]
    assert len(drawn) == 40 * 32
    assert {d.record for d in drawn} == set(range(len(everything)))
    assert 0.47 < sum(everything[d.record].fake for d in drawn) / len(drawn) < 0.53
    assert not any(d.blended for d in drawn)


def test_the_optimiser_of_the_published_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Noted(torch.optim.AdamW):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made.append(self)
            raise InterruptedError

    monkeypatch.setattr(torch.optim, "AdamW", Noted)
    options = TrainOptions(recipe="classic", device="cpu", precision="fp32")
    rule = make_card().preprocessing
    with pytest.raises(InterruptedError):
        run = Run(make_model(vit_config()), records(20), rule, CLASSIC, options, tmp_path, lambda _: 0, lambda *_: None)
        loop.train(run)
    (optimiser,) = made
    assert {group["lr"] for group in optimiser.param_groups} == {1e-6}
    decays = {p.ndim > 1: group["weight_decay"] for group in optimiser.param_groups for p in group["params"]}
    assert decays == {True: 0.02, False: 0}


def test_steps_of_the_published_recipe() -> None:
    assert loop.steps_of(TrainOptions(recipe="classic"), CLASSIC.learning, 3200) == 200


def test_the_published_recipe_from_pictures_to_a_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 real pictures and 24 fakes: 24 and 14 are learnt from, in two passes of 24 draws of each class."""
    rng = np.random.default_rng(0)
    for label, level, count in (("Real", 60, 40), ("Fake", 190, 24)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for i in range(count):
            pixels = np.clip(level + rng.normal(0, 20, (60, 60, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / f"{i}.png")
    drawn: Counter[Path] = Counter()

    def noted(path: Path) -> Pixels:
        drawn[path.resolve()] += 1
        return load_rgb(path)

    monkeypatch.setattr(draws, "load_rgb", noted)
    base = make_pack(tmp_path / "base", model=make_model(vit_config()), subject="frame")
    options = TrainOptions(
        recipe="classic", base=str(base.folder), subject="frame", device="cpu", precision="fp32", accept_shortcut=True
    )
    card = train_pack(tmp_path / "data", tmp_path / "pack", options, lambda *_: None, [])
    parts = read_records(tmp_path / "pack" / "split.csv")
    learnt = {r.path.resolve(): r.fake for r in parts if r.split == "train"}
    assert Counter(learnt.values()) == {False: 24, True: 14}
    assert Counter(r.fake for r in parts if r.split != "train") == {False: 16, True: 10}
    assert drawn.keys() == learnt.keys(), "what is held out is never drawn, and all that is learnt from is"
    assert drawn.total() == 3 * 32
    assert sum(times for path, times in drawn.items() if learnt[path]) == 48, "oversampled to one size"
    assert {times for path, times in drawn.items() if not learnt[path]} == {2}, "the larger class once in a pass"
    assert card.provenance["steps"] == 3
    recipe = card.provenance["recipe"]
    assert isinstance(recipe, dict)
    assert (recipe["name"], recipe["schedule"], recipe["learning_rate"]) == ("classic", "linear", 1e-6)
    before, after = (load_file(folder / "model.safetensors") for folder in (base.folder, tmp_path / "pack"))
    moved = max(float(np.abs(after[k].astype(np.float32) - before[k].astype(np.float32)).max()) for k in after)
    assert 0 < moved < 3 * 1.1e-6, "three steps of AdamW at a millionth"


@pytest.mark.parametrize("name", KNOWN)
def test_what_the_user_says_goes_before_the_recipe(name: str) -> None:
    options = TrainOptions(recipe=name, epochs=0.5, oversample=False, together=False, weight_decay=0, held_out=0.25)
    own = prepare(TrainOptions(recipe=name))
    assert prepare(options) == replace(
        own,
        learning=replace(own.learning, epochs=0.5, oversample=False, together=False, weight_decay=0, held_out=0.25),
    )


def test_a_recipe_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((FOLDER / "robust.toml").read_text().replace("epochs = 4.0", "epochs = 9"))
    recipe = prepare(TrainOptions(recipe=str(path)))
    assert (recipe.name, recipe.learning.epochs) == ("mine", 9)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("epochs = 4.0", "", "missing or unknown: epochs"),
        ("epochs = 4.0", "epochs = 4.0\nspeed = 3", "missing or unknown: speed"),
        ("epochs = 4.0", "epochs = true", "epochs is 'True', and must be a float"),
        ("batch_size = 64", "batch_size = 6.4", "batch_size is '6.4', and must be a int"),
        ("[augmentation]", "[changes]", "missing or unknown"),
        ("epochs = 4.0", "epochs = ", "cannot be read"),
    ],
)
def test_a_recipe_that_says_something_wrong(before: str, after: str, said: str, tmp_path: Path) -> None:
    text = (FOLDER / "robust.toml").read_text()
    assert before in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(TrainingError, match=said):
        prepare(TrainOptions(recipe=str(path)))


def test_a_recipe_is_held_to_the_ranges_of_the_flags(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((FOLDER / "robust.toml").read_text().replace("epochs = 4.0", "epochs = -1.0"))
    with pytest.raises(ConfigError, match="epochs"):
        prepare(TrainOptions(recipe=str(path)))
    with pytest.raises(TrainingError, match="no recipe 'secret'"):
        prepare(TrainOptions(recipe="secret"))
    with pytest.raises(TrainingError, match="cannot be read"):
        prepare(TrainOptions(recipe=str(tmp_path / "none.toml")))


def test_rotations_of_the_published_recipe_reach_a_quarter_turn() -> None:
    marked = np.zeros((64, 64, 3), np.uint8)
    marked[:, 40:] = 200  # bright to the right
    recipe = replace(CLASSIC.augmentation, crop=1.0, sharpness=1.0)
    tops = [
        float(out[:20].mean() - out[-20:].mean()) for out in (augment(marked, 64, s, recipe, 0.0) for s in range(60))
    ]
    assert max(tops) > 60
    assert min(tops) < -60
