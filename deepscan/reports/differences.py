"""What differs between two reports: the verdicts that changed, and what can have changed each of them.

Files are matched by where they are, then by name alone (the folder may have moved), then by content (a renamed file is
one change, not two). Of each file only a few values are held in memory. Times and exhibits are not compared.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deepscan.reports.json_text import dump
from deepscan.reports.run_changes import RunChanges
from deepscan.reports.schema import item_to_json
from deepscan.types import Document, ItemReport, Skipped

BYTES = "the file has other bytes"
UNKNOWN = "nothing that the reports record explains it"

_DIGEST = 8  # bytes of a hash of what a check said: enough to tell two answers apart


class Change(StrEnum):
    """What became of a file. ``findings``: checks said something else, and the verdict is the same."""

    VERDICT = "verdict"
    FINDINGS = "findings"
    RENAMED = "renamed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that is not as it was.

    ``name`` is untrusted text; ``before`` and ``after`` are verdicts in words, None where the file is not in that
    report; ``checks`` are those that said something else; ``causes`` are sentences, without the full stop.
    """

    change: Change
    name: str
    before: str | None
    after: str | None
    checks: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is compared of a file; ``digests`` has a hash for each of ``checks``, in their order."""

    name: str
    sha256: str | None
    verdict: str
    checks: tuple[str, ...]
    digests: bytes

    def said(self) -> dict[str, bytes]:
        return {check: self.digests[n * _DIGEST : (n + 1) * _DIGEST] for n, check in enumerate(self.checks)}


def differences(old: Document, new: Document) -> Iterator[Difference]:
    """Every file that differs, in the order of the new report; then those that are in the old one alone."""
    changes = RunChanges.between(old.run, new.run)
    left = dict(_answers(old))
    unmatched: list[tuple[str, _Answer]] = []
    for place, answer in _answers(new):
        before = left.pop(place, None)
        if before is None:
            unmatched.append((place, answer))
        else:
            yield from _compared(before, answer, changes)
    for before, after in _matched_otherwise(left, unmatched):
        if before is None:
            yield Difference(Change.ADDED, after.name, None, after.verdict)
        elif found := list(_compared(before, after, changes)):
            yield from found
        elif before.name != after.name:
            yield Difference(Change.RENAMED, f"{before.name} -> {after.name}", before.verdict, after.verdict)
    for gone in left.values():
        yield Difference(Change.REMOVED, gone.name, gone.verdict, None)


def _matched_otherwise(
    left: dict[str, _Answer], unmatched: list[tuple[str, _Answer]]
) -> Iterator[tuple[_Answer | None, _Answer]]:
    """Files whose place is new, each with the one of ``left`` that has its name or its content; that is taken out."""
    names, contents = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for place, answer in left.items():
        names[answer.name].append(place)
        if answer.sha256 is not None:
            contents[answer.sha256].append(place)
    for _, answer in unmatched:
        candidates = [*names.get(answer.name, ()), *contents.get(answer.sha256 or "", ())]
        free = next((candidate for candidate in candidates if candidate in left), None)
        yield (None if free is None else left.pop(free)), answer


def _compared(before: _Answer, after: _Answer, changes: RunChanges) -> Iterator[Difference]:
    then, now = before.said(), after.said()
    checks = tuple(check for check in sorted(then.keys() | now.keys()) if then.get(check) != now.get(check))
    name = after.name
    if before.verdict != after.verdict:
        change = Change.VERDICT
    elif checks or before.sha256 != after.sha256:
        change = Change.FINDINGS
    else:
        return
    causes = [BYTES] if before.sha256 != after.sha256 else []
    causes += changes.behind(checks, elsewhere=not causes)
    yield Difference(change, name, before.verdict, after.verdict, checks, tuple(causes) or (UNKNOWN,))


def _answers(report: Document) -> Iterator[tuple[str, _Answer]]:
    layouts: dict[tuple[str, ...], tuple[str, ...]] = {}  # one tuple of checks for all files that have the same
    for item in report.items:
        yield item.item.path.as_posix(), _answer(item, layouts)
    for skipped in report.skipped:
        yield skipped.path.as_posix(), _left_out(skipped)


def _answer(report: ItemReport, layouts: dict[tuple[str, ...], tuple[str, ...]]) -> _Answer:
    document: Any = item_to_json(report)
    checks = tuple(result.check for result in report.results)
    verdict = report.verdict
    return _Answer(
        str(report.item.name),
        report.item.sha256,
        f"{verdict.call}, {verdict.points_to} ({verdict.basis})",
        layouts.setdefault(checks, checks),
        b"".join(_digest(result) for result in document["results"]),
    )


def _left_out(skipped: Skipped) -> _Answer:
    return _Answer(skipped.path.as_posix(), None, f"not examined ({skipped.code})", (), b"")


def _digest(result: Any) -> bytes:
    """A hash of what a check said: without its version and its time, and without where exhibits were drawn."""
    findings = [{**f, "evidence": [{**e, "exhibit": None} for e in f["evidence"]]} for f in result["findings"]]
    film = result["film"]
    if film is not None:
        film = {**film, "tracks": [{**track, "exhibit": None} for track in film["tracks"]]}
    said = {**result, "findings": findings, "film": film, "seconds": 0, "version": ""}
    return hashlib.blake2b(dump(said).encode(), digest_size=_DIGEST).digest()
