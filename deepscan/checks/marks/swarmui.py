"""SwarmUI: an object with the member sui_image_params, as PNG text or EXIF UserComment."""

from __future__ import annotations

from deepscan.checks.marks.places import COMMENT
from deepscan.checks.marks.rule import Rule, Told
from deepscan.checks.marks.values import load_object, named

_NAMES = {
    "prompt": "prompt",
    "negative_prompt": "negativeprompt",
    "model": "model",
    "seed": "seed",
    "sampler": "sampler",
}


def _read_parameters(text: str) -> Told | None:
    params = load_object(text).get("sui_image_params")
    if not isinstance(params, dict):
        return None
    return Told(named(params, _NAMES))


RULES = (
    Rule(
        id="swarmui-parameters",
        generator="SwarmUI",
        source="mcmonkeyprojects/SwarmUI, docs/Image Metadata Format.md",
        key=rf"parameters|{COMMENT}|Comment|Description|©cmt|Title|ImageDescription",
        text=r'"sui_image_params"',
        read=_read_parameters,
    ),
)
