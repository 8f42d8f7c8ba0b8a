"""InvokeAI's three forms: a command line (1.x), an object with the image inside (2.x), and a flat object (3 and on)."""

from __future__ import annotations

import re

from deepscan.checks.marks.rule import Rule, Told
from deepscan.checks.marks.values import load_object, settings, size_of

_STEPS, _SEED = re.compile(r" -s ?\d+"), re.compile(r" -S ?(\d+)")
_WIDTH, _HEIGHT, _SAMPLER = re.compile(r" -W ?(\d+)"), re.compile(r" -H ?(\d+)"), re.compile(r" -A ?(\w+)")


def _read_metadata(text: str) -> Told | None:
    found = load_object(text)
    if not found.keys() & {"positive_prompt", "generation_mode", "app_version", "model"}:
        return None
    model = found.get("model")
    values = {
        "prompt": found.get("positive_prompt"),
        "negative_prompt": found.get("negative_prompt"),
        "model": (model.get("model_name") or model.get("name")) if isinstance(model, dict) else model,
        "seed": found.get("seed"),
        "size": size_of(found.get("width"), found.get("height")),
        "sampler": found.get("scheduler"),
    }
    return Told(settings(values))


def _read_graph(text: str) -> Told | None:
    """The graph of one run, or the editor's: its settings stand in the metadata beside it."""
    return Told() if load_object(text).get("nodes") else None


def _read_sd_metadata(text: str) -> Told | None:
    found = load_object(text)
    image = found.get("image")
    if not isinstance(image, dict):
        return None
    prompts = image.get("prompt")
    first = prompts[0] if isinstance(prompts, list) and prompts else prompts
    values = {
        "prompt": first.get("prompt") if isinstance(first, dict) else first,
        "model": found.get("model_weights"),
        "seed": image.get("seed"),
        "size": size_of(image.get("width"), image.get("height")),
        "sampler": image.get("sampler"),
    }
    return Told(settings(values))


def _read_dream(text: str) -> Told | None:
    """The command line: the prompt in quotes, -s steps, -S seed, -W width, -H height, -A sampler."""
    seed = _SEED.search(text)
    if seed is None or not _STEPS.search(text):
        return None
    prompt = text.split('"', 2)[1] if text.startswith('"') and text.count('"') > 1 else text.partition(" -")[0]
    width, height, sampler = _WIDTH.search(text), _HEIGHT.search(text), _SAMPLER.search(text)
    values = {
        "prompt": prompt,
        "seed": seed[1],
        "size": f"{width[1]}x{height[1]}" if width and height else None,
        "sampler": sampler[1] if sampler else None,
    }
    return Told(settings(values))


RULES = (
    Rule(
        id="invokeai-metadata",
        generator="InvokeAI",
        source="invoke-ai/InvokeAI, image_files_disk.py (PNG text invokeai_metadata)",
        key=r"invokeai_metadata",
        read=_read_metadata,
    ),
    Rule(
        id="invokeai-graph",
        generator="InvokeAI",
        what="a generation graph",
        source="invoke-ai/InvokeAI, image_files_disk.py (PNG texts invokeai_graph and invokeai_workflow)",
        key=r"invokeai_(?:graph|workflow)",
        text=r'"nodes"',
        read=_read_graph,
    ),
    Rule(
        id="invokeai-sd-metadata",
        generator="InvokeAI",
        source="invoke-ai/InvokeAI 2.x, pngwriter.py",
        key=r"sd-metadata",
        read=_read_sd_metadata,
    ),
    Rule(
        id="invokeai-dream",
        generator="InvokeAI",
        source="invoke-ai/InvokeAI 1.x and 2.x, pngwriter.py",
        key=r"Dream",
        read=_read_dream,
    ),
)
