"""What a run leaves beside the pack: the Hugging Face model card, a metrics file, and pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepscan.errors import OutputError
from deepscan.models import describe
from deepscan.models.card import ModelCard
from deepscan.models.hub import README_NAME
from deepscan.text import clean
from deepscan.training import plots
from deepscan.training.metrics import Scores
from deepscan.training.splits import Split

if TYPE_CHECKING:
    from deepscan.training.watch import History

METRICS_NAME = "metrics.json"
NO_THRESHOLDS = "No threshold kept its false alarms on the test part: the pack gives scores, and no findings"

PICTURES = "pictures"
"""The folder of the run's pictures, inside the pack's."""


def write(output: Path, card: ModelCard, parts: Split, chances: Scores, history: History) -> None:
    """Write README, metrics and pictures into the pack's folder.

    Args:
        output: The pack's folder.
        card: The finished card.
        parts: The split; ``chances`` are of its test part.
        chances: (n,) probabilities of fake, NaN where a picture could not be scored.
        history: The learning curve.

    Raises:
        OutputError: the folder cannot be written.
    """
    scored = ~np.isnan(chances)
    fake = np.array([r.fake for r in parts.test])
    metrics = {
        "card": card.metrics,
        "thresholds": [{"level": str(t.level), "probability": t.probability} for t in card.thresholds],
        "parts": {name: len(getattr(parts, name)) for name in ("train", "calibration", "test")},
        "history": asdict(history),
    }
    threshold = card.thresholds[0].probability if card.thresholds else 0.5
    try:
        (output / METRICS_NAME).write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
        folder = output / PICTURES
        folder.mkdir(exist_ok=True)
        drawn = plots.draw_all(folder, history, chances[scored], fake[scored], threshold)
        (output / README_NAME).write_text(readme(card, drawn), encoding="utf-8")
    except OSError as e:
        raise OutputError(f"{output} cannot be written: {e.strerror}.", "Check space and permissions.") from e


def summary(card: ModelCard) -> str:
    """What a run came to, in two sentences: how well it ranks beside a classifier that sees no face, and thresholds."""
    rates = _plain_rates(card).get("all", {})
    trivial: Any = card.metrics.get("trivial_classifier_auc") or {}
    known = rates.get("auc"), trivial.get("all")
    found = [f"{value:.3f}" if isinstance(value, float) else "unknown" for value in known]
    beaten = "" if None in known or known[0] > known[1] else ", which it does not beat: it has proved nothing"
    levels = ", ".join(f"{t.level} from {t.probability:g}" for t in card.thresholds)
    return (
        f"On {rates.get('real', 0):,} real pictures and {rates.get('fake', 0):,} fakes of the test part: "
        f"AUC {found[0]}, beside {found[1]} of a classifier that sees file and picture statistics only{beaten}. "
        + (f"Thresholds: {levels}." if levels else f"{NO_THRESHOLDS}.")
    )


def readme(card: ModelCard, drawn: tuple[Path, ...] = ()) -> str:
    """The model card as the Hugging Face Hub shows it: front matter in YAML (JSON is YAML), then the card's words."""
    front = {
        "library_name": "transformers",
        "pipeline_tag": "image-classification",
        "tags": ["deepfake-detection", "deepscan"],
        "license": "apache-2.0" if card.licence.lower() == "apache-2.0" else "other",
        "license_name": clean(card.licence, 120),
        "model-index": [{"name": card.name, "results": list(_results(card))}],
    }
    lines = ["---", *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()), "---", ""]
    lines += [
        f"# {clean(card.name)}",
        "",
        f"A {card.architecture} that gives a {card.view.subject} a probability of being generated or manipulated, "
        "trained and measured with `deepscan train`. Use it with `deepscan scan --model` or with transformers.",
        "",
        "## What it is for, and what not",
        "",
        clean(card.coverage, None),
        "",
        f"Data: {clean(card.data, None)}",
        "",
        f"Licence: {card.licence_class}; {clean(card.licence, None)}.",
        "",
        "## Thresholds",
        "",
        *_thresholds(card),
        "",
        "## What a score is worth",
        "",
        f"Calibration: {describe.calibration(card)}.",
        "",
        *(f"- Not scored: {words}" for words in describe.limits(card)),
        *(f"- {words}" for words in describe.ratios(card)),
        "",
        "## Measured on the test part",
        "",
        *_table(card),
        "",
        f"AUC and EER by source; false alarms and recall at the first threshold. Measured on {_measured_on(card)}.",
        "",
        "## How it was made",
        "",
        "```sh",
        clean(str(card.provenance.get("command", "")), None),
        "```",
        "",
        *(f"![{path.stem.replace('_', ' ')}]({PICTURES}/{path.name})" for path in drawn),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _thresholds(card: ModelCard) -> Iterator[str]:
    if not card.thresholds:
        yield f"{NO_THRESHOLDS}."
        return
    yield "| level | from probability | false alarms |"
    yield "|---|---|---|"
    yield from (f"| {t.level} | {t.probability} | {clean(t.measured_on, None)} |" for t in card.thresholds)


def _measured_on(card: ModelCard) -> str:
    return clean(str(card.metrics.get("measured_on", "the test part")), None).rstrip(".")


def _results(card: ModelCard) -> Iterator[dict[str, Any]]:
    for source, rates in _plain_rates(card).items():
        values = [{"type": n, "value": rates[n]} for n in ("auc", "eer") if rates.get(n) is not None]
        if values:
            data = {"name": source, "type": source, "split": "test"}
            yield {"task": {"type": "image-classification"}, "dataset": data, "metrics": values}


def _table(card: ModelCard) -> Iterator[str]:
    rows = _plain_rates(card)
    columns = ("real", "fake", "auc", "eer", "false_alarms", "recall")
    yield "| source | real | fake | AUC | EER | false alarms | recall |"
    yield "|---|---|---|---|---|---|---|"
    for source, rates in rows.items():
        cells = ("—" if rates.get(c) is None else str(rates[c]) for c in columns)
        yield f"| {clean(source)} | {' | '.join(cells)} |"


def _plain_rates(card: ModelCard) -> dict[str, dict[str, Any]]:
    """Rates by source of the test part as it is, at the first threshold."""
    levels: Any = card.metrics.get("test") or {}
    first: dict[str, Any] = next(iter(levels.values()), {})
    found: dict[str, dict[str, Any]] = first.get("as it is", {})
    return found
