"""Easy Diffusion: each setting a PNG text of its own, or all of them one object in UserComment."""

from __future__ import annotations

from deepscan.checks.marks.places import COMMENT
from deepscan.checks.marks.rule import Rule, Told
from deepscan.checks.marks.values import load_object, settings, size_of

_SOURCE = "easydiffusion/easydiffusion, ui/easydiffusion/utils/save_utils.py (TASK_TEXT_MAPPING)"
_LABELS = {
    "Prompt": "prompt",
    "Negative Prompt": "negative_prompt",
    "Stable Diffusion model": "model",
    "Seed": "seed",
    "Sampler": "sampler",
}
_KEYS = {
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "use_stable_diffusion_model": "model",
    "seed": "seed",
    "sampler_name": "sampler",
}


def _read_object(text: str) -> Told | None:
    found = load_object(text)
    for model, steps, names in (
        ("use_stable_diffusion_model", "num_inference_steps", _KEYS),
        ("Stable Diffusion model", "Guidance Scale", _LABELS),
    ):
        if {model, steps} <= found.keys():
            width, height = (found.get(side, found.get(side.lower())) for side in ("Width", "Height"))
            values = {name: found.get(key) for key, name in names.items()}
            return Told(settings({**values, "size": size_of(width, height)}))
    return None


RULES = (
    Rule(
        id="easy-diffusion-texts",
        generator="Easy Diffusion",
        source=_SOURCE,
        key=r"use_stable_diffusion_model|Stable Diffusion model",
        beside=((r"num_inference_steps|Steps", r"^\d+$"), (r"guidance_scale|Guidance Scale", r"^[\d.]+$")),
        others={**_LABELS, **_KEYS},
    ),
    Rule(
        id="easy-diffusion-object",
        generator="Easy Diffusion",
        source=_SOURCE,
        key=COMMENT,
        text=r'"(?:use_stable_diffusion_model|Stable Diffusion model)"',
        read=_read_object,
    ),
)
