"""``deepscan train --sequence``: a head that reads a pack's features over time, learnt from labelled clips.

The pack itself does not learn: each clip becomes the features of its faces in a few stretches, once, and only the small
head over them is trained. Clips are labelled, grouped and split as pictures are; copies, and clips whose middle frames
are nearly equal, stay together. Thresholds and calibration come from one held-out part and are measured on another,
clip by clip, beside what pooling the pack's own scores of the same frames reaches there. A head that is not better than
that, beyond what chance between so few clips explains, is written down as such, without thresholds.
"""

from __future__ import annotations

import json
import logging
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepscan.errors import MediaError, OutputError, TrainingError
from deepscan.media.faces import HaarFinder
from deepscan.media.film import pooling
from deepscan.media.frames import Sampling
from deepscan.media.identify import sha256_of
from deepscan.media.video import read_video
from deepscan.models import card as cards
from deepscan.models.calibration import Calibration
from deepscan.models.card import ModelCard, SequenceCard
from deepscan.models.files import CONFIG_NAME, weight_files
from deepscan.models.loader import Network, load
from deepscan.models.packs import Pack, find
from deepscan.models.processors import PROCESSOR_NAME
from deepscan.models.sequence import film_score, make_head, runs, save_head, stretches
from deepscan.text import clean, plural
from deepscan.training import calibrate
from deepscan.training.copies import join_copies, without_twins
from deepscan.training.data import CLIPS, Record, describe, read_dataset
from deepscan.training.metrics import Labels, Scores, as_json, auc, rates
from deepscan.training.options import TrainOptions
from deepscan.training.splits import Split, split, store
from deepscan.training.survey import FEATURES, Counted, Survey, perceptual_hash

if TYPE_CHECKING:
    from deepscan.training.loop import Progress

log = logging.getLogger(__name__)

LENGTH, STEP, STRETCHES = 16, 0.12, 4
"""Frames of a stretch, seconds between them, and stretches of a clip: two seconds each, in which a face blinks, speaks
and turns."""

HIDDEN = 48
EPOCHS, BATCH, RATE, DECAY = 60.0, 32, 3e-3, 1e-2
HELD_OUT = 0.4
"""Half of it calibrates, and half of it measures."""

DRAWS, SURE = 2000, 0.05
"""Times that the groups of the test part are drawn again, and the part of these in which pooling may be as good."""

PLAIN = Calibration("none", 1.0, 0.0)

HEARD = frozenset(
    {"sequence", "base", "data_note", "images", "epochs", "batch_size", "learning_rate", "held_out", "seed", "device"}
)
"""Options that shape a head; all others would do nothing."""

RESULT_NAME = "sequence.json"
SPLIT_NAME = "sequence-split.csv"


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """What is known of one clip: features of its runs (n, length, features), the numbers of their stretches, and the
    pack's own probabilities of the same frames (n, length).
    """

    features: NDArray[np.float32]
    stretch_of: tuple[int, ...]
    frames: NDArray[np.float32]


def train_sequence(
    dataset: Path,
    output: Path,
    options: TrainOptions,
    progress: Progress,
    command: Sequence[str],
    looked: Counted | None = None,
) -> ModelCard:
    """Train a head for a pack on the clips of ``dataset``, and write the pack with it to the folder ``output``.

    Raises:
        TrainingError: the data set is unusable, or no clip has a face that can be followed.
        ModelError: the pack cannot be loaded.
        OutputError: the output folder cannot be written, or already holds a pack.
    """
    _refuse_unheard(options)
    if (output / cards.CARD_NAME).exists():
        raise OutputError(f"{output} already holds a pack.", "Name another folder with -o, or remove it.")
    records = read_dataset(dataset, options.images, CLIPS)
    pack = find(options.base or "builtin", fake_label=None, offline=False)
    network = load(pack, device=options.device, precision="fp32")
    width = network.features()(np.zeros((1, *_input_of(pack.card)), np.uint8)).shape[1]
    plan = SequenceCard(
        LENGTH, STEP, STRETCHES, width, HIDDEN, pack.card.calibration, (), False, {}, options.data_note, ""
    )  # fmt: skip
    clips, survey = _looked_at(records, network, plan, looked)
    parts = split(without_twins(survey.records, join_copies(survey)), options.held_out or HELD_OUT, options.seed)
    for name, part in (("train", parts.train), ("calibration", parts.calibration), ("test", parts.test)):
        log.info("%s: %s\n%s", name, plural(len(part), "clip"), describe(part))
    head = _learnt(clips, parts, plan, options, progress)
    plan = _measured(head, clips, parts, plan)
    _warn(plan)
    card = replace(pack.card, sequence=plan)
    return _written(output, pack, card, head, parts, command)


def _refuse_unheard(options: TrainOptions) -> None:
    plain = TrainOptions()
    for field in fields(TrainOptions):
        unheard = field.name not in HEARD
        if unheard and getattr(options, field.name) != getattr(plain, field.name):
            raise TrainingError(
                f"--{field.name.replace('_', '-')} does nothing with --sequence.",
                "The pack stays as it is, and only a head over it learns; leave the option out.",
            )


