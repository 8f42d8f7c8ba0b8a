"""ComfyUI's two graphs as one: nodes with their class and inputs, and what made the picture found by walking back
from the sampler. Nodes are known by the names of their inputs, so that those of extensions are understood as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepscan.checks.marks.values import settings, size_of

MAX_NODES = 5_000
_MAX_STEPS = 200

_TEXT = ("populated_text", "text", "text_g", "t5xxl", "clip_l", "text_l", "prompt", "string", "value", "wildcard_text")
_MODEL = ("ckpt_name", "unet_name", "base_ckpt_name", "gguf_name", "model_name", "model")
_SEED = ("seed", "noise_seed", "value", "int")
_SAMPLER = ("sampler_name", "sampler")
_SILENT = frozenset({"ConditioningZeroOut"})
"""Nodes that drop the text they are given: an empty negative prompt is made of the positive one."""

_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "CLIPTextEncode": ("text",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name",),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "KSampler": ("seed", "", "steps", "cfg", "sampler_name"),
    "KSamplerAdvanced": ("add_noise", "noise_seed", "", "steps", "cfg", "sampler_name"),
    "RandomNoise": ("noise_seed",),
    "KSamplerSelect": ("sampler_name",),
}
"""What the editor's graph keeps by place only (nodes.py and comfy_extras/nodes_custom_sampler.py of ComfyUI)."""

_HANDLING = frozenset(
    {
        "LoadImage",
        "LoadImageMask",
        "SaveImage",
        "PreviewImage",
        "ImageScale",
        "ImageScaleBy",
        "ImageScaleToTotalPixels",
        "ImageInvert",
        "ImageCrop",
        "ImagePadForOutpaint",
        "ImageBatch",
        "ImageBlend",
        "ImageBlur",
        "ImageSharpen",
        "ImageQuantize",
        "ImageCompositeMasked",
        "SaveAnimatedWEBP",
        "SaveAnimatedPNG",
        "SaveWEBM",
        "SaveVideo",
        "CreateVideo",
        "LoadVideo",
        "GetVideoComponents",
        "VHS_LoadVideo",
        "VHS_VideoCombine",
        "VHS_LoadImages",
        "Note",
        "MarkdownNote",
        "Reroute",
        "PrimitiveNode",
        "MaskToImage",
        "ImageToMask",
        "Canny",
    }
)
"""Classes that load, scale, combine and save: a graph of nothing else makes no picture."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node: its class, and its inputs by name, each a value or a link ``[node, output]``."""

    kind: str
    inputs: Mapping[str, Any]


Graph = Mapping[str, Node]


def prompt_graph(found: Any) -> Graph:
    """The nodes of ComfyUI's ``prompt``, an object of nodes; empty when it is none."""
    if not isinstance(found, dict):
        return {}
    return {
        name: Node(node["class_type"], node["inputs"] if isinstance(node.get("inputs"), dict) else {})
        for name, node in list(found.items())[:MAX_NODES]
        if isinstance(node, dict) and isinstance(node.get("class_type"), str)
    }


def workflow_graph(found: Any) -> Graph:
    """The nodes of ComfyUI's ``workflow``, the editor's graph, with those of its subgraphs; empty when it is none.

    Other programs keep nodes and links too, so LiteGraph's counter must be there (``state`` in later forms).
    """
    if not isinstance(found, dict) or not found.keys() & {"last_node_id", "state"} or "links" not in found:
        return {}
    definitions = found.get("definitions")
    inner = definitions.get("subgraphs") if isinstance(definitions, dict) else None
    parts = [found, *(part for part in (inner if isinstance(inner, list) else [])[:100] if isinstance(part, dict))]
    kinds = {str(part.get("id")) for part in parts[1:]}
    nodes: dict[str, Node] = {}
    for number, part in enumerate(parts):
        for name, node in _editor_nodes(part, f"{number}:"):
            if node.kind not in kinds and len(nodes) < MAX_NODES:
                nodes[name] = node
    return nodes


def _editor_nodes(part: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Node]]:
    found, links = part.get("nodes"), part.get("links")
    origins = dict(_origins(links)) if isinstance(links, list) else {}
    for node in found[:MAX_NODES] if isinstance(found, list) else ():
        if not isinstance(node, dict) or not isinstance(node.get("type"), str):
            continue
        widgets = node.get("widgets_values")
        inputs: dict[str, Any] = {}
        if isinstance(widgets, dict):
            inputs.update(widgets)
        elif isinstance(widgets, list):
            inputs.update(zip(_WIDGETS.get(node["type"], ()), widgets, strict=False))
        slots = node.get("inputs")
        for slot in slots[:100] if isinstance(slots, list) else ():
            if isinstance(slot, dict) and isinstance(slot.get("link"), int) and slot["link"] in origins:
                inputs[str(slot.get("name"))] = [f"{prefix}{origins[slot['link']]}", 0]
        yield f"{prefix}{node.get('id')}"[:80], Node(node["type"], inputs)


