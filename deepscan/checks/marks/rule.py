"""What a mark is, and how a dialect says how its marks are recognised.

A mark is a declaration that nobody signed: anyone can write it into a file and anyone can remove it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from deepscan.checks.marks.places import PROGRAM
from deepscan.checks.reading.embedded import Entry
from deepscan.text import clean
from deepscan.types import Level

PROOF_SHOWN = 200
"""Characters of a mark that are quoted as proof."""

UNNAMED = "a generator that is not named"
"""Stands for the generator where a mark names none."""


class Claim(StrEnum):
    """What a mark claims. The finding codes follow these, so that a new dialect needs no new page."""

    RECORD = "record"
    NAME = "name"
    SOURCE_TYPE = "digital source type"
    LABEL = "AI label"


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader makes of a text.

    ``settings`` are short and clean: ``prompt``, ``negative_prompt``, ``model``, ``seed``, ``size``, ``sampler`` and
    what else a dialect tells. ``generator`` is given where the text names one. ``level`` is what the text is worth.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    generator: str | None = None
    level: Level = Level.STRONG


Read = Callable[[str], Told | None]


@dataclass(frozen=True, slots=True)
class Mark:
    """A rule that matched: which generator, where it stands, and what it tells.

    ``vague`` says that the generator is only the usual one of a form that others write too, or none at all.
    """

    rule: str
    generator: str
    claim: Claim
    what: str
    entry: Entry
    settings: Mapping[str, str]
    level: Level
    vague: bool

    @property
    def holds_settings(self) -> bool:
        """Whether the entry is a generator's own record rather than a statement of a program's name."""
        return self.claim is Claim.RECORD

    @property
    def place(self) -> str:
        """Where it stands: the source and the name there."""
        return clean(f"{self.entry.source} {self.entry.key}".strip(), 100)

    @property
    def proof(self) -> str:
        """The words of the file, cut and cleaned."""
        return clean(self.entry.text, PROOF_SHOWN)


class Statements:
    """The entries of one file, asked for what stands beside a mark; each question is answered once."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self._answers: dict[tuple[str, str], bool] = {}
        self._first: dict[str, str] = {}
        for entry in entries:
            self._first.setdefault(entry.key, entry.text)

    def has(self, key: str, text: str) -> bool:
        """Whether any entry has a name that ``key`` matches as a whole, and ``text`` in its text."""
        if (key, text) not in self._answers:
            self._answers[key, text] = any(
                re.fullmatch(key, e.key, re.IGNORECASE) and re.search(text, e.text) for e in self.entries
            )
        return self._answers[key, text]

    def settings(self, names: Mapping[str, str]) -> dict[str, str]:
        """Settings by the names that ``names`` gives to keys, short and clean, where the file has them."""
        return {name: clean(self._first[key]) for key, name in names.items() if key in self._first}


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of mark is recognised.

    ``generator`` is used where the text names none; ``vague`` says that others write this form too. ``key`` must match
    the whole name of an entry and ``place`` the whole of its source, both whatever the case; ``text`` must be found in
    its text. What it claims is a record of settings unless told otherwise. ``read`` returns None for "not of this
    kind". ``beside`` names other entries (key, text) that must be there too; ``others`` are settings that stand in
    entries of their own (key -> setting). ``source`` says where the convention comes from.
    """

    id: str
    generator: str
    source: str
    key: str
    text: str = r""
    claim: Claim = Claim.RECORD
    what: str = "generation settings"
    place: str = r".*"
    read: Read | None = None
    beside: tuple[tuple[str, str], ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    vague: bool = False

    def takes(self, source: str, key: str) -> bool:
        """Whether a mark of this rule may stand in an entry of this source and name."""
        return bool(
            re.fullmatch(self.key, key, re.IGNORECASE | re.DOTALL) and re.fullmatch(self.place, source, re.IGNORECASE)
        )

    def match(self, entry: Entry, file: Statements) -> Mark | None:
        """The mark in an entry that this rule takes, or None; ``file`` is all that the file says."""
        if not re.search(self.text, entry.text):
            return None
        told = self.read(entry.text) if self.read is not None else Told()
        if told is None or not all(file.has(key, text) for key, text in self.beside):
            return None
        settings = {**file.settings(self.others), **told.settings}
        generator = told.generator or self.generator
        vague = generator == UNNAMED or (self.vague and told.generator is None)
        return Mark(self.id, generator, self.claim, self.what, entry, settings, told.level, vague)


def signature(
    rule: str,
    generator: str,
    *,
    source: str,
    text: str,
    key: str = PROGRAM,
    place: str = r".*",
    others: Mapping[str, str] = MappingProxyType({}),
) -> Rule:
    """The rule ``rule`` of a generator that writes its name where programs sign; the rest as in :class:`Rule`."""
    what = "the generator's name"
    return Rule(rule, generator, source, key, text, Claim.NAME, what, place=place, others=others)
