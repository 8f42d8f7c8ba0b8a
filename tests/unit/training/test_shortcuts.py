"""Data sets whose label can be read off the files: refused, unless whoever trains says that they know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepscan.errors import TrainingError
from deepscan.training.data import read_dataset
from deepscan.training.run import train_pack
from deepscan.training.shortcuts import file_shortcut, refuse_shortcut
from deepscan.training.splits import split
from deepscan.training.survey import look
from tests.fake_pack import make_pack
from tests.unit.training.test_run import OPTIONS, quiet


def pictures(folder: Path, count: int, **qualities: int) -> Path:
    """Noise as JPEG, alike for both labels but for the quality it is saved at."""
    rng = np.random.default_rng(0)
    for label, quality in qualities.items():
        (folder / label).mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 256, (24, 24, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{i}.jpg", quality=quality)
    return folder


@pytest.mark.parametrize("count", [20, 120], ids=["measured across folds", "measured on the held-out part"])
def test_a_quality_that_gives_the_label_away_is_found(count: int, tmp_path: Path) -> None:
    for name, fake, low, high in (("unlike", 70, 0.99, 1), ("alike", 90, 0.2, 0.8)):
        survey = look(read_dataset(pictures(tmp_path / name, count, Real=90, Fake=fake)))
        found, feature = file_shortcut(survey, split(survey.records, held_out=0.4))
        assert found is not None
        assert low <= found <= high
        if name == "unlike":
            assert feature in ("bytes per pixel", "luma table", "chroma table")
            with pytest.raises(TrainingError, match=f"mostly from: {feature}"):
                refuse_shortcut(found, feature)
        else:
            refuse_shortcut(found, feature)


def test_too_few_groups_say_nothing(tmp_path: Path) -> None:
    survey = look(read_dataset(pictures(tmp_path, 20, Real=90, Fake=70)))
    one = tuple(replace(r, group="fakes" if r.fake else r.group) for r in survey.records)
    parts = replace(split(survey.records), train=one, calibration=one[:4])
    assert file_shortcut(survey, parts) == (None, "")
    refuse_shortcut(None, "")


def test_training_refuses_it_unless_it_is_accepted(tmp_path: Path) -> None:
    data = pictures(tmp_path / "data", 20, Real=90, Fake=70)
    base = make_pack(tmp_path / "base", subject="frame")
    options = replace(OPTIONS, steps=1, base=str(base.folder), size=None, held_out=0.4)
    with pytest.raises(TrainingError, match="can be read off its files") as refused:
        train_pack(data, tmp_path / "pack", replace(options, accept_shortcut=False), quiet, [])
    assert refused.value.hint is not None
    assert "--accept-shortcut" in refused.value.hint
    assert not (tmp_path / "pack").exists()
    card = train_pack(data, tmp_path / "pack", options, quiet, [])
    told = card.metrics["file_shortcut"]
    assert isinstance(told, dict)
    assert told["accepted"] is True
    assert told["auc"] > 0.99
