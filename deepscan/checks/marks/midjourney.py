"""Midjourney: the prompt with the job's number in a description."""

from __future__ import annotations

import re

from deepscan.checks.marks.places import DESCRIPTION, UUID
from deepscan.checks.marks.rule import Rule, Told
from deepscan.checks.marks.values import settings

_JOB = re.compile(rf"\bJob ID: ({UUID})")
_VERSION, _SEED = re.compile(r" --v (\S{1,20})"), re.compile(r" --seed (\d{1,20})")
MAX_TEXT = 64 * 1024


def _read_description(text: str) -> Told | None:
    text = text[:MAX_TEXT]
    job = _JOB.search(text)
    if job is None:
        return None
    before = text[: job.start()]
    version, seed = _VERSION.search(before), _SEED.search(before)
    values = {
        "prompt": before.strip(),
        "model": f"version {version[1]}" if version else None,
        "seed": seed[1] if seed else None,
        "job": job[1],
    }
    return Told(settings(values))


RULES = (
    Rule(
        id="midjourney-job",
        generator="Midjourney",
        what="a generation job with its prompt and number",
        source="docs.midjourney.com: downloads carry the prompt and the job ID",
        key=DESCRIPTION,
        text=r"\bJob ID: ",
        read=_read_description,
    ),
)
