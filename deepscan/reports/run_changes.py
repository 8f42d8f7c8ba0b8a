"""What differs between two runs that can change an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deepscan.text import clean
from deepscan.types import Family, JSONValue, RunInfo

HARMLESS = frozenset(
    ("workers", "batch_size", "fail_on", "style", "offline", "include", "exclude", "hidden", "follow_symlinks", "kinds")
)
"""Options that change no answer on a file that is examined."""


@dataclass(frozen=True, slots=True)
class RunChanges:
    """Sentences, without full stops: on single ``checks``, on the ``pack`` of the model, and ``elsewhere``.

    ``scored`` are the checks that the model stands behind.
    """

    checks: Mapping[str, str]
    pack: str | None
    scored: frozenset[str]
    elsewhere: tuple[str, ...]

    @classmethod
    def between(cls, old: RunInfo, new: RunInfo) -> RunChanges:
        """What became of ``old`` in ``new``."""
        then, now = ({check.id: check.version for check in run.checks} for run in (old, new))
        checks = {
            check: f"check {clean(check)} {_became(then.get(check), now.get(check))}"
            for check in sorted(then.keys() | now.keys())
            if then.get(check) != now.get(check)
        }
        scored = frozenset(check.id for run in (old, new) for check in run.checks if check.family is Family.MODEL)
        before, after = _pack(old), _pack(new)
        pack = None if before == after else f"the model {_became(before, after)}"
        if pack is None and old.model != new.model:
            pack = "the card of the model changed, and its weights did not"
        return cls(checks, pack, scored, tuple(_elsewhere(old, new)))

    def every(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.checks.values(), *([self.pack] if self.pack else ()), *self.elsewhere)

    def behind(self, checks: Sequence[str], *, elsewhere: bool) -> list[str]:
        """What can have made these checks answer otherwise; with ``elsewhere`` also what is not of one check alone.

        Where a check has a new version or a new model, that is named alone.
        """
        found = [self.checks[check] for check in checks if check in self.checks]
        if self.pack is not None and self.scored & set(checks):
            found.append(self.pack)
        own = self.checks.keys() | (self.scored if self.pack else ())
        if elsewhere and (not checks or set(checks) - own):
            found += self.elsewhere
        return found


def _elsewhere(old: RunInfo, new: RunInfo) -> Iterator[str]:
    if old.version != new.version:
        yield f"deepscan {_became(old.version, new.version)}"
    for name in sorted((old.options.keys() | new.options.keys()) - HARMLESS):
        if old.options.get(name) != new.options.get(name):
            yield f"option {clean(name.replace('_', '-'))} {_became(old.options.get(name), new.options.get(name))}"
    for what, before, after in (("device", old.device, new.device), ("precision", old.precision, new.precision)):
        if before != after:
            yield f"{what} {_became(before, after)}"
    for name in sorted(old.libraries.keys() | new.libraries.keys()):
        if old.libraries.get(name) != new.libraries.get(name):
            yield f"library {clean(name)} {_became(old.libraries.get(name), new.libraries.get(name))}"


def _became(before: JSONValue, after: JSONValue) -> str:
    if before is None:
        return f"is new ({_shown(after)})"
    return f"{_shown(before)} is no more" if after is None else f"{_shown(before)} became {_shown(after)}"


def _shown(value: JSONValue) -> str:
    return clean(value if isinstance(value, str) else str(value), 100)


def _pack(run: RunInfo) -> str | None:
    if run.model is None:
        return None
    name, digest = run.model.get("name"), run.model.get("weights_sha256")
    return f"{name} ({str(digest)[:12]})"
