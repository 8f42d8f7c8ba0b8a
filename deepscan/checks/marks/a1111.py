"""AUTOMATIC1111's web UI and its relatives: the prompt, "Negative prompt:", and a line of settings."""

from __future__ import annotations

import re

from deepscan.checks.marks.places import COMMENT
from deepscan.checks.marks.rule import Rule, Told
from deepscan.checks.marks.values import settings

WEB_UI = "Stable Diffusion web UI (AUTOMATIC1111 or a relative)"

MAX_INFOTEXT = 64 * 1024
"""Characters of the parameters that are looked at: the patterns below may cost a few thousand steps a line."""

_START = re.compile(r"(?:^|\n)[ \t]*Steps: \d+, [^\n]{0,2000}?\b(?:Sampler|CFG scale|Seed): ")
_PAIR = re.compile(r'[ \n]?([\w ]{1,40}): ("(?:\\.|[^"\\])*"|[^,\n]*)(?:,|\n|$)')
_LINE = 4_000
_FEWEST_PAIRS = 3  # what the web UI itself asks of a line before it takes it for settings
_NAMES = {"Model": "model", "Seed": "seed", "Size": "size", "Sampler": "sampler"}
_WRITERS = (
    (re.compile(r"\bVersion: Fooocus"), "Fooocus"),
    (re.compile(r"\bVersion: ComfyUI\b"), "ComfyUI"),
    (re.compile(r"\bVersion: RuinedFooocus"), "RuinedFooocus"),
    (re.compile(r"\bApp: SD\.?Next\b", re.IGNORECASE), "SD.Next"),
    (re.compile(r"\bVersion: \S*reforge", re.IGNORECASE), "Stable Diffusion WebUI reForge"),
    (re.compile(r"\bVersion: (?:f\d|neo|forge)", re.IGNORECASE), "Stable Diffusion WebUI Forge"),
    (re.compile(r"\bVersion: v?\d+\.\d+"), WEB_UI),
    (re.compile(r"\b(?:Civitai (?:resources|metadata)|civitaiResources): "), "Civitai"),
)


def read_infotext(text: str) -> Told | None:
    """The settings of A1111's parameters, or None where the text has no line of them."""
    text = text[:MAX_INFOTEXT]
    found = _START.search(text)
    if found is None:
        return None
    before, line = text[: found.start()], text[found.start() :].lstrip()[:_LINE]
    prompt, _, negative = before.partition("Negative prompt:")
    pairs = [(m[1].strip(), m[2].strip('"')) for m in _PAIR.finditer(line)]
    if len(pairs) < _FEWEST_PAIRS:
        return None
    named = {_NAMES[name]: value for name, value in reversed(pairs) if name in _NAMES}
    writer = next((name for pattern, name in _WRITERS if pattern.search(line)), None)
    return Told(settings({"prompt": prompt.strip(), "negative_prompt": negative.strip(), **named}), writer)


RULES = (
    Rule(
        id="a1111-parameters",
        generator=WEB_UI,
        source="AUTOMATIC1111/stable-diffusion-webui, modules/infotext_utils.py, images.py",
        key=rf"parameters|{COMMENT}",
        text=r"Steps: \d+, ",
        read=read_infotext,
        vague=True,
    ),
    Rule(
        id="a1111-gif",
        generator=WEB_UI,
        source="AUTOMATIC1111/stable-diffusion-webui, modules/images.py (GIF: the comment)",
        key=r"",
        place=r"GIF comment",
        text=r"Steps: \d+, ",
        read=read_infotext,
        vague=True,
    ),
)
