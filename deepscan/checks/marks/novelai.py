"""NovelAI: PNG texts Software, Description and Comment; the same as one object in a WebP; and in the alpha channel."""

from __future__ import annotations

from deepscan.checks.marks.places import COMMENT
from deepscan.checks.marks.rule import Rule, Told, signature
from deepscan.checks.marks.values import load_object, named, settings

_SIGNED = (r"Software", r"^NovelAI\b")
_SOURCE = "NovelAI/novelai-image-metadata, README"
_NAMES = {"prompt": "prompt", "negative_prompt": "uc", "seed": "seed", "sampler": "sampler"}


def _read_comment(text: str) -> Told | None:
    found = load_object(text)
    return Told(named(found, _NAMES)) if {"steps", "sampler", "seed"} <= found.keys() else None


def _read_object(text: str) -> Told | None:
    """The PNG texts as the members of one object; the settings are the text of its member Comment."""
    found = load_object(text)
    if found.get("Software") != "NovelAI":
        return None
    comment = found.get("Comment")
    inner = load_object(comment) if isinstance(comment, str) else comment
    beside = settings({"prompt": found.get("Description"), "model": found.get("Source")})
    return Told({**beside, **(named(inner, _NAMES) if isinstance(inner, dict) else {})})


RULES = (
    signature(
        "novelai",
        "NovelAI",
        source=_SOURCE,
        key=r"Software",
        text=r"^NovelAI\b",
    ),
    Rule(
        id="novelai-comment",
        generator="NovelAI",
        source=_SOURCE,
        key=r"Comment",
        read=_read_comment,
        beside=(_SIGNED,),
        others={"Description": "prompt", "Source": "model"},
    ),
    Rule(
        id="novelai-object",
        generator="NovelAI",
        source="NovelAI's WebP download: the PNG texts as one object in UserComment",
        key=rf"{COMMENT}|parameters",
        text=r'"Software"\s*:\s*"NovelAI"',
        read=_read_object,
    ),
)
