"""Draw Things: an object in XMP's UserComment, where ``c`` is the prompt and ``uc`` the negative one."""

from __future__ import annotations

from deepscan.checks.marks.places import COMMENT
from deepscan.checks.marks.rule import Rule, Told, signature
from deepscan.checks.marks.values import load_object, settings

_SOURCE = "drawthings.ai, XMP of exported PNG"


def _read_comment(text: str) -> Told | None:
    found = load_object(text)
    if not {"c", "uc", "steps", "sampler"} <= found.keys():
        return None
    names = {"prompt": "c", "negative_prompt": "uc", "model": "model", "seed": "seed", "size": "size"}
    return Told(settings({**{o: found.get(t) for o, t in names.items()}, "sampler": found.get("sampler")}))


RULES = (
    Rule(
        id="draw-things-settings",
        generator="Draw Things",
        source=_SOURCE,
        key=COMMENT,
        text=r'"uc"',
        read=_read_comment,
    ),
    signature(
        "draw-things",
        "Draw Things",
        source=_SOURCE,
        text=r"^Draw Things\b",
    ),
)
