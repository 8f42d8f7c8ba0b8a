"""What the manifests say about how the picture or film came to be: by AI, by a camera, or neither."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from deepscan.checks.credentials.state import broken
from deepscan.checks.credentials.store import Ingredient, Manifest, Store, local_name

AI_SOURCES = {
    "trainedalgorithmicmedia": "made by a trained model",
    "compositewithtrainedalgorithmicmedia": "edited with a trained model",
    "compositesynthetic": "a composite that includes generated elements",
    "trainedalgorithmicdata": "data made by a trained model",
}
"""The digital source types that mean generative AI: IPTC NewsCodes (cv.iptc.org/newscodes/digitalsourcetype) and the
C2PA's own trainedAlgorithmicData, as in the list "genai_dst_types" of the C2PA conformance programme (2026-08).
algorithmicMedia, algorithmicallyEnhanced, digitalArt, digitalCreation, virtualRecording and the like do not.
"""

CAPTURES = frozenset({"digitalcapture", "computationalcapture"})
"""The digital source types of a camera's own pictures, the second with computation (several exposures, denoising)."""

INNOCENT_ACTIONS = frozenset(
    {
        "c2pa.created",
        "c2pa.opened",
        "c2pa.published",
        "c2pa.transcoded",
        "c2pa.repackaged",
        "c2pa.converted",
        "c2pa.resized",
        "c2pa.resized.proportional",
        "c2pa.edited.metadata",
        "c2pa.watermarked",
        "c2pa.watermarked.bound",
        "c2pa.watermarked.unbound",
    }
)
"""Actions that change no content: C2PA 2.3, 18.15.4, those without "editorial" effect."""

_HANDLING = INNOCENT_ACTIONS - {"c2pa.created"}

MAX_DEPTH = 32
MAX_VISITED = 1024

_CONTAINS = frozenset({"parentOf", "componentOf"})


@dataclass(frozen=True, slots=True)
class Tool:
    """A program whose name in a manifest says that AI made or edited the content. ``mixed``: it also works without."""

    name: str
    pattern: re.Pattern[str]
    mixed: bool = False


def _tool(name: str, pattern: str, *, mixed: bool = False) -> Tool:
    return Tool(name, re.compile(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])"), mixed)


TOOLS = (
    _tool("OpenAI", r"chatgpt|dall[·.\- ]?e|gpt-?4o|gpt-image|openai(?:-api)?|sora"),
    _tool("Adobe Firefly", r"adobe firefly|firefly image|firefly video"),
    _tool("Google", r"made with google ai|google imagen|imagen [34]|google gemini|gemini app|google veo|veo [234]"),
    _tool("Microsoft", r"bing image creator|image creator from designer|microsoft responsible ai|azure openai"),
    _tool("Microsoft Designer", r"microsoft designer", mixed=True),
    _tool("Midjourney", r"midjourney"),
    _tool("Stability AI", r"stability ?ai|stability\.ai|stable diffusion|dreamstudio"),
    _tool("Black Forest Labs", r"black forest labs"),
    _tool("Amazon", r"amazon titan|titan image generator|amazon nova (?:canvas|reel)"),
    _tool("Meta AI", r"meta ai|imagine with meta ai"),
    _tool("Runway", r"runwayml|runway gen-?[2345]"),
    _tool("Leonardo.Ai", r"leonardo\.ai"),
    _tool("Ideogram", r"ideogram"),
    _tool("xAI Grok", r"xai grok|grok imagine"),
)
"""Programs that make or edit pictures by AI and name themselves. Makers who also make cameras or plain editors are
named here by those products alone: "Google" or "Adobe" by itself says nothing."""


@dataclass(frozen=True, slots=True)
class AiMark:
    """One statement that AI was used.

    ``says`` are the manifest's own words, ``means`` ours. ``ingredients`` are the titles that lead from the file to the
    manifest with the statement, empty for the file's own. ``contained`` says whether every step on that way is declared
    to be a part or the origin of the next, ``sound`` whether no ingredient on it was broken.
    """

    says: str
    means: str
    where: str
    ingredients: tuple[str, ...]
    contained: bool
    sound: bool
    mixed: bool


@dataclass(frozen=True, slots=True)
class Capture:
    """The statement that a camera took the picture, and the names of what was done to it since.

    ``ingredients`` leads to the manifest that says so; empty when the file's own does.
    """

    says: str
    ingredients: tuple[str, ...]
    edits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    manifest: Manifest
    titles: tuple[str, ...]
    contained: bool
    sound: bool


