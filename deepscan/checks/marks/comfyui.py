"""ComfyUI: the graph that was run (``prompt``) and the editor's graph (``workflow``), in pictures and in videos."""

from __future__ import annotations

import re

from deepscan.checks.marks.graph import Graph, graph_settings, makes_a_picture, prompt_graph, workflow_graph
from deepscan.checks.marks.places import COMMENT
from deepscan.checks.marks.rule import Rule, Told
from deepscan.checks.marks.values import load_json, load_object
from deepscan.types import Level

_PREFIX = re.compile(r"^(?i:prompt|workflow):\s*")
_EXIF_PLACES = rf"Make|Model|ImageDescription|Software|{COMMENT}"


def _told(graph: Graph) -> Told | None:
    if not graph:
        return None
    return Told(graph_settings(graph), level=Level.STRONG if makes_a_picture(graph) else Level.WEAK)


def _read_prompt(text: str) -> Told | None:
    return _told(prompt_graph(load_json(_PREFIX.sub("", text, count=1))))


def _read_workflow(text: str) -> Told | None:
    return _told(workflow_graph(load_json(_PREFIX.sub("", text, count=1))))


def _read_holder(text: str) -> Told | None:
    """An object that holds the two graphs as members, each an object or its text."""
    holder = load_object(text)
    for name, reader in (("prompt", prompt_graph), ("workflow", workflow_graph)):
        part = holder.get(name)
        told = _told(reader(load_json(part) if isinstance(part, str) else part))
        if told is not None:
            return told
    return None


RULES = (
    Rule(
        id="comfyui-prompt",
        generator="ComfyUI",
        what="a generation graph",
        source="comfyanonymous/ComfyUI: nodes.py (SaveImage), nodes_images.py (SaveAnimatedWEBP), nodes_video.py "
        "(SaveWEBM, SaveVideo: the tag prompt)",
        key=rf"prompt|{_EXIF_PLACES}",
        text=r'"class_type"',
        read=_read_prompt,
    ),
    Rule(
        id="comfyui-workflow",
        generator="ComfyUI",
        what="a generation graph",
        source="as comfyui-prompt; subgraphs: docs.comfy.org, workflow JSON",
        key=rf"workflow|{_EXIF_PLACES}",
        text=r'"nodes"',
        read=_read_workflow,
    ),
    Rule(
        id="comfyui-comment",
        generator="ComfyUI",
        what="a generation graph",
        source="Kosinkadink/ComfyUI-VideoHelperSuite, videohelpersuite/nodes.py (comment of a video)",
        key=rf"comment|©cmt|{COMMENT}|parameters|",
        text=r'"(?:prompt|workflow)"',
        read=_read_holder,
    ),
)
