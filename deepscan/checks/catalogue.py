"""The checks there are: the built-in ones in this explicit tuple, and those that other packages add by entry point.

Importing this module loads no torch, cv2 or exifread: checks import them inside the functions that use them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from deepscan.checks import (
    classifier,
    copy_move,
    double_jpeg,
    ela,
    film_faces,
    film_flow,
    generator_marks,
    ghosts,
    hidden_marks,
    identity,
    jpeg_file,
    jpeg_grid,
    metadata,
    movie_file,
    noise,
    png_file,
    previews,
    provenance,
    resampling,
    sequence,
    spectrum,
    view,
)
from deepscan.checks.base import BatchCheck, Check, CheckSpec
from deepscan.config import ScanOptions
from deepscan.errors import ConfigError, UnknownCheckError, UsageError
from deepscan.models.card import ModelCard

ENTRY_POINTS = "deepscan.checks"
"""The group of entry points under which other packages add checks: each is a callable that returns a check."""

ALL, DEFAULT = "all", "default"
"""Words that stand for several checks where checks are named."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What a check may be made with: the user's options, and the card and network of the model."""

    options: ScanOptions
    card: ModelCard | None = None
    network: object | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A check of the catalogue: what it is, and how it is made."""

    spec: CheckSpec
    make: Callable[[Kit], Check | BatchCheck]


def _classifier(kit: Kit) -> BatchCheck:
    if kit.card is None:
        raise UsageError("The check classifier needs a model.", "Name one with --model, or --skip classifier.")
    network = cast("classifier.Scorer | None", kit.network)
    return classifier.Classifier(kit.card, network, stability=kit.options.stability)


def _sequence(kit: Kit) -> BatchCheck:
    if kit.card is None:
        raise UsageError("The check sequence needs a model.", "Name one with --model, or --skip sequence.")
    return sequence.Sequences(kit.card, cast("sequence.Scorer | None", kit.network))


def _metadata(kit: Kit) -> Check:
    return metadata.Metadata(exiftool=kit.options.exiftool, redact_location=kit.options.redact_location)


BUILTIN: tuple[Entry, ...] = (
    Entry(identity.SPEC, lambda _: identity.Identity()),
    Entry(view.SPEC, lambda _: view.View()),
    Entry(
        provenance.SPEC,
        lambda kit: provenance.Provenance(kit.options.trust_list, fetch_remote=kit.options.fetch_remote),
    ),
    Entry(metadata.SPEC, _metadata),
    Entry(generator_marks.SPEC, lambda _: generator_marks.GeneratorMarks()),
    Entry(hidden_marks.SPEC, lambda _: hidden_marks.HiddenMarks()),
    Entry(jpeg_file.SPEC, lambda _: jpeg_file.JpegFile()),
    Entry(previews.SPEC, lambda _: previews.Previews()),
    Entry(double_jpeg.SPEC, lambda _: double_jpeg.DoubleJpeg()),
    Entry(png_file.SPEC, lambda _: png_file.PngFile()),
    Entry(movie_file.SPEC, lambda _: movie_file.MovieFile()),
    Entry(jpeg_grid.SPEC, lambda kit: jpeg_grid.JpegGrid(thorough=kit.options.thorough)),
    Entry(ela.SPEC, lambda _: ela.CHECK),
    Entry(copy_move.SPEC, lambda kit: copy_move.CopyMove(thorough=kit.options.thorough)),
    Entry(ghosts.SPEC, lambda _: ghosts.CHECK),
    Entry(noise.SPEC, lambda _: noise.CHECK),
    Entry(resampling.SPEC, lambda _: resampling.CHECK),
    Entry(spectrum.SPEC, lambda _: spectrum.CHECK),
    Entry(film_flow.SPEC, lambda _: film_flow.FilmFlow()),
    Entry(film_faces.SPEC, lambda _: film_faces.FilmFaces()),
    Entry(classifier.SPEC, _classifier),
    Entry(sequence.SPEC, _sequence),
)
"""The built-in checks in the order in which reports show them: by family, the cheap ones first, the model last."""

OF_MODEL = frozenset({classifier.SPEC.id, sequence.SPEC.id})
"""The checks that need a model."""

SPECS: tuple[CheckSpec, ...] = tuple(entry.spec for entry in BUILTIN)
"""What the built-in checks are."""


def all_specs() -> tuple[CheckSpec, ...]:
    """The built-in checks and those of other packages, in the order of their names.

    Raises:
        ConfigError: two checks have the same id, or a check of another package cannot be loaded.
    """
    return unique((*SPECS, *(check.spec for check in _added())))


def select(checks: tuple[str, ...] | None, skip: tuple[str, ...]) -> tuple[CheckSpec, ...]:
    """The checks to run, always in the catalogue's order, without the skipped ones: those named, or those that run by
    default for None. Among the names, ``all`` and ``default`` stand for just these.

    Raises:
        UnknownCheckError: a name in ``checks`` or ``skip`` is no check.
        UsageError: nothing is left to run.
        ConfigError: as :func:`all_specs`.
    """
    specs = all_specs()
    known = tuple(spec.id for spec in specs)
    groups = {ALL: known, DEFAULT: tuple(spec.id for spec in specs if spec.default)}
    for name in (*(checks or ()), *skip):
        if name not in known and name not in groups:
            raise UnknownCheckError(f"There is no check {name!r}.", _nearest(name, known))
    wanted = _named((DEFAULT,) if checks is None else checks, groups) - _named(skip, groups)
    if not wanted:
        raise UsageError("No check is left to run.", f"Checks are: {', '.join(known)}.")
    return tuple(spec for spec in specs if spec.id in wanted)


def _named(names: tuple[str, ...], groups: dict[str, tuple[str, ...]]) -> set[str]:
    return {check for name in names for check in groups.get(name, (name,))}


def fitting(
    selected: tuple[CheckSpec, ...], named: tuple[str, ...] | None, card: ModelCard | None
) -> tuple[CheckSpec, ...]:
    """The selected checks, without those that nobody named and that this model has no part for."""
    if sequence.SPEC.id in (named or ()) or (card is not None and card.sequence is not None):
        return selected
    return tuple(spec for spec in selected if spec.id != sequence.SPEC.id)


def build(selected: tuple[CheckSpec, ...], kit: Kit) -> tuple[Check | BatchCheck, ...]:
    """Make the selected checks, in their order.

    Args:
        selected: What :func:`select` returned.
        kit: What to make them with. Its card may be None when the classifier is not selected, its network where samples
            are only prepared or results concluded.

    Raises:
        UsageError: the classifier is selected and there is no card.
        ConfigError: as :func:`all_specs`.
    """
    builtin = {entry.spec.id: entry for entry in BUILTIN}
    wanted = {spec.id for spec in selected}
    added = {check.spec.id: check for check in (_added() if wanted - builtin.keys() else ())}
    return tuple(builtin[s.id].make(kit) if s.id in builtin else added[s.id] for s in selected)


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
