"""Gemini and Imagen: the credit line that Google's tools write."""

from __future__ import annotations

from deepscan.checks.marks.rule import Claim, Rule

GOOGLE = "Google AI (Gemini, Imagen)"

RULES = (
    Rule(
        id="google-credit",
        generator=GOOGLE,
        claim=Claim.NAME,
        what="a credit line",
        source="IPTC Credit that Google's tools write: Made with Google AI, Edited with Google AI",
        key=r"(?:photoshop:)?Credit",
        text=r"(?i)\b(?:made|created|edited|generated) with google ai\b",
    ),
)
