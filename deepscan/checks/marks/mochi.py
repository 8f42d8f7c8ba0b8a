"""Mochi Diffusion: named fields in the caption (IPTC, and XMP by macOS), and its name as the originating program."""

from __future__ import annotations

import re

from deepscan.checks.marks.places import DESCRIPTION
from deepscan.checks.marks.rule import Rule, Told, signature
from deepscan.checks.marks.values import settings

_SOURCE = "MochiDiffusion/MochiDiffusion, Support/MetadataCodec.swift and Model/SDImage.swift"
_FIELD = re.compile(r"(?:^|\n|; )(Include in Image|Exclude from Image|Model|Seed|Size|Scheduler): ([^\n;]{0,2000})")
_NAMES = {
    "Include in Image": "prompt",
    "Exclude from Image": "negative_prompt",
    "Model": "model",
    "Seed": "seed",
    "Size": "size",
    "Scheduler": "sampler",
}
MAX_TEXT = 64 * 1024


def _read_caption(text: str) -> Told | None:
    text = text[:MAX_TEXT]
    if "Include in Image: " not in text:
        return None
    return Told(settings({_NAMES[found[1]]: found[2] for found in _FIELD.finditer(text)}))


RULES = (
    Rule(
        id="mochi-caption",
        generator="Mochi Diffusion",
        source=_SOURCE,
        key=DESCRIPTION,
        text=r"(?:\n|; )Generator: Mochi Diffusion \d",
        read=_read_caption,
    ),
    signature(
        "mochi",
        "Mochi Diffusion",
        source=_SOURCE,
        text=r"^Mochi Diffusion\b",
    ),
)