def _origins(links: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """Link -> the node it comes from; a list in the graph itself, an object in subgraphs."""
    for link in links[: 10 * MAX_NODES]:
        if isinstance(link, list) and len(link) >= 2 and isinstance(link[0], int):
            yield link[0], str(link[1])[:40]
        elif isinstance(link, dict) and isinstance(link.get("id"), int):
            yield link["id"], str(link.get("origin_id"))[:40]


def makes_a_picture(graph: Graph) -> bool:
    """Whether any node does more than load, scale, combine or save."""
    return any(node.kind not in _HANDLING for node in graph.values())


def graph_settings(graph: Graph) -> dict[str, str]:
    """The settings of the first sampler; what cannot be reached from it is taken from the first node that has it."""
    start = next((n for n in graph.values() if "positive" in n.inputs and _has_seed(n)), None)
    start = start or next((n for n in graph.values() if "guider" in n.inputs or "positive" in n.inputs), None)
    inputs = start.inputs if start is not None else {}
    guider = _target(graph, inputs.get("guider"))
    guiding = guider.inputs if guider is not None else inputs
    values = {
        "prompt": _text(graph, guiding.get("positive", guiding.get("conditioning")), "positive"),
        "negative_prompt": _text(graph, guiding.get("negative"), "negative"),
        "model": _string(graph, guiding.get("model"), _MODEL) or _anywhere(graph, _MODEL[:-1]),
        "seed": _seed(graph, inputs),
        "sampler": _string(graph, inputs.get("sampler_name", inputs.get("sampler")), _SAMPLER),
        "size": _size(graph, inputs.get("latent_image", inputs.get("latent"))),
    }
    if start is None:  # a node that asks a service has everything in itself
        values["prompt"] = _anywhere(graph, ("prompt", "positive_prompt", "text"))
    return settings(values)


def _has_seed(node: Node) -> bool:
    return bool(node.inputs.keys() & {"seed", "noise_seed"})


def _target(graph: Graph, link: object) -> Node | None:
    name = link[0] if isinstance(link, list) and len(link) == 2 else None
    return graph.get(str(name)) if isinstance(name, str | int) else None


def _behind(graph: Graph, link: object, side: str = "") -> Iterator[Node]:
    """The nodes that a link leads to, nearest first; a node that takes both sides hands each on by itself."""
    waiting, seen = deque([link]), 0
    visited: set[int] = set()
    while waiting and seen < _MAX_STEPS:
        node, seen = _target(graph, waiting.popleft()), seen + 1
        if node is None or id(node) in visited or node.kind in _SILENT:
            continue
        visited.add(id(node))
        yield node
        if side and side in node.inputs:
            waiting.append(node.inputs[side])
        else:
            waiting.extend(value for value in node.inputs.values() if isinstance(value, list))


def _text(graph: Graph, link: object, side: str) -> str | None:
    if isinstance(link, str):
        return link
    for node in _behind(graph, link, side):
        for key in (side, *_TEXT):
            value = node.inputs.get(key)
            if isinstance(value, str) and value.strip():
                return value
    return None


def _string(graph: Graph, link: object, keys: Sequence[str]) -> str | None:
    if isinstance(link, str):
        return link
    found = (n.inputs[key] for n in _behind(graph, link) for key in keys if isinstance(n.inputs.get(key), str))
    return next(found, None)


def _seed(graph: Graph, inputs: Mapping[str, Any]) -> int | None:
    value = next((inputs[key] for key in ("seed", "noise_seed", "noise") if key in inputs), None)
    if isinstance(value, int):
        return value
    found = (n.inputs[key] for n in _behind(graph, value) for key in _SEED if isinstance(n.inputs.get(key), int))
    return next(found, None) if value is not None else _any_seed(graph)


def _any_seed(graph: Graph) -> int | None:
    found = (n.inputs[key] for n in graph.values() for key in _SEED[:2] if isinstance(n.inputs.get(key), int))
    return next(found, None)


def _anywhere(graph: Graph, keys: Sequence[str]) -> str | None:
    found = (n.inputs[key] for n in graph.values() for key in keys if isinstance(n.inputs.get(key), str))
    return next(found, None)


def _size(graph: Graph, link: object) -> str | None:
    for node in (*_behind(graph, link), *(n for n in graph.values() if "batch_size" in n.inputs)):
        size = size_of(node.inputs.get("width"), node.inputs.get("height"))
        if size is not None:
            return size
    return None
