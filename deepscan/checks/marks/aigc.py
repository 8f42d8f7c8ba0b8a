"""China's implicit label of generated content (GB 45438-2025, annex E): an object with Label and ContentProducer."""

from __future__ import annotations

from deepscan.checks.marks.rule import UNNAMED, Claim, Rule, Told
from deepscan.checks.marks.values import load_json, load_object, settings
from deepscan.types import Level

_LEVELS = {"1": Level.STRONG, "2": Level.MODERATE, "3": Level.WEAK}
"""1: the producer says it is generated; 2: possibly (no label, but who shares it says so); 3: suspected."""
_SOURCE = "GB 45438-2025, annex E"


def _read_label(text: str) -> Told | None:
    found = load_object(text)
    inner = found.get("AIGC")
    if isinstance(inner, str):
        inner = load_json(inner)
    if isinstance(inner, dict):
        found = inner
    if "Label" not in found or not found.keys() & {"ContentProducer", "ProduceID"}:
        return None
    names = {"label": "Label", "producer": "ContentProducer", "produce_id": "ProduceID"}
    told = settings({ours: found.get(theirs) for ours, theirs in names.items()})
    return Told(told, level=_LEVELS.get(told.get("label", ""), Level.STRONG))


def _read_value(text: str) -> Told | None:
    told = settings({"label": text})
    return Told(told, level=_LEVELS.get(text, Level.STRONG))


RULES = (
    Rule(
        id="aigc-label",
        generator=UNNAMED,
        claim=Claim.LABEL,
        what="an AI label",
        source=_SOURCE,
        key=r".*",
        text=r'"Label"\s*:',
        read=_read_label,
    ),
    Rule(
        id="aigc-label-xmp",
        generator=UNNAMED,
        claim=Claim.LABEL,
        what="an AI label",
        source=_SOURCE,
        key=r"TC260:Label",
        text=r"^[1-3]$",
        read=_read_value,
    ),
)