def ai_marks(store: Store) -> tuple[AiMark, ...]:
    """Every statement of AI, the file's own before those of its ingredients."""
    return tuple(
        AiMark(says, means, where, step.titles, step.contained, step.sound, mixed)
        for step in _walk(store)
        for says, means, where, mixed in _marks_of(step.manifest)
    )


def _walk(store: Store) -> Iterator[_Step]:
    """The manifests that the file is made of, nearest first, each once: ingredients may name each other in circles."""
    if store.active is None:
        return
    waiting = deque([_Step(store.active, (), contained=True, sound=True)])
    seen = {store.active.label}
    while waiting and len(seen) <= MAX_VISITED:
        step = waiting.popleft()
        yield step
        if len(step.titles) >= MAX_DEPTH:
            continue
        for ingredient in step.manifest.ingredients:
            manifest = store.manifests.get(ingredient.manifest or "")
            if manifest is None or manifest.label in seen:
                continue
            seen.add(manifest.label)
            waiting.append(
                _Step(
                    manifest,
                    (*step.titles, title_of(ingredient, manifest)),
                    contained=step.contained and ingredient.relationship in _CONTAINS,
                    sound=step.sound and not broken(ingredient.failures),
                )
            )


def title_of(ingredient: Ingredient, manifest: Manifest | None) -> str:
    """What to call an ingredient."""
    return ingredient.title or (manifest.title if manifest else "") or ingredient.label or "without a title"


def _marks_of(manifest: Manifest) -> Iterator[tuple[str, str, str, bool]]:
    """(the manifest's words, what they mean, where they stand, whether the tool also works without AI)."""
    found = False
    for action in manifest.actions:
        means = AI_SOURCES.get(term(action.source_type))
        if means is not None:
            found = True
            agent = f" by {action.agent}" if action.agent else ""
            yield f"{local_name(action.source_type)}{agent}", means, f"action {action.name}", False
    for source in manifest.source_types:
        means = AI_SOURCES.get(term(source.value))
        if means is not None:
            found = True
            yield local_name(source.value), means, f"assertion {source.assertion}", False
    if not found:
        yield from _tools_of(manifest)


def _tools_of(manifest: Manifest) -> Iterator[tuple[str, str, str, bool]]:
    """Tools of AI that name themselves where nothing declares a source type of AI."""
    for action in manifest.actions:
        tool = None if action.name in _HANDLING or _says_otherwise(action.source_type) else tool_of(action.agent)
        if tool is not None:
            yield action.agent, f"done with a tool of {tool.name}", f"action {action.name}", tool.mixed
    if any(_says_otherwise(action.source_type) for action in manifest.actions if action.name == "c2pa.created"):
        return
    for generator in manifest.generators:
        tool = tool_of(generator)
        if tool is not None:
            yield generator, f"made by a tool of {tool.name}", "claim generator", tool.mixed


def _says_otherwise(source_type: str) -> bool:
    return bool(source_type) and term(source_type) not in AI_SOURCES


def term(source_type: str) -> str:
    """The bare term of a source type, in lower case."""
    return local_name(source_type).lower()


def tool_of(name: str) -> Tool | None:
    """The tool of AI that a program's name is one of."""
    plain = re.sub(r"[_/+]", " ", name.lower())
    return next((tool for tool in TOOLS if tool.pattern.search(plain)), None)


def capture_of(store: Store) -> Capture | None:
    """The statement of the file, or of the origin that it was made from step by step, that a camera took it."""
    titles: list[str] = []
    edits: list[str] = []
    seen: set[str] = set()
    manifest = store.active
    while manifest is not None and manifest.label not in seen and len(seen) < MAX_DEPTH:
        seen.add(manifest.label)
        edits += [action.name for action in manifest.actions if action.name not in INNOCENT_ACTIONS]
        edits += ["c2pa.placed" for i in manifest.ingredients if i.relationship == "componentOf"]
        says = _capture_in(manifest)
        if says:
            return Capture(says, tuple(titles), tuple(dict.fromkeys(edits)))
        parents = [i for i in manifest.ingredients if i.relationship == "parentOf"]
        parent = store.manifests.get(parents[0].manifest or "") if len(parents) == 1 else None
        if parent is not None:
            titles.append(title_of(parents[0], parent))
        manifest = parent
    return None


def _capture_in(manifest: Manifest) -> str:
    declared = [action.source_type for action in manifest.actions if action.name == "c2pa.created"]
    declared += [source.value for source in manifest.source_types]
    return next((local_name(value) for value in declared if term(value) in CAPTURES), "")
