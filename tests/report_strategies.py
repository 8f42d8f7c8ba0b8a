"""Strategies of hypothesis for reports that hold anything a report can hold. No file of them exists."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from hypothesis import strategies as st

from deepscan import types
from deepscan.types import (
    CheckResult,
    Evidence,
    Finding,
    ItemReport,
    Level,
    Meaning,
    MediaItem,
    MediaKind,
    Outcome,
    Part,
    PointsTo,
    Score,
    SkipCode,
    Skipped,
    Where,
)
from tests.gold.sample import DECLARED, REPORT

# Everything a str can hold, lone surrogates and the escape's own characters among it.
TEXT = st.text(st.one_of(st.characters(), st.sampled_from("\ufffd{}dce9\udce9\ud800\u202e\x00\n")), max_size=12)
FREE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
SCORE = st.builds(Score, st.floats(0, 1), st.sampled_from(Meaning))
WHERE = st.builds(
    Where,
    st.none() | st.integers(0, 10**6),
    st.none() | st.floats(0, 1e6),
    st.none() | st.builds(types.Box, *[st.integers(0, 10**5)] * 4),
)
EVIDENCE = st.builds(Evidence, TEXT, FREE, st.none() | WHERE, st.none() | TEXT)
FINDING = st.builds(
    Finding,
    TEXT.filter(bool),
    st.sampled_from(Level),
    st.sampled_from(PointsTo),
    TEXT.filter(bool),
    st.lists(EVIDENCE, max_size=2).map(tuple),
)
PART = st.builds(Part, st.just("face"), WHERE, SCORE) | st.builds(
    Part, st.just("page"), WHERE, st.none(), TEXT.filter(bool)
)
SECONDS = st.floats(0, 1e4)
RESULT = st.builds(
    CheckResult,
    st.just("check"),
    TEXT,
    st.just(Outcome.DONE),
    st.lists(FINDING, max_size=2).map(tuple),
    st.none() | SCORE,
    st.lists(PART, max_size=2).map(tuple),
    seconds=SECONDS,
) | st.builds(
    CheckResult,
    st.just("check"),
    TEXT,
    st.sampled_from([o for o in Outcome if o is not Outcome.DONE]),
    reason=TEXT.filter(bool),
    seconds=SECONDS,
)
PATH = TEXT.map(lambda name: name.replace("\x00", ""))
ITEM = st.builds(
    MediaItem,
    PATH.map(Path),
    PATH.map(PurePosixPath),
    st.sampled_from(MediaKind),
    st.just("jpeg"),
    st.integers(0, 2**50),
    st.just("0f" * 32),
)
REPORTS = st.builds(ItemReport, ITEM, st.lists(RESULT, max_size=2).map(tuple), st.just(DECLARED.verdict))

SKIPPED = st.builds(Skipped, PATH.map(Path), st.sampled_from(SkipCode), TEXT.filter(bool))
WHOLE = st.builds(
    types.ScanReport,
    st.just(REPORT.schema),
    st.just(REPORT.run),
    st.lists(REPORTS, max_size=2, unique_by=lambda report: report.item.path).map(tuple),
    st.lists(SKIPPED, max_size=2, unique_by=lambda skipped: skipped.path).map(tuple),
    st.booleans(),
)
"""A whole report of a few files."""
