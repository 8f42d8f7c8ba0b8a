"""Faces from frame to frame: signals made of numbers, and drawn films with a cause planted in them."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from deepscan.checks.base import NotApplicableError
from deepscan.checks.closely import blinks, looking, pulse, steadiness
from deepscan.checks.closely.following import Followed, Follower
from deepscan.checks.closely.windows import LEAST_SECONDS, MOST_FRAMES, MOST_SECONDS, Seen, choose, stride_of
from deepscan.checks.film_faces import APART, BLINKS, FLICKER, PULSE, STAYS, FilmFaces
from deepscan.config import ScanOptions
from deepscan.engine.scan import scan
from deepscan.media.film.clips import Reader
from deepscan.media.film.opencv import OpenCvReader
from deepscan.media.film.pyav import PyAvReader
from deepscan.media.film.stretch import stretch
from deepscan.media.frames import Footage, Frame, Pixels, Reading
from deepscan.types import Box, CheckResult, Level, Outcome, PointsTo
from tests import video_factory as video
from tests.fake_subject import FakeSubject
from tests.planted_films import Planted, write

FPS = 25.0


def seen(seconds: float = 0.0, track: int = 1, side: int = 150) -> Seen:
    return Seen(track, round(FPS * seconds), seconds, Box(20, 20, side, side))


def followed(seconds: float = 10.0, *, rate: float = FPS, side: int = 150, seed: int = 1) -> Followed:
    """A face that keeps still in even light, with the noise of a camera; its eyes are open."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate)
    gains = rng.normal(0, 0.0005, (count, 2))
    gains[0] = np.nan
    eye = rng.integers(60, 190, (28, 40))
    eyes = np.clip(eye + rng.normal(0, 2, (count, 28, 40)), 0, 255).astype(np.uint8)
    return Followed(
        first=seen(side=side),
        seconds=np.arange(count) / rate,
        middles=np.full((count, 2), 100.0) + rng.normal(0, 0.02, (count, 2)),
        moves=np.where(np.arange(count)[:, None, None] == 0, np.nan, rng.normal(0, 1e-4, (count, 3, 2))),
        gains=gains,
        skin=np.array([180.0, 140.0, 120.0]) + rng.normal(0, 0.1, (count, 3)),
        behind=np.array([90.0, 90.0, 90.0]) + rng.normal(0, 0.1, (count, 3)),
        unchanged=np.full(count, 0.1),
        eyes=(eyes, eyes.copy(), eyes.copy()),
        eyes_found=True,
        lost=None,
    )


def waves(face: Followed, hertz: float) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * hertz * face.seconds)


# A pulse


@pytest.mark.parametrize("hertz", [0.9, 1.2, 1.7, 2.4])
def test_a_pulse_in_the_skin_is_found_at_its_frequency(hertz: float) -> None:
    face = followed()
    beating = face.skin * (1 + 0.004 * np.array([0.33, 0.77, 0.53]) * waves(face, hertz)[:, None])
    found = pulse.measure(replace(face, skin=beating))
    assert found.clear
    assert found.hertz == pytest.approx(hertz, abs=0.05)


def test_without_a_pulse_no_rhythm_is_clear() -> None:
    found = [pulse.measure(followed(seed=seed)) for seed in range(15)]
    assert sum(one.clear for one in found) <= 1


def test_a_lamp_that_changes_everything_is_no_pulse() -> None:
    face = followed()
    lamp = 1 + 0.02 * waves(face, 1.3)[:, None] * np.array([1.0, 0.8, 0.5])
    assert not pulse.measure(replace(face, skin=face.skin * lamp, behind=face.behind * lamp)).clear


def test_a_nodding_head_is_no_pulse() -> None:
    face = followed()
    nods = face.middles + 3.0 * waves(face, 1.3)[:, None]
    shaded = face.skin * (1 + 0.004 * np.array([0.33, 0.77, 0.53]) * waves(face, 1.3)[:, None])
    found = pulse.measure(replace(face, skin=shaded, middles=nods))
    assert found.moving
    assert not found.clear


def test_brightness_that_changes_all_colours_alike_is_taken_off() -> None:
    face = followed()
    signal = pulse.pulse_signal(face.skin * (1 + 0.05 * waves(face, 1.5)[:, None]), FPS)
    plain = pulse.pulse_signal(face.skin, FPS)
    assert signal.std() < 3 * plain.std()


