"""A card is read strictly: what is missing, unknown, of another type, or impossible is refused."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepscan.errors import CorruptPackError
from deepscan.models import card as cards
from deepscan.models.calibration import Calibration
from deepscan.models.card import Golden, Preprocessing, Threshold, View
from deepscan.models.coverage import Limits, Stratum
from deepscan.types import Level
from tests.fake_pack import make_card

STRATUM = Stratum("all", 1, None, 0.0, None, 1.0, 0.0, 0.1, 10.0, 5, 5, "x")
CURVE = Calibration("isotonic", 1.0, 0.0, ((-1.5, -2.0), (0.25, 1.0)))
GOLD = Path(__file__).parents[2] / "gold" / "cards"


def test_a_card_survives_its_file(tmp_path: Path) -> None:
    card = make_card(metrics={"auc": 0.9, "sources": {"a": [1, None]}}, golden=(Golden(1, -2.5),))
    cards.save(card, tmp_path)
    assert cards.load(tmp_path) == card


def test_a_card_says_how_far_a_score_may_move_where_that_is_not_as_usual(tmp_path: Path) -> None:
    cards.save(make_card(score_tolerance=0.005), tmp_path)
    assert cards.load(tmp_path).score_tolerance == 0.005
    assert "score_tolerance" not in cards.to_json(make_card())
    assert cards.from_json(cards.to_json(make_card()), "card.json").score_tolerance == cards.SCORE_TOLERANCE


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("surprise", 1),
        ("view.surprise", 1),
        ("name", 5),
        ("tolerance", "big"),
        ("tolerance", True),
        ("labels", "Real"),
        ("preprocessing.mean", [0.5, 0.5]),
        ("preprocessing.width", 48.5),
        ("thresholds", [{"level": "certain", "probability": 0.5, "false_alarms": None, "measured_on": ""}]),
        ("metrics", []),
        ("view", None),
    ],
)
def test_a_wrong_field_is_refused_by_name(path: str, value: Any) -> None:
    document: dict[str, Any] = cards.to_json(make_card())
    *parents, last = path.split(".")
    inner = document
    for parent in parents:
        inner = inner[parent]
    inner[last] = value
    with pytest.raises(CorruptPackError, match=last):
        cards.from_json(document, "card.json")


@pytest.mark.parametrize("field", sorted(cards.to_json(make_card())))
def test_a_missing_field_is_refused_by_name(field: str) -> None:
    document = cards.to_json(make_card())
    del document[field]
    with pytest.raises(CorruptPackError, match=field):
        cards.from_json(document, "card.json")


@pytest.mark.parametrize("name", ["card-1.json", "card-2.json", "card-3.json"])
def test_cards_of_every_format_are_read_and_written_as_they_were(name: str, tmp_path: Path) -> None:
    """The files are cards as they were published; what is read must never lose or add a field of theirs."""
    (tmp_path / "card.json").write_bytes((GOLD / name).read_bytes())
    card = cards.load(tmp_path)
    assert card.format == f"deepscan-pack/{name[5]}"
    cards.save(card, tmp_path)
    assert (tmp_path / "card.json").read_bytes() == (GOLD / name).read_bytes()


def test_a_card_of_the_first_format_claims_nothing_of_the_second() -> None:
    document = json.loads((GOLD / "card-1.json").read_bytes())
    card = cards.from_json(document, "card-1.json")
    assert card.strata == ()
    assert card.limits == Limits()
    for field in ("limits", "strata"):
        with pytest.raises(CorruptPackError, match=r"missing|unknown|no limits"):
            cards.from_json({**document, field: cards.to_json(make_card())[field]}, "card-1.json")


def test_a_card_of_the_second_format_has_no_points() -> None:
    document = json.loads((GOLD / "card-2.json").read_bytes())
    assert cards.from_json(document, "card-2.json").calibration.points == ()
    with pytest.raises(CorruptPackError, match="no points"):
        cards.from_json({**document, "calibration": cards.to_json(make_card(calibration=CURVE))["calibration"]}, "x")


def _rule(**changes: Any) -> Preprocessing:
    return replace(make_card().preprocessing, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "deepscan-pack/4"},
        {"format": "deepscan-pack/1", "limits": Limits(min_brightness=5.0)},
        {"format": "deepscan-pack/1", "strata": (STRATUM,)},
        {"limits": Limits(min_brightness=-1.0)},
        {"limits": Limits(max_blockiness=float("nan"))},
        {"strata": (replace(STRATUM, lower=0.0),)},
        {"strata": (replace(STRATUM, upper=0.9),)},
        {"strata": (replace(STRATUM, slope=-1.0),)},
        {"strata": (replace(STRATUM, offset=float("inf")),)},
        {"strata": (replace(STRATUM, real=0),)},
        {"fake_label": "fake"},
        {"labels": ("Fake",)},
        {"labels": ("Fake", "Fake")},
        {"view": View("dog", 0.0, 1)},
        {"view": View("face", -0.1, 1)},
        {"view": View("face", float("nan"), 1)},
        {"view": View("face", 1e300, 1)},
        {"view": View("face", 0.2, 0)},
        {"preprocessing": _rule(width=0)},
        {"preprocessing": _rule(height=10**9)},
        {"preprocessing": _rule(shortest_edge=10**9)},
        {"preprocessing": _rule(shortest_edge=-3)},
        {"preprocessing": _rule(resample="magic")},
        {"preprocessing": _rule(std=(0.5, 0.0, 0.5))},
        {"preprocessing": _rule(mean=(0.5, float("nan"), 0.5))},
        {"preprocessing": _rule(scale=0.0)},
        {"calibration": Calibration("temperature", 0.0, 0.0)},
        {"calibration": Calibration("temperature", float("inf"), 0.0)},
        {"calibration": Calibration("temperature", 1.0, float("nan"))},
        {"calibration": Calibration("isotonic", 1.0, 0.0)},
        {"calibration": Calibration("platt", 1.0, 0.0, ((0.0, 0.0), (1.0, 1.0)))},
        {"calibration": Calibration("isotonic", 2.0, 0.0, ((0.0, 0.0), (1.0, 1.0)))},
        {"calibration": Calibration("isotonic", 1.0, 0.0, ((0.0, 0.0),))},
        {"calibration": Calibration("isotonic", 1.0, 0.0, ((0.0, 0.0), (0.0, 1.0)))},
        {"calibration": Calibration("isotonic", 1.0, 0.0, ((0.0, 1.0), (1.0, 0.0)))},
        {"calibration": Calibration("isotonic", 1.0, 0.0, ((0.0, 0.0), (1.0, float("nan"))))},
        {"calibration": Calibration("isotonic", 1.0, 0.0, tuple((float(i), 0.0) for i in range(65)))},
        {"format": "deepscan-pack/2", "calibration": CURVE},
        {"thresholds": (Threshold(Level.INFO, 0.5, 0.1, "x"),)},
        {"thresholds": (Threshold(Level.WEAK, 0.0, 0.1, "x"),)},
        {"thresholds": (Threshold(Level.WEAK, 1.5, 0.1, "x"),)},
        {"thresholds": (Threshold(Level.WEAK, 0.5, -0.1, "x"),)},
        {"thresholds": (Threshold(Level.MODERATE, 0.5, None, "x"),)},
        {"thresholds": (Threshold(Level.STRONG, 0.99, 0.006, "x"),)},
        {"licence_class": "mine"},
        {"tolerance": 0.0},
        {"tolerance": float("inf")},
        {"score_tolerance": 0.0},
        {"score_tolerance": float("nan")},
        {"score_tolerance": 1.5},
        {"golden": (Golden(1, float("nan")),)},
    ],
    ids=str,
)
def test_values_that_cannot_be_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(CorruptPackError, match="model card"):
        make_card(**changes)


def test_the_strongest_allowed_thresholds_are_accepted() -> None:
    thresholds = (Threshold(Level.WEAK, 0.5, None, "x"), Threshold(Level.STRONG, 1.0, 0.005, "x"))
    assert make_card(thresholds=thresholds).thresholds == thresholds


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"\xff\xfe", b"[" * 200_000, b'{"a": "' + b"x" * cards.MAX_CARD_BYTES + b'"}', b"null"],
    ids=["empty", "list", "cut", "not-utf8", "deep", "long", "null"],
)
def test_a_damaged_card_file_is_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(CorruptPackError):
        cards.load(tmp_path)


def test_infinities_in_the_file_are_refused(tmp_path: Path) -> None:
    document = cards.to_json(make_card())
    document["tolerance"] = float("inf")
    (tmp_path / "card.json").write_text(json.dumps(document))
    with pytest.raises(CorruptPackError, match="tolerance"):
        cards.load(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_place_of_a_card_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "card.json")
    with pytest.raises(CorruptPackError):
        cards.load(tmp_path)
