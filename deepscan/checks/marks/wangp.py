"""WanGP (Wan2GP): an object of settings in the comment of a video, whose ``type`` names the program and the model."""

from __future__ import annotations

import re

from deepscan.checks.marks.places import COMMENT
from deepscan.checks.marks.rule import Rule, Told
from deepscan.checks.marks.values import load_object, settings

_TYPE = re.compile(r"^(?:WanGP v[\w.]{1,16}|Wan2\.1GP) by DeepBeepMeep(?: - (?P<model>.{1,200}))?$")
_NAMES = {
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "seed": "seed",
    "size": "resolution",
    "sampler": "sample_solver",
}


def _read_settings(text: str) -> Told | None:
    found = load_object(text)
    kind = found.get("type")
    named = _TYPE.match(kind) if isinstance(kind, str) else None
    if named is None:
        return None
    return Told(settings({"model": named["model"], **{ours: found.get(theirs) for ours, theirs in _NAMES.items()}}))


RULES = (
    Rule(
        id="wangp-settings",
        generator="WanGP",
        source="deepbeepmeep/Wan2GP, wgp.py (get_model_record), shared/utils/video_metadata.py (comment of MP4, MKV)",
        key=rf"comment|©cmt|{COMMENT}",
        text=r'"type"\s*:\s*"Wan',
        read=_read_settings,
    ),
)
