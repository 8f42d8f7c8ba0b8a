"""Marks that generators leave in metadata: a table of rules. A new generator is a row.

A mark is a declaration that nobody signed: anyone can write it into a file and anyone can remove it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deepscan.checks import generation
from deepscan.checks.generation import Settings
from deepscan.checks.reading.embedded import Entry
from deepscan.text import clean
from deepscan.types import Level

PROOF_SHOWN = 200
"""Characters of a mark that are quoted as proof."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A rule that matched: which generator, where it stands, and the settings it tells."""

    rule: str
    generator: str
    what: str
    entry: Entry
    settings: Settings
    level: Level = Level.STRONG

    @property
    def holds_settings(self) -> bool:
        """Whether the entry is a generator's own record rather than a statement of a program's name."""
        return self.what in (_SETTINGS, _GRAPH)

    @property
    def proof(self) -> str:
        """The words of the file, cut and cleaned."""
        return clean(self.entry.text, PROOF_SHOWN)


_Read = Callable[[str], Settings | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of mark is recognised.

    ``generator`` is used where the text names none. ``key`` must match the whole name of an entry, ``text`` be found in
    its text; ``strip`` is taken off the text before ``read`` sees it, and ``read`` returns None for "not of this kind".
    ``beside`` names another entry that must match too. ``source`` says where the convention comes from.
    """

    id: str
    generator: str
    what: str
    source: str
    key: str = r".*"
    text: str = r""
    strip: str = ""
    read: _Read | None = None
    beside: tuple[str, str] | None = None

    def match(self, entry: Entry, entries: Sequence[Entry]) -> Mark | None:
        """The mark in an entry, or None."""
        if not re.fullmatch(self.key, entry.key, re.IGNORECASE) or not re.search(self.text, entry.text):
            return None
        text = re.sub(self.strip, "", entry.text, count=1) if self.strip else entry.text
        settings = self.read(text) if self.read is not None else {}
        if settings is None or (self.beside is not None and not _any(entries, *self.beside)):
            return None
        label = settings.get("label")
        level = _LABEL_LEVELS.get(label, Level.STRONG) if label is not None else Level.STRONG
        return Mark(self.id, settings.get("generator", self.generator), self.what, entry, settings, level)


# GB 45438-2025: 1 the producer says it is generated, 2 possibly (no label, but the sharer says so), 3 suspected.
_LABEL_LEVELS = {"2": Level.MODERATE, "3": Level.WEAK}

# Names under which the program stands. Credit is not among them: a press photograph may be credited to OpenAI.
_PROGRAM = (
    r"(?:exif:|tiff:|xmp:)?(?:Software|CreatorTool)|stEvt:softwareAgent|OriginatingProgram|Make"
    r"|HostComputer|©too|©swr|com\.apple\.quicktime\.software|encoder|WritingApp|ISFT"
)
_DESCRIPTION = (
    r"Description|ImageDescription|dc:description|Caption-Abstract|Comment|UserComment|exif:UserComment|©cmt|"
)
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SOURCE_TYPE = r"(?:.*:)?DigitalSourceType"

_NO_NAME, _LABELLER = "a generator that is not named", "a service that labels by China's standard GB 45438"
UNNAMED = frozenset({_NO_NAME, _LABELLER})
"""What stands for the generator where a mark names none."""

_SETTINGS, _GRAPH, _NAME, _LABEL = "generation settings", "a generation graph", "the generator's name", "an AI label"

RULES: tuple[Rule, ...] = (
    Rule(
        "a1111-parameters",
        generation.WEB_UI,
        _SETTINGS,
        "AUTOMATIC1111/stable-diffusion-webui, modules/infotext_utils.py",
        text=r"Steps: \d+, ",
        read=generation.infotext,
    ),
    Rule(
        "comfyui-prompt",
        "ComfyUI",
        _GRAPH,
        "comfyanonymous/ComfyUI, nodes.py, SaveImage; comfy_extras/nodes_images.py, SaveAnimatedWEBP",
        key=r"prompt|Make|Model|ImageDescription|UserComment",
        text=r'"class_type"',
        strip=r"^(?i:prompt):\s*",
        read=generation.comfy_prompt,
    ),
    Rule(
        "comfyui-workflow",
        "ComfyUI",
        _GRAPH,
        "as comfyui-prompt",
        key=r"workflow|Make|Model|ImageDescription|UserComment|Software",
        text=r'"nodes"',
        strip=r"^(?i:workflow):\s*",
        read=generation.comfy_workflow,
    ),
    Rule(
        "comfyui-comment",
        "ComfyUI",
        _GRAPH,
        "Kosinkadink/ComfyUI-VideoHelperSuite, videohelpersuite/nodes.py (comment of a video)",
        text=r'"(?:prompt|workflow)"',
        read=generation.comfy_container,
    ),
    Rule(
        "invokeai-metadata",
        "InvokeAI",
        _SETTINGS,
        "invoke-ai/InvokeAI, image_files_disk.py (PNG text invokeai_metadata)",
        key=r"invokeai_metadata",
        read=generation.invoke_metadata,
    ),
    Rule(
        "invokeai-sd-metadata",
        "InvokeAI",
        _SETTINGS,
        "invoke-ai/InvokeAI 2.x, pngwriter.py",
        key=r"sd-metadata",
        read=generation.invoke_sd_metadata,
    ),
    Rule(
        "invokeai-dream",
        "InvokeAI",
        _SETTINGS,
        "invoke-ai/InvokeAI 1.x and 2.x, pngwriter.py",
        key=r"Dream",
        read=generation.invoke_dream,
    ),
    Rule(
        "novelai",
        "NovelAI",
        _NAME,
        "NovelAI/novelai-image-metadata, README",
        key=r"Software",
        text=r"^NovelAI\b",
    ),
    Rule(
        "novelai-comment",
        "NovelAI",
        _SETTINGS,
        "NovelAI/novelai-image-metadata, README",
        key=r"Comment",
        read=generation.novelai_comment,
        beside=(r"Software", r"^NovelAI\b"),
    ),
    Rule(
        "novelai-object",
        "NovelAI",
        _SETTINGS,
        "NovelAI's WebP download: the PNG texts as one object in UserComment",
        text=r'"Software"\s*:\s*"NovelAI"',
    ),
    Rule(
        "fooocus-scheme",
        "Fooocus",
        _NAME,
        "lllyasviel/Fooocus, modules/meta_parser.py",
        key=r"fooocus_scheme",
        text=r"^(?:fooocus|a1111)$",
    ),
    Rule("fooocus-software", "Fooocus", _NAME, "as fooocus-scheme", key=r"Software", text=r"^Fooocus\b"),
    Rule(
        "fooocus-parameters",
        "Fooocus",
        _SETTINGS,
        "as fooocus-scheme",
        key=r"parameters|UserComment",
        read=generation.fooocus_parameters,
    ),
    Rule(
        "swarmui-parameters",
        "SwarmUI",
        _SETTINGS,
        "mcmonkeyprojects/SwarmUI, docs/Image Metadata Format.md",
        text=r'"sui_image_params"',
        read=generation.swarm_parameters,
    ),
    Rule(
        "draw-things", "Draw Things", _NAME, "drawthings.ai, XMP of exported PNG", key=_PROGRAM, text=r"^Draw Things\b"
    ),
    Rule(
        "draw-things-settings",
        "Draw Things",
        _SETTINGS,
        "drawthings.ai, XMP of exported PNG",
        key=r"(?:exif:)?UserComment",
        read=generation.draw_things,
    ),
    Rule(
        "midjourney-job",
        "Midjourney",
        "a generation job's number",
        "docs.midjourney.com: downloads carry the prompt and the job ID",
        key=_DESCRIPTION,
        text=rf"\bJob ID: {_UUID}",
    ),
    Rule(
        "grok-signature",
        "Grok (xAI)",
        "a generation signature",
        "observed by wiltodelta/remove-ai-watermarks on genuine downloads, 2026",
        key=r"ImageDescription",
        text=r"^Signature: [A-Za-z0-9+/=_-]{40,}$",
        beside=(r"Artist", rf"^{_UUID}$"),
    ),
    Rule(
        "credit-line",
        "Google AI (Gemini, Imagen)",
        "a credit line",
        "IPTC Credit that Google's tools write: Made with Google AI, Edited with Google AI",
        key=r"(?:photoshop:)?Credit",
        text=r"(?i)\b(?:made|created|edited|generated) with google ai\b",
    ),
    *(
        Rule(f"program-{name}", generator, _NAME, "the name the program gives itself", key=_PROGRAM, text=text)
        for name, generator, text in (
            (
                "openai",
                "DALL-E or ChatGPT (OpenAI)",
                r"(?i)\b(?:DALL[·•.\- ]?E(?:[ -]?\d)?|ChatGPT|OpenAI|gpt-image-\d)\b",
            ),
            ("google", "Google AI (Gemini, Imagen)", r"(?i)\b(?:with google ai|google (?:gemini|imagen))\b"),
            ("firefly", "Adobe Firefly", r"(?i)\badobe[ _]firefly\b"),
            ("midjourney", "Midjourney", r"(?i)\bmidjourney\b"),
            ("grok", "Grok (xAI)", r"^(?:xAI|Grok)\b"),
            ("ideogram", "Ideogram", r"(?i)^ideogram\b"),
            ("stable-diffusion", "Stable Diffusion", r"(?i)\b(?:stable diffusion|stability ai|dreamstudio)\b"),
            ("bing", "Bing Image Creator", r"(?i)\bbing image creator\b"),
            ("meta", "Meta AI", r"(?i)\b(?:imagine|made) with meta ai\b"),
            ("leonardo", "Leonardo.Ai", r"(?i)^leonardo\.ai\b"),
        )
    ),
    # algorithmicMedia, made without a trained model, is another word of the same list and must not match.
    Rule(
        "iptc-generated",
        _NO_NAME,
        "IPTC's digital source type for media made by a trained model",
        "cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
        key=_SOURCE_TYPE,
        text=r"(?:^|[/:#])trainedAlgorithmicMedia/?$",
    ),
    Rule(
        "iptc-composite",
        _NO_NAME,
        "IPTC's digital source type for a composite with parts made by a trained model",
        "cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia",
        key=_SOURCE_TYPE,
        text=r"(?:^|[/:#])compositeWithTrainedAlgorithmicMedia/?$",
    ),
    Rule(
        "aigc-label",
        _LABELLER,
        _LABEL,
        "GB 45438-2025, annex E",
        text=r'"Label"\s*:',
        read=generation.aigc_label,
    ),
    Rule(
        "aigc-label-xmp",
        _LABELLER,
        _LABEL,
        "GB 45438-2025, annex E",
        key=r"TC260:Label",
        text=r"^\S+$",
        read=lambda text: {"label": clean(text)},
    ),
)
"""Every rule; tests/unit/checks/test_marks.py has a positive and a negative case for each."""


def find_marks(entries: Sequence[Entry]) -> tuple[Mark, ...]:
    """All marks in a file's metadata, in the order of :data:`RULES`."""
    found = (rule.match(entry, entries) for rule in RULES for entry in entries)
    return tuple(mark for mark in found if mark is not None)


def _any(entries: Sequence[Entry], key: str, text: str) -> bool:
    return any(re.fullmatch(key, e.key, re.IGNORECASE) and re.search(text, e.text) for e in entries)
