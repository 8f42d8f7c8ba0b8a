"""Training end to end on pictures that differ plainly, with the smallest network there is."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepscan.errors import OutputError, TrainingError
from deepscan.media.quality import Quality
from deepscan.models import loader, packs
from deepscan.models.card import Preprocessing, load
from deepscan.training import architectures, likelihood
from deepscan.training.appraisal import refuse_small, view_of
from deepscan.training.augment import augment, self_blend
from deepscan.training.draws import GroupBatches
from deepscan.training.options import TrainOptions
from deepscan.training.recipe import prepare
from deepscan.training.run import train_pack
from deepscan.training.survey import FEATURES, Survey
from tests.fake_pack import make_pack
from tests.unit.training.test_splits import records

OPTIONS = TrainOptions(
    name="tiny",
    arch="tiny",
    size=32,
    steps=30,
    batch_size=16,
    learning_rate=3e-3,
    pseudo_fakes=0.0,
    subject="frame",
    precision="fp32",
    accept_shortcut=True,
    device="cpu",
    licence="test",
    licence_class="open",
)

ROBUST = prepare(TrainOptions())
LEARNING = ROBUST.learning


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "patch_size": 8,
    }
    monkeypatch.setattr(architectures, "ARCHITECTURES", {"tiny": ("vit", settings)})


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Dark pictures are real and bright ones fake: what any network must learn."""
    rng = np.random.default_rng(0)
    for label, level in (("Real", 60), ("Fake", 190)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for i in range(60):
            pixels = np.clip(level + rng.normal(0, 20, (40, 40, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / f"{i}.png")
    return tmp_path / "data"


def quiet(step: int, steps: int, loss: float) -> None:
    pass


def test_a_pack_comes_out_that_loads_answers_and_says_what_it_is_worth(dataset: Path, tmp_path: Path) -> None:
    output = tmp_path / "pack"
    card = train_pack(dataset, output, OPTIONS, quiet, ["deepscan", "train", "my data"])
    assert load(output) == card
    assert {p.name for p in output.iterdir()} >= {"model.safetensors", "config.json", "preprocessor_config.json"}
    assert card.provenance["command"] == "deepscan train 'my data'"
    assert card.provenance["seed"] == 0
    pack = packs.find(str(output), fake_label=None, offline=True)
    assert packs.verify(pack).golden
    network = loader.load(pack, device="cpu", precision="fp32")
    dark, bright = network.probabilities(np.stack([np.full((32, 32, 3), v, np.uint8) for v in (60, 190)]))
    assert dark < 0.3
    assert bright > 0.7
    test, trivial = card.metrics["test"], card.metrics["trivial_classifier_auc"]
    assert isinstance(test, dict)
    assert isinstance(trivial, dict)
    assert all(level["as it is"]["all"]["auc"] > 0.95 for level in test.values())
    # A shortcut as plain as this one is found by the classifier that looks at no face.
    assert trivial["all"] > 0.95
    json.dumps(card.metrics, allow_nan=False)


def test_limits_and_ratios_come_from_the_calibration_part(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(likelihood, "LEAST", 2)
    monkeypatch.setattr(likelihood, "LEAST_COVERED", 12)
    card = train_pack(dataset, tmp_path / "pack", replace(OPTIONS, steps=6, calibration="isotonic"), quiet, [])
    assert load(tmp_path / "pack") == card
    assert card.calibration.method == "isotonic"
    assert card.limits.min_brightness is not None
    (ratios,) = card.strata
    assert ratios.holds(Quality(40, 100.0, 10.0, 1.1))
    assert ratios.real + ratios.fake <= 6, "half of the twelve pictures of the calibration part"
    assert ratios.lower <= 1 <= ratios.upper
    refused = card.refusal(Quality(40, card.limits.min_brightness - 1, 10.0, 1.1))
    assert refused is not None
    assert "too dark" in refused


def test_the_same_seed_gives_the_same_weights(dataset: Path, tmp_path: Path) -> None:
    few = replace(OPTIONS, steps=3)
    first, second = (train_pack(dataset, tmp_path / name, few, quiet, []) for name in ("a", "b"))
    assert first.weights_sha256 == second.weights_sha256


def test_a_run_can_go_on_from_its_checkpoint(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepscan.training import loop

    monkeypatch.setattr(loop, "SAVE_STEPS", 4)
    whole = train_pack(dataset, tmp_path / "whole", replace(OPTIONS, steps=8), quiet, [])

    def stop(step: int, steps: int, loss: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "LOG_STEPS", 6)
    with pytest.raises(KeyboardInterrupt):
        train_pack(dataset, tmp_path / "cut", replace(OPTIONS, steps=8), stop, [])
    with pytest.raises(OutputError, match="unfinished run"):
        train_pack(dataset, tmp_path / "cut", replace(OPTIONS, steps=8), quiet, [])
    resumed = train_pack(dataset, tmp_path / "cut", replace(OPTIONS, steps=8, resume=True), quiet, [])
    assert resumed.weights_sha256 == whole.weights_sha256


def test_ctrl_c_keeps_the_steps_so_far(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepscan.training import loop

    whole = train_pack(dataset, tmp_path / "whole", replace(OPTIONS, steps=6), quiet, [])

    def interrupt(step: int, steps: int, loss: float) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(loop, "LOG_STEPS", 3)
    with pytest.raises(KeyboardInterrupt):
        train_pack(dataset, tmp_path / "cut", replace(OPTIONS, steps=6), interrupt, [])
    assert not (tmp_path / "cut" / "card.json").exists()
    resumed = train_pack(dataset, tmp_path / "cut", replace(OPTIONS, steps=6, resume=True), quiet, [])
    assert resumed.weights_sha256 == whole.weights_sha256


def test_fine_tuning_starts_from_a_pack_and_says_that_it_knows_the_test_part(
    dataset: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train_pack(dataset, tmp_path / "base", replace(OPTIONS, steps=20), quiet, ["first"])
    card = train_pack(
        dataset, tmp_path / "tuned", replace(OPTIONS, steps=1, base=str(tmp_path / "base")), quiet, ["second"]
    )
    assert card.provenance["base"] == str(tmp_path / "base")
    base = card.provenance["base_provenance"]
    assert isinstance(base, dict)
    assert base["command"] == "first"
    assert card.metrics["base_test_auc"] == pytest.approx(1, abs=0.02)
    assert "has probably learnt from these pictures before" in caplog.text


def test_a_base_whose_weights_are_not_taken_knows_nothing(
    dataset: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = make_pack(tmp_path / "base", subject="frame")
    options = replace(OPTIONS, steps=1, base=str(base.folder), size=None)
    asked = train_pack(dataset, tmp_path / "tuned", options, quiet, [])
    assert isinstance(asked.metrics["base_test_auc"], float)
    caplog.clear()
    new = train_pack(dataset, tmp_path / "new", replace(options, from_scratch=True), quiet, [])
    assert new.metrics["base_test_auc"] is None
    assert "learnt from these pictures" not in caplog.text


def test_an_unreadable_picture_is_left_out_and_said(
    dataset: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (dataset / "Real" / "bad.jpg").write_text("This is no picture.")
    train_pack(dataset, tmp_path / "pack", replace(OPTIONS, steps=1), quiet, [])
    assert "bad.jpg" in caplog.text
    assert "Left out of training" in caplog.text


def test_what_is_refused(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="architecture"):
        train_pack(dataset, tmp_path / "a", replace(OPTIONS, arch="vit-huge"), quiet, [])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "card.json").write_text("{}")
    with pytest.raises(OutputError, match="already holds a pack"):
        train_pack(dataset, tmp_path / "full", OPTIONS, quiet, [])
    with pytest.raises(TrainingError, match="checkpoint"):
        train_pack(dataset, tmp_path / "b", replace(OPTIONS, resume=True), quiet, [])


def test_pictures_that_a_scan_would_not_score_are_refused_before_anything_is_learnt(
    dataset: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TrainingError, match="Every picture is smaller than the 48 pixels"):
        train_pack(dataset, tmp_path / "a", replace(OPTIONS, size=160), quiet, [])
    assert not (tmp_path / "a").exists()
    sides = np.zeros((3, len(FEATURES)))
    sides[:, [FEATURES.index("width"), FEATURES.index("height")]] = ((9, 90), (90, 10), (11, 90))
    survey = Survey((), (), np.zeros((3, 4), np.uint64), sides)
    refuse_small(survey, view_of(OPTIONS, Preprocessing(32, 32, None, "bilinear", 1.0, (0, 0, 0), (1, 1, 1))))
    assert "2 pictures smaller than the 11 pixels" in caplog.text


def test_a_loss_that_is_no_number_ends_the_run(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="not a number"):
        train_pack(dataset, tmp_path / "nan", replace(OPTIONS, learning_rate=1e30, steps=10), quiet, [])


def test_fakes_stand_beside_their_originals_with_the_same_seed() -> None:
    everything = records(30)
    batches = GroupBatches(everything, replace(LEARNING, batch_size=12, evenness=0.5, pseudo_fakes=1.0), 5, seed=1)
    drawn = list(batches)
    assert len(drawn) == len(batches) == 5
    assert drawn == list(batches)
    for batch in drawn:
        assert len(batch) == 12
        for draw in batch:
            partners = [d for d in batch if d.seed == draw.seed]
            assert len({everything[d.record].group for d in partners}) == 1
            assert not (draw.blended and everything[draw.record].fake)


def test_sources_are_evened_out() -> None:
    everything = [*records(400, source="large"), *records(4, source="small")]
    batches = GroupBatches(everything, replace(LEARNING, batch_size=20, evenness=0.0, pseudo_fakes=0.0), 50, seed=1)
    small = sum(everything[d.record].source == "small" for batch in batches for d in batch)
    assert 0.4 < small / 1000 < 0.6


def test_augmentation_is_the_same_for_the_same_seed_and_of_the_size_asked_for() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (90, 70, 3)).astype(np.uint8)
    for seed in range(60):
        out = augment(pixels, 48, seed, ROBUST.augmentation)
        assert out.shape == (48, 48, 3)
        assert out.dtype == np.uint8
        assert np.array_equal(out, augment(pixels, 48, seed, ROBUST.augmentation))
    assert not np.array_equal(augment(pixels, 48, 1, ROBUST.augmentation), augment(pixels, 48, 2, ROBUST.augmentation))


def test_a_pseudo_fake_changes_the_middle_and_keeps_the_corners() -> None:
    pixels = np.random.default_rng(0).integers(60, 200, (128, 128, 3)).astype(np.uint8)
    changed = 0
    for seed in range(20):
        out = self_blend(pixels, seed).astype(int)
        assert np.abs(out[:4, :4] - pixels[:4, :4]).max() <= 1
        changed += np.abs(out - pixels).max() > 8
    assert changed >= 18
