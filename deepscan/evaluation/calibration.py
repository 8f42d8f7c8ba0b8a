"""Calibrate a pack anew on pictures it has not learnt from: probabilities, thresholds, limits, likelihood ratios.

Half of the groups fit, the other half measures what was fitted. The weights stay as they are, byte for byte.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepscan import __version__
from deepscan.config import EvaluateOptions
from deepscan.errors import InputError, OutputError
from deepscan.evaluation import likelihood
from deepscan.evaluation.likelihood import Scored
from deepscan.evaluation.measures import cllr
from deepscan.evaluation.run import Progress, chosen_records
from deepscan.evaluation.scoring import Answers, score
from deepscan.media.quality import Quality
from deepscan.media.resaving import AS_IT_IS, ROBUSTNESS
from deepscan.models import card as cards
from deepscan.models import loader, packs
from deepscan.models.card import CARD_FORMAT, CARD_NAME, Golden, ModelCard
from deepscan.models.coverage import NO_LIMITS, Limits
from deepscan.models.files import CONFIG_NAME, weight_files
from deepscan.models.packs import Pack
from deepscan.models.processors import PROCESSOR_NAME
from deepscan.text import clean, plural
from deepscan.training import calibrate
from deepscan.training.data import Record
from deepscan.training.metrics import Labels, Scores
from deepscan.types import JSONValue

LEAST_PICTURES = 100
"""Pictures of each class below which nothing is calibrated: half of them fit, and half of them measure."""

FORM_NAMES = ("JPEG 70", "JPEG 50", "half size")
"""What thresholds must hold under, besides the pictures as they are."""

GOLDEN_SEEDS = (1, 2, 3)


def calibrate_pack(
    dataset: Path,
    model: str,
    output: Path,
    options: EvaluateOptions | None = None,
    *,
    command: Sequence[str] = (),
    progress: Progress = lambda what, done, total: None,
) -> ModelCard:
    """Write a copy of a pack whose card is calibrated on a data set; ``command`` goes into the card.

    A plain Hugging Face classifier becomes a pack with a card in this way.

    Raises:
        InputError: too few pictures of a class can be scored.
        TrainingError: the data set cannot be read.
        ModelError: the model cannot be used.
        OutputError: the folder holds a pack already, or cannot be written.
    """
    options = options or EvaluateOptions()
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
    found = _calibrated(network.card, records, answers, clean(dataset.name), options)
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


def _calibrated(
    card: ModelCard, records: Sequence[Record], answers: dict[str, Answers], name: str, options: EvaluateOptions
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
    limits = likelihood.limits([q for a in answers.values() for q in a.qualities if q is not None])
    covered = {form: a.scored & _covered(a, limits) for form, a in answers.items()}
    halves = _halves(records, fake, options.seed)
    calibration = calibrate.fit(plain.logits[h := covered[AS_IT_IS.name] & halves[0]], fake[h])
    card = replace(card, calibration=calibration, limits=limits)
    chances = {form: a.chances(card) for form, a in answers.items()}
    sources = np.array([r.source for r in records])
    reals = {
        f"{source}, {form}": chances[form][covered[form] & halves[0] & ~fake & (sources == source)]
        for form in answers
        for source in sorted(set(sources.tolist()))
    }
    others = [chances[form][covered[form] & halves[1] & ~fake] for form in answers]
    words = f"{name}; in the worst of their forms: " + ", ".join(answers)
    thresholds = calibrate.thresholds(reals, others, words)
    first, second = (_scored(card, answers, covered, fake, half) for half in halves)
    ratios = likelihood.strata(first, second, f"{name}, groups that fitted nothing")
    metrics: dict[str, JSONValue] = {
        "calibrated_on": name,
        "cllr": round(cllr(plain.log_odds(card)[h := covered[AS_IT_IS.name] & halves[1]], fake[h]), 4),
        "not_covered": round(1 - float(covered[AS_IT_IS.name].sum() / plain.scored.sum()), 4),
    }
    return replace(card, thresholds=thresholds, strata=ratios, metrics={**card.metrics, "calibration": metrics})


def _covered(answers: Answers, limits: Limits) -> Labels:
    return np.array([q is not None and limits.refusal(q) is None for q in answers.qualities])


def _halves(records: Sequence[Record], fake: Labels, seed: int) -> tuple[Labels, Labels]:
    """Two halves of whole groups, with every source and class in both as far as groups allow."""
    from sklearn.model_selection import StratifiedGroupKFold

    groups = np.array([r.group for r in records])
    if len(set(groups.tolist())) < 2:
        raise InputError(
            "One group spans the whole data set, and nothing would be left to measure on.",
            "Give the pictures groups of their own (the column group of a list).",
        )
    kinds = np.array([f"{r.source} {r.fake}" for r in records])
    _, places = np.unique(kinds, return_inverse=True)
    folds = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    _, second = next(iter(folds.split(np.zeros(len(records)), _few(places, fake), groups)))
    other = np.isin(np.arange(len(records)), second)
    return ~other, other


def _few(places: NDArray[np.int64], fake: Labels) -> NDArray[np.int64]:
    """Strata of one picture cannot be halved: those count by their class alone."""
    rare = np.bincount(places)[places] < 2
    return np.where(rare, -1 - fake.astype(int), places)


def _scored(
    card: ModelCard, answers: dict[str, Answers], covered: dict[str, Labels], fake: Labels, half: Labels
) -> Scored:
    odds: list[Scores] = []
    places: list[int] = []
    qualities: list[Quality] = []
    for form, a in answers.items():
        chosen = np.flatnonzero(covered[form] & half)
        odds.append(a.log_odds(card)[chosen])
        places += chosen.tolist()
        qualities += [q for i in chosen if (q := a.qualities[i]) is not None]
    return Scored(np.concatenate(odds), fake[places], qualities, places)


def _write(pack: Pack, card: ModelCard, output: Path) -> None:
    names = (CONFIG_NAME, PROCESSOR_NAME, "LICENSE.md", "README.md", "model.safetensors.index.json")
    try:
        output.mkdir(parents=True, exist_ok=True)
        for path in (*weight_files(pack.folder), *(pack.folder / name for name in names)):
            if path.is_file():
                shutil.copyfile(path, output / path.name)
        cards.save(card, output)
    except OSError as e:
        raise OutputError(f"The pack {clean(str(output))} cannot be written: {e.strerror}.", "Check space.") from e