def _input_of(card: ModelCard) -> tuple[int, int, int]:
    return card.preprocessing.height, card.preprocessing.width, 3


def _looked_at(
    records: Sequence[Record], network: Network, plan: SequenceCard, looked: Counted | None
) -> tuple[dict[Path, Clip], Survey]:
    """Each clip's features, and what tells copies; clips that say nothing are listed in the log and left out."""
    clips: dict[Path, Clip] = {}
    kept, digests, hashes = [], [], []
    for number, record in enumerate(records, 1):
        try:
            found, middle = _clip(record.path, network, plan)
            digest = sha256_of(record.path)  # piece by piece: a clip may be larger than memory
        except MediaError as e:
            log.warning("%s Left out of training.", e.message)
        except OSError as e:
            log.warning("%s cannot be read: %s. Left out of training.", clean(str(record.path)), e.strerror)
        else:
            if found is None:
                log.warning("%s has nothing to follow over time: left out of training.", clean(str(record.path)))
            else:
                clips[record.path] = found
                kept.append(record)
                digests.append(digest)
                hashes.append(middle)
        if looked is not None:
            looked(number, len(records))
    if not kept:
        raise TrainingError("No clip of the data set can be followed over time.", "Check the clips.")
    return clips, Survey(tuple(kept), tuple(digests), np.stack(hashes), np.zeros((len(kept), len(FEATURES))))


def _clip(path: Path, network: Network, plan: SequenceCard) -> tuple[Clip | None, NDArray[np.uint64]]:
    """One clip as the scan would look at it, and the perceptual hash of its middle. Raises MediaError."""
    finder = HaarFinder()
    card = network.card
    middle = read_video(path, Sampling(1))
    assert middle.footage is not None
    found, stretch_of = [], []
    for number, moments in enumerate(stretches(middle.footage.seconds, plan), 1):
        frames = read_video(path, Sampling(moments=moments)).frames
        for run in runs(frames, lambda frame: finder.find(frame.pixels), card, plan.length):
            found.append(run.pixels)
            stretch_of.append(number)
    fingerprint = perceptual_hash(middle.frames[0].pixels)
    if not found:
        return None, fingerprint
    pictures = np.concatenate(found).reshape(len(found) * plan.length, *_input_of(card))
    features = network.features()(pictures).reshape(len(found), plan.length, plan.features)
    scores = network.probabilities(pictures).reshape(len(found), plan.length)
    return Clip(features, tuple(stretch_of), scores), fingerprint


