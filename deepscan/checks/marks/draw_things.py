"""Draw Things: an object in XMP's UserComment, where ``c`` is the prompt and ``uc`` the negative one."""

from __future__ import annotations

from deepscan.checks.marks.places import COMMENT, PROGRAM
from deepscan.checks.marks.rule import Claim, Rule, Told
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
        claim=Claim.RECORD,
        what="generation settings",
        source=_SOURCE,
        key=COMMENT,
        text=r'"uc"',
        read=_read_comment,
    ),
    Rule(
        id="draw-things",
        generator="Draw Things",
        claim=Claim.NAME,
        what="the generator's name",
        source=_SOURCE,
        key=PROGRAM,
        text=r"^Draw Things\b",
    ),
)
