"""Reading what generators write into their files: the settings that made a picture.

Each reader takes the text of one entry and returns the settings, or None when the text is not of that kind. The texts
are hostile: JSON is parsed with its size limited, and anything unexpected in it is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from deepscan.text import clean

MAX_JSON = 8 * 1024**2
"""Characters of JSON that are parsed. Workflows of hundreds of nodes stay below 1 MB."""

MAX_NODES = 5_000
_MAX_LINKS = 50
_SHOWN = 300

Settings = dict[str, str]
"""What made a picture: ``generator``, ``prompt``, ``negative_prompt``, ``model``, ``seed``, ``size``, ``sampler``."""

MAX_INFOTEXT = 64 * 1024
"""Characters of A1111's parameters that are looked at: the patterns below may cost a few thousand steps a line."""

_INFOTEXT = re.compile(r"(?:^|\n)Steps: \d+, [^\n]{0,2000}?\b(?:Sampler|CFG scale|Seed): ")
_INFO_PAIR = re.compile(r'[ \n]?([\w ]{1,40}): ("(?:\\.|[^"\\])*"|[^,\n]*)(?:,|\n|$)')
_INFO_LINE = 4_000
_INFO_NAMES = {"Model": "model", "Seed": "seed", "Size": "size", "Sampler": "sampler"}
_INFO_WRITERS = (
    (re.compile(r"\bVersion: Fooocus"), "Fooocus"),
    (re.compile(r"\bVersion: ComfyUI\b"), "ComfyUI"),
    (re.compile(r"\bApp: SD\.?Next\b", re.IGNORECASE), "SD.Next"),
    (re.compile(r"\bVersion: (?:f\d|neo|forge)", re.IGNORECASE), "Stable Diffusion WebUI Forge"),
    (re.compile(r"\bCivitai (?:resources|metadata): "), "Civitai"),
)
WEB_UI = "Stable Diffusion web UI (AUTOMATIC1111 or a relative)"


def load_json(text: str) -> Any:
    """The value of a JSON text, or None when it is none, too long or nested too deeply."""
    if len(text) > MAX_JSON or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def settings(values: Mapping[str, object]) -> Settings:
    """The settings that are there, as short clean text."""
    return {
        name: clean(str(value), _SHOWN)
        for name, value in values.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip()
    }


def _size(width: Any, height: Any) -> str | None:
    return f"{width}x{height}" if isinstance(width, int) and isinstance(height, int) else None


def infotext(text: str) -> Settings | None:
    """A1111's parameters: prompt, "Negative prompt:" and a line of settings that begins with "Steps:"."""
    text = text[:MAX_INFOTEXT]
    found = _INFOTEXT.search(text)
    if found is None:
        return None
    before, line = text[: found.start()], text[found.start() :].lstrip()[:_INFO_LINE]
    prompt, _, negative = before.partition("Negative prompt:")
    pairs = {_INFO_NAMES.get(m[1].strip(), ""): m[2].strip('"') for m in _INFO_PAIR.finditer(line)}
    writer = next((name for pattern, name in _INFO_WRITERS if pattern.search(line)), WEB_UI)
    named = {name: value for name, value in pairs.items() if name}
    return settings({"generator": writer, "prompt": prompt.strip(), "negative_prompt": negative.strip(), **named})


def comfy_prompt(text: str) -> Settings | None:
    """ComfyUI's prompt: a JSON object of nodes, each with its class and inputs."""
    return _prompt_graph(load_json(text)) if '"class_type"' in text else None


def _prompt_graph(graph: Any) -> Settings | None:
    if not isinstance(graph, dict):
        return None
    nodes = {
        name: node["inputs"] if isinstance(node.get("inputs"), dict) else {}
        for name, node in list(graph.items())[:MAX_NODES]
        if isinstance(node, dict) and "class_type" in node
    }
    return settings(dict(_comfy_settings(nodes))) if nodes else None


_Inputs = Mapping[str, Any]
_COMFY_NAMES = {
    "model": ("ckpt_name", "unet_name", "model_name"),
    "seed": ("seed", "noise_seed"),
    "sampler": ("sampler_name",),
}


def _comfy_settings(nodes: Mapping[str, _Inputs]) -> Iterator[tuple[str, object]]:
    # Of several, dict() keeps the last: the nodes are gone through backwards, so that the first one wins.
    for inputs in reversed(list(nodes.values())):
        for name, keys in _COMFY_NAMES.items():
            for key in keys:
                if isinstance(inputs.get(key), str | int):
                    yield name, inputs[key]
        for name, link in (("prompt", "positive"), ("negative_prompt", "negative")):
            text = _comfy_text(nodes, inputs.get(link), link)
            if text is not None:
                yield name, text
        width, height = inputs.get("width"), inputs.get("height")
        if isinstance(width, int) and isinstance(height, int) and "batch_size" in inputs:
            yield "size", f"{width}x{height}"


def _comfy_text(nodes: Mapping[str, _Inputs], link: object, side: str) -> str | None:
    """The text that a link [node, output] leads to, through nodes between; ``side`` is positive or negative."""
    waiting, seen = [link], 0
    while waiting and seen < _MAX_LINKS:
        target, seen = waiting.pop(0), seen + 1
        name = target[0] if isinstance(target, list) and len(target) == 2 else None
        inputs = nodes.get(name) if isinstance(name, str) else None
        if inputs is None:
            continue
        for key in ("text", "text_g", "prompt"):
            if isinstance(inputs.get(key), str):
                return str(inputs[key])
        # A node that takes both sides hands each on by itself.
        waiting += [inputs[side]] if side in inputs else [v for v in inputs.values() if isinstance(v, list)]
    return None


