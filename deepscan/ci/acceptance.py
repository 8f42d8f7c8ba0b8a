"""What a baseline and suppressions make of a report: which flagged files are known, and what is to be said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from deepscan.ci import baseline as baselines
from deepscan.ci.baseline import Baseline
from deepscan.ci.suppressions import Suppression
from deepscan.types import Entries, ItemReport, Known


@dataclass(frozen=True, slots=True)
class Acceptance:
    """``known`` has an entry for every content that is accepted; ``notes`` are sentences for people."""

    known: tuple[Known, ...]
    notes: tuple[str, ...]


def accept(
    items: Entries[ItemReport], baseline: Baseline, suppressions: Sequence[Suppression], today: date
) -> Acceptance:
    """Find the flagged files that a suppression covers, or else the baseline knows.

    Expired suppressions cover nothing and are named, as are those that cover no file. A content counts as known only
    if all files with it are covered: one that is there twice can be suppressed under one of its names.
    """
    valid = [entry for entry in suppressions if entry.expires >= today]
    used: set[int] = set()
    known: dict[str, Known] = {}
    open_: set[str] = set()
    for report in items:
        if report.verdict.call not in baselines.RANKS:
            continue
        found = _known(report, baseline, valid, used)
        if found is None:
            open_.add(report.item.sha256)
        else:
            known.setdefault(report.item.sha256, found)
    expired = [
        f"Suppression {entry.number} ({entry.shown}) expired on {entry.expires}: renew it or take it out."
        for entry in suppressions
        if entry.expires < today
    ]
    unused = [
        f"Suppression {entry.number} ({entry.shown}) covers no file that was found: take it out."
        for entry in valid
        if entry.number not in used
    ]
    kept = tuple(found for digest, found in sorted(known.items()) if digest not in open_)
    return Acceptance(kept, (*expired, *unused))


def _known(report: ItemReport, baseline: Baseline, suppressions: Sequence[Suppression], used: set[int]) -> Known | None:
    covering = [entry for entry in suppressions if entry.covers(report)]
    used.update(entry.number for entry in covering)
    digest = report.item.sha256
    if covering:
        first = covering[0]
        return Known(digest, "suppression", first.reason, first.author, first.expires.isoformat())
    return Known(digest, "baseline") if baselines.knows(baseline, report) else None
