"""Fooocus: a JSON object in its own scheme, or A1111's parameters, and beside either the name of the scheme.

RuinedFooocus, a relative, writes an object that names it.
"""

from __future__ import annotations

from deepscan.checks.marks.places import COMMENT
from deepscan.checks.marks.rule import Claim, Rule, Told, signature
from deepscan.checks.marks.values import load_object, named, settings

_SOURCE = "lllyasviel/Fooocus, modules/meta_parser.py and private_logger.py"


def _read_parameters(text: str) -> Told | None:
    found = load_object(text)
    if not {"base_model", "performance"} <= found.keys():
        return None
    names = {
        "prompt": "prompt",
        "negative_prompt": "negative_prompt",
        "model": "base_model",
        "seed": "seed",
        "size": "resolution",
        "sampler": "sampler",
    }
    return Told(settings({ours: found.get(theirs) for ours, theirs in names.items()}))


def _read_ruined(text: str) -> Told | None:
    found = load_object(text)
    if found.get("software") != "RuinedFooocus":
        return None
    names = {"negative_prompt": "Negative", "model": "base_model_name", "seed": "seed", "sampler": "sampler_name"}
    return Told(named(found, {"prompt": "Prompt" if "Prompt" in found else "prompt", **names}))


RULES = (
    Rule(
        id="fooocus-parameters",
        generator="Fooocus",
        source=_SOURCE,
        key=rf"parameters|{COMMENT}|Comment",
        text=r'"base_model"',
        read=_read_parameters,
    ),
    Rule(
        id="ruined-fooocus",
        generator="RuinedFooocus",
        source="runew0lf/RuinedFooocus, modules/async_worker.py (PNG text parameters, the tag metadata of videos)",
        key=r"parameters|metadata",
        text=r'"software"\s*:\s*"RuinedFooocus"',
        read=_read_ruined,
    ),
    Rule(
        id="fooocus-scheme",
        generator="Fooocus",
        claim=Claim.NAME,
        what="the name of its scheme",
        source=_SOURCE,
        key=r"fooocus_scheme",
        text=r"^(?:fooocus|a1111)$",
    ),
    signature(
        "fooocus-software",
        "Fooocus",
        source=_SOURCE,
        key=r"Software",
        text=r"^Fooocus\b",
    ),
)
