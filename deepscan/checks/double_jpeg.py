"""Double JPEG compression: was the file, before its last save, a JPEG of another quality on the same grid?

Messengers, websites and editors all save pictures again, so what this finds is history and no manipulation. The method
is in :mod:`.compression.doubling`.
"""

from __future__ import annotations

from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Subject
from deepscan.checks.compression.doubling import Counts, First, estimate, histograms
from deepscan.checks.scope import only_jpeg
from deepscan.config import SAMPLING
from deepscan.types import CheckResult, Evidence, Family, Finding, Level, MediaItem, MediaKind, PointsTo

TWICE = "DS-STRUCT-030"

MIN_SIDE = 64

MIN_VALUES = 600
"""Coefficients other than 0. Of fewer, histograms say nothing: flat, dark and very small pictures."""

MIN_SUPPORT = 15.0
"""Natural logarithm of a likelihood ratio. A single save as modelled reaches it in e^-15 of cases for each first
quality that is tried; photographs are not exactly as modelled, which is what the shares below are for."""

COARSER_SHARE, FINER_SHARE = 0.001, 0.02
"""Support for each coefficient other than 0, for a first save with coarser and with finer steps than the last one. A
coarser one leaves gaps (0.04 and above where it is 10 below); a finer one only bends the histogram, and so does content
(up to 0.0154 in single saves): python -m tests.benchmarks.evidence compression."""

MIN_APART = 9.0
"""Support of the values other than zero alone from which a finer first save is believed without the share. Content
reaches 2.1 in single saves of qualities 60 and above, and 8.6 at quality 30."""

SPEC = CheckSpec(
    id="double_jpeg",
    title="Double JPEG compression, with the first quality",
    family=Family.STRUCTURE,
    version="3",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(TWICE,),
    cost=Cost.HIGH,
    looks_at="JPEG pictures",
    options=SAMPLING,
)


class DoubleJpeg:
    """Finds out whether a JPEG was saved at another quality before."""

    spec = SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """Only a JPEG has the coefficients of its last save."""
        return only_jpeg(item, "Double compression is looked for in")

    def run(self, subject: Subject) -> CheckResult:
        """Compare the histograms of the coefficients with those that one save and two saves make.

        Raises:
            NotApplicableError: the picture is too small or too flat, or its colours are not stored as luma and chroma.
            MediaError: it cannot be decoded.
        """
        luma = subject.luma()
        if luma.table is None:
            raise NotApplicableError("The picture has no luma of its own: its colours are stored in another way.")
        height, width = luma.plane.shape
        if min(height, width) < MIN_SIDE:
            raise NotApplicableError(f"The picture is {width} x {height} pixels, too small for a history of its saves.")
        counts = histograms(luma.plane, luma.table)
        if values(counts) < MIN_VALUES:
            raise NotApplicableError(
                f"The picture is too flat, dark or bright for a history of its saves: {values(counts):,} coefficients "
                f"are not zero, and {MIN_VALUES:,} are needed."
            )
        first = estimate(counts, luma.table)
        findings = (_finding(first, counts),) if is_double(first, counts) else ()
        return SPEC.done(findings)


def values(counts: Counts) -> int:
    """How many coefficients are not zero."""
    return int(counts[:, 1:].sum())


def is_double(first: First, counts: Counts) -> bool:
    """Whether the support for a first save is enough for what can be expected of single saves."""
    if first.apart >= MIN_APART:
        return True
    share = COARSER_SHARE if first.is_coarser else FINER_SHARE
    return first.support >= max(MIN_SUPPORT, share * values(counts))


def _finding(first: First, counts: Counts) -> Finding:
    kind = "coarser" if first.is_coarser else "finer"
    return Finding(
        TWICE,
        Level.INFO,
        PointsTo.NEITHER,
        f"The picture was saved as JPEG at least twice: before its last save at about quality {first.quality}, with "
        f"{kind} steps than it has now. Messengers, websites and editors save pictures again; this does not show that "
        "anything in it was changed.",
        (
            Evidence("estimated first quality (scale of the Independent JPEG Group)", first.quality),
            Evidence(
                "log-likelihood ratio of two saves to one, without the best frequencies",
                round(first.support, 1),
            ),
            Evidence("the same of the values other than zero alone", round(first.apart, 1)),
            Evidence("coefficients other than zero", values(counts)),
        ),
    )
