"""What earlier answers already say about a file, check by check: bytes that were examined are not examined again.

Answers belong to bytes, so they hold for every copy of a file, except where a check looks at the name as well
(``CheckSpec.by_name``) or quotes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path

from deepscan.checks.base import CheckSpec
from deepscan.engine.casefile import CaseFile, StoredAnswer
from deepscan.engine.fingerprints import Wanted
from deepscan.text import clean
from deepscan.types import CheckResult, ItemReport, MediaItem


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a file: the whole answer, to be entered again as it is stored, or else some of the results."""

    answer: tuple[StoredAnswer, ItemReport] | None
    results: Mapping[str, CheckResult]


def known(
    case: CaseFile, item: MediaItem, wanted: Wanted, selected: Sequence[CheckSpec], exhibits: Path | None
) -> Known:
    """Ask a case file what it says of a file's bytes.

    Args:
        case: The case file.
        item: The file as it is now.
        wanted: The keys that stored results must have.
        selected: The checks.
        exhibits: The folder that exhibits are kept under; results whose exhibits are gone from there are not known.
            None when none are kept.
    """
    whole = case.whole(item, wanted)
    if whole is not None:
        report = whole.read()
        if exhibits is None or all(_shows(result, exhibits) for result in report.results):
            return Known((whole, report), {})
    by_name = {spec.id for spec in selected if spec.by_name}
    results: dict[str, CheckResult] = {}
    for stored in case.same_bytes(item):
        missing = {check for check, key in wanted.keys.items() if check not in results}
        usable = {check for check in missing if stored.keys.get(check) == wanted.keys[check]}
        if not usable:
            continue
        report = stored.read()
        if replace(report.item, root=item.root, name=item.name) != item:  # read as another kind of file then
            continue
        found = {r.check: r for r in report.results if r.check in usable and _shows(r, exhibits)}
        if report.item.name != item.name:
            names = _names(report.item)
            found = {check: r for check, r in found.items() if check not in by_name and not mentions(r, names)}
        results |= found
        if results.keys() == wanted.keys.keys():
            break
    return Known(None, results)


def _shows(result: CheckResult, exhibits: Path | None) -> bool:
    """Whether every exhibit that a result shows is still where the report would look for it."""
    if exhibits is None:
        return True
    return all((exhibits / name).is_file() for name in result.exhibits)


def _names(item: MediaItem) -> tuple[str, ...]:
    """A file's name in the ways that a sentence may quote it."""
    return clean(item.name.name, 120), clean(str(item.name))


def mentions(result: CheckResult, names: Sequence[str]) -> bool:
    """Whether any text in a result holds one of these names."""
    return any(name in text for text in _texts(result) for name in names)


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for inner in value.values():
                yield from _texts(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner)
        case _ if is_dataclass(value):
            for field in fields(value):
                if field.name not in ("check", "version", "exhibit", "code"):
                    yield from _texts(getattr(value, field.name))
