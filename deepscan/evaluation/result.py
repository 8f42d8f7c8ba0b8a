"""The values of an evaluation: what every table, file and page of it is made from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass

from deepscan.evaluation.bootstrap import Difference, Intervals
from deepscan.evaluation.measures import Decisions, Ranking
from deepscan.types import JSONValue

FORMAT = "deepscan-evaluation/1"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a data set: all of it, a source, or a group. ``decisions`` is at the pack's first threshold, and
    None where nothing was scored.
    """

    name: str
    pictures: int
    scored: int
    ranking: Ranking
    decisions: Decisions | None
    intervals: Intervals


@dataclass(frozen=True, slots=True)
class FormRow:
    """One row of the robustness table.

    ``auc`` is under the form, ``auc_before`` of the same pictures as they are, ``loss`` the difference; ``by_source``
    has the losses of each source with both classes. ``flips`` is the share of pictures whose call at the first
    threshold changed, ``to_fake`` and ``to_real`` its two sides; ``not_scored`` counts those that were scored as they
    are and are not now.
    """

    form: str
    pictures: int
    not_scored: int
    auc: float | None
    auc_before: float | None
    loss: float | None
    by_source: Mapping[str, float]
    false_alarms: float | None
    recall: float | None
    flips: float | None
    to_fake: float | None
    to_real: float | None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """The false alarms of real pictures of one set at one threshold.

    ``bound`` is the upper end of the one-sided 95 % interval of the rate, ``claimed`` what the card says. ``holds`` is
    False when even the lower end of the interval lies above the claim, True when even the upper end does not pass it,
    and None in between (too few pictures to tell) or where nothing is claimed. ``worst`` names the pictures that
    alarmed, highest first, and their probabilities.
    """

    set: str
    pictures: int
    scored: int
    level: str
    threshold: float
    alarms: int
    rate: float | None
    bound: float | None
    claimed: float | None
    holds: bool | None
    worst: tuple[tuple[str, float], ...]

    @property
    def verdict(self) -> str:
        """:attr:`holds` in words."""
        if self.claimed is None:
            return "–"
        return {True: "yes", False: "no", None: "cannot be told"}[self.holds]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What plots are made from: the ROC curve as (false alarms, recall), the reliability diagram as (mean probability,
    share of fakes, count), and histograms of probability for real and fake pictures in twenty bins.
    """

    roc: tuple[tuple[float, float], ...]
    reliability: tuple[tuple[float, float, int], ...]
    histogram_real: tuple[int, ...]
    histogram_fake: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PackResult:
    """One pack's answers. ``operating`` has the decisions at 0.5 and at each threshold of the card; ``not_scored``
    counts pictures by the reason why they were not.
    """

    name: str
    model: str
    card_name: str
    sha256: str
    subject: str
    device: str
    precision: str
    first_level: str
    first_threshold: float
    whole: Part
    operating: tuple[Decisions, ...]
    not_scored: Mapping[str, int]
    by_source: tuple[Part, ...]
    by_group: tuple[Part, ...]
    robustness: tuple[FormRow, ...]
    ledger: tuple[LedgerRow, ...]
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two packs on the pictures that both scored."""

    first: str
    second: str
    pictures: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The whole answer. ``trivial`` is the area under the ROC curve of a classifier that sees no face, by source
    (``all`` for all of them together); ``unreadable`` names what was left out, with the reason.
    """

    format: str
    dataset: str
    started: str
    version: str
    options: Mapping[str, JSONValue]
    pictures: int
    real: int
    fake: int
    groups: int
    unreadable: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    trivial: Mapping[str, float | None]
    packs: tuple[PackResult, ...]
    comparisons: tuple[Comparison, ...]


def to_json(evaluation: Evaluation) -> str:
    """The evaluation as a JSON text with a newline at its end."""
    return json.dumps(dataclasses.asdict(evaluation), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
