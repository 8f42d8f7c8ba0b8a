"""What a manifest store says, as values: the validator's JSON, bounded and turned into a closed form.

Everything in it was written by whoever signed the file, or by whoever changed it since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deepscan.errors import LimitError
from deepscan.types import JSONValue

MAX_MANIFESTS = 256
"""Manifests of one store that are looked at. Editors carry one for each file they were given, some dozen."""

MAX_STATEMENTS = 4096
"""Actions, ingredients or codes of one manifest that are looked at."""

MAX_NODES = 200_000
"""Values of one manifest's assertions that are searched."""

MAX_LISTED = 64
"""Names that one list of a manifest may give."""

_SOURCE_TYPE = "digitalsourcetype"


@dataclass(frozen=True, slots=True)
class Status:
    """One validation code. ``about`` is the place in the store that it speaks of."""

    code: str
    about: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Statuses:
    """What the validator found for one manifest."""

    success: tuple[Status, ...] = ()
    notes: tuple[Status, ...] = ()
    failures: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that was done: its name (``c2pa.created``), with what, when, and what it declares as source."""

    name: str
    agent: str
    when: str
    source_type: str
    ingredients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A file that was used. ``manifest`` is the label of its manifest in the store, ``label`` that of the assertion.

    ``failures`` are those that the signer recorded, and those that the validator found beyond them.
    """

    title: str
    relationship: str
    manifest: str | None
    label: str
    failures: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceType:
    """A digital source type that an assertion other than a list of actions declares, and the assertion's label."""

    value: str
    assertion: str


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, as the certificate says; ``time`` is there only where a time stamp gives it."""

    issuer: str = ""
    common_name: str = ""
    serial: str = ""
    algorithm: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest of the store."""

    label: str
    title: str
    generators: tuple[str, ...]
    actions: tuple[Action, ...]
    ingredients: tuple[Ingredient, ...]
    source_types: tuple[SourceType, ...]
    identities: tuple[str, ...]
    fragmented: bool
    signer: Signer


@dataclass(frozen=True, slots=True)
class Store:
    """A manifest store. ``active`` is the manifest of the file itself, None where the validator could not load it."""

    active: Manifest | None
    manifests: Mapping[str, Manifest]
    statuses: Statuses
    embedded: bool = True
    remote: str | None = None


def read_store(report: JSONValue) -> Store:
    """The store that the validator's report describes; what does not have the form expected is taken as absent.

    Raises:
        LimitError: it holds more than is looked at.
    """
    root = _mapping(report)
    named = _mapping(root.get("manifests"))
    if len(named) > MAX_MANIFESTS:
        raise LimitError(f"The manifest store holds {len(named):,} manifests; at most {MAX_MANIFESTS} are looked at.")
    results = _mapping(root.get("validation_results"))
    found = _found_in_ingredients(results)
    active = root.get("active_manifest")
    manifests = {label: _manifest(label, _mapping(value), found) for label, value in named.items()}
    return Store(
        manifests.get(active) if isinstance(active, str) else None,
        manifests,
        _statuses(_mapping(results.get("activeManifest"))),
    )


def _mapping(value: JSONValue) -> Mapping[str, JSONValue]:
    return value if isinstance(value, Mapping) else {}


def _items(value: JSONValue) -> Sequence[JSONValue]:
    """The members of a list, at most :data:`MAX_STATEMENTS`. Raises LimitError for more."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    if len(value) > MAX_STATEMENTS:
        raise LimitError(f"A manifest lists {len(value):,} statements; at most {MAX_STATEMENTS:,} are looked at.")
    return value


def _text(value: JSONValue) -> str:
    return value if isinstance(value, str) else ""


def _statuses(results: Mapping[str, JSONValue]) -> Statuses:
    return Statuses(*(tuple(_listed(results.get(kind))) for kind in ("success", "informational", "failure")))


def _listed(value: JSONValue) -> Iterator[Status]:
    for item in map(_mapping, _items(value)):
        if _text(item.get("code")):
            yield Status(_text(item.get("code")), _text(item.get("url")), _text(item.get("explanation")))


def _found_in_ingredients(results: Mapping[str, JSONValue]) -> Mapping[str, tuple[Status, ...]]:
    """Place of an ingredient's assertion -> the failures that the validator found beyond the recorded ones."""
    return {
        _text(delta.get("ingredientAssertionURI")): _statuses(_mapping(delta.get("validationDeltas"))).failures
        for delta in map(_mapping, _items(results.get("ingredientDeltas")))
    }


