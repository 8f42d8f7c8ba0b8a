"""A head over features in time: learnt from clips whose frames say nothing, and written down when it is of no use."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from deepscan.config import ScanOptions
from deepscan.engine.scan import scan
from deepscan.errors import CorruptPackError, OutputError, TrainingError
from deepscan.media.frames import Pixels
from deepscan.models import card as cards
from deepscan.models import describe
from deepscan.models.card import HEAD_NAME, ModelCard
from deepscan.models.packs import find, verify
from deepscan.training.options import TrainOptions
from deepscan.training.run import train_pack
from deepscan.types import CheckResult, Level, Outcome
from tests import fake_pack, video_factory

CLIPS, COPIES, FRAMES = 44, 4, 18


def picture(seed: int, light: int) -> Pixels:
    """A texture of its own for each clip, in a light."""
    texture = np.random.default_rng(seed).integers(0, 120, (12, 12, 3)).repeat(8, 0).repeat(8, 1)
    return np.clip(texture + light, 0, 255).astype(np.uint8)


def clip(path: Path, seed: int, *, flickers: bool) -> Path:
    """A clip of 2.2 s, half of it dark and half of it bright: one after the other, or by turns."""
    dark = [number % 2 == 0 if flickers else number < FRAMES // 2 for number in range(FRAMES)]

    def paint(number: int, width: int, height: int) -> Pixels:
        return picture(seed, 10 if dark[number] else 120)

    return video_factory.make(path, [120 * i for i in range(FRAMES)], size=(96, 96), paint=paint, key_every=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny pack with random weights that looks at whole frames."""
    return fake_pack.make_pack(tmp_path_factory.mktemp("base") / "pack", subject="frame").folder


