"""What runs on a file, and the reason of what does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest

from deepscan.checks.base import BatchCheck, Check, CheckSpec, Subject
from deepscan.engine.plan import not_applicable, plan
from deepscan.types import CheckResult, Family, MediaItem, MediaKind, Outcome
from tests.fake_checks import Brightness, Bytes

PICTURE = MediaItem(Path("/evidence"), PurePosixPath("a.png"), MediaKind.IMAGE, "png", 10, "0" * 64)
REFUSED = replace(PICTURE, name=PurePosixPath("refused.png"))
FILM = replace(PICTURE, name=PurePosixPath("a.mp4"), kind=MediaKind.VIDEO, container="mp4")
PICTURES = CheckSpec("pictures", "Pictures", Family.PIXELS, "7", frozenset({MediaKind.IMAGE}), ())


@dataclass
class Pictures:
    """A check for pictures only, that must never be asked about anything else."""

    spec: CheckSpec = PICTURES

    def why_not(self, item: MediaItem) -> str | None:
        assert item.kind is MediaKind.IMAGE
        return None

    def run(self, subject: Subject) -> CheckResult:
        raise AssertionError("planning runs nothing")


def test_what_applies_runs_in_the_order_of_the_checks() -> None:
    assert plan(PICTURE, [Brightness(), Pictures(), Bytes()]) == (("brightness", "pictures", "bytes"), ())


def test_what_does_not_apply_is_settled_with_its_reason() -> None:
    run, settled = plan(REFUSED, [Bytes(), Pictures(), Brightness()])
    assert run == ("pictures", "brightness")
    assert settled == (CheckResult("bytes", "1", Outcome.NOT_APPLICABLE, reason="Refused by name."),)


def test_a_check_is_not_asked_about_a_kind_it_does_not_look_at() -> None:
    run, settled = plan(FILM, [Pictures(), Bytes()])
    assert run == ("bytes",)
    (result,) = settled
    assert (result.check, result.version, result.outcome) == ("pictures", "7", Outcome.NOT_APPLICABLE)
    assert result.reason == "This check looks at images only."


def test_every_check_is_answered_once() -> None:
    checks: list[Check | BatchCheck] = [Bytes(), Pictures(), Brightness()]
    for item in (PICTURE, REFUSED, FILM):
        run, settled = plan(item, checks)
        assert sorted([*run, *(result.check for result in settled)]) == ["brightness", "bytes", "pictures"]


def test_without_checks_nothing_runs() -> None:
    assert plan(PICTURE, []) == ((), ())


def test_not_applicable_needs_a_reason() -> None:
    assert not_applicable(Bytes().spec, "It is empty.").reason == "It is empty."
    with pytest.raises(ValueError, match="a reason exists"):
        not_applicable(Bytes().spec, "")


def test_not_applicable_may_rest_on_a_part_of_the_file() -> None:
    result = not_applicable(Bytes().spec, "No face was found.", "The stream is damaged after 3.2 s.")
    assert (result.outcome, result.partial) == (Outcome.NOT_APPLICABLE, "The stream is damaged after 3.2 s.")
