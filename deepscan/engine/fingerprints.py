"""What the answer of each check depends on besides the file, as keys: where a key is the same, the answer is.

Every check has a key of its own, made of its id and version, of the options that touch it (``CheckSpec.options``), for
checks of the model's families of the model's weights and card, and of the face finder where faces are looked for. So
another option, pack, finder or version of a check examines again just what it touches. The whole answer has a key too,
for the verdict's policy and the order of checks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deepscan import __version__
from deepscan.checks.base import CheckSpec
from deepscan.config import SAMPLING, ScanOptions, result_options
from deepscan.engine.verdict import DEFAULT_POLICY
from deepscan.errors import InputError
from deepscan.models import card as cards
from deepscan.models import face_packs
from deepscan.models.packs import Pack
from deepscan.reports.schema import SCHEMA_VERSION
from deepscan.text import clean
from deepscan.types import Family, JSONValue, MediaItem

COMMON = frozenset({"redact_location"})
"""Options that touch what every check says."""

NEVER = frozenset({"model", "checks", "skip", "trust_list"})
"""Options that count by what they lead to: weights and card, the checks selected, the list's bytes."""

ONE_PICTURE = frozenset({"jpeg", "bmp"})
"""Containers in which there is nothing to choose among."""

_MODELS = frozenset({Family.MODEL, Family.TEMPORAL})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer is wanted for: the key of each check in the order of the report, and one for the whole."""

    keys: Mapping[str, str]
    fingerprint: str


class Fingerprints:
    """The keys of one scan.

    Args:
        options: What the user asked for.
        selected: The checks that run.
        pack: The model they have, or None.

    Raises:
        InputError: a file that an option names cannot be read.
        ModelError: the face finder that is asked for is not here.
    """

    def __init__(self, options: ScanOptions, selected: tuple[CheckSpec, ...], pack: Pack | None) -> None:
        self._options = {name: v for name, v in result_options(options).items() if name not in NEVER}
        self._selected, self._pack = selected, pack
        self._trusted = _digest(options.trust_list)
        self._finder = face_packs.finder(options.faces).name  # with its version: another one draws other boxes

    def of(self, item: MediaItem) -> Wanted:
        """The keys for a file."""
        return self._still if item.container in ONE_PICTURE else self._moving

    @cached_property
    def _still(self) -> Wanted:
        return self._wanted(frozenset(SAMPLING))

    @cached_property
    def _moving(self) -> Wanted:
        return self._wanted(frozenset())

    def _wanted(self, without: frozenset[str]) -> Wanted:
        keys = {spec.id: self._key(spec, without) for spec in self._selected}
        card = self._pack.card if self._pack else None
        thresholds: list[JSONValue] = [t.probability for t in card.thresholds] if card else []
        return Wanted(keys, _hash([DEFAULT_POLICY.version, thresholds, list(keys.items())]))

    def _key(self, spec: CheckSpec, without: frozenset[str]) -> str:
        touching = self._options.keys() if spec.options is None else COMMON | set(spec.options)
        parts: dict[str, JSONValue] = {
            "deepscan": [__version__, SCHEMA_VERSION],
            "check": [spec.id, spec.version],
            "options": {name: value for name, value in self._options.items() if name in touching - without},
        }
        if spec.options is None or "trust_list" in spec.options:
            parts["trusted"] = self._trusted
        if spec.options is None or "faces" in spec.options:
            parts["finder"] = self._finder
        if spec.family in _MODELS and self._pack is not None:
            parts["model"] = [cards.to_json(self._pack.card), self._pack.sha256]
        return _hash(parts)[:24]


def _hash(value: JSONValue) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _digest(path: str | None) -> str | None:
    """The SHA-256 of a file that answers depend on: its name alone would not tell that it has changed."""
    if path is None:
        return None
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as e:
        raise InputError(f"{clean(path)} cannot be read: {e.strerror or e}.", "Name a file that can be read.") from e
