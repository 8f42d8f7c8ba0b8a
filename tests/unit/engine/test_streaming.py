"""Films of which more frames are asked for than are held at once: looked at in turns, to the end or to a limit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deepscan.checks.classifier import Classifier
from deepscan.config import ScanOptions
from deepscan.engine import subject
from deepscan.engine.scan import exit_code, scan
from deepscan.errors import EXIT_CLEAN, EXIT_INCOMPLETE, LimitError
from deepscan.media import video
from deepscan.media.film import sampling as rules
from deepscan.media.frames import Face, Reading, Sampling
from deepscan.types import Box, CheckResult, Level, Outcome
from tests import fake_pack, video_factory

FRAMES, AT_ONCE = 60, 16


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("packs")
    for name in ("frame", "face"):
        fake_pack.make_pack(place / name, subject=name)
    return place


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    return video_factory.make(path, video_factory.times_of(FRAMES), key_every=10)


@pytest.fixture(autouse=True)
def _small_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "MAX_SAMPLED_FRAMES", AT_ONCE)


@pytest.fixture
def options(packs: Path) -> ScanOptions:
    return ScanOptions(
        model=str(packs / "frame"), workers=0, precision="fp32", checks=("classifier", "film_flow"), all_frames=True
    )


def answered(
    path: Path, options: ScanOptions, output: Path | None = None, case: Path | None = None
) -> tuple[CheckResult, int]:
    """What the classifier says of a film, and how the scan ends."""
    report = scan([path], options, output=output, case=case)
    return next(r for r in report.items[0].results if r.check == "classifier"), exit_code(report, Level.STRONG)


def test_every_frame_of_a_film_is_looked_at_in_turns(film: Path, options: ScanOptions, tmp_path: Path) -> None:
    result, code = answered(film, replace(options, exhibits=True), tmp_path)
    assert result.outcome is Outcome.DONE
    assert result.partial is None
    assert code == EXIT_CLEAN
    assert [part.where.frame for part in result.parts] == list(range(FRAMES))
    assert result.film is not None
    assert [frame.frame for frame in result.film.frames] == list(range(FRAMES))
    assert result.film.budget == FRAMES
    assert sum(track.looked_at for track in result.film.tracks) == FRAMES
    assert "60 frames of 2.4 s were to be looked at, 16 at a time: all of them" in result.film.sampling
    assert result.film.sampling.endswith("All of them were.")
    assert result.film.exhibit is not None


def test_the_size_of_the_turns_changes_no_score(
    film: Path, options: ScanOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, _ = answered(film, options)
    monkeypatch.setattr(video, "MAX_SAMPLED_FRAMES", 256)
    at_once, _ = answered(film, options)
    assert turns.parts == at_once.parts
    assert turns.score == at_once.score
    assert turns.film is not None
    assert at_once.film is not None
    assert turns.film.tracks == at_once.film.tracks


@pytest.mark.parametrize("asked", [{"frames": 40, "all_frames": False}, {"every": 0.06, "all_frames": False}])
def test_whatever_asks_for_more_frames_than_fit_is_looked_at_in_turns(
    film: Path, options: ScanOptions, asked: dict[str, object]
) -> None:
    result, code = answered(film, replace(options, **asked))  # type: ignore[arg-type]
    assert len(result.parts) == 40
    assert (result.partial, code) == (None, EXIT_CLEAN)


def test_a_limit_on_all_frames_is_told_in_the_result_and_in_the_exit_code(
    film: Path, options: ScanOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_EXAMINED_FRAMES", 40)
    result, code = answered(film, options)
    assert len(result.parts) == 40
    assert result.partial == ("All 60 frames were asked for, and 40, evenly spread over the video, are examined.")
    assert code == EXIT_INCOMPLETE


def test_when_the_time_is_up_what_was_seen_is_told_with_what_was_not(
    film: Path, options: ScanOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepscan.checks.film.again.STREAM_SECONDS", 0.0)
    result, code = answered(film, options)
    assert result.outcome is Outcome.DONE
    assert len(result.parts) == AT_ONCE
    assert result.partial is not None
    assert result.partial.startswith("16 of the 60 frames that were asked for were looked at")
    assert result.film is not None
    assert result.film.sampling.endswith(" 16 of them were.")
    assert code == EXIT_INCOMPLETE


def test_a_turn_that_fails_ends_the_film_and_what_was_seen_before_stands(
    film: Path, options: ScanOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = [0]

    def third_time_lost(path: Path, sampling: Sampling) -> Reading:
        turns[0] += 1
        if turns[0] == 3:
            raise LimitError("Something broke.")
        return video.read_video(path, sampling)

    monkeypatch.setattr(subject, "read_video", third_time_lost)
    result, code = answered(film, options)
    assert turns[0] == 3, "nothing is tried after a turn that failed"
    assert len(result.parts) == 2 * AT_ONCE
    assert result.partial is not None
    assert "A further look at the film came to nothing. Something broke." in result.partial
    assert "32 of the 60 frames that were asked for were looked at" in result.partial
    assert code == EXIT_INCOMPLETE


def test_a_turn_that_was_out_of_luck_is_taken_by_the_next_scan(
    film: Path, options: ScanOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    turns = [0]

    def third_time_starved(path: Path, sampling: Sampling) -> Reading:
        turns[0] += 1
        if turns[0] == 3:
            raise MemoryError
        return video.read_video(path, sampling)

    with monkeypatch.context() as patch:
        patch.setattr(subject, "read_video", third_time_starved)
        cut, _ = answered(film, options, case=tmp_path / "a.case")
    assert "It ran out of memory in decode." in str(cut.partial)
    again, code = answered(film, options, case=tmp_path / "a.case")
    assert (again.partial, code) == (None, EXIT_CLEAN)
    assert len(again.parts) == FRAMES


@pytest.mark.parametrize("step", ["again", "joined"])
def test_a_check_that_fails_between_two_turns_keeps_what_was_seen_and_says_so(
    film: Path, options: ScanOptions, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("between turns")

    monkeypatch.setattr(Classifier, step, broken)
    result, code = answered(film, options)
    assert result.outcome is Outcome.DONE
    assert len(result.parts) == AT_ONCE
    assert "A further look at the film came to nothing." in str(result.partial)
    assert "between turns" in str(result.partial)
    assert code == EXIT_INCOMPLETE


@pytest.mark.parametrize("all_frames", [True, False])
def test_a_turn_that_takes_too_long_is_cut_short_and_the_rest_is_looked_at_after_it(
    film: Path, options: ScanOptions, monkeypatch: pytest.MonkeyPatch, all_frames: bool
) -> None:
    monkeypatch.setattr("deepscan.checks.classifier.TURN_SECONDS", -1.0)  # one frame a turn
    turns = [0]

    def counted(path: Path, sampling: Sampling) -> Reading:
        turns[0] += 1
        return video.read_video(path, sampling)

    monkeypatch.setattr(subject, "read_video", counted)
    chosen = replace(options, all_frames=all_frames, frames=None if all_frames else 5, checks=("classifier",))
    result, code = answered(film, chosen)
    assert (result.partial, code) == (None, EXIT_CLEAN)
    assert len(result.parts) == (FRAMES if all_frames else 5)
    assert turns[0] == (FRAMES if all_frames else 5)


class OneFace:
    """Finds a face in frames whose painted number is one of a few."""

    name = "one face"

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        self.looked = 0

    def find(self, pixels: object) -> tuple[Face, ...]:
        self.looked += 1
        number = video_factory.number_of(pixels)  # type: ignore[arg-type]
        return (Face(Box(40, 20, 40, 40), "frontal"),) if number in self.numbers else ()


@pytest.mark.parametrize("numbers", [(30, 31, 32), ()])
def test_a_face_that_no_frame_of_the_first_turn_shows_is_found_in_a_later_one(
    film: Path, packs: Path, options: ScanOptions, monkeypatch: pytest.MonkeyPatch, numbers: tuple[int, ...]
) -> None:
    monkeypatch.setattr(video, "MAX_SAMPLED_FRAMES", 4)
    finder = OneFace(*numbers)
    monkeypatch.setattr("deepscan.models.face_packs.finder", lambda name: finder)
    result, _ = answered(film, replace(options, model=str(packs / "face"), checks=("classifier",)))
    assert finder.looked == FRAMES
    if numbers:
        assert [p.where.frame for p in result.parts if p.score is not None] == list(numbers)
        assert len(result.parts) == FRAMES
    else:
        assert result.outcome is Outcome.NOT_APPLICABLE
        assert result.reason == ("No face was found in the 60 frames looked at, and this model looks at faces only.")
