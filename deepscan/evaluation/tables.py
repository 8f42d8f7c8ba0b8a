"""From the answers of one pack to its tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepscan.config import EvaluateOptions
from deepscan.evaluation import measures
from deepscan.evaluation.bootstrap import intervals
from deepscan.evaluation.result import Drawing, FormRow, LedgerRow, Part
from deepscan.evaluation.scoring import Answers
from deepscan.media.resaving import AS_IT_IS
from deepscan.models.card import ModelCard
from deepscan.text import clean
from deepscan.training.data import Record
from deepscan.training.metrics import Labels, Scores, auc, upper_bound

HALF = "half"
"""The name of the threshold at a probability of 0.5, in tables and for cards without thresholds."""

MIN_GROUP = 20
"""Pictures from which on a group has a line of its own; of pairs of a fake and its original there are thousands."""

MAX_GROUPS = 50
MAX_WORST = 20
BINS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One pack's answers on the pictures of a data set, as it is asked about them: all arrays of shape (n,)."""

    card: ModelCard
    records: Sequence[Record]
    answers: dict[str, Answers]
    fake: Labels

    @property
    def threshold(self) -> float:
        """The lowest threshold of the card, or 0.5."""
        return min((t.probability for t in self.card.thresholds), default=0.5)

    @property
    def level(self) -> str:
        """The level that :attr:`threshold` gives."""
        lowest = min(self.card.thresholds, key=lambda t: t.probability, default=None)
        return HALF if lowest is None else str(lowest.level)

    @property
    def plain(self) -> Answers:
        """Answers on the pictures as they are."""
        return self.answers[AS_IT_IS.name]

    def operating_points(self) -> tuple[tuple[str, float, float | None], ...]:
        """Name, probability and claimed false-alarm rate of every threshold worth a line; levels that share both have
        one line.
        """
        levels: dict[tuple[float, float | None], list[str]] = {}
        for t in sorted(self.card.thresholds, key=lambda t: t.probability):
            levels.setdefault((t.probability, t.false_alarms), []).append(str(t.level))
        return ((HALF, 0.5, None), *((", ".join(names), *point) for point, names in levels.items()))


def part(judged: Judged, name: str, mask: Labels, options: EvaluateOptions) -> Part:
    """Measure the pictures under ``mask``."""
    scored = mask & judged.plain.scored
    log_odds, chances = judged.plain.log_odds(judged.card)[scored], judged.plain.chances(judged.card)[scored]
    fake = judged.fake[scored]
    groups = [r.group for r, chosen in zip(judged.records, scored, strict=True) if chosen]
    found = len(fake) > 0
    return Part(
        name=clean(name),
        pictures=int(mask.sum()),
        scored=len(fake),
        ranking=measures.ranking(log_odds, fake),
        decisions=measures.decisions(judged.level, chances, fake, judged.threshold) if found else None,
        intervals=intervals(
            log_odds, chances, fake, groups, judged.threshold, draws=options.bootstrap, seed=options.seed
        ),
    )


def by_source(judged: Judged, options: EvaluateOptions) -> tuple[Part, ...]:
    """A line for each source."""
    sources = np.array([r.source for r in judged.records])
    return tuple(part(judged, name, sources == name, options) for name in sorted(set(sources.tolist())))


def by_group(judged: Judged, options: EvaluateOptions) -> tuple[Part, ...]:
    """A line for each of the largest groups with at least :data:`MIN_GROUP` pictures, without intervals: a group is
    one witness.
    """
    groups = np.array([r.group for r in judged.records])
    large = [(n, name) for name, n in Counter(groups.tolist()).items() if n >= MIN_GROUP]
    chosen = [name for _, name in sorted(large, key=lambda entry: (-entry[0], entry[1]))[:MAX_GROUPS]]
    return tuple(part(judged, name, groups == name, options) for name in chosen)


def operating(judged: Judged) -> tuple[measures.Decisions, ...]:
    """Decisions at 0.5 and at each threshold of the card; empty where nothing was scored."""
    scored = judged.plain.scored
    if not scored.any():
        return ()
    chances = judged.plain.chances(judged.card)[scored]
    return tuple(
        measures.decisions(name, chances, judged.fake[scored], probability)
        for name, probability, _ in judged.operating_points()
    )


