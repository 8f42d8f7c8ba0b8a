"""The model card of a pack as the Hugging Face Hub reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from huggingface_hub import ModelCard as HubCard

from deepscan.models.card import load
from deepscan.models.packs import BUILTIN_FOLDER
from deepscan.training.outputs import readme, summary
from tests.fake_pack import make_card


def test_the_front_matter_is_what_the_hub_reads() -> None:
    card = load(BUILTIN_FOLDER)
    data: Any = HubCard(readme(card)).data
    assert data.pipeline_tag == "image-classification"
    assert data.license == "other"
    measured = {(r.dataset_name, r.metric_type): r.metric_value for r in data.eval_results}
    levels: dict[str, dict[str, dict[str, dict[str, float]]]] = card.metrics["test"]  # type: ignore[assignment]
    plain = next(iter(levels.values()))["as it is"]
    assert measured["dfdc", "auc"] == plain["dfdc"]["auc"]
    # A source of one class alone has no curve.
    assert ("sd21", "auc") not in measured


def test_limits_stand_beside_figures() -> None:
    card = load(BUILTIN_FOLDER)
    words = HubCard(readme(card)).text
    assert card.coverage in words
    assert str(card.metrics["measured_on"]).rstrip(".") in words
    for threshold in card.thresholds:
        assert f"| {threshold.level} | {threshold.probability} | {threshold.measured_on} |" in words


def test_a_pack_that_nobody_measured_and_hostile_words_make_a_card_too() -> None:
    card = replace(make_card(), name="a: [b\n---\n\x1b[31m", licence="x: y\n- z")
    read: Any = HubCard(readme(card))
    assert read.data.license_name.startswith("x: y")
    assert "\x1b" not in read.content


def test_a_summary_says_what_it_is_worth_and_what_it_is_not() -> None:
    def worth(auc: float, trivial: float) -> str:
        rates = {"real": 1200, "fake": 30, "auc": auc}
        metrics: Any = {"test": {"weak": {"as it is": {"all": rates}}}, "trivial_classifier_auc": {"all": trivial}}
        return summary(make_card(metrics=metrics))

    assert worth(0.91, 0.6) == (
        "On 1,200 real pictures and 30 fakes of the test part: AUC 0.910, beside 0.600 of a classifier that sees file "
        "and picture statistics only. Thresholds: weak from 0.5, moderate from 0.8."
    )
    assert "which it does not beat" in worth(0.7, 0.7)
    bare = replace(make_card(), thresholds=())
    assert "no findings" in summary(bare)
    assert "no findings" in readme(bare)
