"""Grok: a signature in EXIF ImageDescription and a number in Artist."""

from __future__ import annotations

from deepscan.checks.marks.places import UUID
from deepscan.checks.marks.rule import Claim, Rule

RULES = (
    Rule(
        id="grok-signature",
        generator="Grok (xAI)",
        claim=Claim.NAME,
        what="a generation signature",
        source="observed by wiltodelta/remove-ai-watermarks on genuine downloads, 2026",
        key=r"ImageDescription",
        text=r"^Signature: [A-Za-z0-9+/=_-]{40,}$",
        beside=((r"Artist", rf"^{UUID}$"),),
    ),
)
