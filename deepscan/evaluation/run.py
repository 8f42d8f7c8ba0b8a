"""One evaluation: a labelled data set, one pack or several, and everything that is said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepscan import __version__
from deepscan.config import EvaluateOptions
from deepscan.errors import InputError, UsageError
from deepscan.evaluation import tables
from deepscan.evaluation.bootstrap import differences
from deepscan.evaluation.result import FORMAT, Comparison, Evaluation, PackResult
from deepscan.evaluation.scoring import score
from deepscan.evaluation.tables import Judged
from deepscan.evaluation.trivial import trivial_aucs
from deepscan.media.resaving import AS_IT_IS, ROBUSTNESS
from deepscan.models import loader, packs
from deepscan.models.packs import Pack
from deepscan.text import clean, plural
from deepscan.training.data import SUFFIXES, Record, read_records
from deepscan.training.metrics import Labels

if TYPE_CHECKING:
    from deepscan.models.loader import Network

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how much of it is done."""

LOW_COUNT = 100
"""Real pictures below which a false-alarm rate of 1 % cannot be seen."""


def evaluate(
    dataset: Path,
    models: Sequence[str],
    options: EvaluateOptions | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Evaluation:
    """Measure packs on a data set.

    Args:
        dataset: A folder tree with Real and Fake in it, or a list (:func:`deepscan.training.data.read_records`).
        models: What ``--model`` takes: ``builtin``, folders, ids on the Hub; all are measured on the same pictures.
        options: See there; the defaults when None.
        progress: Told what happens.

    Raises:
        TrainingError: the data set cannot be read, or a label in it is unknown.
        InputError: nothing of it can be measured.
        UsageError: the same model is named twice.
        ModelError: a model cannot be used.
    """
    options = options or EvaluateOptions()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    if len(set(models)) < len(models):
        raise UsageError("A model is named twice.", "Name each --model once.")
    wanted = chosen_records(dataset, options)
    extra = [record for folder in options.reals for record in _all_real(folder)]
    records = (*wanted, *extra)
    found = [packs.find(m, fake_label=options.fake_label, offline=options.offline) for m in models]
    networks = [loader.load(pack, device=options.device, precision=options.precision) for pack in found]
    changed = _sample(wanted, options.robustness, options.seed)
    answers = score(
        records,
        networks,
        forms=ROBUSTNESS if changed else (),
        changed=changed,
        as_crops=options.as_crops,
        faces=options.faces,
        workers=options.workers,
        progress=lambda done, total: progress("pictures", done, total),
    )
    plain = answers[0][AS_IT_IS.name]
    unreadable = {i: plain.reasons[i] or "" for i in sorted(plain.unreadable)}
    readable = tuple(r for i, r in enumerate(wanted) if i not in unreadable)
    if not readable:
        raise InputError(f"No picture of {clean(str(dataset))} can be read.", "Check the paths; --images says where.")
    progress("the trivial classifier", 0, len(readable))
    everything = [
        Judged(network.card, records, named, np.array([r.fake for r in records]))
        for network, named in zip(networks, answers, strict=True)
    ]
    main = np.arange(len(records)) < len(wanted)
    results = []
    for model, pack, network, judged in zip(models, found, networks, everything, strict=True):
        progress(f"the tables of {clean(model)}", 0, 1)
        results.append(_pack_result(model, pack, network, judged, main, changed, options))
    return Evaluation(
        format=FORMAT,
        dataset=clean(str(dataset)),
        started=started,
        version=__version__,
        options=_as_json(options),
        pictures=len(wanted),
        real=sum(not r.fake for r in wanted),
        fake=sum(r.fake for r in wanted),
        groups=len({r.group for r in wanted}),
        unreadable=tuple((clean(str(records[i].path)), reason) for i, reason in unreadable.items()),
        notes=_notes(wanted, options),
        trivial={clean(name): value for name, value in trivial_aucs(readable, options.seed).items()},
        packs=tuple(results),
        comparisons=_comparisons(results, everything, main, options),
    )


def chosen_records(dataset: Path, options: EvaluateOptions) -> tuple[Record, ...]:
    """The records of the part of a data set that is asked for.

    Raises:
        TrainingError: the data set cannot be read.
        InputError: it has no such part.
    """
    records, split = read_records(dataset, options.images), options.split
    stated = {r.split for r in records} - {None}
    if split == "all" or (split == "held-out" and not stated):
        chosen = tuple(records)
    elif split == "held-out":
        chosen = tuple(r for r in records if r.split in ("val", "test"))
    else:
        chosen = tuple(r for r in records if r.split == split)
    if not chosen:
        there = ", ".join(sorted(map(str, stated))) or "none"
        raise InputError(
            f"{clean(str(dataset))} has no pictures of the part {split} (parts it states: {there}).",
            "Choose another with --split; all takes everything, pictures that were trained on included.",
        )
    return chosen


def _all_real(folder: Path) -> list[Record]:
    """Every picture below a folder, as a real one; each is a group of its own."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {clean(str(folder))}.", "--reals takes folders of real pictures.")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not paths:
        raise InputError(f"There are no pictures in {clean(str(folder))}.", "--reals takes folders of real pictures.")
    return [Record(path, fake=False, source=str(folder), group=str(path)) for path in paths]


def _sample(records: Sequence[Record], count: int, seed: int) -> frozenset[int]:
    """Up to ``count`` pictures, alike of every source and class: each source has a loss of its own."""
    strata: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        strata[record.source, record.fake].append(index)
    rng = np.random.default_rng(seed)
    queues = [rng.permutation(strata[key]).tolist() for key in sorted(strata)]
    chosen: list[int] = []
    while len(chosen) < count and any(queues):
        for queue in queues:
            if queue and len(chosen) < count:
                chosen.append(queue.pop())
    return frozenset(chosen)


def _pack_result(
    model: str,
    pack: Pack,
    network: Network,
    judged: Judged,
    main: Labels,
    changed: frozenset[int],
    options: EvaluateOptions,
) -> PackResult:
    inside = _part_of(judged, main)
    sources = np.array([r.source for r in judged.records])
    sets = {name: main & (sources == name) for name in sorted(set(sources[main].tolist()))}
    sets |= {name: ~main & (sources == name) for name in sorted(set(sources[~main].tolist()))}
    everywhere = np.full(len(inside.records), True)
    return PackResult(
        name=clean(model),
        model=clean(str(pack.origin)),
        card_name=clean(pack.card.name),
        sha256=pack.sha256,
        subject=pack.card.view.subject,
        device=network.device,
        precision=network.precision,
        first_level=judged.level,
        first_threshold=judged.threshold,
        whole=tables.part(inside, "all", everywhere, options),
        operating=tables.operating(inside),
        not_scored=tables.not_scored(inside, everywhere),
        by_source=tables.by_source(inside, options),
        by_group=tables.by_group(inside, options),
        robustness=tables.robustness(inside, changed),
        ledger=tables.ledger(judged, sets),
        drawing=tables.drawing(inside),
    )


def _part_of(judged: Judged, mask: Labels) -> Judged:
    """The answers on the pictures under ``mask`` alone."""
    chosen = np.flatnonzero(mask)
    return Judged(
        judged.card,
        [record for record, inside in zip(judged.records, mask, strict=True) if inside],
        {name: answers.of(chosen) for name, answers in judged.answers.items()},
        judged.fake[chosen],
    )


def _comparisons(
    results: Sequence[PackResult], everything: Sequence[Judged], main: Labels, options: EvaluateOptions
) -> tuple[Comparison, ...]:
    """The first pack against each of the others."""
    found = []
    for result, judged in list(zip(results, everything, strict=True))[1:]:
        first = everything[0]
        both = main & first.plain.scored & judged.plain.scored
        sides = [(j.plain.log_odds(j.card)[both], j.plain.chances(j.card)[both], j.threshold) for j in (first, judged)]
        groups = [r.group for r, chosen in zip(judged.records, both, strict=True) if chosen]
        gaps = differences(sides[0], sides[1], judged.fake[both], groups, draws=options.bootstrap, seed=options.seed)
        found.append(Comparison(results[0].name, result.name, int(both.sum()), gaps))
    return tuple(found)


def _notes(records: Sequence[Record], options: EvaluateOptions) -> tuple[str, ...]:
    """What a reader must know before the numbers."""
    reals, fakes = sum(not r.fake for r in records), sum(r.fake for r in records)
    notes = []
    for count, name in ((reals, "real"), (fakes, "fake")):
        if not count:
            notes.append(f"The set holds no {name} pictures: numbers that need both classes are missing.")
    if 0 < reals < LOW_COUNT:
        notes.append(f"{plural(reals, 'real picture')}: a false-alarm rate of 1 % cannot be seen with fewer than 100.")
    if len({r.group for r in records}) == 1:
        notes.append("One group spans the whole set: it is one witness, and no interval can be given.")
    if options.split in ("all", "train") and any(r.split == "train" for r in records):
        notes.append("Pictures of the part train are among them: a pack trained on them is not measured, but examined.")
    return tuple(notes)


def _as_json(options: EvaluateOptions) -> dict[str, str | int | bool | list[str] | None]:
    plain: dict[str, str | int | bool | list[str] | None] = {}
    for f in fields(options):
        value = getattr(options, f.name)
        plain[f.name] = [str(v) for v in value] if isinstance(value, tuple) else value
        if isinstance(value, Path):
            plain[f.name] = str(value)
    return plain
