"""Whole evaluations of tiny packs on pictures made here."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from deepscan.config import EvaluateOptions
from deepscan.errors import InputError, TrainingError, UsageError
from deepscan.evaluation import cutting, page
from deepscan.evaluation.result import Evaluation, to_json
from deepscan.evaluation.run import evaluate
from deepscan.evaluation.scoring import Answers, score
from deepscan.evaluation.tables import Judged, ledger, not_scored, robustness
from deepscan.evaluation.trivial import trivial_aucs
from deepscan.media.resaving import AS_IT_IS, ROBUSTNESS
from deepscan.models import face_packs
from deepscan.models.card import ModelCard, Threshold, View
from deepscan.models.coverage import Limits
from deepscan.training.data import Record
from deepscan.types import Box, Level
from tests.fake_pack import make_card, make_model, make_pack, vit_config

FRAME = View("frame", 0.0, 16)


class Brightness:
    """A network whose answer is known: the brighter, the more fake."""

    chunk = 4
    device, precision = "cpu", "fp32"

    def __init__(self, card: ModelCard | None = None) -> None:
        self.card = card or make_card(subject="frame", view=FRAME)

    def logits(self, batch: NDArray[np.uint8]) -> tuple[float, ...]:
        return tuple(float(v) for v in (batch.mean(axis=(1, 2, 3)) - 128) / 16)


def picture(path: Path, level: int, side: int = 40) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(level).normal(level, 6, (side, side, 3))
    Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty pictures, bright ones fake, two of them mixed up; one that cannot be read and one that is not there."""
    folder = tmp_path_factory.mktemp("set")
    rows = []
    for i in range(40):
        fake = i % 2 == 1
        bright = fake if i not in (4, 5) else not fake
        name = f"pictures/{i}.png"
        picture(folder / name, (170 if bright else 80) + i)
        source, group = ("first", "second")[i // 20], f"g{i // 4}"
        rows.append([name, "fake" if fake else "real", source, group, "train" if i < 8 else "val"])
    (folder / "pictures" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    rows.append(["pictures/broken.png", "real", "first", "b", "val"])
    rows.append(["pictures/<b>gone.png", "fake", "first", "c", "val"])
    with (folder / "list.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["path", "label", "source", "group", "split"], *rows])
    return folder / "list.csv"


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("packs")
    for name, seed in (("one", 0), ("other", 1)):
        make_pack(folder / name, subject="frame", model=make_model(vit_config(), seed=seed), view=FRAME)
    return str(folder / "one"), str(folder / "other")


@pytest.fixture(scope="module")
def found(dataset: Path, packs: tuple[str, str]) -> Evaluation:
    told: list[tuple[str, int, int]] = []
    options = EvaluateOptions(split="all", robustness=10, bootstrap=50, workers=0)
    answer = evaluate(dataset, packs, options, lambda *words: told.append(words))
    assert ("pictures", 42, 42) in told
    return answer


def test_every_picture_ends_in_a_number_or_a_reason(found: Evaluation) -> None:
    assert (found.pictures, found.real, found.fake) == (42, 21, 21)
    reasons = dict(found.unreadable)
    assert len(reasons) == 2
    assert any("broken.png" in path for path in reasons)
    assert any("missing or empty" in reason for reason in reasons.values())
    for pack in found.packs:
        assert pack.whole.pictures == 42
        assert pack.whole.scored == 40
        assert pack.not_scored == {"It cannot be read.": 2}
        assert sum(part.scored for part in pack.by_source) == 40
        assert {part.name for part in pack.by_source} == {"first", "second"}


def test_the_tables_are_there_and_agree(found: Evaluation) -> None:
    first, other = found.packs
    assert [point.name for point in first.operating] == ["half", "weak", "moderate"]
    assert first.first_threshold == 0.5
    assert [row.form for row in first.robustness] == [form.name for form in ROBUSTNESS]
    assert {row.pictures for row in first.robustness} == {10}
    assert {(row.set, row.level) for row in first.ledger} == {
        (s, level) for s in ("first", "second") for level in ("weak", "moderate")
    }
    (gaps,) = found.comparisons
    assert gaps.pictures == 40
    auc = next(d for d in gaps.differences if d.name == "auc")
    assert first.whole.ranking.auc is not None
    assert other.whole.ranking.auc is not None
    assert auc.difference == pytest.approx(first.whole.ranking.auc - other.whole.ranking.auc, abs=2e-4)


def test_json_holds_it_all_and_no_infinity(found: Evaluation) -> None:
    document = json.loads(to_json(found))
    assert document["format"] == "deepscan-evaluation/1"
    assert len(document["packs"]) == 2
    assert document["packs"][0]["whole"]["ranking"]["real"] == 20


def test_the_page_needs_nothing_and_escapes_names(found: Evaluation, dataset: Path) -> None:
    text = page.render(found)
    assert "&lt;b&gt;gone.png" in text
    assert "<b>gone" not in text
    assert text.count("<svg") >= 5
    # Namespaces of SVG are names, and nothing is fetched for them.
    plain = re.sub(r"xmlns(:\w+)?=\"[^\"]*\"", "", text)
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!#)", plain)
    assert "<script" not in text
    assert page.render(found) == text


def test_the_held_out_part_is_the_default(dataset: Path, packs: tuple[str, str]) -> None:
    answer = evaluate(dataset, packs[:1], EvaluateOptions(robustness=0, bootstrap=0, workers=0))
    assert answer.pictures == 34
    assert answer.packs[0].robustness == ()
    assert answer.packs[0].whole.intervals.auc is None
    assert answer.notes[0].startswith("17 real pictures")
    with pytest.raises(InputError, match="part test"):
        evaluate(dataset, packs[:1], EvaluateOptions(split="test"))


def test_real_pictures_only_are_a_ledger(tmp_path: Path, packs: tuple[str, str]) -> None:
    for i in range(6):
        picture(tmp_path / "set" / "Real" / f"{i}.png", 90 + i)
        picture(tmp_path / "holiday" / f"{i}.png", 90 + i)
    options = EvaluateOptions(robustness=0, bootstrap=0, workers=0, reals=(tmp_path / "holiday",))
    answer = evaluate(tmp_path / "set", packs[:1], options)
    assert "The set holds no fake pictures" in answer.notes[0]
    assert answer.pictures == 6
    sets = {row.set: row for row in answer.packs[0].ledger}
    assert sets[str(tmp_path / "holiday")].pictures == 6
    assert answer.trivial == {"all": None, "set": None}
    assert answer.packs[0].whole.ranking.auc is None
    with pytest.raises(InputError, match="no folder"):
        evaluate(tmp_path / "set", packs[:1], replace(options, reals=(tmp_path / "nothing",)))


def test_what_is_refused(tmp_path: Path, packs: tuple[str, str], dataset: Path) -> None:
    with pytest.raises(TrainingError, match="no data set"):
        evaluate(tmp_path / "nothing", packs)
    with pytest.raises(UsageError, match="named twice"):
        evaluate(dataset, [packs[0], packs[0]])
    (tmp_path / "bad" / "Fake").mkdir(parents=True)
    (tmp_path / "bad" / "Fake" / "a.png").write_text("no picture")
    with pytest.raises(InputError, match="can be read"):
        evaluate(tmp_path / "bad", packs[:1], EvaluateOptions(workers=0))


# Scoring with a network whose answers are known.


def records(folder: Path, levels: list[int], **changes: Any) -> list[Record]:
    return [Record(picture(folder / f"{i}.png", v), v > 128, "s", str(i), **changes) for i, v in enumerate(levels)]


def judged(folder: Path, levels: list[int], changed: frozenset[int] = frozenset()) -> Judged:
    network: Any = Brightness()
    wanted = records(folder, levels)
    (answers,) = score(wanted, [network], forms=ROBUSTNESS if changed else (), changed=changed)
    return Judged(network.card, wanted, answers, np.array([r.fake for r in wanted]))


def test_logits_are_the_networks_and_only_what_changed_has_forms(tmp_path: Path) -> None:
    found = judged(tmp_path, [60, 200], frozenset({1}))
    plain = found.plain.logits
    assert plain[0] == pytest.approx((60 - 128) / 16, abs=0.2)
    assert plain[1] == pytest.approx((200 - 128) / 16, abs=0.2)
    assert np.isnan(found.answers["grey"].logits[0])
    assert found.answers["grey"].logits[1] == pytest.approx(plain[1], abs=0.2)
    # Noise and re-encoding leave the mean brightness alone, and so no call changes.
    rows = {row.form: row for row in robustness(found, frozenset({1}))}
    assert rows["JPEG 50"].flips == 0
    assert rows["JPEG 50"].recall == 1
    # Ten of forty pixels are too few: what a scan would refuse is not scored here either.
    assert rows["quarter size"].not_scored == 1


def test_the_quality_limits_of_the_card_are_kept(tmp_path: Path) -> None:
    dark: Any = Brightness(make_card(subject="frame", view=FRAME, limits=Limits(min_brightness=100)))
    (answers,) = score(records(tmp_path, [60, 200]), [dark])
    plain = answers[AS_IT_IS.name]
    assert plain.reasons[0] is not None
    assert plain.reasons[0].startswith("It is too dark")
    assert plain.reasons[1] is None
    assert plain.qualities[1] is not None


def test_a_picture_counts_with_its_highest_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepscan.media.frames import Face

    pixels = np.full((100, 200, 3), 60, np.uint8)
    pixels[20:80, 120:180] = 220
    Image.fromarray(pixels).save(tmp_path / "two.png")

    class Two:
        name = "two"

        def find(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
            return (Face(Box(20, 20, 60, 60), "frontal"), Face(Box(120, 20, 60, 60), "frontal"))

    monkeypatch.setattr(face_packs, "finder", lambda name: Two())
    network: Any = Brightness(make_card(view=View("face", 0.0, 24)))
    record = Record(tmp_path / "two.png", fake=True, source="s", group="g")
    (answers,) = score([record], [network], forms=ROBUSTNESS, changed=frozenset({0}))
    assert answers[AS_IT_IS.name].logits[0] == pytest.approx((220 - 128) / 16)
    # The box moves with the picture: cropped, shrunk and shown on a screen it still holds the bright face.
    for form in ("half size", "crop", "screenshot"):
        assert answers[form].logits[0] == pytest.approx((220 - 128) / 16, abs=0.6), form
    (whole,) = score([record], [network], as_crops=True)
    assert whole[AS_IT_IS.name].logits[0] < 0


def test_a_claim_holds_is_refuted_or_cannot_be_told(tmp_path: Path) -> None:
    found = judged(tmp_path, [60] * 30 + [120] * 10)
    everything = {"all": np.full(40, True)}

    def holds(claimed: float, at: float) -> bool | None:
        card = replace(found.card, thresholds=(Threshold(Level.WEAK, at, claimed, "x"),))
        (row,) = ledger(replace(found, card=card), everything)
        assert row.scored == 40
        return row.holds

    assert holds(0.1, 0.99) is True  # none of 40 alarms: at most 7.2 %
    assert holds(0.01, 0.99) is None  # none alarms, and 40 are too few to show 1 %
    assert holds(0.01, 0.3) is False  # 10 of 40 alarm


def test_levels_that_share_a_threshold_have_one_line(tmp_path: Path) -> None:
    found = judged(tmp_path, [60] * 30 + [120] * 10)
    levels = [Threshold(level, 0.9, 0.01, "x") for level in (Level.WEAK, Level.MODERATE)]
    card = replace(found.card, thresholds=(*levels, Threshold(Level.STRONG, 0.95, 0.001, "x")))
    points = replace(found, card=card).operating_points()
    assert points == (("half", 0.5, None), ("weak, moderate", 0.9, 0.01), ("strong", 0.95, 0.001))
    assert {row.level for row in ledger(replace(found, card=card), {"all": np.full(40, True)})} == {
        "weak, moderate",
        "strong",
    }


def test_like_counts_with_like(tmp_path: Path) -> None:
    reason = "It is too small: {} pixels on the shorter side, and {} are needed."
    found = judged(tmp_path, [60] * 4)
    plain = Answers(np.full(4, np.nan), tuple(reason.format(n, "1,048") for n in (1, 2.5, 30, 4)), (None,) * 4)
    counts = not_scored(replace(found, answers={AS_IT_IS.name: plain}), np.full(4, True))
    assert counts == {"It is too small: N pixels on the shorter side, and N are needed.": 4}


def test_workers_give_the_same_answers(tmp_path: Path) -> None:
    wanted = records(tmp_path, [60, 200, 90])
    wanted.append(Record(tmp_path / "gone.png", fake=True, source="s", group="g"))
    card = make_card(subject="frame", view=FRAME)
    orders = [cutting.Order(r.path, (card,), (AS_IT_IS.name, "noise"), as_crops=False) for r in wanted]
    here, there = list(cutting.prepare_all(orders, 0)), list(cutting.prepare_all(orders, 1))
    assert [c.unreadable for c in here] == [c.unreadable for c in there]
    for one, other in zip(here, there, strict=True):
        assert [(c.form, c.quality) for c in one.crops] == [(c.form, c.quality) for c in other.crops]
        assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one.crops, other.crops, strict=True))


def test_the_trivial_classifier_finds_what_is_trivial_and_nothing_else(tmp_path: Path) -> None:
    plain = records(tmp_path / "a", [60 + i for i in range(25)] + [190 + i for i in range(25)])
    found = trivial_aucs(plain)
    assert found["all"] is not None
    assert found["all"] > 0.95
    mixed = [replace(r, fake=i % 2 == 0) for i, r in enumerate(plain)]
    chance = trivial_aucs(mixed)["all"]
    assert chance is not None
    assert 0.15 < chance < 0.85
    assert trivial_aucs(plain[:30])["all"] is None
