"""Documents of earlier schemas in the shape of this one: each step adds what its version did not have yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from deepscan.types import JSONValue


def upgraded(document: Mapping[str, JSONValue], version: str) -> JSONValue:
    """A report of an earlier ``version``, one of :data:`STEPS`, with what later ones have; the argument stays."""
    step = STEPS[version]
    items = document.get("items")
    return {**document, "items": [step(item) for item in items] if isinstance(items, list) else items}


def films_added(item: Any) -> Any:
    """One entry of ``items`` with what 1.1 added: the film of a check result, and the track of a part.

    What is no entry, or has these fields, stays as it is.
    """
    if not isinstance(item, dict) or not isinstance(item.get("results"), list):
        return item
    return {**item, "results": [_film_added(result) for result in item["results"]]}


def _film_added(result: Any) -> Any:
    if not isinstance(result, dict) or not isinstance(result.get("parts"), list):
        return result
    parts = [{"track": None, **part} if isinstance(part, dict) else part for part in result["parts"]]
    return {"film": None, **result, "parts": parts}


STEPS: Mapping[str, Callable[[Any], Any]] = MappingProxyType({"1.0": films_added})
"""How an entry of ``items`` of each earlier version becomes one of the next."""
