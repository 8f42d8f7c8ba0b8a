"""The checks there are: the built-in ones in this explicit tuple, and those that other packages add by entry point.

Importing this module loads no torch, cv2 or exifread: checks import them inside the functions that use them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from deepscan.checks import classifier, ela, identity, metadata
from deepscan.checks.base import BatchCheck, Check, CheckSpec
from deepscan.errors import ConfigError, UnknownCheckError, UsageError
from deepscan.models.card import ModelCard

ENTRY_POINTS = "deepscan.checks"
"""The group of entry points under which other packages add checks: each is a callable that returns a check."""

SPECS: tuple[CheckSpec, ...] = (identity.SPEC, metadata.SPEC, ela.SPEC, classifier.SPEC)
"""The built-in checks in the order in which reports show them: the cheap ones first, the model last."""


def all_specs() -> tuple[CheckSpec, ...]:
    """The built-in checks and those of other packages, in the order of their names.

    Raises:
        ConfigError: two checks have the same id, or a check of another package cannot be loaded.
    """
    return unique((*SPECS, *(check.spec for check in _added())))


def select(checks: tuple[str, ...] | None, skip: tuple[str, ...]) -> tuple[CheckSpec, ...]:
    """The checks to run, always in the catalogue's order: those named (all for None) without the skipped ones.

    Raises:
        UnknownCheckError: a name in ``checks`` or ``skip`` is no check.
        UsageError: nothing is left to run.
        ConfigError: as :func:`all_specs`.
    """
    specs = all_specs()
    known = tuple(spec.id for spec in specs)
    for name in (*(checks or ()), *skip):
        if name not in known:
            raise UnknownCheckError(f"There is no check {name!r}.", _nearest(name, known))
    wanted = set(known if checks is None else checks) - set(skip)
    if not wanted:
        raise UsageError("No check is left to run.", f"Checks are: {', '.join(known)}.")
    return tuple(spec for spec in specs if spec.id in wanted)


def build(
    selected: tuple[CheckSpec, ...], card: ModelCard | None, network: object | None
) -> tuple[Check | BatchCheck, ...]:
    """Make the selected checks, in their order.

    Args:
        selected: What :func:`select` returned.
        card: The card of the model for the classifier; None is allowed when the classifier is not selected.
        network: The loaded model, or None where samples are only prepared or results concluded.

    Raises:
        UsageError: the classifier is selected and there is no card.
        ConfigError: as :func:`all_specs`.
    """
    wanted = {spec.id for spec in selected}
    added = {check.spec.id: check for check in (_added() if wanted - {spec.id for spec in SPECS} else ())}
    return tuple(_build_one(spec.id, added, card, network) for spec in selected)


def _build_one(
    name: str, added: dict[str, Check | BatchCheck], card: ModelCard | None, network: object | None
) -> Check | BatchCheck:
    match name:
        case "identity":
            return identity.Identity()
        case "metadata":
            return metadata.Metadata()
        case "ela":
            return ela.Ela()
        case "classifier":
            if card is None:
                raise UsageError("The check classifier needs a model.", "Name one with --model, or --skip classifier.")
            return classifier.Classifier(card, network=cast("classifier.Scorer | None", network))
        case _:
            return added[name]


def unique(specs: Iterable[CheckSpec]) -> tuple[CheckSpec, ...]:
    """The specs as they are. Raises ConfigError when two have the same id."""
    found: dict[str, CheckSpec] = {}
    for spec in specs:
        if spec.id in found:
            raise ConfigError(
                f"Two checks have the id {spec.id!r}: {found[spec.id].title!r} and {spec.title!r}.",
                f"Remove one of the packages that add checks under {ENTRY_POINTS!r}.",
            )
        found[spec.id] = spec
    return tuple(found.values())


def _added() -> tuple[Check | BatchCheck, ...]:
    """The checks of other packages, by the names of their entry points."""
    return tuple(_load(point) for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name))


def _load(point: EntryPoint) -> Check | BatchCheck:
    try:
        check: Check | BatchCheck = point.load()()
        assert isinstance(check.spec, CheckSpec)
    except (ImportError, AttributeError, TypeError, AssertionError) as e:
        raise ConfigError(
            f"The check {point.name!r} of another package ({point.value}) cannot be loaded: {e}.",
            "Update or remove that package.",
        ) from e
    return check


def _nearest(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return (f"Did you mean {close[0]}? " if close else "") + f"Checks are: {', '.join(known)}."