def comfy_workflow(text: str) -> Settings | None:
    """ComfyUI's workflow: the editor's graph, a JSON object with nodes and links."""
    return _workflow_graph(load_json(text)) if '"nodes"' in text and '"links"' in text else None


def _workflow_graph(graph: Any) -> Settings | None:
    nodes = graph.get("nodes") if isinstance(graph, dict) and "links" in graph else None
    if not isinstance(nodes, list) or not any(isinstance(n, dict) and "type" in n for n in nodes[:MAX_NODES]):
        return None
    return {}


def comfy_container(text: str) -> Settings | None:
    """A JSON object that holds ComfyUI's prompt or workflow as members, as video nodes write it into a comment."""
    holder = load_json(text) if '"prompt"' in text or '"workflow"' in text else None
    if not isinstance(holder, dict):
        return None
    for name, reader in (("prompt", _prompt_graph), ("workflow", _workflow_graph)):
        part = holder.get(name)
        found = reader(load_json(part) if isinstance(part, str) else part)
        if found is not None:
            return found
    return None


def invoke_metadata(text: str) -> Settings | None:
    """InvokeAI 3's metadata object."""
    found = load_json(text)
    if not isinstance(found, dict) or not found.keys() & {"positive_prompt", "generation_mode", "app_version", "model"}:
        return None
    model = found.get("model")
    width, height = found.get("width"), found.get("height")
    return settings(
        {
            "prompt": found.get("positive_prompt"),
            "negative_prompt": found.get("negative_prompt"),
            "model": (model.get("model_name") or model.get("name")) if isinstance(model, dict) else model,
            "seed": found.get("seed"),
            "size": _size(width, height),
        }
    )


def invoke_sd_metadata(text: str) -> Settings | None:
    """InvokeAI 2's metadata object."""
    found = load_json(text)
    image = found.get("image") if isinstance(found, dict) else None
    if not isinstance(image, dict) or not isinstance(found, dict):
        return None
    prompts = image.get("prompt")
    first = prompts[0] if isinstance(prompts, list) and prompts else prompts
    width, height = image.get("width"), image.get("height")
    return settings(
        {
            "prompt": first.get("prompt") if isinstance(first, dict) else first,
            "model": found.get("model_weights"),
            "seed": image.get("seed"),
            "size": _size(width, height),
        }
    )


_DREAM_STEPS, _DREAM_SEED = re.compile(r" -s ?\d+"), re.compile(r" -S ?(\d+)")


def invoke_dream(text: str) -> Settings | None:
    """InvokeAI 1's command line: the prompt in quotes, -s steps, -S seed."""
    seed = _DREAM_SEED.search(text)
    if seed is None or not _DREAM_STEPS.search(text):
        return None
    prompt = text.split('"')[1] if text.startswith('"') and text.count('"') > 1 else text.partition(" -")[0]
    return settings({"prompt": prompt, "seed": seed[1]})


def novelai_comment(text: str) -> Settings | None:
    """NovelAI's Comment object."""
    found = load_json(text)
    if not isinstance(found, dict) or not {"steps", "sampler", "seed"} <= found.keys():
        return None
    width, height = found.get("width"), found.get("height")
    return settings(
        {
            "prompt": found.get("prompt"),
            "negative_prompt": found.get("uc"),
            "seed": found.get("seed"),
            "sampler": found.get("sampler"),
            "size": _size(width, height),
        }
    )


def fooocus_parameters(text: str) -> Settings | None:
    """Fooocus' own scheme: a JSON object with the base model and the performance preset."""
    found = load_json(text)
    if not isinstance(found, dict) or not {"base_model", "performance"} <= found.keys():
        return None
    names = {"prompt": "prompt", "negative_prompt": "negative_prompt", "model": "base_model", "seed": "seed"}
    return settings({**{ours: found.get(theirs) for ours, theirs in names.items()}, "size": found.get("resolution")})


def swarm_parameters(text: str) -> Settings | None:
    """SwarmUI's object with the member ``sui_image_params``."""
    found = load_json(text) if '"sui_image_params"' in text else None
    params = found.get("sui_image_params") if isinstance(found, dict) else None
    if not isinstance(params, dict):
        return None
    width, height = params.get("width"), params.get("height")
    return settings(
        {
            "prompt": params.get("prompt"),
            "negative_prompt": params.get("negativeprompt"),
            "model": params.get("model"),
            "seed": params.get("seed"),
            "size": _size(width, height),
        }
    )


def draw_things(text: str) -> Settings | None:
    """Draw Things' object in XMP: ``c`` is the prompt, ``uc`` the negative one."""
    found = load_json(text)
    if not isinstance(found, dict) or not {"c", "uc", "steps", "sampler"} <= found.keys():
        return None
    names = {"prompt": "c", "negative_prompt": "uc", "model": "model", "seed": "seed", "size": "size"}
    return settings({ours: found.get(theirs) for ours, theirs in names.items()})


def aigc_label(text: str) -> Settings | None:
    """China's implicit label (GB 45438-2025, annex E): an object with Label, ContentProducer and more."""
    found = load_json(text)
    if isinstance(found, dict) and isinstance(found.get("AIGC"), str):
        found = {"AIGC": load_json(found["AIGC"])}
    if isinstance(found, dict) and isinstance(found.get("AIGC"), dict):
        found = found["AIGC"]
    if not isinstance(found, dict) or "Label" not in found or not found.keys() & {"ContentProducer", "ProduceID"}:
        return None
    names = {"label": "Label", "producer": "ContentProducer", "produce_id": "ProduceID"}
    return settings({ours: found.get(theirs) for ours, theirs in names.items()})
