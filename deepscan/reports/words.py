"""A verdict in sentences: what it says and rests on, what it does not show, and what would settle the matter.

Shared by the terminal and by every report that speaks in sentences, so that no two of them say different things.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from deepscan.text import clean
from deepscan.types import (
    Basis,
    Call,
    Family,
    ItemReport,
    JSONValue,
    Known,
    Level,
    Outcome,
    PointsTo,
    RunInfo,
    SkipCode,
    Verdict,
)

OUTCOMES = {
    Outcome.DONE: "Done",
    Outcome.NOT_APPLICABLE: "Not applicable",
    Outcome.FAILED: "Could not be examined",
    Outcome.TIMED_OUT: "Gave up",
}

CALLS = {
    Call.STRONG: "Strong evidence",
    Call.MODERATE: "Moderate evidence",
    Call.WEAK: "Weak evidence",
    Call.UNDETERMINED: "Undetermined",
    Call.NO_EVIDENCE: "No evidence found",
}
"""Calls in words, the gravest first."""

FAMILIES = {
    Family.PROVENANCE: "Provenance: signed statements about where it comes from",
    Family.METADATA: "Metadata: what the file says about itself",
    Family.STRUCTURE: "Structure: how the file was written",
    Family.PIXELS: "Pixels: where the picture is inconsistent with itself",
    Family.MODEL: "Model: resemblance to known fakes",
    Family.TEMPORAL: "Time: what changes in the course of the film",
}
"""The families of evidence, each with what it looks at."""

OF = {
    PointsTo.GENERATED: "of AI generation or manipulation",
    PointsTo.EDITED: "of editing",
    PointsTo.AUTHENTIC: "of a camera's own picture",
    PointsTo.NEITHER: "",
}

BASES = {
    Basis.DECLARED: "the file says so itself",
    Basis.MODEL: "by the model's score alone",
    Basis.CORROBORATED: "two independent kinds of evidence agree",
    Basis.CONFLICT: "the evidence contradicts itself",
    Basis.OBSERVED: "by traces in the file",
    Basis.BELOW_THRESHOLD: "the model's score is below its threshold",
    Basis.NO_USABLE_CHECK: "no check that can tell applied to this file",
}

ABSENCE = "The absence of findings does not show that a picture is authentic."
"""Ends every report."""

MAX_WHY = 180
"""Characters of the reason beside a file in a table."""

_TELLS = "classifier"  # the check whose silence would have been an answer: why it has none is why there is none
_TERMS = {"non-commercial": "for research and other non-commercial use only"}

_DECLARATION = (
    "A declaration is as good as whoever made it. What is not signed can be written, changed or removed by anyone; "
    "what is signed shows who signed it and that the file was not changed since, not that the statement is true."
)
_RESEMBLANCE = (
    "A score is resemblance to what the model was trained on, not proof. Real pictures reach it too, as often as the "
    "false-alarm rate beside the threshold says."
)
_TRACES = "Traces show how a file was made and saved. They do not show who did it, when, or with what intent."
_PIXELS = "It does not show which part was there first, or what was in its place."
_EDITED = "Edited is not deceptive: cropping, brightening and saving for the web leave such traces as well."

_ORIGINAL = (
    "The file as it came from the camera, phone or program, not a copy from a website or messenger: those remove "
    "metadata and credentials and save pictures again."
)
_EARLIEST = "The earliest publication of the picture, found by an image search, and who published it."
_MAKER = "The account of the person or service that the declaration names, and their own copy of the file."
_OTHER_VERSIONS = "Earlier versions of the picture, or the editor's project file: side by side they show what changed."
_OTHER_MODEL = (
    "A second model, trained on other data by other people, and the judgement of someone who looks at the parts named."
)
_SAME_SCENE = "Other pictures or films of the same person, place and moment."
_BETTER_COPY = "A larger or less compressed copy, on which more checks apply."


def verdict(item: ItemReport) -> str:
    """The verdict in a sentence, with the model's score where there is one."""
    v = item.verdict
    scored = v.score is not None and v.threshold is not None
    return verdict_alone(v) + (f" Model score {v.score:.2f}, threshold {v.threshold:.2f}." if scored else "")


def verdict_alone(v: Verdict) -> str:
    """The verdict in a sentence, without the score: the same for all verdicts of one call, direction and basis."""
    of = f" {OF[v.points_to]}" if v.call not in (Call.UNDETERMINED, Call.NO_EVIDENCE) and OF[v.points_to] else ""
    return f"{CALLS[v.call]}{of}: {BASES[v.basis]}."


def call(item: ItemReport) -> str:
    """The verdict in two words: how much, and of what."""
    v = item.verdict
    return v.call if v.points_to is PointsTo.NEITHER else f"{v.call}, {v.points_to}"


