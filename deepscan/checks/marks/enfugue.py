"""Enfugue: what it was asked for, as one JSON text of a PNG."""

from __future__ import annotations

from deepscan.checks.marks.places import PNG
from deepscan.checks.marks.rule import Rule, Told
from deepscan.checks.marks.values import load_object, named


def _read_data(text: str) -> Told | None:
    found = load_object(text)
    if not found:
        return None
    names = {"prompt": "prompt", "negative_prompt": "negative_prompt", "model": "model", "seed": "seed"}
    return Told(named(found, names))


RULES = (
    Rule(
        id="enfugue-data",
        generator="Enfugue",
        source="painebenjamin/app.enfugue.ai, diffusion/invocation.py (PNG text EnfugueGenerationData)",
        key=r"EnfugueGenerationData",
        place=PNG,
        read=_read_data,
    ),
)
