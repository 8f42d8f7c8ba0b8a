"""One training run from a labelled data set to a pack with its measured error rates."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepscan import __version__
from deepscan.config import TrainOptions
from deepscan.errors import OutputError, TrainingError
from deepscan.media.frames import Pixels
from deepscan.models import card as cards
from deepscan.models.card import ModelCard, Preprocessing, View
from deepscan.models.devices import choose_device
from deepscan.models.packs import find
from deepscan.text import clean
from deepscan.training import calibrate, measure
from deepscan.training.architectures import make_config
from deepscan.training.data import describe, drop_unreadable, join_copies, read_dataset
from deepscan.training.export import golden_vectors, save_network
from deepscan.training.layers import is_head
from deepscan.training.metrics import Scores, as_json
from deepscan.training.shortcuts import trivial_scores
from deepscan.training.splits import Split, split

if TYPE_CHECKING:
    from deepscan.training.loop import Progress

log = logging.getLogger(__name__)

WORST_FORM = "in the worst of their forms: " + ", ".join(measure.DISTORTIONS)
"""How the card says what a false-alarm rate was measured on."""

DEFAULT_SIZE = 144
"""Input side in pixels of a network that starts from random weights."""

MIN_FACE_SIDE = 48
"""Shortest side in pixels of a face crop that a pack trained here accepts: below a third of its input, enlarging has
replaced what the network looks for."""


def train_pack(
    dataset: Path, output: Path, options: TrainOptions, progress: Progress, command: Sequence[str]
) -> ModelCard:
    """Train on ``dataset`` and write the pack to the folder ``output``; ``command`` goes into its card.

    Raises:
        TrainingError: the data set or the run is unusable.
        ModelError: the base model cannot be loaded.
        OutputError: the output folder cannot be written or already holds a pack.
    """
    from deepscan.training.loop import steps_of, train

    _prepare(output, options)
    records = join_copies(drop_unreadable(read_dataset(dataset, options.images)))
    parts = split(records, options.held_out, options.seed)
    for name, part in (("train", parts.train), ("calibration", parts.calibration), ("test", parts.test)):
        log.info("%s: %d pictures\n%s", name, len(part), describe(part))
    base = find(options.base, fake_label=None, offline=False).card if options.base else None
    model, rule = _start(options)
    checkpoints = output / "checkpoints"
    started = datetime.now(UTC)
    model = train(model, parts.train, rule, options, checkpoints, progress)
    sha256 = save_network(model, rule, output)
    card = _measured_card(model, rule, parts, options, sha256)
    provenance = {
        "command": " ".join(command),
        "seed": options.seed,
        "steps": steps_of(options, len(parts.train)),
        "minutes_asked_for": options.minutes,
        "started": started.isoformat(timespec="seconds"),
        "minutes": round((datetime.now(UTC) - started).total_seconds() / 60, 1),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "deepscan": __version__,
        "torch": version("torch"),
        "transformers": version("transformers"),
        "base": options.base,
        "base_provenance": dict(base.provenance) if base else None,
    }
    card = ModelCard(**{f: getattr(card, f) for f in card.__dataclass_fields__} | {"provenance": provenance})
    cards.save(card, output)
    return card


def _prepare(output: Path, options: TrainOptions) -> None:
    if (output / cards.CARD_NAME).exists():
        raise OutputError(f"{output} already holds a pack.", "Name another folder with -o, or remove it.")
    if (output / "checkpoints").exists() and not options.resume:
        raise OutputError(
            f"{output} holds the checkpoints of an unfinished run.", "Continue it with --resume, or remove the folder."
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise OutputError(f"{output} cannot be written: {e.strerror}.", "Name another folder with -o.") from e


def _start(options: TrainOptions) -> tuple[Any, Preprocessing]:
    """The network to train, and the preprocessing it will keep for life: that of its base, or our own.

    Raises:
        ModelError: the base is no model, or cannot be loaded.
        TrainingError: the base's weights do not fit its configuration.
    """
    import torch
    from transformers import AutoConfig, AutoModelForImageClassification

    torch.manual_seed(options.seed)
    if options.base is None:
        size = options.size or DEFAULT_SIZE
        make = AutoModelForImageClassification.from_config
        rule = Preprocessing(size, size, None, "bilinear", 1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        return make(make_config(options.arch, size)), rule  # type: ignore[no-untyped-call]
    pack = find(options.base, fake_label=None, offline=False)
    known = pack.card.preprocessing
    width, height = (options.size, options.size) if options.size else (known.width, known.height)
    rule = replace(known, width=width, height=height, shortest_edge=None)
    config = AutoConfig.from_pretrained(pack.folder, local_files_only=True)
    # The head is new when the base has other labels than Real and Fake in this order: it is trained here anyway.
    config.id2label, config.label2id = {0: "Real", 1: "Fake"}, {"Real": 0, "Fake": 1}
    model, report = AutoModelForImageClassification.from_pretrained(
        pack.folder,
        config=config,
        ignore_mismatched_sizes=True,
        use_safetensors=True,
        local_files_only=True,
        dtype=torch.float32,
        output_loading_info=True,
        # On a CPU, the backward pass of torch's fused attention takes a fifth of a ViT-S's whole step (torch 2.13).
        attn_implementation="eager" if choose_device(options.device) == "cpu" else None,
    )
    new = {*report["missing_keys"], *(key[0] for key in report["mismatched_keys"])}
    if lost := sorted(name for name in new if not is_head(name)):
        raise TrainingError(
            f"The weights of {clean(options.base)} do not fit its own configuration, in {clean(', '.join(lost[:3]))}.",
            "Training would start from random numbers there: get the model again, or start with --arch.",
        )
    return model, rule


def _measured_card(model: Any, rule: Preprocessing, parts: Split, options: TrainOptions, sha256: str) -> ModelCard:
    """Calibrate on one held-out part, measure on the other, and write down both."""
    view = View(options.subject, options.margin, MIN_FACE_SIDE)
    crop = _cropper(view)
    logits = {
        (part, name): values
        for part, records in (("calibration", parts.calibration), ("test", parts.test))
        for name, values in measure.score(model, records, rule, crop).items()
    }
    fake = {
        part: np.array([r.fake for r in records])
        for part, records in (("calibration", parts.calibration), ("test", parts.test))
    }
    plain = logits["calibration", "as it is"]
    usable = ~np.isnan(plain)
    if not usable.any():
        raise TrainingError("None of the held-out pictures could be read.", "Check the data set.")
    calibration = calibrate.fit(plain[usable], fake["calibration"][usable])
    scores = {key: calibrate.apply(value, calibration) for key, value in logits.items()}
    thresholds = calibrate.thresholds(
        _real_by_source(parts, scores), [_of_real(parts, scores, name) for name in measure.DISTORTIONS], WORST_FORM
    )
    levels = {str(t.level): t.probability for t in thresholds} or {"half": 0.5}
    metrics = {
        level: {
            name: {s: as_json(r) for s, r in measure.by_source(parts.test, scores["test", name], at).items()}
            for name in measure.DISTORTIONS
        }
        for level, at in levels.items()
    }
    trivial = measure.by_source(parts.test, trivial_scores(parts.train, parts.test), 0.5)
    return ModelCard(
        format=cards.CARD_FORMAT,
        name=options.name,
        version="1",
        architecture=type(model).__name__,
        preprocessing=rule,
        view=view,
        labels=("Real", "Fake"),
        fake_label="Fake",
        calibration=calibration,
        thresholds=thresholds,
        coverage=_coverage(parts),
        data=options.data_note or "Not stated by whoever trained this pack.",
        licence=options.licence,
        licence_class=options.licence_class,
        metrics={
            "measured_on": "the test part of the data set, which chose no threshold and could only drop a level",
            "thresholds": levels,
            "test": metrics,
            "trivial_classifier_auc": {source: measured.auc for source, measured in trivial.items()},
            "trained_on": {"pictures": len(parts.train), "parameters": sum(p.numel() for p in model.parameters())},
        },
        provenance={},
        weights_sha256=sha256,
        golden=golden_vectors(model, rule),
        tolerance=1e-2,
    )


def _cropper(view: View) -> Callable[[Pixels], Pixels]:
    """What the scan would cut out of a training picture; the whole picture where it would find no face."""
    if view.subject == "frame":
        return lambda pixels: pixels
    from deepscan.media.faces import HaarFinder
    from deepscan.models.preprocess import cut, with_margin

    finder = HaarFinder()

    def crop(pixels: Pixels) -> Pixels:
        faces = finder.find(pixels)
        if not faces:
            return pixels
        return cut(pixels, with_margin(faces[0].box, view, pixels.shape[1], pixels.shape[0]))

    return crop


def _real_by_source(parts: Split, scores: dict[tuple[str, str], Scores]) -> dict[str, Scores]:
    found: dict[str, Scores] = {}
    sources = np.array([r.source for r in parts.calibration])
    real = np.array([not r.fake for r in parts.calibration])
    for name in measure.DISTORTIONS:
        values = scores["calibration", name]
        for source in sorted(set(sources.tolist())):
            found[f"{source}, {name}"] = values[real & (sources == source) & ~np.isnan(values)]
    return found


def _of_real(parts: Split, scores: dict[tuple[str, str], Scores], name: str) -> Scores:
    values = scores["test", name]
    return values[np.array([not r.fake for r in parts.test]) & ~np.isnan(values)]


def _coverage(parts: Split) -> str:
    fakes = sorted({r.source for r in parts.train if r.fake})
    reals = sorted({r.source for r in parts.train if not r.fake})
    return (
        f"Trained and measured on fakes of {', '.join(fakes)} and real pictures of {', '.join(reals)}. "
        "Generators and manipulations that are not named here were not measured: a low score says nothing about them."
    )
