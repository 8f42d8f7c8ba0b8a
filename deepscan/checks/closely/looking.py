"""From a film to its followed faces: whom the sampled frames show, which stretches to read, and reading them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from deepscan.checks.base import NotApplicableError, Subject
from deepscan.checks.closely.following import Followed, Follower
from deepscan.checks.closely.windows import MOST_FRAMES, Seen, Window, choose, stride_of
from deepscan.media.film.shots import shot_of
from deepscan.media.film.stretch import stretch
from deepscan.media.film.tracks import Sighting, follow, look
from deepscan.media.frames import Footage, Reading
from deepscan.text import duration, plural, timecode

FINDER_FRAMES = 48
"""Sampled frames in which faces are looked for, at most; the finder costs more than all that follows."""

SECONDS = 45.0
"""Wall-clock seconds for reading the stretches of one film, which takes three on an idle machine; what was read by then
is measured, and the result says so."""

LATE = 0.1
"""Seconds after its start at which a stretch may begin."""

USUAL_RATE = 30.0
"""Frames a second that are supposed before any is read, where a film does not say."""


@dataclass(frozen=True, slots=True)
class Looked:
    """The faces that were followed, and what was looked at, in words without a full stop.

    ``problem`` is a sentence where time ran out before all of that was read.
    """

    faces: tuple[Followed, ...]
    words: str
    problem: str | None = None


def look_closely(subject: Subject, reading: Reading) -> Looked:
    """Follow the main faces of a film through consecutive frames.

    Raises:
        NotApplicableError: there is no face, or none that is there for long enough.
        MediaError: the film cannot be read again.
    """
    footage = reading.footage
    if footage is None:
        raise NotApplicableError("This check follows faces through videos, frame by frame.")
    seen = _seen(subject, reading, footage)
    if not seen:
        raise NotApplicableError(f"No face was found in the {plural(len(reading.frames), 'frame')} looked at.")
    rate = reading.total / footage.seconds if reading.total and footage.seconds > 0 else USUAL_RATE
    height, width = reading.frames[0].pixels.shape[:2]
    windows = choose(seen, footage.cuts, footage.seconds, rate, height * width)
    if not windows:
        raise NotApplicableError("No face is seen for long enough to be followed from frame to frame.")
    deadline = time.monotonic() + SECONDS
    faces: list[Followed] = []
    frames = 0
    for window in windows:
        followed, count = _through(subject, window, stride_of(rate), deadline)
        faces += followed
        frames += count
    if not faces:
        raise NotApplicableError("The frames that follow each other in this film cannot be read one by one.")
    late = f"Following faces stopped at the limit of {duration(SECONDS)} of work." if _past(deadline) else None
    return Looked(tuple(faces), _words(windows, frames), late)


def _past(deadline: float) -> bool:
    return time.monotonic() > deadline


def _seen(subject: Subject, reading: Reading, footage: Footage) -> list[Seen]:
    """The faces in the sampled frames, with their tracks."""
    step = -(-len(reading.frames) // FINDER_FRAMES)
    sightings = [
        Sighting(
            frame.index,
            frame.seconds,
            shot_of(frame.seconds, footage.cuts),
            face.box,
            look(frame.pixels, face.box),
        )
        for frame in reading.frames[::step]
        if frame.seconds is not None
        for face in subject.faces(frame)
    ]
    tracks = follow(sightings)
    return [Seen(track, s.frame, s.seconds, s.box) for track, s in zip(tracks, sightings, strict=True)]


def _through(subject: Subject, window: Window, stride: int, deadline: float) -> tuple[list[Followed], int]:
    """The faces of a stretch, and how many of its frames were looked at."""
    followers = [Follower(face) for face in window.faces]
    count = 0
    with subject.open() as file, closing(stretch(file, window.start, window.end, deadline)) as frames:
        for number, (seconds, pixels) in enumerate(frames):
            if number == 0 and seconds > window.start + LATE:
                break  # the sought place was not reached, and the faces are no longer where they were seen
            if number % stride:
                continue
            count += 1
            for follower in followers:
                follower.add(seconds, pixels)
            if count >= MOST_FRAMES or all(follower.lost for follower in followers):
                break
    found = [follower.followed() for follower in followers]
    return [face for face in found if face is not None], count


def _words(windows: Sequence[Window], frames: int) -> str:
    spans = " and ".join(f"{timecode(window.start)} to {timecode(window.end)}" for window in windows)
    return f"{plural(frames, 'consecutive frame')} were looked at ({spans}; at most {MOST_FRAMES} of a film)"
