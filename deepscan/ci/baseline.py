"""Baselines: the files that were flagged at one time, by the hash of their content, as what is known from then on.

A file is known as long as its bytes are the same, its verdict is no stronger than it was, and rests on no code that it
did not rest on then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from deepscan.errors import ConfigError
from deepscan.reports.json_text import dump
from deepscan.reports.schema import escape, parse, unescape
from deepscan.text import clean
from deepscan.types import Call, ItemReport, JSONValue

METHOD = "deepscan baseline 1"

RANKS = {Call.WEAK: 1, Call.MODERATE: 2, Call.STRONG: 3}
"""The calls that a baseline holds, in rising order."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The verdict of a file as it was accepted."""

    call: Call
    codes: frozenset[str]


Baseline = Mapping[str, Accepted]
"""By the SHA-256 of the file."""


def write(items: Iterable[ItemReport], stream: TextIO) -> int:
    """Write the baseline of a report: every flagged file once, sorted by its hash. Returns their number."""
    entries: dict[str, dict[str, JSONValue]] = {}
    for report in items:
        verdict = report.verdict
        if verdict.call in RANKS:
            codes: JSONValue = [escape(code) for code in verdict.because]
            entries[report.item.sha256] = {"sha256": report.item.sha256, "call": str(verdict.call), "because": codes}
    lines = ",".join(f"\n    {dump(entries[digest])}" for digest in sorted(entries))
    end = "\n  ]" if entries else "]"
    stream.write(f'{{\n  "method": {dump(METHOD)},\n  "files": [{lines}{end}\n}}\n')
    return len(entries)


def read(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    shown = clean(str(path))
    try:
        document: Any = parse(path.read_bytes())
        if document["method"] != METHOD:
            raise ValueError("its method is another one")
        return {str(entry["sha256"]): _accepted(entry) for entry in document["files"]}
    except OSError as e:
        raise ConfigError(f"The baseline {shown} cannot be read: {e.strerror or e}.", "Check the path.") from e
    except (ValueError, KeyError, TypeError) as e:
        raise ConfigError(
            f"The baseline {shown} is none: {clean(str(e))}.", "Write one with: deepscan baseline REPORT -o FILE"
        ) from e


def knows(baseline: Baseline, report: ItemReport) -> bool:
    """Whether a flagged file is known, and no worse than it was."""
    accepted = baseline.get(report.item.sha256)
    if accepted is None or RANKS[report.verdict.call] > RANKS[accepted.call]:
        return False
    return accepted.codes >= set(report.verdict.because)


def _accepted(entry: Any) -> Accepted:
    call = Call(entry["call"])
    if call not in RANKS:
        raise ValueError(f"it accepts {call}")
    return Accepted(call, frozenset(unescape(code) for code in entry["because"]))