def learn(dataset: Path, output: Path, base: Path, **options: object) -> ModelCard:
    chosen = replace(TrainOptions(sequence=True, base=str(base), device="cpu"), **options)  # type: ignore[arg-type]
    return train_pack(dataset, output, chosen, lambda *_: None, ["deepscan", "train", "--sequence"])


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Path:
    """A pack whose head has learnt that fakes flicker, beside its clips."""
    place = tmp_path_factory.mktemp("learnt")
    for label in ("Real", "Fake"):
        (place / "clips" / label).mkdir(parents=True)
        for number in range(CLIPS // 2):
            seed = number + 500 * (label == "Fake")
            clip(place / "clips" / label / f"{number}.mp4", seed, flickers=label == "Fake")
    for number in range(COPIES):
        original = place / "clips" / "Fake" / f"{number}.mp4"
        shutil.copy(original, original.with_name(f"copy-{number}.mp4"))
    learn(place / "clips", place / "pack", base, held_out=0.6)
    return place


def answer(path: Path, pack: Path, **options: object) -> CheckResult:
    chosen = ScanOptions(model=str(pack), workers=0, precision="fp32", checks=("sequence",))
    (result,) = scan([path], replace(chosen, **options)).items[0].results  # type: ignore[arg-type]
    return result


def test_a_head_learns_what_no_single_frame_shows_and_says_how_much_better_it_is(learnt: Path, base: Path) -> None:
    card = find(str(learnt / "pack"), fake_label=None, offline=True).card
    head = card.sequence
    assert head is not None
    assert head.beats_pooling
    assert cast("float", head.metrics["auc"]) >= 0.95
    assert cast("float", head.metrics["pooling_auc"]) <= 0.85
    assert replace(card, sequence=None) == find(str(base), fake_label=None, offline=True).card
    told = json.loads((learnt / "pack" / "sequence.json").read_text())
    assert sum(told["clips"].values()) == CLIPS + COPIES
    assert told["auc"] == head.metrics["auc"]
    pack = find(str(learnt / "pack"), fake_label=None, offline=True)
    verify(pack)
    shown = [text for name, text in describe.lines(pack) if "stretches" in text]
    assert shown == ["4 stretches of 16 frames, 0.12 s apart; tells fakes better than pooled scores do"]


def test_copies_of_a_clip_are_never_in_two_parts(learnt: Path) -> None:
    rows = [row.split(",") for row in (learnt / "pack" / "sequence-split.csv").read_text().splitlines()[1:]]
    assert len(rows) == CLIPS + COPIES
    part = {Path(row[0]).name: row[4] for row in rows if row[1] == "fake"}
    assert all(part[f"copy-{number}.mp4"] == part[f"{number}.mp4"] for number in range(COPIES))


def test_a_scan_with_such_a_pack_hears_the_head(learnt: Path, tmp_path: Path) -> None:
    found = {}
    for name, flickers in (("steady", False), ("flickering", True)):
        result = answer(clip(tmp_path / f"{name}.mp4", 2000, flickers=flickers), learnt / "pack")
        assert result.outcome is Outcome.DONE
        assert result.score is None, "the classifier's score stays the model's only one"
        (finding,) = result.findings
        assert "no second kind of evidence" in finding.summary
        values = [cast("dict[str, float]", e.value) for e in finding.evidence]
        found[name] = [value["probability"] for value in values]
    assert max(found["steady"]) < 0.5 < min(found["flickering"])


def test_the_check_runs_only_where_a_pack_has_a_head_or_it_is_named(learnt: Path, base: Path) -> None:
    path = learnt / "clips" / "Real" / "0.mp4"
    plain = ScanOptions(workers=0, precision="fp32", skip=("copy_move",))
    for pack, there in ((learnt / "pack", True), (base, False)):
        report = scan([path], replace(plain, model=str(pack)))
        assert any(r.check == "sequence" for r in report.items[0].results) is there
        assert any(c.id == "sequence" for c in report.run.checks) is there
    named = answer(path, base)
    assert named.outcome is Outcome.NOT_APPLICABLE
    assert named.reason == "The model fake-pack has no sequence head (deepscan train --sequence makes one)."


def test_a_head_that_is_no_better_than_pooling_is_written_down_as_such_and_is_no_evidence(
    learnt: Path, base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = sorted(p for p in (learnt / "clips").rglob("*.mp4") if not p.name.startswith("copy"))[::2]
    rows = [f"{path},{'real' if number % 2 else 'fake'}" for number, path in enumerate(files)]
    (tmp_path / "list.csv").write_text("path,label\n" + "\n".join(rows))
    card = learn(tmp_path / "list.csv", tmp_path / "pack", base, epochs=2.0)
    assert card.sequence is not None
    assert not card.sequence.beats_pooling
    assert card.sequence.thresholds == ()
    assert "does not tell fakes better than pooling" in caplog.text
    result = answer(files[0], tmp_path / "pack")
    assert [(f.code, f.level) for f in result.findings] == [("DS-MODEL-006", Level.INFO)]
    assert "so it is no evidence" in result.findings[0].summary


def test_a_head_that_is_not_the_cards_is_refused(learnt: Path, tmp_path: Path) -> None:
    pack = Path(shutil.copytree(learnt / "pack", tmp_path / "pack"))
    path = learnt / "clips" / "Real" / "0.mp4"
    (pack / HEAD_NAME).write_bytes((pack / HEAD_NAME).read_bytes()[:-1] + b"\0\1")
    with pytest.raises(CorruptPackError, match="not the one its card describes"):
        answer(path, pack)
    (pack / HEAD_NAME).unlink()
    with pytest.raises(CorruptPackError, match="cannot be read"):
        answer(path, pack)
    document = json.loads((pack / cards.CARD_NAME).read_text())
    for name, wrong in (("length", 0), ("step", 0.0), ("hidden", 10**6), ("beats_pooling", False)):
        broken = {**document, "sequence": {**document["sequence"], name: wrong}}
        if name == "beats_pooling":
            broken["sequence"]["thresholds"] = [
                {"level": "weak", "probability": 0.6, "false_alarms": 0.1, "measured_on": "clips"}
            ]
        with pytest.raises(CorruptPackError, match="sequence"):
            cards.from_json(broken, "card.json")


def test_what_cannot_be_done_is_refused_before_any_clip_is_read(learnt: Path, base: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="already holds a pack"):
        learn(learnt / "clips", learnt / "pack", base)
    with pytest.raises(TrainingError, match="--margin does nothing with --sequence"):
        learn(learnt / "clips", tmp_path / "pack", base, margin=0.3)