@pytest.mark.parametrize(
    ("face", "reason"),
    [
        (followed(side=60), "The face is 60 pixels wide: a pulse needs 100."),
        (followed(rate=8), "The film has 8 frames a second: a pulse needs 15."),
        (followed(4), "The face was followed for 4.0 s: a pulse needs 6.0 s."),
        (replace(followed(), skin=np.full((250, 3), 20.0)), "too dark"),
        (replace(followed(), skin=np.full((250, 3), 250.0)), "overexposed"),
        (replace(followed(), unchanged=np.full(250, 0.9)), "90% of the face repeat the frame before"),
        (replace(followed(), middles=np.cumsum(np.full((250, 2), 3.0), axis=0)), "a pulse needs less than 0.25."),
    ],
)
def test_where_the_conditions_of_a_pulse_are_not_met_the_reason_is_told(face: Followed, reason: str) -> None:
    said = pulse.why_not(face)
    assert said is not None
    assert reason in said
    assert said.endswith(".")


# Blinks


def with_blinks(*moments: float, eyes: tuple[int, ...] = (0, 1), takes: float = 0.16) -> Followed:
    """Eyes that are smooth, as lids are, at these moments."""
    face = followed()
    cuttings = [patch.copy() for patch in face.eyes]
    for moment in moments:
        closed = (face.seconds >= moment) & (face.seconds < moment + takes)
        for eye in eyes:
            cuttings[eye][closed] = (100 + np.arange(28) * 2)[:, None]
    return replace(face, eyes=(cuttings[0], cuttings[1], cuttings[2]))


def test_blinks_are_counted_where_they_are() -> None:
    found = blinks.measure(with_blinks(2.0, 3.2, 7.4))
    assert [blink.seconds for blink in found] == pytest.approx([2.0, 3.2, 7.4], abs=0.17)
    assert [blink.takes for blink in found] == pytest.approx([0.16] * 3, abs=0.05)


def test_open_eyes_one_eye_and_covered_faces_are_no_blinks() -> None:
    assert blinks.measure(with_blinks()) == ()
    assert blinks.measure(with_blinks(2.0, eyes=(0,))) == ()
    assert blinks.measure(with_blinks(2.0, eyes=(0, 1, 2))) == ()
    assert blinks.measure(with_blinks(2.0, takes=0.9)) == ()


def test_a_gaze_that_turns_leaves_the_edges_of_the_iris_and_is_no_blink() -> None:
    face = followed()
    turned = [np.roll(patch, 9, axis=2) for patch in face.eyes[:2]]
    looks = (face.seconds >= 4) & (face.seconds < 4.3)
    for patch, other in zip(face.eyes, turned, strict=False):
        patch[looks] = other[looks]
    assert blinks.measure(face) == ()


def test_where_the_conditions_of_blinks_are_not_met_the_reason_is_told() -> None:
    assert blinks.why_not(followed(rate=8)) == "The film has 8 frames a second: blinks need 15."
    assert blinks.why_not(followed(side=70)) == "The face is 70 pixels wide: blinks need 80."
    quick = replace(followed(), middles=np.cumsum(np.full((250, 2), 1.5), axis=0))
    assert blinks.why_not(quick) == "The face moves by 0.35 of its width a second: blinks need less than 0.25."
    assert "The eyes were not found" in (blinks.why_not(replace(followed(), eyes_found=False)) or "")
    assert blinks.why_not(followed()) is None


# A face and its head


def moving(face: float, head: float, behind: float = 0.0) -> Followed:
    """The face, its rim and what is behind swing with these speeds, in widths a second."""
    still = followed()
    speeds = np.array([face, head, behind])[:, None] * np.array([1.0, 0.3])
    steps = waves(still, 0.5)[:, None, None] * speeds / FPS
    return replace(still, moves=still.moves + steps)


@pytest.mark.parametrize(
    ("face", "stays", "apart"),
    [
        (moving(0.4, 0.3), False, False),
        (moving(0.05, 0.3), True, False),
        (moving(0.3, 0.02), False, True),
        (moving(0.0, 0.0), False, False),
        # The camera moves: the head and the face keep their place in the world, or in the picture.
        (moving(0.3, 0.3, 0.3), False, False),
        (moving(0.0, 0.0, 0.3), False, False),
        # The head moves with the camera, and the face does not.
        (moving(0.3, 0.6, 0.3), True, False),
    ],
)
def test_a_face_that_does_not_go_with_its_head_is_seen(face: Followed, stays: bool, apart: bool) -> None:
    found = steadiness.movement(face)
    assert not isinstance(found, str)
    assert (found.stays, found.apart) == (stays, apart)


