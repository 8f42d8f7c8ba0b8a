"""Documents of earlier schemas in the shape of this one: each step adds what its version did not have yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from deepscan.types import JSONValue


def upgraded(document: Mapping[str, JSONValue], version: str) -> JSONValue:
    """A report of an earlier ``version``, one of :data:`STEPS`, with what later ones have; the argument stays."""
    whole: Any = document
    for step in list(STEPS.values())[list(STEPS).index(version) :]:
        whole = step(whole)
    return {**whole}


def films_added(item: Any) -> Any:
    """One entry of ``items`` with what 1.1 added: the film of a check result, and the track of a part.

    What is no entry, or has these fields, stays as it is.
    """
    results = item.get("results") if isinstance(item, dict) else None
    if not isinstance(results, list) or all(isinstance(result, dict) and "film" in result for result in results):
        return item
    return {**item, "results": [_film_added(result) for result in results]}


def paths_added(run: Any) -> Any:
    """The record of a run with what 1.2 added: the paths that were given. What is no record stays as it is."""
    return {**run, "paths": run.get("paths", [])} if isinstance(run, dict) else run


def _film_added(result: Any) -> Any:
    if not isinstance(result, dict) or not isinstance(result.get("parts"), list):
        return result
    parts = [{"track": None, **part} if isinstance(part, dict) else part for part in result["parts"]]
    return {"film": None, **result, "parts": parts}


def _to_1_1(document: Any) -> Any:
    items = document.get("items")
    return {**document, "items": [films_added(item) for item in items] if isinstance(items, list) else items}


def _to_1_2(document: Any) -> Any:
    """Also what accepts files, and the seal, which the earlier versions did not have."""
    return {**document, "run": paths_added(document.get("run")), "known": [], "seal": None}


STEPS: Mapping[str, Callable[[Any], Any]] = MappingProxyType({"1.0": _to_1_1, "1.1": _to_1_2})
"""How a report of each earlier version becomes one of the next, in order."""