def robustness(judged: Judged, changed: frozenset[int]) -> tuple[FormRow, ...]:
    """A row for each form, over the pictures in ``changed`` that were scored as they are."""
    chosen = np.isin(np.arange(len(judged.records)), sorted(changed)) & judged.plain.scored
    if not chosen.any():
        return ()
    return tuple(
        _form_row(judged, name, answers, chosen) for name, answers in judged.answers.items() if name != AS_IT_IS.name
    )


def _form_row(judged: Judged, name: str, answers: Answers, chosen: Labels) -> FormRow:
    both = chosen & answers.scored
    fake = judged.fake[both]
    before, after = judged.plain.chances(judged.card)[both], answers.chances(judged.card)[both]
    was, now = before >= judged.threshold, after >= judged.threshold
    sources = np.array([r.source for r in judged.records])
    auc_before = _auc(judged.plain.logits[both], fake)
    auc_after = _auc(answers.logits[both], fake)
    losses = {}
    for source in sorted(set(sources[both].tolist())):
        here = both & (sources == source)
        first, second = (_auc(a.logits[here], judged.fake[here]) for a in (judged.plain, answers))
        if first is not None and second is not None:
            losses[clean(source)] = round(first - second, 4)
    return FormRow(
        form=name,
        pictures=int(chosen.sum()),
        not_scored=int((chosen & ~answers.scored).sum()),
        auc=auc_after,
        auc_before=auc_before,
        loss=None if auc_before is None or auc_after is None else round(auc_before - auc_after, 4),
        by_source=losses,
        false_alarms=_share(now[~fake]),
        recall=_share(now[fake]),
        flips=_share(was != now),
        to_fake=_share(~was & now),
        to_real=_share(was & ~now),
    )


def ledger(judged: Judged, sets: dict[str, Labels]) -> tuple[LedgerRow, ...]:
    """The false alarms of the real pictures of every set at every threshold; ``sets`` has their masks by name."""
    chances = judged.plain.chances(judged.card)
    return tuple(
        _ledger_row(judged, chances, clean(name), mask & ~judged.fake, point)
        for name, mask in sets.items()
        if (mask & ~judged.fake).any()
        for point in judged.operating_points()
        if point[0] != HALF or not judged.card.thresholds
    )


def _ledger_row(
    judged: Judged, chances: Scores, name: str, mask: Labels, point: tuple[str, float, float | None]
) -> LedgerRow:
    level, threshold, claimed = point
    scored = mask & judged.plain.scored
    alarmed = np.flatnonzero(scored & (np.nan_to_num(chances) >= threshold))
    total, alarms = int(scored.sum()), len(alarmed)
    worst = sorted(alarmed.tolist(), key=lambda i: (-chances[i], str(judged.records[i].path)))[:MAX_WORST]
    holds: bool | None = None
    if claimed is not None and total:
        at_least = 1 - upper_bound(total - alarms, total)
        holds = True if upper_bound(alarms, total) <= claimed else (False if at_least > claimed else None)
    return LedgerRow(
        set=name,
        pictures=int(mask.sum()),
        scored=total,
        level=level,
        threshold=threshold,
        alarms=alarms,
        rate=round(alarms / total, 5) if total else None,
        bound=upper_bound(alarms, total) if total else None,
        claimed=claimed,
        holds=holds,
        worst=tuple((clean(str(judged.records[i].path)), float(chances[i])) for i in worst),
    )


def drawing(judged: Judged) -> Drawing:
    """What the plots of a pack need."""
    scored = judged.plain.scored
    chances, fake = judged.plain.chances(judged.card)[scored], judged.fake[scored]
    counts = [np.histogram(chances[side], bins=BINS, range=(0, 1))[0].tolist() for side in (~fake, fake)]
    return Drawing(
        roc=measures.curve(judged.plain.logits[scored], fake),
        reliability=measures.reliability(chances, fake),
        histogram_real=tuple(counts[0]),
        histogram_fake=tuple(counts[1]),
    )


def not_scored(judged: Judged, mask: Labels) -> dict[str, int]:
    """How many pictures were not scored, by reason; numbers in a reason are left out, so that like counts with like."""
    reasons = [
        "It cannot be read." if index in judged.plain.unreadable else re.sub(r"\d[\d,.]*\d|\d", "N", reason)
        for index, reason in enumerate(judged.plain.reasons)
        if mask[index] and reason is not None
    ]
    return dict(sorted(Counter(reasons).items(), key=lambda entry: (-entry[1], entry[0])))


def _auc(scores: Scores, fake: Labels) -> float | None:
    return auc(scores, fake) if fake.any() and not fake.all() else None


def _share(values: Labels) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None
