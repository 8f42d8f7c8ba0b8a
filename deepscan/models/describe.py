"""A card in words: the sentences that reports, findings and ``deepscan models`` share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from deepscan.models.card import ModelCard, Threshold, to_json
from deepscan.models.coverage import Stratum
from deepscan.text import clean, plural, size
from deepscan.types import JSONValue

if TYPE_CHECKING:
    from deepscan.models.packs import Listed, Pack, Verification


def share(rate: float) -> str:
    """A rate in [0, 1] as a percentage with two significant digits: ``share(0.0123) == "1.2 %"``."""
    return f"{100 * rate:.2g} %"


def noun(card: ModelCard) -> str:
    """What the model judges: ``face`` or ``picture``."""
    return "face" if card.view.subject == "face" else "picture"


def false_alarms(threshold: Threshold, card: ModelCard) -> str:
    """One sentence: how many real faces or pictures reach a threshold, or that nobody measured it."""
    if threshold.false_alarms is None:
        return f"How many real {noun(card)}s reach that threshold has not been measured."
    return (
        f"{share(threshold.false_alarms)} of the real {noun(card)}s it was measured on reached that threshold "
        f"({clean(threshold.measured_on)})."
    )


SCALE = (
    (2, "do not support either side"),
    (10, "give weak support"),
    (100, "give moderate support"),
    (1_000, "give moderately strong support"),
    (10_000, "give strong support"),
    (math.inf, "give very strong support"),
)
"""From which ratio on which words are used: the verbal scale of the ENFSI Guideline for Evaluative Reporting (2015),
whose first step begins at 2.
"""


def likelihood(stratum: Stratum, ratio: float, card: ModelCard) -> str:
    """Two sentences: what a score is worth, in numbers and in words, and how far the numbers reach."""
    rises, size = ratio >= 1, max(ratio, 1 / ratio)
    sides = ("fakes", f"real {noun(card)}s") if rises else (f"real {noun(card)}s", "fakes")
    words = next(words for end, words in SCALE if size < end)
    towards = "" if size < SCALE[0][0] else f" for {'a fake' if rises else f'a real {noun(card)}'} over the other"
    at_bound = "at least " if ratio in (stratum.lower, stratum.upper) and size > 1 else ""
    return (
        f"Among {noun(card)}s of its kind ({clean(stratum.name, 120)}), such a score is {at_bound}{size:.2g} times as "
        f"frequent with {sides[0]} as with {sides[1]}: numbers that {words}{towards}. The {stratum.real:,} real and "
        f"{stratum.fake:,} fake ones it was measured on ({clean(stratum.measured_on, 120)}) bound that ratio "
        f"to between 1/{1 / stratum.lower:.3g} and {stratum.upper:.3g}; what is more probable depends on everything "
        "else known too."
    )


def calibration(card: ModelCard) -> str:
    """How the card makes probabilities of logits, as part of a sentence."""
    known = card.calibration
    if known.method == "none":
        return "none: the model's probabilities are used as they are"
    if points := known.points:
        ends = f"logit {points[0][0]:.4g} to {points[-1][0]:.4g}, log-odds {points[0][1]:.4g} to {points[-1][1]:.4g}"
        return f"isotonic, a curve of {len(points)} points: {ends}"
    return f"{clean(known.method, 60)}, temperature {known.temperature:g}, bias {known.bias:g}"


def limits(card: ModelCard) -> list[str]:
    """What the card does not score, a line for each limit of quality."""
    known = card.limits
    found = (
        (known.min_brightness, "mean brightness below {:.0f} of 255"),
        (known.min_sharpness, "sharpness below {:.1f}"),
        (known.max_blockiness, "blockiness above {:.2f}"),
    )
    return [words.format(value) for value, words in found if value is not None] or ["nothing but what is too small"]


def ratios(card: ModelCard) -> list[str]:
    """A line for each kind of picture with likelihood ratios, and how far they reach."""
    return [
        f"{clean(stratum.name, 120)}: ratios between 1/{1 / stratum.lower:.3g} and {stratum.upper:.3g}, from "
        f"{stratum.real:,} real and {stratum.fake:,} fake ({clean(stratum.measured_on, 120)})"
        for stratum in card.strata
    ] or ["no ratios were measured"]


def coverage(card: ModelCard) -> str:
    """One sentence or more: what the model was trained and measured on, in the card's own words."""
    text = clean(card.coverage).strip() or "nothing is stated"
    return f"Coverage of the model: {text if text.endswith('.') else text + '.'}"


def licence(card: ModelCard) -> str:
    """One sentence: what the model may be used for."""
    name = clean(card.licence, 120)
    match card.licence_class:
        case "open":
            return f"The model is under an open licence ({name})."
        case "non-commercial":
            return f"The model is for research and non-commercial use only ({name})."
        case _:
            return f"What the model may be used for is not known to deepscan (licence: {name})."


