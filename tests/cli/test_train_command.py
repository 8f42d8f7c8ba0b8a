"""``deepscan train``: what the flags become, words on the error stream, and refusals before any work is done."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.main import get_command

from deepscan import errors
from deepscan.cli.app import app
from deepscan.errors import OutputError, TrainingError
from deepscan.models import packs
from deepscan.training import architectures, run
from deepscan.training.options import TrainOptions
from tests import media_factory
from tests.cli.test_app import invoke, refusal
from tests.fake_pack import make_card

TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "patch_size": 8,
}
FLAGS: dict[str, tuple[str, object]] = {
    "recipe": ("classic", "classic"),
    "accumulate": ("2", 2),
    "weight_decay": ("0.1", 0.1),
    "dropout": ("0.3", 0.3),
    "warmup": ("0.4", 0.4),
    "schedule": ("linear", "linear"),
    "ema": ("0.9", 0.9),
    "evaluations": ("5", 5),
    "patience": ("2", 2),
    "freeze": ("3", 3),
    "lora": ("4", 4),
    "probe": ("64", 64),
    "images": ("pictures", Path("pictures")),
    "base": ("owner/name", "owner/name"),
    "arch": ("tiny", "tiny"),
    "name": ("mine", "mine"),
    "size": ("96", 96),
    "epochs": ("0.5", 0.5),
    "steps": ("7", 7),
    "minutes": ("0.5", 0.5),
    "batch_size": ("12", 12),
    "learning_rate": ("0.002", 0.002),
    "layer_decay": ("0.8", 0.8),
    "pseudo_fakes": ("0.25", 0.25),
    "evenness": ("0.1", 0.1),
    "degrade": ("0.5", 0.5),
    "margin": ("0.3", 0.3),
    "subject": ("frame", "frame"),
    "held_out": ("0.3", 0.3),
    "calibration": ("isotonic", "isotonic"),
    "seed": ("9", 9),
    "device": ("cpu", "cpu"),
    "precision": ("fp32", "fp32"),
    "data_note": ("made in code", "made in code"),
    "licence": ("CC0", "CC0"),
    "licence_class": ("open", "open"),
}


SWITCHES = ("resume", "from_scratch", "accept_shortcut", "together", "oversample", "sequence")
OWN = {"dataset", "output", "preview", "push_to_hub", "debug", "help"}


class Recorded:
    """What ``train_pack`` was called with."""

    def __init__(self) -> None:
        self.options: TrainOptions | None = None
        self.error: BaseException | None = None
        self.command: list[str] = []

    def __call__(
        self, dataset: Path, output: Path, options: TrainOptions, progress: Any, command: list[str], looked: Any
    ) -> Any:
        self.options, self.command = options, command
        looked(3, 3)
        progress(10, 40, 0.693)
        progress(20, 40, 0.5)
        if self.error is not None:
            raise self.error
        return make_card(name="mine")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    record = Recorded()
    monkeypatch.setattr(run, "train_pack", record)
    return record


def train(*arguments: str) -> Any:
    return invoke("train", *arguments)


def test_without_flags_the_defaults_hold(recorded: Recorded) -> None:
    assert train("data", "-o", "pack").exit_code == errors.EXIT_CLEAN
    assert recorded.options == TrainOptions()


def test_every_flag_reaches_the_run(recorded: Recorded) -> None:
    switches = [f"--{name.replace('_', '-')}" for name in SWITCHES]
    words = [part for name, (word, _) in FLAGS.items() for part in (f"--{name.replace('_', '-')}", word)]
    assert train("data", "-o", "pack", *switches, *words).exit_code == errors.EXIT_CLEAN
    expected = TrainOptions(**dict.fromkeys(SWITCHES, True), **{name: value for name, (_, value) in FLAGS.items()})  # type: ignore[arg-type]
    assert recorded.options == expected
    # No flag here stands at its default: the comparison above could not see it missing.
    assert all(value != getattr(TrainOptions(), name) for name, (_, value) in FLAGS.items())


def test_every_flag_is_an_option_and_is_tested() -> None:
    command: Any = get_command(app)
    flags = {p.name for p in command.commands["train"].params} - OWN
    assert flags == {*FLAGS, *SWITCHES}
    assert flags <= {field.name for field in dataclasses.fields(TrainOptions)}


def test_progress_is_words_and_standard_output_is_free(recorded: Recorded) -> None:
    result = train("data", "-o", "pack")
    assert result.stdout == ""
    first, second, last = result.stderr.splitlines()
    assert first == "step 10/40  loss 0.693"
    assert second.startswith("step 20/40  loss 0.500")
    assert "left" in second
    assert last.startswith("Packed mine into pack")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TrainingError("The loss is not a number any more.", "Lower it."), errors.EXIT_USAGE),
        (OutputError("The disk is full.", "Free some space."), errors.EXIT_USAGE),
        (RuntimeError("something of torch"), errors.EXIT_USAGE),
        (KeyboardInterrupt(), errors.EXIT_INTERRUPTED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_goes_wrong_is_a_sentence(error: BaseException, code: int, recorded: Recorded) -> None:
    recorded.error = error
    result = train("data", "-o", "pack")
    assert result.exit_code == code
    assert result.stdout == ""
    assert "\ndeepscan: " in result.stderr
    assert "Packed" not in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("--size", "16"),
        ("--epochs", "0"),
        ("--steps", "0"),
        ("--batch-size", "1"),
        ("--learning-rate", "0"),
        ("--learning-rate", "nan"),
        ("--pseudo-fakes", "2"),
        ("--degrade", "-1"),
        ("--held-out", "1"),
        ("--precision", "fp8"),
        ("--subject", "body"),
        ("--schedule", "steep"),
        ("--layer-decay", "0"),
        ("--lora", "0"),
        ("--licence-class", "free"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_before_any_work(name: str, value: str, recorded: Recorded) -> None:
    sentence, _ = refusal(train("data", "-o", "pack", name, value))
    assert sentence.startswith(f"Option {name.removeprefix('--')} is ")
    assert recorded.options is None


def write_dataset(folder: Path, *labels: str, count: int = 12) -> Path:
    rng = np.random.default_rng(0)
    for label in labels:
        (folder / label).mkdir(parents=True)
        for number in range(count):
            level = 190 if label == "Fake" else 60
            pixels = np.clip(level + rng.normal(0, 20, (40, 40, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
    return folder


def test_a_data_set_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    output = str(tmp_path / "pack")
    sentence, hint = refusal(train(str(tmp_path / "nowhere"), "-o", output))
    assert "no data set at" in sentence
    assert hint
    (tmp_path / "empty").mkdir()
    sentence, hint = refusal(train(str(tmp_path / "empty"), "-o", output))
    assert "named after a label" in sentence
    assert "Real and Fake" in hint
    sentence, _ = refusal(train(str(write_dataset(tmp_path / "one", "Real")), "-o", output))
    assert "no fake pictures" in sentence
    media_factory.write_jpeg(tmp_path, "a.jpg")
    (tmp_path / "list.csv").write_text("path,label\na.jpg,perhaps\n")
    sentence, _ = refusal(train(str(tmp_path / "list.csv"), "-o", output))
    assert "line 2" in sentence
    assert "'perhaps'" in sentence
    (tmp_path / "list.csv").write_text("path,label\nnowhere.jpg,real\n")
    sentence, hint = refusal(train(str(tmp_path / "list.csv"), "-o", output))
    assert "None of the 1 pictures" in sentence
    assert "--images" in hint
    assert not (tmp_path / "pack").exists()


def test_nowhere_to_write_and_nobody_to_push_for(tmp_path: Path, recorded: Recorded) -> None:
    sentence, hint = refusal(train("data"))
    assert "-o" in hint
    sentence, _ = refusal(train("data", "-o", "pack", "--push-to-hub", "no/such/name"))
    assert "no repository" in sentence
    assert recorded.options is None


def test_a_sheet_is_written_and_nothing_learnt(tmp_path: Path, recorded: Recorded) -> None:
    data, page = write_dataset(tmp_path / "data", "Real", "Fake"), tmp_path / "sheet.png"
    result = train(str(data), "--preview", str(page), "--size", "48")
    assert result.exit_code == errors.EXIT_CLEAN, result.output
    assert recorded.options is None
    with Image.open(page) as sheet:
        assert sheet.size == (8 * 52 + 4, 6 * 52 + 4)
        assert np.asarray(sheet).min() < 80
    sentence, _ = refusal(train(str(data), "--preview", str(tmp_path / "nowhere" / "sheet.png")))
    assert "cannot be written" in sentence


def test_the_words_of_a_path_are_harmless(tmp_path: Path) -> None:
    for dataset in ("\x1b[31mnowhere\n", "\u202enowhere"):
        sentence, _ = refusal(train(str(tmp_path / dataset), "-o", str(tmp_path / "pack")))
        assert sentence.isprintable()


def test_a_folder_that_holds_a_pack_is_left_as_it_is(tmp_path: Path) -> None:
    data, output = write_dataset(tmp_path / "data", "Real", "Fake"), tmp_path / "pack"
    output.mkdir()
    (output / "card.json").write_text("{}")
    sentence, hint = refusal(train(str(data), "-o", str(output)))
    assert "already holds a pack" in sentence
    assert "-o" in hint
    assert [path.name for path in output.iterdir()] == ["card.json"]


def test_an_unknown_architecture_and_a_missing_base_are_refused(tmp_path: Path) -> None:
    data = str(write_dataset(tmp_path / "data", "Real", "Fake"))
    sentence, _ = refusal(train(data, "-o", str(tmp_path / "a"), "--arch", "bogus"))
    assert "no architecture 'bogus'" in sentence
    sentence, _ = refusal(train(data, "-o", str(tmp_path / "b"), "--base", str(tmp_path / "nowhere")))
    assert "no model folder" in sentence


@pytest.mark.slow
def test_a_pack_comes_out_that_can_be_scanned_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(architectures, "ARCHITECTURES", {"tiny": ("vit", TINY)})
    data, output = write_dataset(tmp_path / "data", "Real", "Fake", count=20), tmp_path / "pack"
    flags = "--arch tiny --size 32 --steps 2 --batch-size 8 --subject frame --precision fp32 --device cpu --name tiny"
    result = train(str(data), "-o", str(output), *flags.split())
    assert result.exit_code == errors.EXIT_CLEAN, result.output
    assert result.stdout == ""
    assert "step 2/2" in result.stderr
    assert f"Packed tiny into {output}" in result.stderr
    assert packs.find(str(output), fake_label=None, offline=True).card.name == "tiny"
    picture = media_factory.write_jpeg(tmp_path, "a.jpg")
    scanned = invoke("scan", str(picture), "--model", str(output), "--workers", "0", "--fail-on", "never")
    assert scanned.exit_code == errors.EXIT_CLEAN, scanned.output
    assert "Model tiny" in scanned.stdout
