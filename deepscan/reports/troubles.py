"""What kept a file from being examined whole, in the order of the checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deepscan.types import ItemReport, Outcome


@dataclass(frozen=True, slots=True)
class Trouble:
    """A check that failed, ran out of time, or saw only a part of the file. ``reason`` is untrusted text."""

    check: str
    kind: str
    reason: str


_KINDS = {Outcome.FAILED: "failed", Outcome.TIMED_OUT: "timed out"}


def troubles(report: ItemReport) -> Iterator[Trouble]:
    """Every trouble of a file; it has one exactly when it is :attr:`~deepscan.types.ItemReport.incomplete`."""
    for result in report.results:
        if result.outcome in _KINDS:
            yield Trouble(result.check, _KINDS[result.outcome], result.reason or "")
        if result.partial is not None:
            yield Trouble(result.check, "in part", result.partial)
