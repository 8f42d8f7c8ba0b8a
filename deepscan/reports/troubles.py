"""What kept a file from being examined whole, in the order of the checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from deepscan.types import ItemReport, Outcome

Key = TypeVar("Key")


class Kind(StrEnum):
    """How a check ended that did not see all of a file."""

    FAILED = "failed"
    TIMED_OUT = "timed out"
    IN_PART = "in part"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A check that failed, ran out of time, or saw only a part of the file. ``reason`` is untrusted text."""

    check: str
    kind: Kind
    reason: str


_KINDS = {Outcome.FAILED: Kind.FAILED, Outcome.TIMED_OUT: Kind.TIMED_OUT}


def troubles(report: ItemReport) -> Iterator[Trouble]:
    """Every trouble of a file; it has one exactly when it is :attr:`~deepscan.types.ItemReport.incomplete`."""
    for result in report.results:
        if result.outcome in _KINDS:
            yield Trouble(result.check, _KINDS[result.outcome], result.reason or "")
        if result.partial is not None:
            yield Trouble(result.check, Kind.IN_PART, result.partial)


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that kept ``checks`` from examining a file whole: a file that is cut short ends most of them."""

    checks: tuple[str, ...]
    kind: Kind
    reason: str


def causes(report: ItemReport) -> tuple[Cause, ...]:
    """The troubles of a file, each cause once."""
    found = [((trouble.kind, trouble.reason), trouble.check) for trouble in troubles(report)]
    return tuple(Cause(tuple(checks), *cause) for cause, checks in together(found).items())


def together(pairs: Iterable[tuple[Key, str]]) -> dict[Key, list[str]]:
    """The checks of each key, where pairs are (key, check), in the order of the first of each."""
    found: dict[Key, list[str]] = {}
    for key, check in pairs:
        found.setdefault(key, []).append(check)
    return found
