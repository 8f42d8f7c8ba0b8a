"""Faces from frame to frame: flicker, movement against the head, blinks, and a pulse, in short stretches of a film.

Sampled frames lie seconds apart, and what these signals tell happens in between. The main tracks are therefore followed
through consecutive frames (:mod:`deepscan.checks.closely`), within a number of frames for each film. Every signal has
conditions for its use (size of the face, frame rate, length, light, compression); where they are not met, it is not
measured, and the reason is told.

Everything here is ``info``. Blinks and pulses are in real films and in swapped ones (a swap keeps the blinks of the
film that it was made on), and missing ones prove nothing. Of the three signs that point to a face that does not belong
to its head none was found in any real clip, swapped or not: what they miss and how often they err is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Subject
from deepscan.checks.closely import blinks, pulse, steadiness
from deepscan.checks.closely.following import Followed
from deepscan.checks.closely.looking import Looked, look_closely
from deepscan.config import SAMPLING
from deepscan.text import clean, duration, plural
from deepscan.types import (
    CheckResult,
    Evidence,
    Family,
    Finding,
    JSONValue,
    Level,
    Meaning,
    MediaItem,
    MediaKind,
    Outcome,
    Part,
    PointsTo,
    Score,
    Where,
)

FLICKER, STAYS, APART = "DS-TIME-005", "DS-TIME-006", "DS-TIME-007"
BLINKS, PULSE = "DS-TIME-008", "DS-TIME-009"

SPEC = CheckSpec(
    id="film_faces",
    title="Faces from frame to frame: flicker, movement against the head, blinks, pulse",
    family=Family.TEMPORAL,
    version="1",
    kinds=frozenset({MediaKind.VIDEO}),
    codes=(FLICKER, STAYS, APART, BLINKS, PULSE),
    cost=Cost.HIGH,
    options=(*SAMPLING, "faces"),
    looks_at="videos in which a face is seen for some seconds",
)

LISTED = 30
"""Blinks listed under one face, the earliest first."""

DIGITS = 4
"""Decimal places of intensities."""


@dataclass(frozen=True, slots=True)
class FilmFaces:
    """The check."""

    @property
    def spec(self) -> CheckSpec:
        """What it is."""
        return SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """None: only reading tells."""
        return None

    def run(self, subject: Subject) -> CheckResult:
        """Raises NotApplicableError, MediaError."""
        reading = subject.reading()
        problem = clean(reading.problem) if reading.problem else None
        try:
            looked = look_closely(subject, reading)
        except NotApplicableError as e:
            raise NotApplicableError(str(e), partial=problem) from None
        problem = " ".join(filter(None, (problem, looked.problem))) or None
        answers = _Answers(looked)
        for face in looked.faces:
            answers.take(face)
        if not any(part.score for part in answers.parts):
            reasons = " ".join(dict.fromkeys(part.reason for part in answers.parts if part.reason))
            raise NotApplicableError(reasons, partial=problem)
        return CheckResult(
            SPEC.id, SPEC.version, Outcome.DONE, answers.findings(), parts=tuple(answers.parts), partial=problem
        )


@dataclass(slots=True)
class _Answers:
    """What is said of the faces that were followed: a part for each signal of each, and findings over all of them."""

    looked: Looked
    parts: list[Part] = field(default_factory=list)
    _found: dict[str, list[tuple[str, tuple[Evidence, ...]]]] = field(default_factory=dict)

    def take(self, face: Followed) -> None:
        """Measure all signals of one face."""
        steady = steadiness.CONDITIONS.unmet(face)
        self._measure("flicker", face, steady, self._flicker)
        self._measure("movement", face, steady, self._movement)
        self._measure("blinks", face, blinks.why_not(face), self._blinks)
        self._measure("pulse", face, pulse.why_not(face), self._pulse)

    def findings(self) -> tuple[Finding, ...]:
        """The findings, in the order of their codes."""
        return tuple(self._finding(code, self._found[code]) for code in SPEC.codes if code in self._found)

    def _measure(
        self, kind: str, face: Followed, reason: str | None, measure: Callable[[Followed], float | str]
    ) -> None:
        """A part with the intensity of a signal, or with the reason why there is none."""
        answer = reason or measure(face)
        if isinstance(answer, str):
            self.parts.append(Part(kind, _where(face), None, answer, face.track))
            return
        score = Score(round(min(1.0, max(0.0, answer)), DIGITS), Meaning.INTENSITY)
        self.parts.append(Part(kind, _where(face), score, track=face.track))

    def _flicker(self, face: Followed) -> float:
        measured = steadiness.flicker(face)
        if measured.stands_out:
            numbers: dict[str, JSONValue] = {"face, percent": measured.face, "head, percent": measured.head}
            self._say(FLICKER, face, f"by {measured.face:.2g} %, its head by {measured.head:.2g} %", numbers)
        return measured.face / 100

    def _movement(self, face: Followed) -> float | str:
        measured = steadiness.movement(face)
        if isinstance(measured, str):
            return measured
        numbers: dict[str, JSONValue] = {
            "face, widths a second": measured.face,
            "head, widths a second": measured.head,
            "the face follows by": measured.follows,
        }
        words = f"the face moves by {measured.face:.2g} of its width a second, its head by {measured.head:.2g}"
        if measured.stays:
            self._say(STAYS, face, words, numbers)
        elif measured.apart:
            self._say(APART, face, words, numbers)
        if measured.head < steadiness.LEAST_MOVED and not measured.apart:
            return "The head hardly moves: whether the face goes with it cannot be told."
        return measured.follows

    def _blinks(self, face: Followed) -> float:
        found = blinks.measure(face)
        numbers: dict[str, JSONValue] = {"blinks": len(found)}
        moments = [
            Evidence("blink", {"seconds": blink.takes, "depth": blink.depth}, Where(None, blink.seconds))
            for blink in found[:LISTED]
        ]
        self._say(BLINKS, face, f"{plural(len(found), 'blink')} in {duration(face.length)}", numbers, moments)
        return len(found) / face.length

    def _pulse(self, face: Followed) -> float:
        measured = pulse.measure(face)
        numbers: dict[str, JSONValue] = {
            "beats a minute": round(60 * measured.hertz),
            "share of the signal": measured.share,
            "share behind the head": measured.behind,
            "in both halves": measured.steady,
            "as the head moves": measured.moving,
        }
        beats = f"a rhythm of {60 * measured.hertz:.0f} a minute with {measured.share:.0%} of the signal"
        self._say(PULSE, face, beats if measured.clear else f"no clear rhythm in {duration(face.length)}", numbers)
        return measured.share

    def _say(
        self, code: str, face: Followed, words: str, numbers: dict[str, JSONValue], more: Iterable[Evidence] = ()
    ) -> None:
        numbers = {**numbers, "followed for seconds": round(face.length, 2)}
        if face.lost:
            numbers["then lost"] = face.lost
        evidence = Evidence(f"track {face.track}", numbers, _where(face))
        self._found.setdefault(code, []).append((f"track {face.track}: {words}", (evidence, *more)))

    def _finding(self, code: str, said: list[tuple[str, tuple[Evidence, ...]]]) -> Finding:
        of_each = "; ".join(words for words, _ in said)
        evidence = tuple(piece for _, pieces in said for piece in pieces)
        summary = f"{_BEGINS[code]} ({of_each}). {self.looked.words}. {_MEANS[code]}"
        return Finding(code, Level.INFO, PointsTo.NEITHER, summary, evidence)


_BEGINS = {
    FLICKER: "The brightness of a face flickers, and that of its head does not",
    STAYS: "A face stands still while the head around it moves",
    APART: "A face moves, and the head around it does not",
    BLINKS: "Blinks were counted",
    PULSE: "The colour of skin was searched for the rhythm of a pulse",
}

_MEANS = {
    FLICKER: "Faces that are made anew for each frame may do so, and so does light that falls on the face alone.",
    STAYS: "A face pasted into a film does so, and so does one before scenery that moves close behind it.",
    APART: "A face that is put in unsteadily does so, and so does one that is seen through a window or a mask.",
    BLINKS: "Swapped faces blink as the film does that they were made on, and few or many blinks prove nothing.",
    PULSE: "A rhythm may have other causes than a heart, and compression often leaves none: neither proves anything.",
}


def _where(face: Followed) -> Where:
    return Where(face.first.frame, round(face.first.seconds, 3), face.first.box)
