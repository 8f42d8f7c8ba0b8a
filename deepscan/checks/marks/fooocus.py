"""Fooocus: a JSON object in its own scheme, or A1111's parameters, and beside either the name of the scheme."""

from __future__ import annotations

from deepscan.checks.marks.places import COMMENT
from deepscan.checks.marks.rule import Claim, Rule, Told
from deepscan.checks.marks.values import load_object, settings

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


RULES = (
    Rule(
        id="fooocus-parameters",
        generator="Fooocus",
        claim=Claim.RECORD,
        what="generation settings",
        source=_SOURCE,
        key=rf"parameters|{COMMENT}|Comment",
        text=r'"base_model"',
        read=_read_parameters,
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
    Rule(
        id="fooocus-software",
        generator="Fooocus",
        claim=Claim.NAME,
        what="the generator's name",
        source=_SOURCE,
        key=r"Software",
        text=r"^Fooocus\b",
    ),
)
