"""Choosing checks by name, checks of other packages, and what importing the catalogue costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from deepscan.checks import catalogue
from deepscan.checks.base import CheckSpec
from deepscan.checks.catalogue import SPECS, Kit, all_specs, build, fitting, select, unique
from deepscan.checks.identity import Identity
from deepscan.config import ScanOptions
from deepscan.errors import ConfigError, UnknownCheckError, UsageError
from deepscan.types import Family, MediaKind


class Extra:
    """A check as another package would bring it."""

    spec = CheckSpec("extra", "More", Family.PIXELS, "1", frozenset({MediaKind.IMAGE}), ("X-1",))


class Impostor(Extra):
    spec = CheckSpec("ela", "Another ELA", Family.PIXELS, "1", frozenset({MediaKind.IMAGE}), ())


def add(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    points = tuple(EntryPoint(name.lower(), f"{__name__}:{name}", "deepscan.checks") for name in names)
    monkeypatch.setattr(catalogue, "entry_points", lambda group: points)


def ids(specs: tuple[CheckSpec, ...]) -> list[str]:
    return [spec.id for spec in specs]


BUILT_IN = [spec.id for spec in SPECS]
BY_DEFAULT = [spec.id for spec in SPECS if spec.default]


def without(*names: str) -> list[str]:
    return [name for name in BY_DEFAULT if name not in names]


def test_the_built_in_checks_stand_in_their_order() -> None:
    assert BUILT_IN[0] == "identity"
    assert BUILT_IN[-2:] == ["classifier", "sequence"]
    assert [name for name in BUILT_IN if name in ("ela", "metadata", "provenance")] == ["provenance", "metadata", "ela"]
    assert len({code for spec in SPECS for code in spec.codes}) == sum(len(spec.codes) for spec in SPECS)


@pytest.mark.parametrize(
    ("checks", "skip", "chosen"),
    [
        (None, (), BY_DEFAULT),
        (("all",), (), BUILT_IN),
        (("default",), (), BY_DEFAULT),
        (("ela", "default"), ("ela", "identity"), without("ela", "identity")),
        (("all",), ("ela",), [name for name in BUILT_IN if name != "ela"]),
        (None, ("ela",), without("ela")),
        (("ela", "identity"), (), ["identity", "ela"]),
        (("ela", "identity"), ("ela",), ["identity"]),
        (("ela", "ela"), (), ["ela"]),
    ],
)
def test_choosing_keeps_the_order_of_the_catalogue(
    checks: tuple[str, ...] | None, skip: tuple[str, ...], chosen: list[str]
) -> None:
    assert ids(select(checks, skip)) == chosen


@pytest.mark.parametrize(("checks", "skip"), [(("metdata",), ()), (None, ("Metadta",))])
def test_an_unknown_name_is_refused_with_the_nearest_one(checks: tuple[str, ...] | None, skip: tuple[str, ...]) -> None:
    with pytest.raises(UnknownCheckError) as caught:
        select(checks, skip)
    assert "Did you mean metadata?" in caught.value.hint


def test_a_name_like_no_other_is_answered_with_all_of_them() -> None:
    with pytest.raises(UnknownCheckError) as caught:
        select(("zzz",), ())
    assert caught.value.hint == f"Checks are: {', '.join(BUILT_IN)}."


def test_skipping_everything_is_refused() -> None:
    with pytest.raises(UsageError, match="No check is left"):
        select(("ela",), ("ela",))


def test_checks_are_built_in_order_and_the_classifier_needs_a_card() -> None:
    skipped = ("classifier", "sequence")
    assert [check.spec.id for check in build(select(None, skipped), Kit(ScanOptions()))] == without(*skipped)
    with pytest.raises(UsageError, match="needs a model"):
        build(select(None, ()), Kit(ScanOptions()))


@pytest.mark.parametrize("named", [None, ("all",), ("sequence", "ela")])
def test_what_a_model_may_have_more_is_left_out_where_there_is_none_unless_it_is_named(
    named: tuple[str, ...] | None,
) -> None:
    kept = fitting(select(named, ()), named, None)
    assert ("sequence" in [spec.id for spec in kept]) is (named == ("sequence", "ela"))


def test_checks_of_other_packages_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "Extra")
    assert ids(all_specs()) == [*BUILT_IN, "extra"]
    (check,) = build(select(("extra",), ()), Kit(ScanOptions()))
    assert isinstance(check, Extra)


def test_an_id_that_is_taken_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "Impostor")
    with pytest.raises(ConfigError, match="Two checks have the id 'ela'"):
        select(None, ())
    with pytest.raises(ConfigError):
        unique((Identity().spec, Identity().spec))


@pytest.mark.parametrize("name", ["NoSuchClass", "not_a_check"])
def test_a_broken_package_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, name)
    with pytest.raises(ConfigError, match="cannot be loaded"):
        all_specs()


def not_a_check() -> Any:
    return object()


def test_importing_the_catalogue_loads_no_heavy_library() -> None:
    script = (
        "import sys, deepscan.checks.catalogue\n"
        "print([m for m in ('torch', 'cv2', 'exifread', 'transformers', 'pillow_heif') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