def test_movement_that_cannot_be_seen_is_not_judged() -> None:
    face = followed()
    face.moves[:, 1] = np.nan
    assert "too little texture" in str(steadiness.movement(face))


def test_the_flicker_of_a_face_is_that_which_its_head_does_not_have() -> None:
    rng = np.random.default_rng(4)
    light = rng.normal(0, 0.02, 250)
    steady, face = followed(), followed()
    face.gains[1:, 0] += np.diff(light)
    assert steadiness.flicker(face).stands_out
    assert steadiness.flicker(face).face == pytest.approx(2.0 * 1.22, rel=0.2)  # sqrt(6)/2 of the deviation, trimmed
    face.gains[1:, 1] += np.diff(light)
    assert not steadiness.flicker(face).stands_out
    assert not steadiness.flicker(steady).stands_out


def test_a_light_that_is_switched_on_is_no_flicker() -> None:
    face = followed()
    face.gains[100, 0] += 0.5
    assert not steadiness.flicker(face).stands_out


# Which stretches are looked at


def track(number: int, start: float, end: float, side: int = 150, every: float = 0.5) -> list[Seen]:
    return [seen(float(t), number, side) for t in np.arange(start, end, every)]


def test_a_stretch_begins_with_a_sighting_in_the_middle_of_the_main_track() -> None:
    (window,) = choose(track(1, 0, 60), (), 60.0, 25.0, 1280 * 720)
    assert window.start in [s.seconds for s in window.faces[0]]
    assert window.end - window.start == pytest.approx(MOST_SECONDS)
    assert 20 < window.start < 30