def _learnt(
    clips: dict[Path, Clip], parts: Split, plan: SequenceCard, options: TrainOptions, progress: Progress
) -> torch.nn.Module:
    """A head that has learnt from the training part, as it was when it told the calibration part best."""
    torch.manual_seed(options.seed)
    values = np.concatenate([clips[r.path].features for r in parts.train])
    labels = np.concatenate([np.full(len(clips[r.path].features), r.fake) for r in parts.train])
    head = make_head(plan.features, plan.hidden)
    with torch.no_grad():
        head.get_buffer("mean").copy_(torch.from_numpy(values.mean((0, 1))))
        head.get_buffer("std").copy_(torch.from_numpy(values.std((0, 1)) + 1e-3))
    inputs, targets = torch.from_numpy(values), torch.from_numpy(labels.astype(np.float32))
    balance = torch.tensor(float((~labels).sum()) / max(1.0, float(labels.sum())))
    lost = torch.nn.BCEWithLogitsLoss(pos_weight=balance)
    rate, size = options.learning_rate or RATE, options.batch_size or BATCH
    passes = max(1, round(options.epochs or EPOCHS))
    steps = passes * -(-len(inputs) // size)
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    best, kept = -1.0, {name: tensor.clone() for name, tensor in head.state_dict().items()}
    rng = np.random.default_rng(options.seed)
    done = 0
    for _ in range(passes):
        head.train()
        order = rng.permutation(len(inputs))
        total = 0.0
        for at in range(0, len(order), size):
            batch = torch.from_numpy(order[at : at + size])
            loss = lost(head(inputs[batch]), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            done, total = done + 1, total + float(loss.detach())
        progress(done, steps, total / -(-len(order) // size))
        held = auc(_scores(head, clips, parts.calibration, PLAIN), _labels(parts.calibration))
        if held > best:
            best, kept = held, {name: tensor.clone() for name, tensor in head.state_dict().items()}
    head.load_state_dict(kept)
    return head.eval()


def _labels(records: Sequence[Record]) -> Labels:
    return np.array([r.fake for r in records])


def _logits(head: torch.nn.Module, clip: Clip) -> Scores:
    head.eval()
    with torch.inference_mode():
        return np.asarray(head(torch.from_numpy(clip.features)).numpy(), np.float64)


def _scores(
    head: torch.nn.Module, clips: dict[Path, Clip], records: Sequence[Record], calibration: Calibration
) -> Scores:
    """The probability of each clip, pooled as the scan pools it."""
    found = [calibrate.apply(_logits(head, clips[r.path]), calibration).tolist() for r in records]
    return np.array([film_score(clips[r.path].stretch_of, each) for r, each in zip(records, found, strict=True)])


def _pooled(clips: dict[Path, Clip], records: Sequence[Record]) -> Scores:
    """What the pack's own scores of the same frames come to when they are pooled, without any head."""
    return np.array(
        [
            film_score(clips[r.path].stretch_of, [pooling.of_track(row.tolist()) for row in clips[r.path].frames])
            for r in records
        ]
    )


def _measured(head: torch.nn.Module, clips: dict[Path, Clip], parts: Split, plan: SequenceCard) -> SequenceCard:
    """Calibrate and set thresholds on one held-out part, and measure them, and pooling, on the other."""
    rows = [(_logits(head, clips[r.path]), r.fake) for r in parts.calibration]
    calibration = calibrate.fit(
        np.concatenate([logits for logits, _ in rows]), np.concatenate([np.full(len(x), fake) for x, fake in rows])
    )
    chosen, held = (_scores(head, clips, part, calibration) for part in (parts.calibration, parts.test))
    fake, pooled = _labels(parts.test), _pooled(clips, parts.test)
    as_good = _as_good([r.group for r in parts.test], held, pooled, fake)
    beats = as_good < SURE and auc(held, fake) > auc(pooled, fake)
    reals = {
        source: chosen[[not r.fake and r.source == source for r in parts.calibration]]
        for source in sorted({r.source for r in parts.calibration if not r.fake})
    }
    thresholds = calibrate.thresholds(reals, [held[~fake]], "the test part", "clips") if beats else ()
    at = thresholds[0].probability if thresholds else 0.5
    metrics: dict[str, Any] = {
        "measured_on": "the test part of the clips, which chose nothing but could drop a level",
        "clips": {name: len(getattr(parts, name)) for name in ("train", "calibration", "test")},
        "auc": auc(held, fake),
        "pooling_auc": auc(pooled, fake),
        "pooling_as_good": as_good,
        "sequence": as_json(rates(held, fake, at)),
    }
    return replace(plan, calibration=calibration, thresholds=thresholds, beats_pooling=beats, metrics=metrics)


def _as_good(groups: Sequence[str], head: Scores, pooled: Scores, fake: Labels) -> float:
    """In what part of the draws of whole groups, with replacement, pooling tells clips apart as well as the head."""
    names = sorted(set(groups))
    members = {name: np.flatnonzero([group == name for group in groups]) for name in names}
    rng = np.random.default_rng(0)
    as_good, drawn = 0, 0
    for _ in range(DRAWS):
        rows = np.concatenate([members[names[i]] for i in rng.integers(0, len(names), len(names))])
        if 0 < fake[rows].sum() < len(rows):
            drawn += 1
            as_good += _area(pooled[rows], fake[rows]) >= _area(head[rows], fake[rows])
    return round(as_good / drawn, 4) if drawn else 1.0


def _area(scores: Scores, fake: Labels) -> float:
    """The area under the ROC curve, as the share of pairs in order: quicker than :func:`auc` for a few clips."""
    gaps = scores[fake][:, None] - scores[~fake][None]
    return float((gaps > 0).mean() + 0.5 * (gaps == 0).mean())


def _warn(plan: SequenceCard) -> None:
    figures = f"AUC {plan.metrics['auc']} on the test clips, pooling {plan.metrics['pooling_auc']}"
    if plan.beats_pooling:
        log.info("The sequence head tells fakes better than pooling does: %s.", figures)
        return
    log.warning(
        "The sequence head does not tell fakes better than pooling the pack's own scores, beyond chance: %s. "
        "Its card says so, it gets no thresholds, and scans take it for no evidence.",
        figures,
    )


def _written(
    output: Path, pack: Pack, card: ModelCard, head: torch.nn.Module, parts: Split, command: Sequence[str]
) -> ModelCard:
    """The pack with its head in the folder; returns the card as it was written."""
    assert card.sequence is not None
    try:
        output.mkdir(parents=True, exist_ok=True)
        others = [pack.folder / name for name in (CONFIG_NAME, PROCESSOR_NAME, "LICENSE.md", "README.md")]
        for path in (*weight_files(pack.folder), *(path for path in others if path.is_file())):
            shutil.copyfile(path, output / path.name)
        card = replace(card, sequence=replace(card.sequence, weights_sha256=save_head(head, output)))
        assert card.sequence is not None
        cards.save(card, output)
        result = {"command": shlex.join(command), "base": pack.card.name, **card.sequence.metrics}
        (output / RESULT_NAME).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    except OSError as e:
        raise OutputError(f"{output} cannot be written: {e.strerror}.", "Name another folder with -o.") from e
    store(parts, output / SPLIT_NAME)
    return card
