"""What content credentials let a report say: one function for each kind of finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from deepscan.checks.credentials.codes import Meaning, words_for
from deepscan.checks.credentials.describe import codes_as_evidence, evidence_of, marks_as_evidence, name
from deepscan.checks.credentials.state import State, broken, failed_identities, failures_of
from deepscan.checks.credentials.statements import AiMark, Capture, ai_marks, capture_of, title_of
from deepscan.checks.credentials.store import Status, Store
from deepscan.checks.credentials.trust import TrustList
from deepscan.text import clean, plural
from deepscan.types import Finding, Level, PointsTo

AI_DECLARED, AI_INGREDIENT, CAPTURE = "DS-PROV-001", "DS-PROV-002", "DS-PROV-003"
CHANGED, SAYS_NEITHER, IDENTITY = "DS-PROV-004", "DS-PROV-005", "DS-PROV-006"
REMOTE, MARKER, UNREADABLE = "DS-PROV-007", "DS-PROV-008", "DS-PROV-009"
INGREDIENT_FAILS, AI_UNVERIFIED, FRAGMENT = "DS-PROV-010", "DS-PROV-011", "DS-PROV-012"
RULES, REMOVED = "DS-PROV-013", "DS-PROV-014"

CODES = (
    *(AI_DECLARED, AI_INGREDIENT, CAPTURE, CHANGED, SAYS_NEITHER, IDENTITY, REMOTE, MARKER, UNREADABLE),
    *(INGREDIENT_FAILS, AI_UNVERIFIED, FRAGMENT, RULES, REMOVED),
)


def judge(store: Store, state: State, trust: TrustList, *, fragment: bool = False) -> Iterator[Finding]:
    """The findings on a store that could be read, the main one first; that one carries the evidence.

    ``fragment`` says that the file is one of several that were signed together, so that no hash of it can match.
    """
    main = list(_partial(store)) if fragment else list(_main(store, state))
    evidence = evidence_of(store, state, trust)
    yield replace(main[0], evidence=(*main[0].evidence, *evidence))
    yield from main[1:]
    yield from _identity(store, state)
    yield from _ingredients(store)


def _main(store: Store, state: State) -> Iterator[Finding]:
    marks = ai_marks(store)
    if not state.intact:
        yield from _not_intact(store, state, marks)
        return
    own = [mark for mark in marks if not mark.ingredients]
    capture = capture_of(store)
    if own:
        yield _declared(store, state, own)
    elif marks:
        yield _in_ingredient(store, state, marks)
    elif capture is not None:
        yield _captured(store, state, capture)
    else:
        yield _neither(store, state)


def _signature(store: Store, state: State) -> str:
    """Who signed, and what that is worth, as a sentence."""
    signer = store.active.signer if store.active else None
    who = name((signer.common_name or signer.issuer) if signer else "") if signer else "an unnamed certificate"
    if state is State.TRUSTED:
        return f"The signer is {who}, who is on the trust list, and the file is as it was signed."
    reasons = {status.code for status in failures_of(store.statuses, Meaning.TRUST)}
    why = "has lapsed or been withdrawn" if reasons - {"signingCredential.untrusted"} else "is not on the trust list"
    return (
        f"The signer is {who}, whose certificate {why}; the file is as it was signed, and anyone can sign with a "
        "certificate that is not trusted."
    )


def _quote(mark: AiMark) -> str:
    return f"{name(mark.says, 80)} in the {clean(mark.where, 60)} ({mark.means})"


def _declared(store: Store, state: State, marks: list[AiMark]) -> Finding:
    level = Level.MODERATE if all(mark.mixed for mark in marks) else Level.STRONG
    return Finding(
        AI_DECLARED,
        level,
        PointsTo.GENERATED,
        f"The content credentials declare the use of AI: {_quote(marks[0])}. {_signature(store, state)} "
        "How much of the content AI made is only what the declaration says.",
        marks_as_evidence(marks),
    )


def _in_ingredient(store: Store, state: State, marks: tuple[AiMark, ...]) -> Finding:
    best = max(marks, key=lambda mark: (mark.contained, mark.sound, not mark.mixed))
    level = Level.STRONG if best.contained and best.sound and not best.mixed else Level.MODERATE
    if not best.contained:
        level = Level.WEAK
    way = " > ".join(name(title, 60) for title in best.ingredients)
    part = "is declared to be a part or the origin of this file" if best.contained else "was used as an input only"
    sound = "" if best.sound else " The credentials of that ingredient do not hold together themselves."
    return Finding(
        AI_INGREDIENT,
        level,
        PointsTo.GENERATED,
        f"The content credentials declare the use of AI in an ingredient, {way}, which {part}: {_quote(best)}.{sound} "
        f"{_signature(store, state)} How much of it can be seen in this file they do not say.",
        marks_as_evidence(marks),
    )


def _captured(store: Store, state: State, capture: Capture) -> Finding:
    direct = not capture.ingredients and not capture.edits
    strong = direct and state is State.TRUSTED
    since = ""
    if capture.edits:
        since = f" Since then it was processed: {', '.join(clean(edit, 40) for edit in capture.edits[:6])}."
    elif capture.ingredients:
        since = f" The declaration is that of an ingredient, {name(capture.ingredients[-1], 60)}."
    return Finding(
        CAPTURE,
        Level.STRONG if strong else Level.INFO,
        PointsTo.AUTHENTIC if strong else PointsTo.NEITHER,
        f"The content credentials declare that a camera took this: {name(capture.says, 40)}.{since} "
        f"{_signature(store, state)} They do not show that the scene was real: cameras also take pictures of screens.",
    )


def _neither(store: Store, state: State) -> Finding:
    made = store.active.generators[:2] if store.active else ()
    by = " and ".join(name(generator, 60) for generator in made if generator.strip()) or "a program without a name"
    return Finding(
        SAYS_NEITHER,
        Level.INFO,
        PointsTo.NEITHER,
        f"The file has content credentials made by {by}. {_signature(store, state)} "
        "They say neither that AI was used nor that a camera took it.",
    )


def _not_intact(store: Store, state: State, marks: tuple[AiMark, ...]) -> Iterator[Finding]:
    changed = failures_of(store.statuses, Meaning.CHANGED)
    rules = failures_of(store.statuses, Meaning.RULE)
    if state is State.UNREADABLE:
        failed = failures_of(store.statuses, Meaning.UNVERIFIED)
        yield unreadable(f"The library reports {_explained(failed)}." if failed else "No signature could be verified.")
    elif changed:
        yield Finding(
            CHANGED,
            Level.MODERATE,
            PointsTo.EDITED,
            "The file or its content credentials were changed after signing: "
            f"{_explained(changed)}. Saving the file again with a program or website that keeps the credentials leaves "
            "the same trace; what was changed, this does not show.",
            (codes_as_evidence("what does not match", changed),),
        )
    else:
        yield Finding(
            RULES,
            Level.INFO,
            PointsTo.NEITHER,
            f"The content credentials break the rules of their specification: {_explained(rules)}. Nothing they say "
            "counts as verified, and they show no change of the content.",
            (codes_as_evidence("rules that are broken", rules),),
        )
    yield from _unverified(marks)


def _partial(store: Store) -> Iterator[Finding]:
    yield Finding(
        FRAGMENT,
        Level.INFO,
        PointsTo.NEITHER,
        "The file is one part of a film in several files (a DASH initialisation segment), and its content credentials "
        "speak of them all. A part cannot be validated alone; that is no sign of a change.",
    )
    yield from _unverified(ai_marks(store))


def _unverified(marks: tuple[AiMark, ...]) -> Iterator[Finding]:
    if marks:
        yield Finding(
            AI_UNVERIFIED,
            Level.MODERATE if any(not mark.mixed for mark in marks) else Level.WEAK,
            PointsTo.GENERATED,
            f"The content credentials declare the use of AI: {_quote(marks[0])}. The declaration is unverified: "
            "the credentials as a whole do not hold.",
            marks_as_evidence(marks),
        )


def _explained(statuses: tuple[Status, ...]) -> str:
    """The first code with what it says, and how many others there are."""
    first, others = statuses[0], len({status.code for status in statuses}) - 1
    words = words_for(first.code)
    more = f", and {plural(others, 'other code')}" if others else ""
    return f"{clean(first.code, 80)} ({words[:1].lower()}{words[1:].rstrip('.')}){more}"


def unreadable(reason: str, *, found: bool = True) -> Finding:
    """Credentials that could not be read, or (not ``found``) not even searched for; ``reason`` is a sentence."""
    begins = (
        "The file has content credentials that cannot be read."
        if found
        else "Whether the file has content credentials cannot be told."
    )
    return Finding(
        UNREADABLE,
        Level.INFO,
        PointsTo.NEITHER,
        f"{begins} {reason} That is neither evidence of a change nor of its absence.",
    )


def _identity(store: Store, state: State) -> Iterator[Finding]:
    failed = failed_identities(store.statuses)
    if not failed:
        return
    beside = "the content of the file is as it was signed" if state.intact else "what else fails is reported apart"
    yield Finding(
        IDENTITY,
        Level.INFO,
        PointsTo.NEITHER,
        f"An identity assertion in the content credentials fails: {_explained(failed)}. "
        f"Who it names is not confirmed; {beside}.",
        (codes_as_evidence("what fails", failed),),
    )


def _ingredients(store: Store) -> Iterator[Finding]:
    if store.active is None:
        return
    failing = [(i, broken(i.failures)) for i in store.active.ingredients]
    failing = [(ingredient, failures) for ingredient, failures in failing if failures]
    own = failures_of(store.statuses, Meaning.INGREDIENT)
    if not failing and not own:
        return
    titles = ", ".join(
        name(title_of(ingredient, store.manifests.get(ingredient.manifest or "")), 60) for ingredient, _ in failing[:3]
    )
    statuses = tuple(dict.fromkeys((*own, *(status for _, failures in failing for status in failures))))
    yield Finding(
        INGREDIENT_FAILS,
        Level.INFO,
        PointsTo.NEITHER,
        f"The content credentials of an ingredient fail{f' ({titles})' if titles else ''}: {_explained(statuses)}. "
        "That speaks of the file that was used, not of this one.",
        (codes_as_evidence("what fails", statuses),),
    )