def test_what_is_looked_at_is_bounded_and_stays_within_shots() -> None:
    shots = [t for k in range(10) for t in track(k + 1, 4.0 * k, 4.0 * k + 4)]
    cuts = tuple(4.0 * k for k in range(1, 10))
    found = choose(shots, cuts, 40.0, 30.0, 1280 * 720)
    assert len(found) == 3
    assert sum(w.end - w.start for w in found) * 30 <= MOST_FRAMES + 1e-6
    assert all(int(w.start // 4) == int((w.end - 1e-6) // 4) for w in found)


def test_persons_who_are_seen_together_are_followed_together() -> None:
    both = track(1, 0, 8, side=100) + track(2, 0, 8, side=200)
    (window,) = choose(both, (), 8.0, 25.0, 640 * 480)
    assert [face[0].track for face in window.faces] == [2, 1]


def test_large_frames_and_short_sightings_bound_the_stretch() -> None:
    (window,) = choose(track(1, 0, 60), (), 60.0, 30.0, 3840 * 2160)
    assert (window.end - window.start) * 30 * 3840 * 2160 <= 600_000_000 * 1.001
    assert choose(track(1, 0, 60), (), LEAST_SECONDS / 2, 30.0, 640 * 480) == ()
    assert choose([], (), 60.0, 30.0, 640 * 480) == ()


def test_of_fast_films_some_frames_are_left_out() -> None:
    assert [stride_of(rate) for rate in (8.0, 25.0, 30.0, 50.0, 60.0, 120.0)] == [1, 1, 1, 2, 2, 4]


# Following


def textured(rng: np.random.Generator) -> Pixels:
    """A picture with something to follow everywhere."""
    coarse = rng.integers(40, 220, (60, 80, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_a_face_is_followed_to_where_it_goes_and_no_further_than_the_picture() -> None:
    picture = textured(np.random.default_rng(2))
    follower = Follower((Seen(1, 0, 0.0, Box(40, 60, 100, 100)),))
    for i in range(60):
        follower.add(i / 25, np.roll(picture, 4 * i, axis=1))
    face = follower.followed()
    assert face is not None
    assert face.lost is not None
    assert face.middles[-1, 0] < 320
    assert np.diff(face.middles[:25, 0]) == pytest.approx(np.full(24, 4.0), abs=0.5)
    assert face.moves[1:25, :, 0] == pytest.approx(np.full((24, 3), 0.04), abs=0.01)


def test_what_becomes_another_picture_is_lost() -> None:
    rng = np.random.default_rng(2)
    first, other = textured(rng), textured(rng)
    for second, why in ((other, "it no longer looks as it did"), (first[:200], "the size of the picture changes")):
        follower = Follower((Seen(1, 0, 0.0, Box(80, 60, 100, 100)),))
        for i, picture in enumerate((first, first, first, second, second)):
            follower.add(i / 25, picture)
        face = follower.followed()
        assert face is not None
        assert (face.lost, len(face.seconds)) == (why, 3)


# Reading


@pytest.mark.parametrize("reader", [OpenCvReader(), PyAvReader()], ids=["opencv", "pyav"])
def test_a_stretch_has_every_frame_from_its_start_to_its_end(reader: Reader, tmp_path: Path) -> None:
    path = video.make(tmp_path / "a.mp4", video.times_of(80), b_frames=2, key_every=30)
    with path.open("rb") as file:
        frames = list(stretch(file, 1.0, 2.0, time.monotonic() + 60, reader=reader))
    assert [video.number_of(pixels) for _, pixels in frames] == list(range(25, 50))
    assert [seconds for seconds, _ in frames] == pytest.approx([i / 25 for i in range(25, 50)], abs=0.002)


# The whole check


class FilmSubject(FakeSubject):
    footage: Footage | None = None

    def reading(self) -> Reading:
        frame = Frame(0, 0.0, np.zeros((80, 80, 3), np.uint8))
        return Reading((frame,), 10, "The end is damaged.", self.footage)


def test_what_has_no_footage_or_no_face_is_not_applicable_and_keeps_its_problem() -> None:
    subject = FilmSubject(Path("film.mp4"))
    for footage in (None, Footage("x", 1.0, (), "", 1, np.zeros(0), np.zeros(0, np.float32))):
        subject.footage = footage
        with pytest.raises(NotApplicableError) as caught:
            FilmFaces().run(subject)
        assert caught.value.partial == "The end is damaged."


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does much else must not change what is found."""
    monkeypatch.setattr(looking, "SECONDS", 3600.0)


def examined(path: Path) -> CheckResult:
    report = scan([path], ScanOptions(checks=("film_faces",), workers=0, frames=4))
    (result,) = report.items[0].results
    return result


def codes(result: CheckResult) -> set[str]:
    assert result.outcome is Outcome.DONE, result.reason
    assert all(f.level is Level.INFO and f.points_to is PointsTo.NEITHER for f in result.findings)
    return {finding.code for finding in result.findings}


def test_a_drawn_film_with_everything_as_it_should_be_has_counts_only(tmp_path: Path) -> None:
    result = examined(write(tmp_path / "a.mp4", Planted(seconds=7.0, blinks=(2.0, 4.4), pulse=1.3, pulse_size=2.0)))
    assert codes(result) == {BLINKS, PULSE}
    counted, beating = result.findings
    assert "2 blinks in" in counted.summary
    assert [e.where.seconds for e in counted.evidence[1:] if e.where] == pytest.approx([2.1, 4.5], abs=0.2)
    numbers = beating.evidence[0].value
    assert isinstance(numbers, dict)
    assert numbers["beats a minute"] == pytest.approx(78, abs=5)
    assert {part.kind for part in result.parts} == {"flicker", "movement", "blinks", "pulse"}


@pytest.mark.parametrize(
    ("planted", "code"),
    [
        (Planted(seconds=3.0, face_stays=True), STAYS),
        (Planted(seconds=3.0, sway=0.0, face_sways=6.0), APART),
        (Planted(seconds=3.0, flicker=2.0), FLICKER),
    ],
    ids=["stays", "sways", "flickers"],
)
def test_a_planted_cause_is_named_and_no_other(planted: Planted, code: str, tmp_path: Path) -> None:
    assert codes(examined(write(tmp_path / "a.mp4", planted))) - {BLINKS, PULSE} == {code}


def test_where_time_runs_out_the_result_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.mp4", Planted(seconds=2.0, fps=8))
    monkeypatch.setattr(looking, "_past", lambda _: True)
    assert examined(path).partial == "Following faces stopped at the limit of 1 h 0 min of work."


def test_a_film_of_few_frames_a_second_says_what_it_lacks(tmp_path: Path) -> None:
    result = examined(write(tmp_path / "a.mp4", Planted(seconds=3.0, fps=8)))
    reasons = {part.kind: part.reason for part in result.parts}
    assert reasons["blinks"] == "The film has 8 frames a second: blinks need 15."
    assert reasons["pulse"] == "The film has 8 frames a second: a pulse needs 15."
