"""What a scan in CI looks at, and what of it was accepted before."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import typer

from deepscan.ci import baseline as baselines
from deepscan.ci import suppressions as suppressed
from deepscan.ci.acceptance import accept
from deepscan.ci.changes import changed_since
from deepscan.cli.options import STDIO
from deepscan.config import RunOptions
from deepscan.errors import EXIT_CLEAN
from deepscan.media.discover import read_list
from deepscan.text import clean
from deepscan.types import ScanReport


@dataclass(frozen=True, slots=True)
class Triage:
    """The baseline and the suppressions of a scan, read before it begins."""

    baseline: baselines.Baseline = field(default_factory=dict)
    suppressions: tuple[suppressed.Suppression, ...] = ()

    @classmethod
    def chosen(cls, options: RunOptions) -> Triage:
        """Those that the options name. Raises ConfigError."""
        return cls(
            baselines.read(Path(options.baseline)) if options.baseline else {},
            suppressed.read(Path(options.suppressions)) if options.suppressions else (),
        )

    def applied(self, report: ScanReport) -> ScanReport:
        """The report with the files that are known; says which suppressions have expired or cover nothing."""
        if not self.baseline and not self.suppressions:
            return report
        found = accept(report.items, self.baseline, self.suppressions, datetime.now(UTC).date())
        for note in found.notes:
            typer.echo(f"deepscan: {note}", err=True)
        return replace(report, known=found.known)


def to_scan(words: Sequence[str], ref: str | None) -> tuple[list[Path], Sequence[Path]]:
    """The paths of the command line and those of a list; of both only what has changed since a commit that is named.

    Ends the program well where nothing has changed.
    """
    places = [Path(word) for word in words if word != STDIO]
    listed = read_list(sys.stdin.buffer.read()) if STDIO in words else ()
    if ref is None:
        return places, listed
    changed = changed_since(ref, [*places, *listed])
    within = [path for place in (*places, *listed) for path in _within(place, changed)]
    if not within:
        typer.echo(f"deepscan: Nothing has changed since {clean(ref)}: there is nothing to scan.", err=True)
        raise typer.Exit(EXIT_CLEAN)
    return [], within


def _within(place: Path, changed: frozenset[Path]) -> list[Path]:
    """The changed files that are a place or lie in it, written as the place is."""
    if not place.is_dir():
        return [place] if place.parent.resolve() / place.name in changed else []
    whole = place.resolve()
    return sorted(place / path.relative_to(whole) for path in changed if path.is_relative_to(whole) and path.is_file())