def lines(pack: Pack) -> tuple[tuple[str, str], ...]:
    """A pack in readable form, as (name, text) pairs; a pair with an empty name continues the one before."""
    card, rule, view = pack.card, pack.card.preprocessing, pack.card.view
    margin = f"with {view.margin:g} of the face as margin on each side" if view.margin else "without a margin"
    sees = f"faces, {margin}" if noun(card) == "face" else "whole frames"
    resize = "stretched" if rule.shortest_edge is None else f"shorter side {rule.shortest_edge} pixels, centre crop"
    rows = [
        ("name", f"{clean(card.name)}, version {clean(card.version)}"),
        ("from", str(pack.origin)),
        ("folder", clean(str(pack.folder), None)),
        ("architecture", clean(card.architecture)),
        ("weights", f"SHA-256 {pack.sha256}"),
        ("looks at", f"{sees}, at least {view.min_side} pixels on the shorter side"),
        ("input", f"{rule.width} x {rule.height} pixels ({resize}, {rule.resample})"),
        ("labels", ", ".join(clean(label, 60) for label in card.labels)),
        ("means fake", clean(card.fake_label, 60)),
        ("calibration", calibration(card)),
        ("licence", licence(card)),
        ("coverage", clean(card.coverage, None)),
        ("trained on", clean(card.data, None)),
    ]
    rows += _block("thresholds", [_threshold(threshold, card) for threshold in card.thresholds] or ["none"])
    rows += _block("not scored", limits(card))
    rows += _block("likelihood", ratios(card))
    rows += _block("measured", _pairs(card.metrics) or ["nothing"])
    rows += _block("sequence", _sequence(card))
    rows += _block("made by", _pairs(card.provenance) or ["unknown"])
    rows.append(("self-test", plural(len(card.golden), "golden answer") if card.golden else "the card has none"))
    return tuple(rows)


def _sequence(card: ModelCard) -> list[str]:
    """What the head for films looks at, and what it is worth beside pooled scores."""
    head = card.sequence
    if head is None:
        return ["no head for films"]
    worth = "tells fakes better than pooled scores do" if head.beats_pooling else "no better than pooled scores: unused"
    return [
        f"{head.stretches} stretches of {head.length} frames, {head.step:g} s apart; {worth}",
        *(f"{t.level} evidence from probability {t.probability:g} ({clean(t.measured_on)})" for t in head.thresholds),
        *_pairs(head.metrics),
    ]


def as_json(pack: Pack) -> dict[str, JSONValue]:
    """A pack as JSON: its card, and where it came from."""
    origin = {"kind": pack.origin.kind, "name": pack.origin.name, "revision": pack.origin.revision}
    return {"card": to_json(pack.card), "origin": origin, "folder": str(pack.folder), "sha256": pack.sha256}


def listed(entry: Listed) -> tuple[str, str]:
    """A line of the list of models: its name, and the rest."""
    name = clean(entry.name) if entry.kind == "builtin" else f"{clean(entry.name)}@{(entry.revision or '')[:12]}"
    if entry.problem:
        return name, f"cannot be used: {entry.problem}"
    version = f", version {clean(entry.revision or 'unknown')}" if entry.kind == "builtin" else ""
    return name, f"{clean(entry.architecture)}{version}, {size(entry.size)}"


def listed_json(entry: Listed) -> dict[str, JSONValue]:
    """An entry of the list of models as JSON."""
    return {
        "name": entry.name,
        "kind": entry.kind,
        "revision": entry.revision,
        "architecture": entry.architecture,
        "size": entry.size,
        "folder": str(entry.folder),
        "problem": entry.problem,
    }


def verified(result: Verification) -> tuple[str, ...]:
    """What a verification established, in sentences."""
    weights = (
        f"The weights are those of the card: SHA-256 {result.sha256}."
        if result.hash_in_card
        else f"The model has no card to compare its weights to; their SHA-256 is {result.sha256}."
    )
    complete = "Every tensor of the architecture was found in the weights, and none was left over."
    if not result.golden:
        return weights, complete, "There are no golden answers to compare its own to."
    worst = max(abs(answer.found - answer.expected) for answer in result.golden)
    answers = (
        f"{plural(len(result.golden), 'golden answer')} agreed: the largest difference of a logit is {worst:.2g}, "
        f"and {result.tolerance:g} is allowed."
    )
    return weights, complete, answers


def _block(name: str, texts: list[str]) -> list[tuple[str, str]]:
    return [(name if i == 0 else "", text) for i, text in enumerate(texts)]


def _pairs(values: Mapping[str, JSONValue], above: str = "") -> list[str]:
    """Nested values as lines: what has only plain values below it stands on one line."""
    found: list[str] = []
    for name, value in values.items():
        path = above + clean(name, 80)
        if not isinstance(value, Mapping):
            found.append(f"{path}: {_plain(value)}")
        elif any(isinstance(inner, Mapping) for inner in value.values()):
            found += _pairs(value, f"{path}, ")
        else:
            found.append(f"{path}: " + ", ".join(f"{clean(k, 80)} {_plain(v)}" for k, v in value.items()))
    return found


def _plain(value: JSONValue) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else clean(str(value), 500)


def _threshold(threshold: Threshold, card: ModelCard) -> str:
    head = f"{threshold.level} evidence from probability {threshold.probability:g}"
    if threshold.false_alarms is None:
        return f"{head}; false alarms not measured"
    return f"{head}; {share(threshold.false_alarms)} of real {noun(card)}s reach it ({clean(threshold.measured_on)})"
