"""The closed sets of words in a report. :mod:`deepscan.types` has the values that use them, and exports these too."""

from __future__ import annotations

from enum import StrEnum


class MediaKind(StrEnum):
    """What deepscan examines a file as."""

    IMAGE = "image"
    VIDEO = "video"


class Family(StrEnum):
    """The independent families of evidence (docs/evidence.md says what each may claim)."""

    PROVENANCE = "provenance"
    METADATA = "metadata"
    STRUCTURE = "structure"
    PIXELS = "pixels"
    MODEL = "model"
    TEMPORAL = "temporal"


class Level(StrEnum):
    """How much a finding is worth, in rising order; compare with :attr:`rank`."""

    INFO = "info"
    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"

    @property
    def rank(self) -> int:
        """0 for info, 3 for strong."""
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(Level)}


class PointsTo(StrEnum):
    """What a finding speaks for. Edited is not generated, and neither is "deceptive"."""

    GENERATED = "generated"
    EDITED = "edited"
    AUTHENTIC = "authentic"
    NEITHER = "neither"


class Outcome(StrEnum):
    """How a check ended."""

    DONE = "done"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"
    TIMED_OUT = "timed_out"


class Meaning(StrEnum):
    """What a score is a measure of. Only a probability ever meets a threshold."""

    PROBABILITY = "probability"
    INTENSITY = "intensity"


class Call(StrEnum):
    """The verdict on one file."""

    NO_EVIDENCE = "no-evidence"
    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"
    UNDETERMINED = "undetermined"


class Basis(StrEnum):
    """Why the verdict is what it is."""

    DECLARED = "declared"
    MODEL = "model"
    CORROBORATED = "corroborated"
    CONFLICT = "conflict"
    OBSERVED = "observed"
    BELOW_THRESHOLD = "below-threshold"
    NO_USABLE_CHECK = "no-usable-check"


class SkipCode(StrEnum):
    """Why a file was not examined. :attr:`incomplete` codes end a scan with exit code 3."""

    EXCLUDED = "excluded"
    HIDDEN = "hidden"
    SYMLINK = "symlink"
    NOT_MEDIA = "not-media"
    UNSUPPORTED = "unsupported"
    EMPTY = "empty"
    TOO_LARGE = "too-large"
    SPECIAL = "special"
    VANISHED = "vanished"
    CHANGED = "changed"
    UNREADABLE = "unreadable"

    @property
    def incomplete(self) -> bool:
        """True when this skip leaves a picture or video unexamined that the user asked for."""
        return self not in _HARMLESS_SKIPS


_HARMLESS_SKIPS = frozenset({SkipCode.EXCLUDED, SkipCode.HIDDEN, SkipCode.SYMLINK, SkipCode.NOT_MEDIA})
