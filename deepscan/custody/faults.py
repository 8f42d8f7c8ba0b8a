"""What a verification finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong with a file or an entry."""

    CHANGED = "changed"
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not what it was. ``what`` names a file or an entry, as text that is safe to show."""

    kind: Kind
    what: str
    why: str
