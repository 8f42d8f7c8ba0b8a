"""A manifest store as evidence: cleaned, bounded, with every validation code explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from deepscan.checks.credentials.codes import words_for
from deepscan.checks.credentials.places import Places
from deepscan.checks.credentials.state import STAMPED, State, unproved_identities
from deepscan.checks.credentials.statements import AiMark, title_of
from deepscan.checks.credentials.store import Action, Ingredient, Manifest, Status, Store
from deepscan.checks.credentials.trust import TrustList
from deepscan.text import clean
from deepscan.types import Evidence, JSONValue

MAX_SHOWN = 50
"""Actions, ingredients or codes that a report lists; the rest is counted."""

_NAME = 120


def name(text: str, limit: int = _NAME) -> str:
    """Words of the file in quotes, as one harmless line."""
    return f'"{clean(text.strip(), limit)}"'


def evidence_of(store: Store, state: State, trust: TrustList) -> tuple[Evidence, ...]:
    """What the file's own manifest says, and what the validator says of it."""
    return tuple(_evidence(store, state, trust))


def _evidence(store: Store, state: State, trust: TrustList) -> Iterator[Evidence]:
    yield Evidence("state", state.value)
    yield Evidence("trust list", clean(trust.name))
    if store.remote:
        yield Evidence("remote manifest", clean(store.remote))
    if store.active is not None:
        yield from _manifest(store, store.active)
    identities = unproved_identities(store.statuses)
    if identities:
        yield Evidence("identity not confirmed", _codes(identities))
    for label, statuses in (
        ("validation failures", store.statuses.failures),
        ("validation notes", store.statuses.notes),
        ("validation successes", store.statuses.success),
    ):
        if statuses:
            yield Evidence(label, _codes(statuses))


def _manifest(store: Store, manifest: Manifest) -> Iterator[Evidence]:
    signer = manifest.signer
    yield Evidence(
        "signer",
        {
            "name": clean(signer.common_name, _NAME),
            "issuer": clean(signer.issuer, _NAME),
            "serial": clean(signer.serial, _NAME),
            "algorithm": clean(signer.algorithm, _NAME),
        },
    )
    if signer.time:
        stamped = any(status.code == STAMPED for status in store.statuses.success)
        source = "a time stamp" if stamped else "the signer's own clock"
        yield Evidence("signed at", {"time": clean(signer.time, _NAME), "source": source})
    if manifest.generators:
        yield Evidence("claim generator", [clean(n, _NAME) for n in manifest.generators[:MAX_SHOWN]])
    if manifest.actions:
        yield Evidence("actions", _bounded(map(_action, manifest.actions)))
    if manifest.ingredients:
        yield Evidence("ingredients", _bounded(_ingredient(i, store) for i in manifest.ingredients))
    if manifest.source_types:
        yield Evidence("source types", _bounded(clean(s.value, _NAME) for s in manifest.source_types))


def _action(action: Action) -> JSONValue:
    said = {"agent": action.agent, "when": action.when, "source type": action.source_type}
    return {
        "action": clean(action.name, _NAME),
        **{key: clean(value, _NAME) for key, value in said.items() if value},
    }


def _ingredient(ingredient: Ingredient, store: Store) -> JSONValue:
    manifest = store.manifests.get(ingredient.manifest or "")
    return {
        "title": clean(title_of(ingredient, manifest), _NAME),
        "relationship": clean(ingredient.relationship, _NAME),
        "has credentials": manifest is not None,
    }


def _codes(statuses: tuple[Status, ...]) -> JSONValue:
    unique = {(status.code, status.about): status for status in statuses}
    return _bounded(
        {"code": clean(s.code, _NAME), "means": words_for(s.code), "about": clean(s.about, 200)}
        for s in unique.values()
    )


def _bounded(items: Iterable[JSONValue]) -> JSONValue:
    listed = list(items)
    more = len(listed) - MAX_SHOWN
    return [*listed[:MAX_SHOWN], *([f"and {more} more"] if more > 0 else [])]


def marks_as_evidence(marks: Iterable[AiMark]) -> tuple[Evidence, ...]:
    """The statements of AI, with the way that leads to each."""
    return tuple(
        Evidence(
            "statement of AI",
            {
                "says": clean(mark.says, _NAME),
                "means": mark.means,
                "where": clean(mark.where, _NAME),
                "ingredient": " > ".join(clean(title, 60) for title in mark.ingredients) or None,
            },
        )
        for mark in list(marks)[:MAX_SHOWN]
    )


def codes_as_evidence(label: str, statuses: tuple[Status, ...]) -> Evidence:
    """Some of the validator's codes, explained."""
    return Evidence(label, _codes(statuses))


def traces(places: Places, state: State) -> tuple[Evidence, ...]:
    """What was found in a file without a manifest that could be read."""
    found = {
        "remote manifest": places.remote,
        "reference in XMP": places.pointer,
        "bytes of a manifest store at": places.stray,
        "bytes of the place for a manifest": places.manifest,
    }
    return (
        Evidence("state", state.value),
        *(
            Evidence(label, clean(value) if isinstance(value, str) else value)
            for label, value in found.items()
            if value is not None
        ),
    )
