"""A pack calibrated anew from its own scores."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepscan.config import EvaluateOptions
from deepscan.errors import InputError, OutputError
from deepscan.evaluation import calibration
from deepscan.evaluation.calibration import calibrate_pack
from deepscan.models import packs
from deepscan.models.card import View, load
from deepscan.training import likelihood
from tests.cli.test_app import invoke
from tests.fake_pack import make_model, make_pack, vit_config


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
    assert card.format == "deepscan-pack/3"
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


def test_probabilities_and_thresholds_can_be_kept_and_a_curve_asked_for(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``keep`` is what a pack that was just trained gets from its own calibration part."""
    monkeypatch.setattr(calibration, "LEAST_PICTURES", 20)
    monkeypatch.setattr(likelihood, "LEAST", 8)
    pictures = sorted(dataset.rglob("*.png"))
    rows = [f"{p},{p.parent.name},{'val' if i % 2 else 'test'}" for i, p in enumerate(pictures)]
    (tmp_path / "split.csv").write_text("\n".join(["path,label,split", *rows]))
    pack = make_pack(tmp_path / "old", subject="frame", model=make_model(vit_config()), view=View("frame", 0.0, 16))
    words = ["calibrate", str(tmp_path / "split.csv"), "--split", "val", "--model", str(pack.folder), "-q"]
    assert invoke(*words, "--calibration", "keep", "-o", str(tmp_path / "kept")).exit_code == 0
    kept = load(tmp_path / "kept")
    assert (kept.calibration, kept.thresholds) == (pack.card.calibration, pack.card.thresholds)
    assert kept.limits.min_brightness is not None
    assert kept.strata
    assert all(s.real + s.fake <= 35 for s in kept.strata), "half of the 70 pictures of one part bound the ratios"
    assert "val" in kept.strata[0].measured_on
    readme = (tmp_path / "kept" / "README.md").read_text()
    assert "mean brightness below" in readme
    assert "ratios between" in readme
    assert invoke(*words, "--calibration", "isotonic", "-o", str(tmp_path / "curve")).exit_code == 0
    curve = load(tmp_path / "curve")
    assert curve.calibration.method == "isotonic"
    assert packs.verify(packs.find(str(tmp_path / "curve"), fake_label=None, offline=True)).golden
    result = invoke(*words, "--calibration", "magic", "-o", str(tmp_path / "none"))
    assert result.exit_code == 2
    assert "There is no calibration 'magic'" in result.stderr


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
