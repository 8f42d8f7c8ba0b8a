"""From results to a verdict: a pure function over a policy that is data, tested as a table.

Every finding is first held to what its family may say by itself (:class:`Policy`, docs/evidence.md). A call is evidence
*of* generation or editing, so only findings that point to one of these raise it. The rules, the first that fits:

1. **conflict**: a finding of at least moderate level says authentic, and one of at least moderate level says generated.
   The call is undetermined, ``because`` names both sides, and no average hides either.
2. **declared**: a strong finding of a family that declares (provenance, metadata) says generated or edited: strong.
   What only our comparison shows (a signature that does not hold, dates that contradict) declares nothing.
3. **corroborated**: two families, each at least moderate, point to the same thing: strong.
4. **the highest level** left: basis declared, model or observed, by the family it comes from.
5. **declared authentic**: nothing is above info, and a strong provenance finding says authentic: no-evidence, declared.
6. **below-threshold**: nothing is above info, and a family whose silence means something (the model) answered with a
   probability below its lowest threshold: no-evidence.
7. **no-usable-check**: nothing was found, and nothing ran whose silence means something. The call is undetermined,
   because the absence of metadata, of a manifest or of a face is not evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from deepscan.types import Basis, Call, CheckResult, Family, Finding, Level, Meaning, Outcome, PointsTo, Verdict


@dataclass(frozen=True, slots=True)
class Cap:
    """The most a family may say by itself.

    ``declaration`` is the most for a declaration that points to generated (a generator's own mark, a signed statement);
    ``usual`` is the most for any other.
    """

    usual: Level
    declaration: Level


@dataclass(frozen=True, slots=True)
class Policy:
    """What each family may say by itself, and what its silence means.

    ``version`` changes whenever the same results could get another verdict: it belongs in the fingerprint under which
    verdicts are stored. ``declaring`` families give the basis ``declared``, except for the codes in ``observed``: there
    what a file states is set against what it is, which is our observation. The silence of ``silence_counts`` families
    is an answer. ``corroborates`` is the level from which findings corroborate or contradict each other.
    """

    version: str
    caps: Mapping[Family, Cap]
    declaring: frozenset[Family]
    observed: frozenset[str]
    silence_counts: frozenset[Family]
    corroborates: Level


DEFAULT_POLICY = Policy(
    version="2",
    caps=MappingProxyType(
        {
            Family.PROVENANCE: Cap(Level.STRONG, Level.STRONG),
            Family.METADATA: Cap(Level.WEAK, Level.STRONG),
            Family.STRUCTURE: Cap(Level.MODERATE, Level.MODERATE),
            Family.PIXELS: Cap(Level.MODERATE, Level.MODERATE),
            # The pack's card decides, from its measured false alarms.
            Family.MODEL: Cap(Level.STRONG, Level.STRONG),
            Family.TEMPORAL: Cap(Level.MODERATE, Level.MODERATE),
        }
    ),
    declaring=frozenset({Family.PROVENANCE, Family.METADATA}),
    observed=frozenset({"DS-PROV-004", *(f"DS-META-{n:03d}" for n in (4, 5, 6, 7, 8, *range(10, 19)))}),
    silence_counts=frozenset({Family.MODEL}),
    corroborates=Level.MODERATE,
)
"""The policy of docs/evidence.md."""

_RAISING = (PointsTo.GENERATED, PointsTo.EDITED)
"""What raises a call; where both stand equal, the first is named."""

_CALLS = {Level.WEAK: Call.WEAK, Level.MODERATE: Call.MODERATE, Level.STRONG: Call.STRONG}


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A finding with its family, held to what that family may say."""

    family: Family
    level: Level
    points_to: PointsTo
    code: str


def decide(
    results: Sequence[CheckResult],
    families: Mapping[str, Family],
    *,
    policy: Policy = DEFAULT_POLICY,
    threshold: float | None = None,
) -> Verdict:
    """The verdict on one file. Pure: the order of ``results`` changes nothing.

    Args:
        results: How every check ended on the file.
        families: The family of every check named in ``results``, by its id.
        policy: What families may say.
        threshold: The lowest threshold of the model's card, in [0, 1]; None when there is no model or no threshold.

    Returns:
        The verdict. Its ``score`` is the model's own, its ``threshold`` stands beside it. Findings of level info, and
        findings that point to neither, never raise it, nor does one that says authentic.
    """
    weighed = [_weigh(finding, families[result.check], policy) for result in results for finding in result.findings]
    call, points_to, basis, because = (
        _conflict(weighed, policy) or _raised(weighed, policy) or _silent(weighed, results, families, policy, threshold)
    )
    score = _model_score(results, families)
    return Verdict(
        call=call,
        points_to=points_to,
        basis=basis,
        score=score,
        threshold=None if score is None else threshold,
        because=_codes(because),
    )


def _weigh(finding: Finding, family: Family, policy: Policy) -> _Weighed:
    cap = policy.caps[family]
    declares = finding.points_to is PointsTo.GENERATED and finding.code not in policy.observed
    most = cap.declaration if declares else cap.usual
    level = min(finding.level, most, key=lambda level: level.rank)
    return _Weighed(family, level, finding.points_to, finding.code)


_Answer = tuple[Call, PointsTo, Basis, Iterable[_Weighed]]


def _conflict(weighed: Sequence[_Weighed], policy: Policy) -> _Answer | None:
    heavy = [w for w in weighed if w.level.rank >= policy.corroborates.rank]
    sides = [[w for w in heavy if w.points_to is side] for side in (PointsTo.AUTHENTIC, PointsTo.GENERATED)]
    if not all(sides):
        return None
    return Call.UNDETERMINED, PointsTo.NEITHER, Basis.CONFLICT, [*sides[0], *sides[1]]


def _raised(weighed: Sequence[_Weighed], policy: Policy) -> _Answer | None:
    """Rules 2 to 4: the call that findings raise, if any does."""
    raising = [w for w in weighed if w.points_to in _RAISING and w.level is not Level.INFO]
    if not raising:
        return None
    for points_to in _RAISING:
        declared = [w for w in raising if w.points_to is points_to and w.level is Level.STRONG and _declares(w, policy)]
        if declared:
            return Call.STRONG, points_to, Basis.DECLARED, declared
    for points_to in _RAISING:
        heavy = [w for w in raising if w.points_to is points_to and w.level.rank >= policy.corroborates.rank]
        if len({w.family for w in heavy}) > 1:
            return Call.STRONG, points_to, Basis.CORROBORATED, heavy
    highest = max((w.level for w in raising), key=lambda level: level.rank)
    top = [w for w in raising if w.level is highest]
    points_to = min((w.points_to for w in top), key=_RAISING.index)
    because = [w for w in top if w.points_to is points_to]
    return _CALLS[highest], points_to, _basis(because, policy), because


def _declares(weighed: _Weighed, policy: Policy) -> bool:
    return weighed.family in policy.declaring and weighed.code not in policy.observed


def _basis(because: Sequence[_Weighed], policy: Policy) -> Basis:
    """The basis of a call that rests on these findings; a declaration says more than a resemblance."""
    if any(_declares(w, policy) for w in because):
        return Basis.DECLARED
    return Basis.MODEL if any(w.family is Family.MODEL for w in because) else Basis.OBSERVED


def _silent(
    weighed: Sequence[_Weighed],
    results: Sequence[CheckResult],
    families: Mapping[str, Family],
    policy: Policy,
    threshold: float | None,
) -> _Answer:
    """Rules 5 to 7: what it means that nothing raised the call."""
    authentic = [
        w
        for w in weighed
        if w.points_to is PointsTo.AUTHENTIC and w.level is Level.STRONG and w.family in policy.declaring
    ]
    if authentic:
        return Call.NO_EVIDENCE, PointsTo.NEITHER, Basis.DECLARED, authentic
    scores = _probabilities(results, families, policy.silence_counts)
    # A score at or above the threshold whose finding was capped away is no silence, and a score without a threshold is
    # not below it: neither may look like a clean answer.
    if scores and threshold is not None and max(scores) < threshold:
        return Call.NO_EVIDENCE, PointsTo.NEITHER, Basis.BELOW_THRESHOLD, ()
    return Call.UNDETERMINED, PointsTo.NEITHER, Basis.NO_USABLE_CHECK, ()


def _model_score(results: Sequence[CheckResult], families: Mapping[str, Family]) -> float | None:
    """The model's own probability, the highest where several checks of the family answered."""
    return max(_probabilities(results, families, frozenset({Family.MODEL})), default=None)


def _probabilities(
    results: Sequence[CheckResult], families: Mapping[str, Family], wanted: frozenset[Family]
) -> tuple[float, ...]:
    return tuple(
        r.score.value
        for r in results
        if r.outcome is Outcome.DONE
        and r.score is not None
        and r.score.meaning is Meaning.PROBABILITY
        and families[r.check] in wanted
    )


def _codes(weighed: Iterable[_Weighed]) -> tuple[str, ...]:
    """Finding codes, each once, by family and code: an order that owes nothing to the order of the checks."""
    order = list(Family)
    ranked = sorted({(order.index(w.family), w.code) for w in weighed})
    return tuple(dict.fromkeys(code for _, code in ranked))
