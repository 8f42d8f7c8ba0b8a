"""Generators that sign where programs sign, and leave no more: a table of names."""

from __future__ import annotations

from deepscan.checks.marks.google import GOOGLE
from deepscan.checks.marks.rule import signature

_ROWS: tuple[tuple[str, str, str], ...] = (
    ("openai", "DALL-E or ChatGPT (OpenAI)", r"(?i)\b(?:DALL[·•.\- ]?E(?:[ -]?\d)?|ChatGPT|OpenAI|gpt-image-\d)\b"),
    ("google", GOOGLE, r"(?i)\b(?:with google ai|google (?:gemini|imagen))\b"),
    ("firefly", "Adobe Firefly", r"(?i)\badobe[ _]firefly\b"),
    ("midjourney", "Midjourney", r"(?i)\bmidjourney\b"),
    ("grok", "Grok (xAI)", r"^(?:xAI|Grok)\b"),
    ("ideogram", "Ideogram", r"(?i)^ideogram\b"),
    ("stable-diffusion", "Stable Diffusion", r"(?i)\b(?:stable diffusion|stability ai|dreamstudio)\b"),
    ("bing", "Bing Image Creator", r"(?i)\bbing image creator\b"),
    ("meta", "Meta AI", r"(?i)\b(?:imagine|made) with meta ai\b"),
    ("hidream", "HiDream", r"^AI generated;\w{1,20};hidream\b"),
    ("leonardo", "Leonardo.Ai", r"(?i)^leonardo\.ai\b"),
)

RULES = tuple(
    signature(
        f"program-{name}",
        generator,
        source="the name the program gives itself",
        text=text,
    )
    for name, generator, text in _ROWS
)
