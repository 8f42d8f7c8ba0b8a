"""How films run, told from the times of their frames and from how much each differs from the one before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from deepscan.checks.base import NotApplicableError
from deepscan.checks.film_flow import GAPS, JUMPS, REPEATED, SHOTS, FilmFlow
from deepscan.media.frames import Footage, Frame, Reading
from deepscan.types import Finding, Level, PointsTo
from tests.fake_subject import FakeSubject


class FilmSubject(FakeSubject):
    """A film whose footage is given."""

    footage: Footage | None = None
    problem: str | None = None

    def reading(self) -> Reading:
        return Reading((Frame(0, 0.0, np.zeros((8, 8, 3), np.uint8)),), None, self.problem, self.footage)


def findings(
    changes: Sequence[float], *, times: Sequence[float] | None = None, cuts: tuple[float, ...] = ()
) -> dict[str, Finding]:
    """What is said of a film of 25 frames a second, unless times are given."""
    shown = np.asarray(times if times is not None else [0.04 * i for i in range(len(changes))], np.float64)
    subject = FilmSubject(Path("film.mp4"))
    subject.footage = Footage("x", float(shown[-1]), cuts, "", 1, shown, np.asarray(changes, np.float32))
    result = FilmFlow().run(subject)
    assert all(f.level is Level.INFO and f.points_to is PointsTo.NEITHER for f in result.findings)
    return {finding.code: finding for finding in result.findings}


def moments(finding: Finding) -> list[float]:
    return [e.where.seconds for e in finding.evidence if e.where is not None and e.where.seconds is not None]


MOVING = [0.0] + [1.0 + 0.1 * (i % 3) for i in range(99)]


def test_a_film_that_runs_smoothly_has_its_shots_and_nothing_else() -> None:
    found = findings(MOVING, cuts=(1.2, 2.0))
    assert found.keys() == {SHOTS}
    assert "an even rate of about 25 frames a second, 3 shots" in found[SHOTS].summary
    assert moments(found[SHOTS]) == [1.2, 2.0]


def test_repeated_frames_are_named_and_a_rhythm_is_told() -> None:
    changes = list(MOVING)
    for i in (10, 33, 71):
        changes[i] = 0.0
    found = findings(changes)[REPEATED]
    assert moments(found) == pytest.approx([0.4, 1.32, 2.84])
    assert "one in" not in found.summary
    rhythmic = [0.0 if i % 5 == 4 else 1.0 for i in range(100)]
    assert "about one in 5, as converters" in findings(rhythmic)[REPEATED].summary


def test_a_still_picture_repeats_nothing() -> None:
    assert findings([0.0] * 50).keys() == {SHOTS}


def test_missing_frames_are_gaps_in_an_even_rate_only() -> None:
    times = [0.04 * i + (0.12 if i >= 40 else 0.0) for i in range(100)]
    found = findings(MOVING, times=times)[GAPS]
    assert moments(found) == pytest.approx([1.72])
    rng = np.random.default_rng(4)
    varying = np.cumsum(rng.choice([0.01, 0.04, 0.1], 100)).tolist()
    assert GAPS not in (uneven := findings(MOVING, times=varying))
    assert "a varying rate" in uneven[SHOTS].summary


def test_a_jump_is_told_and_a_cut_is_none() -> None:
    changes = list(MOVING)
    changes[50] = 20.0
    assert moments(findings(changes)[JUMPS]) == [2.0]
    assert JUMPS not in findings(changes, cuts=(2.0,))
    assert JUMPS not in findings([0.0] + [15.0] * 99)


def test_long_lists_are_cut_and_counted() -> None:
    changes = [0.0 if i % 3 == 2 else 1.0 for i in range(300)]
    evidence = findings(changes)[REPEATED].evidence
    assert len(evidence) == 31
    assert (evidence[-1].label, evidence[-1].value) == ("more of: repeated", 69)


@pytest.mark.parametrize("count", [0, 9])
def test_what_was_not_read_frame_by_frame_is_not_judged(count: int) -> None:
    subject = FilmSubject(Path("film.mp4"))
    subject.problem = "The end is damaged."
    for footage in (None, Footage("x", 1.0, (), "", 1, np.zeros(count), np.zeros(count, np.float32))):
        subject.footage = footage
        with pytest.raises(NotApplicableError) as caught:
            FilmFlow().run(subject)
        assert caught.value.partial == "The end is damaged."
