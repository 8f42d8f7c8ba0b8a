"""Suppressions: verdicts that a person has accepted, each with a reason, an author and a day on which it ends.

A TOML file with an entry for each::

    [[suppress]]
    sha256 = "0f0f..."            # or: path = "photos/*.png", relative to the folder that is scanned
    codes = ["DS-META-003"]       # optional: only a verdict that rests on these and no others
    reason = "The agency confirmed that it is their illustration."
    author = "j.doe"
    expires = 2027-01-01
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from deepscan.errors import ConfigError
from deepscan.text import clean
from deepscan.types import ItemReport

_FIELDS = {"sha256", "path", "codes", "reason", "author", "expires"}
_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry of the file. ``number`` counts from 1; one of ``sha256`` and ``path`` is given; no codes mean any."""

    number: int
    sha256: str | None
    path: str | None
    codes: frozenset[str]
    reason: str
    author: str
    expires: date

    @property
    def shown(self) -> str:
        """What it is about, in a word that is safe to show."""
        return clean(self.path or str(self.sha256))

    def covers(self, report: ItemReport) -> bool:
        """Whether it is about a flagged file, and about everything that the verdict rests on."""
        if self.codes and not self.codes >= set(report.verdict.because):
            return False
        if self.sha256 is not None:
            return self.sha256 == report.item.sha256
        return fnmatch.fnmatchcase(str(report.item.name), self.path or "")


def read(path: Path) -> tuple[Suppression, ...]:
    """Read a file of suppressions, expired ones too.

    Raises:
        ConfigError: it cannot be read, or an entry lacks something or has a field that is not known.
    """
    shown = clean(str(path))
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise ConfigError(f"The suppressions {shown} cannot be read: {e.strerror or e}.", "Check the path.") from e
    except ValueError as e:
        raise ConfigError(f"The suppressions {shown} are not valid TOML: {clean(str(e))}.", "Mend the file.") from e
    entries = document.pop("suppress", [])
    if document or not isinstance(entries, list):
        raise ConfigError(f"The suppressions {shown} hold more than [[suppress]] entries.", "Mend the file.")
    return tuple(_entry(number, entry, shown) for number, entry in enumerate(entries, 1))


def _entry(number: int, entry: Any, shown: str) -> Suppression:
    def refuse(why: str) -> ConfigError:
        hint = "An entry has sha256 or path, reason, author, expires (a date), and may have codes."
        return ConfigError(f"Suppression {number} in {shown} {why}.", hint)

    if not isinstance(entry, dict):
        raise refuse("is no table")
    if unknown := sorted(set(entry) - _FIELDS):
        raise refuse(f"has the unknown field {clean(unknown[0])!r}")
    texts = {name: entry.get(name) for name in ("sha256", "path", "reason", "author")}
    if wrong := [name for name, value in texts.items() if value is not None and not (isinstance(value, str) and value)]:
        raise refuse(f"has no text in {wrong[0]}")
    if (texts["sha256"] is None) == (texts["path"] is None):
        raise refuse("names a file by sha256 or by path, and by one of them only")
    if texts["sha256"] is not None and not _HASH.fullmatch(texts["sha256"]):
        raise refuse("has no SHA-256 of 64 lower-case hexadecimal digits")
    reason, author, expires, codes = texts["reason"], texts["author"], entry.get("expires"), entry.get("codes", [])
    if reason is None or author is None:
        raise refuse("lacks a reason or an author")
    if not isinstance(expires, date) or isinstance(expires, datetime):
        raise refuse("lacks the day on which it expires")
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise refuse("has no list of texts in codes")
    return Suppression(number, texts["sha256"], texts["path"], frozenset(codes), reason, author, expires)