def _manifest(label: str, raw: Mapping[str, JSONValue], found: Mapping[str, tuple[Status, ...]]) -> Manifest:
    assertions = [_mapping(item) for item in _items(raw.get("assertions"))]
    signature = _mapping(raw.get("signature_info"))
    lists = [a for a in assertions if _text(a.get("label")).startswith("c2pa.actions")]
    others = [a for a in assertions if a not in lists]
    return Manifest(
        label=label,
        title=_text(raw.get("title")),
        generators=tuple(_generators(raw)),
        actions=tuple(action for item in lists for action in _actions(_mapping(item.get("data")))),
        ingredients=tuple(_ingredient(label, _mapping(item), found) for item in _items(raw.get("ingredients"))),
        source_types=tuple(
            SourceType(value, _text(item.get("label"))) for item in others for value in source_types(item.get("data"))
        ),
        identities=tuple(
            _text(a.get("label")) for a in assertions if _text(a.get("label")).startswith("cawg.identity")
        ),
        fragmented=any(_is_fragmented(item) for item in assertions),
        signer=Signer(
            *(_text(signature.get(key)) for key in ("issuer", "common_name", "cert_serial_number", "alg", "time"))
        ),
    )


def _generators(raw: Mapping[str, JSONValue]) -> Iterator[str]:
    """The programs that made the claim; the older field is one string of several names and versions."""
    infos = [_named(item) for item in _items(raw.get("claim_generator_info"))]
    yield from dict.fromkeys([name for name in infos if name] or [_text(raw.get("claim_generator"))])


def _named(agent: JSONValue) -> str:
    """A program as one string: older manifests write one, newer ones a name and a version."""
    if isinstance(agent, str):
        return agent
    info = _mapping(agent)
    return f"{_text(info.get('name'))} {_text(info.get('version'))}".strip()


def _actions(data: Mapping[str, JSONValue]) -> Iterator[Action]:
    agents = [_named(item) for item in _items(data.get("softwareAgents"))]
    for kind in ("actions", "templates"):
        for raw in map(_mapping, _items(data.get(kind))):
            index = raw.get("softwareAgentIndex")
            shared = agents[index] if isinstance(index, int) and 0 <= index < len(agents) else ""
            parameters = _mapping(raw.get("parameters"))
            source = next(iter(source_types({k: v for k, v in raw.items() if k != "changes"})), "")
            used = [*_items(parameters.get("ingredients")), parameters.get("ingredient")]
            yield Action(
                name=_text(raw.get("action")),
                agent=_named(raw.get("softwareAgent")) or shared,
                when=_text(raw.get("when")),
                source_type=source,
                ingredients=tuple(_text(_mapping(item).get("url")).rpartition("/")[2] for item in used if item),
            )


def _ingredient(manifest: str, raw: Mapping[str, JSONValue], found: Mapping[str, tuple[Status, ...]]) -> Ingredient:
    label = _text(raw.get("label"))
    place = f"self#jumbf=/c2pa/{manifest}/c2pa.assertions/{label}"
    recorded = _statuses(_mapping(_mapping(raw.get("validation_results")).get("activeManifest"))).failures
    older = tuple(_listed(raw.get("validation_status")))
    return Ingredient(
        title=_text(raw.get("title")),
        relationship=_text(raw.get("relationship")),
        manifest=_text(raw.get("active_manifest")) or None,
        label=label,
        failures=tuple(dict.fromkeys((*recorded, *older, *found.get(place, ())))),
    )


def _is_fragmented(assertion: Mapping[str, JSONValue]) -> bool:
    """Whether the content is hashed as an initialisation segment, and its fragments in files of their own."""
    trees = _items(_mapping(assertion.get("data")).get("merkle"))
    return _text(assertion.get("label")).startswith("c2pa.hash.bmff") and any(
        _mapping(tree).get("initHash") is not None for tree in trees
    )


def source_types(data: JSONValue) -> Iterator[str]:
    """Every digital source type in an assertion, whatever its schema: the key's local name tells.

    IPTC's property is written digitalSourceType in C2PA, Iptc4xmpExt:DigitalSourceType in metadata, and as a full
    address in some JSON-LD; its value is a term, the address of a term, or an object with an ``@id``.

    Raises:
        LimitError: the assertion holds more than :data:`MAX_NODES` values.
    """
    waiting, nodes = [data], 0
    while waiting:
        value = waiting.pop()
        nodes += 1
        if nodes > MAX_NODES:
            raise LimitError(f"An assertion holds more than {MAX_NODES:,} values; the rest was not looked at.")
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if local_name(key).lower() == _SOURCE_TYPE:
                    yield from _terms(inner)
                else:
                    waiting.append(inner)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            waiting.extend(value)


def _terms(value: JSONValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, Mapping):
        yield from (
            inner.strip() for key, inner in value.items() if key in ("@id", "@value") and isinstance(inner, str)
        )
    elif isinstance(value, Sequence):
        for inner in value[:MAX_LISTED]:
            if isinstance(inner, str):
                yield inner.strip()


def local_name(name: str) -> str:
    """The last part of an address or of a prefixed name: ``"iptcExt:DigitalSourceType"`` -> ``"DigitalSourceType"``."""
    return name.strip().rstrip("/").replace("#", "/").replace(":", "/").rpartition("/")[2]