def because(item: ItemReport) -> str:
    """Why a file has its verdict, in a line: the findings it rests on, or the reasons nothing could be said."""
    found = [
        finding.summary
        for result in item.results
        for finding in result.findings
        if finding.code in item.verdict.because and finding.level is not Level.INFO
    ]
    if found:
        return cut(" ".join(found))
    reasons = [
        f"{result.check}: {result.reason}"
        for result in item.results
        if result.outcome in (Outcome.FAILED, Outcome.TIMED_OUT)
    ] or [
        f"{result.check}: {result.reason}"
        for result in item.results
        if result.outcome is Outcome.NOT_APPLICABLE and result.check == _TELLS
    ]
    return cut(" ".join(reasons[-1:])) or BASES[item.verdict.basis]


def cut(text: str) -> str:
    """Text for a table, at most :data:`MAX_WHY` characters."""
    if len(text) <= MAX_WHY:
        return text
    whole = text[:MAX_WHY].rpartition(" ")[0]  # up to a word's end
    return (whole if len(whole) > MAX_WHY // 2 else text[: MAX_WHY - 2]) + " …"


def families_behind(item: ItemReport, families: Mapping[str, Family]) -> frozenset[Family]:
    """The families of the findings that a verdict rests on; ``families`` is by the ids of checks."""
    return frozenset(
        families[result.check]
        for result in item.results
        if result.check in families and any(f.code in item.verdict.because for f in result.findings)
    )


def does_not_show(v: Verdict, behind: Iterable[Family]) -> tuple[str, ...]:
    """What must not be read into a verdict that rests on findings of the families ``behind``."""
    families = set(behind)
    said = []
    if v.basis is Basis.CONFLICT:
        said.append("Neither side is taken to be right: one of the two is wrong, or both are true of different parts.")
    if v.basis is Basis.DECLARED:
        said.append(_DECLARATION)
    if Family.MODEL in families:
        said.append(_RESEMBLANCE)
    if families & {Family.STRUCTURE, Family.PIXELS, Family.TEMPORAL} or v.basis is Basis.OBSERVED:
        said.append(_TRACES)
    if Family.PIXELS in families:
        said.append(_PIXELS)
    if v.points_to is PointsTo.EDITED:
        said.append(_EDITED)
    if v.basis is Basis.BELOW_THRESHOLD:
        said.append(
            "A low score clears nothing: the model also misses fakes of the kinds it was measured on (its card says "
            "how many), and of other kinds nothing is known."
        )
    if v.basis is Basis.NO_USABLE_CHECK:
        said.append(
            "Nothing that ran can tell either way: the file was not found clean, and nothing was found against it."
        )
    return (*said, ABSENCE)


def would_settle(v: Verdict, behind: Iterable[Family]) -> tuple[str, ...]:
    """What a reader could get or do to know more than the verdict says, the most useful first."""
    families = set(behind)
    ways = [_ORIGINAL]
    if v.basis is Basis.CONFLICT:
        ways.insert(0, "Whether the credentials belong to this picture: who signed them, and what that signer says.")
    if v.basis is Basis.DECLARED:
        ways.append(_MAKER)
    if v.points_to is PointsTo.EDITED or Family.PIXELS in families:
        ways.append(_OTHER_VERSIONS)
    if Family.MODEL in families or v.basis is Basis.BELOW_THRESHOLD:
        ways += [_OTHER_MODEL, _SAME_SCENE]
    if v.basis is Basis.NO_USABLE_CHECK:
        ways += [_BETTER_COPY, _SAME_SCENE]
    return (*dict.fromkeys(ways), _EARLIEST)


def missing_first(counts: Mapping[SkipCode, int]) -> list[tuple[SkipCode, int]]:
    """How many files were skipped for which reason: those that should have been examined before those left out."""
    return sorted(counts.items(), key=lambda pair: (not pair[0].incomplete, pair[0]))


def terms(run: RunInfo) -> Iterator[str]:
    """The terms of a model that is not free for every use; nothing of one that is."""
    if run.model is not None and run.model.get("licence_class") != "open":
        yield f"Model {clean(str(run.model.get('name')))}, {licence(run.model).rstrip('.')}."


def licence(model: Mapping[str, JSONValue]) -> str:
    """What a model's card says of its licence: for what use, where that is restricted or unknown, and in its words."""
    stated, kind = clean(str(model.get("licence", "not stated"))), str(model.get("licence_class"))
    return stated if kind == "open" else f"{_TERMS.get(kind, 'licence unknown')}: {stated}"


def accepted(known: Known) -> str:
    """By what a flagged file is accepted, in a clause."""
    if known.source == "baseline":
        return "known from the baseline"
    return f"accepted by {clean(known.author or '')} until {clean(known.expires or '')}: {clean(known.reason or '')}"
