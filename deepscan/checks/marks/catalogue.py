"""Every dialect there is: a new one is one file in this folder and one line here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from deepscan.checks.marks import (
    a1111,
    aigc,
    comfyui,
    draw_things,
    easy_diffusion,
    enfugue,
    flux,
    fooocus,
    google,
    invokeai,
    iptc,
    midjourney,
    mochi,
    novelai,
    programs,
    swarmui,
    wangp,
    xai,
)
from deepscan.checks.marks.rule import Mark, Rule, Statements
from deepscan.checks.reading.embedded import Entry

RULES: tuple[Rule, ...] = (
    *a1111.RULES,
    *comfyui.RULES,
    *invokeai.RULES,
    *novelai.RULES,
    *fooocus.RULES,
    *swarmui.RULES,
    *wangp.RULES,
    *draw_things.RULES,
    *easy_diffusion.RULES,
    *enfugue.RULES,
    *mochi.RULES,
    *flux.RULES,
    *midjourney.RULES,
    *xai.RULES,
    *google.RULES,
    *programs.RULES,
    *iptc.RULES,
    *aigc.RULES,
)
"""Every rule; tests/unit/checks/test_marks.py has a positive and a negative case for each."""


MAX_MARKS = 50
"""Marks of one rule that are kept of one file; a second one of a rule is rare already."""


def find_marks(entries: Sequence[Entry]) -> tuple[Mark, ...]:
    """The marks in a file's metadata, in the order of :data:`RULES`, up to :data:`MAX_MARKS` of each."""
    found: list[tuple[int, Mark]] = []
    kept: Counter[int] = Counter()
    file = Statements(entries)
    for entry in entries:
        for number in _takers(entry.source[:64], entry.key[:128]):
            mark = RULES[number].match(entry, file) if kept[number] < MAX_MARKS else None
            if mark is not None:
                found.append((number, mark))
                kept[number] += 1
    return tuple(mark for _, mark in sorted(found, key=lambda pair: pair[0]))


@lru_cache(maxsize=4096)
def _takers(source: str, key: str) -> tuple[int, ...]:
    """The rules that look at entries of this source and name: most look at few, and a file may have 50,000 entries."""
    return tuple(number for number, rule in enumerate(RULES) if rule.takes(source, key))
