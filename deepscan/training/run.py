"""One training run from a labelled data set to a pack with its measured error rates."""

from __future__ import annotations

import logging
import platform
import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepscan import __version__
from deepscan.errors import OutputError, TrainingError
from deepscan.models import card as cards
from deepscan.models.card import ModelCard
from deepscan.models.packs import find
from deepscan.training import appraisal, measure, outputs, processes
from deepscan.training.architectures import DEFAULT_SIZE
from deepscan.training.copies import join_copies, without_twins
from deepscan.training.data import describe, read_dataset
from deepscan.training.export import save_network
from deepscan.training.options import TrainOptions
from deepscan.training.preview import sheet, write_sheet
from deepscan.training.recipe import prepare
from deepscan.training.shortcuts import file_shortcut, refuse_shortcut
from deepscan.training.splits import split, store
from deepscan.training.survey import Counted, look

if TYPE_CHECKING:
    from deepscan.training.loop import Progress

log = logging.getLogger(__name__)

SPLIT_NAME = "split.csv"
"""Which picture was in which part, in the folder of the pack."""

KNOWN_AUC, KNOWN_GAIN = 0.75, 0.02
"""A base is said to know the test part when it scores it so well, and training gained no more than so much."""


def train_pack(
    dataset: Path,
    output: Path,
    options: TrainOptions,
    progress: Progress,
    command: Sequence[str],
    looked: Counted | None = None,
) -> ModelCard:
    """Train on ``dataset`` and write the pack to the folder ``output``; ``command`` goes into its card.

    ``looked`` is told how many pictures have been looked at before anything is learnt, ``progress`` about the steps.

    Raises:
        TrainingError: the data set or the run is unusable.
        ModelError: the base model cannot be loaded.
        OutputError: the output folder cannot be written or already holds a pack.
        SystemExit: of several processes (:mod:`deepscan.training.processes`), this one has learnt its share, and the
            first one measures and writes.
    """
    if options.sequence:
        if processes.count() > 1:
            raise TrainingError("--sequence learns in one process.", "Start it without accelerate launch or torchrun.")
        from deepscan.training.sequence import train_sequence

        return train_sequence(dataset, output, options, progress, command, looked)
    from deepscan.training.loop import Run, steps_of, train
    from deepscan.training.start import knows_labels, merged, start

    recipe = prepare(options)
    _refuse_used(output, options)
    records = read_dataset(dataset, options.images)
    base = find(options.base, fake_label=None, offline=False) if options.base else None
    model, rule = start(options, recipe.learning.dropout, base)
    survey = look(records, looked)
    parts = split(without_twins(survey.records, join_copies(survey)), recipe.learning.held_out, options.seed)
    for name, part in (("train", parts.train), ("calibration", parts.calibration), ("test", parts.test)):
        log.info("%s: %d pictures\n%s", name, len(part), describe(part))
    readable, feature = file_shortcut(survey, parts)
    if not options.accept_shortcut:
        refuse_shortcut(readable, feature)
    view = appraisal.view_of(options, rule)
    appraisal.refuse_small(survey, view)
    crop = appraisal.cropper(view)
    held = measure.Held(parts.calibration, rule, crop)
    asked = base is not None and not options.from_scratch and knows_labels(base)
    before = measure.Held(parts.test, rule, crop).auc(model) if asked else None
    _make(output)
    if processes.is_first():
        store(parts, output / SPLIT_NAME)
    started = datetime.now(UTC)
    trained, history = train(Run(model, parts.train, rule, recipe, options, output / "checkpoints", held.auc, progress))
    if not processes.is_first():
        raise SystemExit(0)
    network = merged(trained)
    sha256 = save_network(network, rule, output)
    card, scores = appraisal.appraise(network, rule, parts, options, sha256)
    provenance: dict[str, Any] = {
        "command": shlex.join(command),
        "recipe": {"name": recipe.name, **asdict(recipe.learning), "augmentation": asdict(recipe.augmentation)},
        "seed": options.seed,
        "processes": processes.count(),
        "steps": history.losses[-1][0] if history.losses else steps_of(options, recipe.learning, len(parts.train)),
        "best_step": history.best,
        "stopped_early": history.stopped_early,
        "resumed": options.resume,  # then what follows is of the last part of the run alone
        "started": started.isoformat(timespec="seconds"),
        "minutes": round((datetime.now(UTC) - started).total_seconds() / 60, 1),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "deepscan": __version__,
        "torch": version("torch"),
        "transformers": version("transformers"),
        "base": options.base,
        "base_weights_sha256": base.sha256 if base else None,
        "base_provenance": dict(base.card.provenance) if base else None,
    }
    metrics: dict[str, Any] = {
        **card.metrics,
        "file_shortcut": {"auc": readable, "from": feature or None, "accepted": options.accept_shortcut},
        "base_test_auc": before,
    }
    card = replace(card, metrics=metrics, provenance=provenance)
    _warn_of_known_tests(before, card)
    cards.save(card, output)
    outputs.write(output, card, parts, scores, history)
    return card


def write_preview(dataset: Path, path: Path, options: TrainOptions) -> None:
    """Write a sheet of what the recipe's augmentation makes of the data set's pictures, as PNG.

    Raises:
        TrainingError: the data set or the recipe is unusable.
        OutputError: the sheet cannot be written.
    """
    records = read_dataset(dataset, options.images)
    write_sheet(sheet(records, prepare(options), options.size or DEFAULT_SIZE, options.seed), path)


def _warn_of_known_tests(before: float | None, card: ModelCard) -> None:
    """A base that scores the test part as well before training as after it has probably learnt from it."""
    after = max((level["as it is"]["all"]["auc"] or 0.0 for level in _levels(card)), default=0.0)
    if before is not None and before >= KNOWN_AUC and before >= after - KNOWN_GAIN:
        log.warning(
            "The base scores the test part as well before training (AUC %.3f) as after it (%.3f): it has probably "
            "learnt from these pictures before, and the error rates in the card are then too good.",
            before,
            after,
        )


def _levels(card: ModelCard) -> list[Any]:
    measured: Any = card.metrics["test"]
    return list(measured.values())


def _refuse_used(output: Path, options: TrainOptions) -> None:
    if (output / cards.CARD_NAME).exists():
        raise OutputError(f"{output} already holds a pack.", "Name another folder with -o, or remove it.")
    if (output / "checkpoints").exists() and not options.resume:
        raise OutputError(
            f"{output} holds the checkpoints of an unfinished run.", "Continue it with --resume, or remove the folder."
        )


def _make(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise OutputError(f"{output} cannot be written: {e.strerror}.", "Name another folder with -o.") from e
