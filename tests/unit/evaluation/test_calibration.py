"""Bounds of likelihood ratios on known cases, and a pack calibrated anew from its own scores."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepscan.config import EvaluateOptions
from deepscan.errors import InputError, OutputError
from deepscan.evaluation import calibration, likelihood
from deepscan.evaluation.calibration import calibrate_pack
from deepscan.evaluation.likelihood import Scored, elub, limits, strata
from deepscan.media.quality import Quality
from deepscan.models import packs
from deepscan.models.card import View, load
from tests.cli.test_app import invoke
from tests.fake_pack import make_model, make_pack, vit_config

GOOD = Quality(150, 100.0, 10.0, 1.1)


def bounds(fakes: list[float], reals: list[float]) -> tuple[float, float]:
    values = np.log(np.array([*fakes, *reals]))
    return elub(values, np.array([True] * len(fakes) + [False] * len(reals)))


def test_a_perfect_system_is_bounded_by_how_many_it_was_shown() -> None:
    """With one misleading ratio added to n real pictures, ratios from n + 1 on cost more than silence."""
    lower, upper = bounds([1e9] * 50, [1e-9] * 50)
    assert upper == pytest.approx(51, rel=0.03)
    assert lower == pytest.approx(1 / 51, rel=0.03)
    lower, upper = bounds([1e9] * 10, [1e-9] * 200)
    assert upper == pytest.approx(201, rel=0.03)
    assert lower == pytest.approx(1 / 11, rel=0.03)


def test_a_system_that_says_nothing_or_the_wrong_thing_has_no_reach() -> None:
    assert bounds([1.0] * 50, [1.0] * 50) == (1, 1)
    assert bounds([0.01] * 50, [100.0] * 50) == (1, 1)


def test_one_misleading_picture_shortens_the_reach_on_its_side() -> None:
    clean = bounds([1e9] * 100, [1e-9] * 100)
    lower, upper = bounds([1e9] * 100, [*[1e-9] * 99, 1e9])
    assert upper == pytest.approx(101 / 2, rel=0.03)
    assert lower == pytest.approx(clean[0], rel=0.05)


def test_bounds_do_not_depend_on_order_and_stay_inside_the_ratios_worth() -> None:
    rng = np.random.default_rng(2)
    fake = rng.random(600) < 0.5
    values = rng.normal(np.where(fake, 1, -1), 1.5)
    lower, upper = elub(values, fake)
    order = rng.permutation(600)
    assert elub(values[order], fake[order]) == (lower, upper)
    assert 1 / 601 < lower < 1 < upper < 601


def test_limits_are_what_was_measured() -> None:
    qualities = [replace(GOOD, brightness=float(b), blockiness=1 + b / 400) for b in range(201)]
    found = limits(qualities)
    assert found.min_brightness == 1
    assert found.max_blockiness == 1.5
    assert found.refusal(replace(GOOD, brightness=0.5)) is not None
    assert found.refusal(qualities[100]) is None


def test_strata_hold_one_form_of_a_picture_and_need_enough_of_them() -> None:
    rng = np.random.default_rng(0)
    count = 4 * likelihood.LEAST
    fake = np.tile([True, False], count // 2)
    odds = rng.normal(np.where(fake, 2, -2), 1.0)
    half = Scored(odds, fake, [GOOD] * count, list(range(count)))
    (found,) = strata(half, half, "here")
    assert found.name == "100 to 199 pixels, hardly compressed"
    assert (found.real, found.fake) == (count // 2, count // 2)
    assert found.lower < 1 < found.upper
    assert found.slope > 0
    twice = Scored(np.tile(odds, 2), np.tile(fake, 2), [GOOD] * (2 * count), list(range(count)) * 2)
    assert strata(twice, twice, "here") == (found,)
    few = Scored(odds[:80], fake[:80], [GOOD] * 80, list(range(80)))
    assert strata(few, half, "here") == ()
    assert strata(half, few, "here") == ()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set")
    rng = np.random.default_rng(0)
    for label, level in (("Real", 90), ("Fake", 150)):
        (folder / label).mkdir()
        for i in range(70):
            pixels = rng.normal(level, 25, (1, 1, 3)) + rng.normal(0, 12, (64, 64, 3))
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / label / f"{i}.png")
    return folder


def test_a_pack_is_calibrated_anew_and_keeps_its_weights(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "LEAST_PICTURES", 40)
    monkeypatch.setattr(likelihood, "LEAST", 15)
    pack = make_pack(tmp_path / "old", subject="frame", model=make_model(vit_config()), view=View("frame", 0.0, 16))
    options = EvaluateOptions(workers=0)
    card = calibrate_pack(dataset, str(pack.folder), tmp_path / "new", options, command=["deepscan", "calibrate"])
    assert load(tmp_path / "new") == card
    assert card.format == "deepscan-pack/2"
    assert card.limits.min_brightness is not None
    assert card.strata
    assert card.provenance["calibrated"]["command"] == "deepscan calibrate"  # type: ignore[index, call-overload]
    assert all(t.false_alarms is not None for t in card.thresholds)
    found = packs.find(str(tmp_path / "new"), fake_label=None, offline=True)
    assert found.sha256 == pack.sha256
    assert packs.verify(found).golden
    first, second = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("old", "new"))
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    with pytest.raises(OutputError, match="already holds"):
        calibrate_pack(dataset, str(pack.folder), tmp_path / "new", options)


def test_too_few_pictures_or_one_group_are_refused(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = make_pack(tmp_path / "old", subject="frame", view=View("frame", 0.0, 16))
    result = invoke("calibrate", str(dataset), "--model", str(pack.folder), "-o", str(tmp_path / "new"), "-q")
    assert result.exit_code == 2
    assert "70 fakes and 70 real pictures could be scored: too few" in result.stderr
    assert not (tmp_path / "new").exists()
    rows = [f"{p},{p.parent.name},one" for p in sorted(dataset.rglob("*.png"))]
    (tmp_path / "list.csv").write_text("\n".join(["path,label,group", *rows]))
    monkeypatch.setattr(calibration, "LEAST_PICTURES", 40)
    with pytest.raises(InputError, match="One group"):
        calibrate_pack(tmp_path / "list.csv", str(pack.folder), tmp_path / "new", EvaluateOptions(workers=0))
