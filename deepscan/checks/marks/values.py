"""Taking settings out of hostile JSON: bounded in size and depth, and anything unexpected is passed over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deepscan.text import clean

MAX_JSON = 8 * 1024**2
"""Characters of JSON that are parsed. Workflows of hundreds of nodes stay below 1 MB."""

SHOWN = 300
"""Characters of one setting that are kept; a cut says how many are missing."""


def load_json(text: str) -> Any:
    """The value of a JSON text, or None when it is none, too long or nested too deeply."""
    if len(text) > MAX_JSON or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def load_object(text: str) -> dict[str, Any]:
    """The JSON object of a text; empty where there is none."""
    found = load_json(text)
    return found if isinstance(found, dict) else {}


def settings(values: Mapping[str, object]) -> dict[str, str]:
    """The settings that are there, as short clean text."""
    return {
        name: clean(str(value), SHOWN)
        for name, value in values.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip()
    }


def size_of(width: object, height: object) -> str | None:
    """``512x768``, or None where one of them is no whole number."""
    whole = isinstance(width, int) and isinstance(height, int)
    return f"{width}x{height}" if whole else None


def named(found: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    """The settings of an object whose members are called as ``names`` says (ours -> theirs), and the size that its
    members width and height give.
    """
    size = size_of(found.get("width"), found.get("height"))
    return settings({**{ours: found.get(theirs) for ours, theirs in names.items()}, "size": size})
