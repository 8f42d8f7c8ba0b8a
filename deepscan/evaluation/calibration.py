"""Calibrate a pack anew on pictures it has not learnt from: probabilities, thresholds, limits, likelihood ratios.

Half of the groups fit, the other half measures what was fitted. The weights stay as they are, byte for byte.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from deepscan import __version__
from deepscan.config import EvaluateOptions
from deepscan.errors import InputError, OutputError, UsageError
from deepscan.evaluation.run import Progress, chosen_records
from deepscan.evaluation.scoring import Answers, score
from deepscan.media.resaving import AS_IT_IS, ROBUSTNESS
from deepscan.models import card as cards
from deepscan.models import loader, packs
from deepscan.models.card import CARD_FORMAT, CARD_NAME, Golden, ModelCard, Threshold
from deepscan.models.coverage import NO_LIMITS
from deepscan.models.files import CONFIG_NAME, weight_files
from deepscan.models.hub import README_NAME
from deepscan.models.packs import Pack
from deepscan.models.processors import PROCESSOR_NAME
from deepscan.text import clean, plural
from deepscan.training import calibrate, likelihood
from deepscan.training.calibrate import AUTO, CHOICES, KEEP
from deepscan.training.data import Record
from deepscan.training.folds import halves
from deepscan.training.metrics import Labels, cllr
from deepscan.training.outputs import readme
from deepscan.types import JSONValue

LEAST_PICTURES = 100
"""Pictures of each class below which nothing is calibrated: half of them fit, and half of them measure."""

FORM_NAMES = ("JPEG 70", "JPEG 50", "half size")
"""What thresholds must hold under, besides the pictures as they are."""

GOLDEN_SEEDS = (1, 2, 3)

METHODS = (*CHOICES, KEEP)
"""What ``deepscan calibrate --calibration`` takes."""


def calibrate_pack(
    dataset: Path,
    model: str,
    output: Path,
    options: EvaluateOptions | None = None,
    *,
    method: str = AUTO,
    command: Sequence[str] = (),
    progress: Progress = lambda what, done, total: None,
) -> ModelCard:
    """Write a copy of a pack whose card is calibrated on a data set; ``command`` goes into the card.

    A plain Hugging Face classifier becomes a pack with a card in this way. ``method`` is one of
    :data:`deepscan.training.calibrate.CHOICES`, or ``keep``: then probabilities and thresholds stay as the card has
    them, and only limits and likelihood ratios are measured.

    Raises:
        UsageError: there is no such method.
        InputError: too few pictures of a class can be scored.
        TrainingError: the data set cannot be read.
        ModelError: the model cannot be used.
        OutputError: the folder holds a pack already, or cannot be written.
    """
    options = options or EvaluateOptions()
    if method not in METHODS:
        raise UsageError(f"There is no calibration {clean(method)!r}.", f"There are: {', '.join(METHODS)}.")
    if (output / CARD_NAME).exists():
        raise OutputError(f"{clean(str(output))} already holds a pack.", "Name another folder with -o, or remove it.")
    records = chosen_records(dataset, options)
    pack = packs.find(model, fake_label=options.fake_label, offline=options.offline)
    network = loader.load(pack, device=options.device, precision="fp32")
    network.card = replace(pack.card, format=CARD_FORMAT, limits=NO_LIMITS, strata=())
    forms = tuple(form for form in ROBUSTNESS if form.name in FORM_NAMES)
    (answers,) = score(
        records,
        [network],
        forms=forms,
        changed=frozenset(range(len(records))),
        as_crops=options.as_crops,
        faces=options.faces,
        workers=options.workers,
        progress=lambda done, total: progress("pictures", done, total),
    )
    found = _calibrated(network.card, records, answers, _named(dataset, options.split), method, options.seed)
    answered = network.golden_logits(GOLDEN_SEEDS)
    golden = tuple(Golden(seed, round(logit, 5)) for seed, logit in zip(GOLDEN_SEEDS, answered, strict=True))
    record: dict[str, JSONValue] = {
        "command": " ".join(command),
        "data_set": clean(str(dataset)),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "deepscan": __version__,
        "seed": options.seed,
    }
    card = replace(
        found,
        golden=pack.card.golden or golden,
        weights_sha256=pack.sha256,
        provenance={**pack.card.provenance, "calibrated": record},
    )
    _write(pack, card, output)
    return card


def _named(dataset: Path, split: str) -> str:
    """The data set as the card names it."""
    return clean(dataset.name) + ("" if split in ("held-out", "all") else f", its part {split}")


def _calibrated(
    card: ModelCard,
    records: Sequence[Record],
    answers: dict[str, Answers],
    name: str,
    method: str,
    seed: int,
) -> ModelCard:
    """The card with everything that the pictures say."""
    fake = np.array([r.fake for r in records])
    plain = answers[AS_IT_IS.name]
    counts = int((plain.scored & fake).sum()), int((plain.scored & ~fake).sum())
    if min(counts) < LEAST_PICTURES:
        raise InputError(
            f"{plural(counts[0], 'fake')} and {plural(counts[1], 'real picture')} could be scored: too few to "
            "calibrate on.",
            f"{LEAST_PICTURES} of each are needed, that the model has not learnt from.",
        )
    limits = likelihood.limits(answers)
    inside = {form: likelihood.covered(a, limits) for form, a in answers.items()}
    first, second = halves(records, fake, seed)
    tried: Mapping[str, float] = {}
    if method != KEEP:
        h = inside[AS_IT_IS.name] & first
        groups = [r.group for r, chosen in zip(records, h, strict=True) if chosen]
        calibration, tried = calibrate.choose(plain.logits[h], fake[h], groups, method, seed)
        card = replace(card, calibration=calibration)
        card = replace(card, thresholds=_thresholds(card, records, answers, inside, (first, second), name))
    fitting, bounding = (likelihood.gather(answers, card.calibration, limits, fake, half) for half in (first, second))
    h = inside[AS_IT_IS.name] & second
    metrics: dict[str, JSONValue] = {
        "calibrated_on": name,
        "method": card.calibration.method if method != KEEP else "kept, with the thresholds",
        "cllr_by_method": dict(tried),
        "cllr": round(cllr(plain.log_odds(card)[h], fake[h]), 4),
        "not_covered": round(1 - float(inside[AS_IT_IS.name].sum() / plain.scored.sum()), 4),
    }
    return replace(
        card,
        limits=limits,
        strata=likelihood.strata(fitting, bounding, f"{name}, groups that fitted no line"),
        metrics={**card.metrics, "calibration": metrics},
    )


def _thresholds(
    card: ModelCard,
    records: Sequence[Record],
    answers: dict[str, Answers],
    inside: Mapping[str, Labels],
    parts: tuple[Labels, Labels],
    name: str,
) -> tuple[Threshold, ...]:
    """Thresholds from the real pictures of the first part, measured on those of the second."""
    real = np.array([not r.fake for r in records])
    sources = np.array([r.source for r in records])
    chances = {form: a.chances(card) for form, a in answers.items()}
    first = {
        f"{source}, {form}": chances[form][inside[form] & parts[0] & real & (sources == source)]
        for form in answers
        for source in sorted(set(sources.tolist()))
    }
    second = [chances[form][inside[form] & parts[1] & real] for form in answers]
    words = f"{name}; in the worst of their forms: " + ", ".join(answers)
    return calibrate.thresholds(first, [values for values in second if len(values)], words)


def _write(pack: Pack, card: ModelCard, output: Path) -> None:
    names = (CONFIG_NAME, PROCESSOR_NAME, "LICENSE.md", README_NAME, "model.safetensors.index.json")
    try:
        output.mkdir(parents=True, exist_ok=True)
        for path in (*weight_files(pack.folder), *(pack.folder / name for name in names)):
            if path.is_file():
                shutil.copyfile(path, output / path.name)
        cards.save(card, output)
        if (pack.folder / CARD_NAME).is_file():  # the README of a plain classifier is its author's, and stays
            (output / README_NAME).write_text(readme(card), encoding="utf-8")
    except OSError as e:
        raise OutputError(f"The pack {clean(str(output))} cannot be written: {e.strerror}.", "Check space.") from e
