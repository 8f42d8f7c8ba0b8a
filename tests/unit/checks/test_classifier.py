"""The classifier's words and numbers: what it cuts out, what it leaves out, how it makes one score of many."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
import pytest
from numpy.typing import NDArray

from deepscan.checks.base import BatchCheck, NotApplicableError, Samples
from deepscan.checks.classifier import SPEC, Classifier
from deepscan.checks.reading.embedded import Embedded
from deepscan.checks.scoring.findings import MAX_EVIDENCE
from deepscan.errors import ModelError
from deepscan.media.frames import Face, Frame, Pixels, Reading
from deepscan.media.limits import MAX_FACES
from deepscan.media.luma import Luma
from deepscan.models.card import ModelCard, Threshold, View
from deepscan.types import (
    Box,
    CheckResult,
    Finding,
    Level,
    Meaning,
    MediaItem,
    MediaKind,
    Outcome,
    PointsTo,
)
from tests.fake_pack import SIDE, make_card


class FakeSubject:
    """A decoded file whose faces are given."""

    def __init__(
        self,
        frames: Sequence[Frame],
        faces: dict[int, Sequence[Box]] | None = None,
        *,
        kind: MediaKind = MediaKind.IMAGE,
        total: int | None = None,
        problem: str | None = None,
    ) -> None:
        self.item = MediaItem(Path("/x"), PurePosixPath("a.png"), kind, "png", 1, "0" * 64)
        self._reading = Reading(tuple(frames), total or len(frames), problem)
        self._faces = faces or {}
        self.keeps_exhibits = False

    def open(self) -> BinaryIO:
        return io.BytesIO()

    def reading(self) -> Reading:
        return self._reading

    def luma(self) -> Luma:
        raise AssertionError("the classifier asks for no stored luma")

    def embedded(self) -> Embedded:
        raise AssertionError("the classifier asks for no metadata")

    def faces(self, frame: Frame) -> tuple[Face, ...]:
        return tuple(Face(box, "frontal") for box in self._faces.get(frame.index, ()))

    def exhibit(self, name: str, pixels: Pixels, *, photograph: bool = False) -> str | None:
        return None


def _frame(index: int = 0, seconds: float | None = None, width: int = 200, height: int = 150) -> Frame:
    noise = np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Frame(index, seconds, noise)


def _video(count: int, faces: dict[int, Sequence[Box]] | None = None, problem: str | None = None) -> FakeSubject:
    frames = [_frame(i * 25, i * 1.0) for i in range(count)]
    return FakeSubject(frames, faces, kind=MediaKind.VIDEO, total=count * 25, problem=problem)


def _answer(subject: FakeSubject, scores: Sequence[float], card: ModelCard | None = None) -> CheckResult:
    check = Classifier(card or make_card())
    return check.conclude(subject.item, check.samples(subject), scores)


def _finding(result: CheckResult) -> Finding:
    (finding,) = result.findings
    return finding


FACE = Box(40, 30, 60, 60)
OTHER = Box(120, 40, 40, 40)
TINY = Box(5, 5, 8, 8)
WHOLE = make_card(subject="frame")


def test_it_is_a_batch_check_and_crosses_process_borders() -> None:
    check: BatchCheck = Classifier(make_card())
    assert isinstance(check, BatchCheck)
    copy = pickle.loads(pickle.dumps(check))
    assert copy.card == check.card  # type: ignore[attr-defined]
    assert check.spec is SPEC


def test_importing_it_loads_neither_torch_nor_cv2() -> None:
    script = "import deepscan.checks.classifier, sys; sys.exit(any(m in sys.modules for m in ('torch', 'cv2')))"
    assert subprocess.run([sys.executable, "-c", script], timeout=120).returncode == 0


def test_faces_are_cut_with_the_margin_and_resized() -> None:
    samples = Classifier(make_card()).samples(FakeSubject([_frame()], {0: [FACE, OTHER]}))
    assert [s.kind for s in samples.samples] == ["face", "face"]
    assert [s.where.box for s in samples.samples] == [FACE, OTHER]
    assert all(s.where.frame is None and s.where.seconds is None for s in samples.samples)
    assert all(s.pixels.shape == (SIDE, SIDE, 3) and s.pixels.flags.c_contiguous for s in samples.samples)
    wide = replace(make_card(), view=View("face", 1.0, 24))
    assert not np.array_equal(
        samples.samples[0].pixels, Classifier(wide).samples(FakeSubject([_frame()], {0: [FACE]})).samples[0].pixels
    )


def test_whole_frames_need_no_faces() -> None:
    samples = Classifier(WHOLE).samples(FakeSubject([_frame()]))
    assert [s.kind for s in samples.samples] == ["picture"]
    assert samples.samples[0].where.box is None


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        (FakeSubject([_frame()]), "No face was found in the picture, and this model looks at faces only."),
        (_video(4), "No face was found in the 4 frames looked at, and this model looks at faces only."),
        (
            _video(2, problem="The stream is damaged after 3.2 s."),
            "No face was found in the 2 frames looked at, and this model looks at faces only.",
        ),
        (
            FakeSubject([_frame()], {0: [TINY]}),
            "Every face found in the picture is too small for this model: the largest, with its margin, has 12 of the "
            "24 pixels needed on the shorter side.",
        ),
        (
            _video(3, {0: [TINY]}),
            "Every face found in the 3 frames looked at is too small for this model: the largest, with its margin, has "
            "12 of the 24 pixels needed on the shorter side.",
        ),
    ],
)
def test_without_a_usable_face_it_abstains_with_the_reason(subject: FakeSubject, sentence: str) -> None:
    with pytest.raises(NotApplicableError) as caught:
        Classifier(make_card()).samples(subject)
    assert str(caught.value) == sentence


def test_a_picture_too_small_or_too_narrow_for_a_whole_frame_model() -> None:
    with pytest.raises(NotApplicableError, match="The picture is too small for this model: at most 10 of the 24"):
        Classifier(WHOLE).samples(FakeSubject([_frame(width=300, height=10)]))
    rule = replace(WHOLE.preprocessing, shortest_edge=256)
    card = replace(WHOLE, preprocessing=rule, view=View("frame", 0.0, 1))
    with pytest.raises(NotApplicableError, match="60,000 x 1 pixels it is too long and narrow"):
        Classifier(card).samples(FakeSubject([_frame(width=60_000, height=1)]))


@pytest.mark.parametrize("box", [Box(500, 500, 40, 40), Box(-100, -100, 20, 20), Box(10, 10, 0, 0), Box(199, 0, 1, 1)])
def test_boxes_outside_the_frame_do_no_harm(box: Box) -> None:
    samples = Classifier(make_card()).samples(FakeSubject([_frame()], {0: [FACE, box]}))
    assert len(samples.samples) == 1
    (part,) = samples.left_out
    assert part.score is None
    assert "too small" in (part.reason or "")


def test_a_crowd_is_limited_and_the_rest_is_counted() -> None:
    boxes = [replace(FACE, x=i) for i in range(MAX_FACES + 5)]
    subject = FakeSubject([_frame()], {0: boxes})
    samples = Classifier(make_card()).samples(subject)
    assert len(samples.samples) == MAX_FACES
    assert len(samples.left_out) == 5
    result = _answer(subject, [0.1] * MAX_FACES)
    assert len(result.parts) == MAX_FACES + 5
    assert "Left out: 5 faces" in _finding(result).summary


def test_the_highest_face_is_the_score_of_a_picture_and_is_named() -> None:
    result = _answer(FakeSubject([_frame()], {0: [FACE, OTHER, TINY]}), [0.2, 0.93214567])
    assert result.outcome is Outcome.DONE
    assert result.score is not None
    assert (result.score.value, result.score.meaning) == (0.9321, Meaning.PROBABILITY)
    finding = _finding(result)
    assert (finding.code, finding.level, finding.points_to) == ("DS-MODEL-001", Level.MODERATE, PointsTo.GENERATED)
    for words in (
        "the face at x 120, y 40 (40 x 40 pixels), the highest of 2 faces, a probability of 0.9321",
        "generated or manipulated",
        "0.8, this model's threshold for moderate evidence",
        "2 % of the real faces it was measured on reached that threshold (500 made-up faces)",
        "Each of the 2 faces scored is another chance of a false alarm",
        "Resemblance is no proof",
        "random weights, for tests",
        "open licence (Apache-2.0)",
        "Left out: 1 face",
    ):
        assert words in finding.summary
    threshold, *faces = finding.evidence
    assert threshold.value == {
        "level": "moderate", "probability": 0.8, "false_alarms": 0.02, "measured_on": "500 made-up faces"
    }  # fmt: skip
    assert [(e.label, e.value, e.where.box if e.where else None) for e in faces] == [
        ("face", {"probability": 0.9321}, OTHER)
    ]
    assert [(p.score.value if p.score else None, p.where.box) for p in result.parts] == [
        (0.2, FACE), (0.9321, OTHER), (None, TINY)
    ]  # fmt: skip


def test_below_every_threshold_it_informs_and_clears_nobody() -> None:
    finding = _finding(_answer(FakeSubject([_frame()], {0: [FACE]}), [0.49994]))
    assert (finding.code, finding.level, finding.points_to) == ("DS-MODEL-002", Level.INFO, PointsTo.NEITHER)
    assert "a probability of 0.4999" in finding.summary
    assert "does not show that the file is authentic" in finding.summary
    assert "open licence" in finding.summary


@pytest.mark.parametrize(("score", "level"), [(0.5, Level.WEAK), (0.79996, Level.MODERATE), (1.0, Level.MODERATE)])
def test_thresholds_are_met_by_the_rounded_score(score: float, level: Level) -> None:
    assert _finding(_answer(FakeSubject([_frame()], {0: [FACE]}), [score])).level is level


def test_an_unmeasured_threshold_says_so() -> None:
    card = make_card(thresholds=(Threshold(Level.WEAK, 0.5, None, "not measured"),), licence_class="unknown")
    summary = _finding(_answer(FakeSubject([_frame()], {0: [FACE, OTHER]}), [0.9, 0.9], card)).summary
    assert "How many real faces reach that threshold has not been measured." in summary
    assert "another chance" not in summary
    assert "not known to deepscan" in summary


def test_a_card_without_thresholds_gives_no_evidence() -> None:
    finding = _finding(_answer(FakeSubject([_frame()], {0: [FACE]}), [1.0], make_card(thresholds=())))
    assert finding.code == "DS-MODEL-002"
    assert "sets no threshold" in finding.summary


def test_no_percentage_stands_without_what_it_is_of() -> None:
    for scores in ([0.9], [0.1]):
        summary = _finding(_answer(FakeSubject([_frame()], {0: [FACE]}), scores)).summary
        assert summary.count("%") == summary.count("% of the real faces")


def test_one_bad_frame_does_not_carry_a_video() -> None:
    result = _answer(_video(16), [0.05] * 7 + [1.0] + [0.05] * 8, WHOLE)
    assert result.score is not None
    assert result.score.value == pytest.approx(0.05)
    finding = _finding(result)
    assert finding.code == "DS-MODEL-002"
    assert "that of track 1, the picture in shot 1, from 00:00:00.000 to 00:00:15.000" in finding.summary
    assert result.film is not None
    assert result.film.clips == ()
    assert max(frame.score.value for frame in result.film.frames if frame.score) == 1.0


def test_a_video_forged_in_its_second_half_is_not_averaged_away() -> None:
    result = _answer(_video(16), [0.05] * 8 + [0.9] * 8, WHOLE)
    assert result.score is not None
    assert result.score.value == 0.9
    finding, change = result.findings
    assert "for videos it has not been measured" in finding.summary
    assert "Worth looking at: 00:00:07.500 to 00:00:15.000 (track 1)." in finding.summary
    assert (change.code, change.level) == ("DS-MODEL-003", Level.INFO)
    assert change.evidence[0].where is not None
    assert change.evidence[0].where.seconds == 7.5


@pytest.mark.parametrize(("scores", "expected"), [([0.7], 0.7), ([0.2, 0.8], 0.5), ([0.1, 0.5, 0.9], 0.5)])
def test_short_videos(scores: list[float], expected: float) -> None:
    result = _answer(_video(len(scores)), scores, WHOLE)
    assert result.score is not None
    assert result.score.value == pytest.approx(expected)


def test_a_frame_counts_with_its_highest_face_and_empty_frames_are_listed() -> None:
    subject = _video(4, {0: [FACE, OTHER], 50: [FACE]}, problem="The stream is damaged after \x1b[31m3.2 s.")
    result = _answer(subject, [0.1, 0.9, 0.3])
    assert result.score is not None
    assert result.score.value == 0.9
    assert [(p.kind, p.where.frame, p.score.value if p.score else None) for p in result.parts] == [
        ("face", 0, 0.1), ("face", 0, 0.9), ("frame", 25, None), ("face", 50, 0.3), ("frame", 75, None)
    ]  # fmt: skip
    summary = _finding(result).summary
    assert "the highest of 2 tracks, a face in shot 1" in summary
    assert [part.track for part in result.parts] == [1, 2, None, 1, None]
    assert "Not scored: 2 frames" in summary
    assert result.partial == "The stream is damaged after \\x1b[31m3.2 s."


def test_the_pages_of_a_document_count_with_the_highest() -> None:
    subject = FakeSubject([_frame(i) for i in range(5)], total=9)
    result = _answer(subject, [0.1, 0.1, 0.1, 0.85, 0.1], WHOLE)
    assert result.score is not None
    assert result.score.value == 0.85
    assert "page 4, the highest of 5 pages, a probability of 0.85" in _finding(result).summary
    assert [p.where.frame for p in result.parts] == [0, 1, 2, 3, 4]


def test_evidence_is_bounded_and_the_parts_are_complete() -> None:
    result = _answer(_video(200), [0.9 - i / 1000 for i in range(200)], WHOLE)
    evidence = result.findings[0].evidence
    assert len(evidence) == MAX_EVIDENCE + 2
    assert [e.label for e in evidence[:3]] == ["threshold", "clip", "frame"]
    assert evidence[2].value == {"probability": 0.9}
    assert len(result.parts) == 200


def test_hostile_words_of_a_card_are_harmless_and_short() -> None:
    card = make_card(
        ("Real", "Fa\x1bke"),
        fake_label="Fa\x1bke",
        coverage="x\n\u202e" * 5000,
        licence="\x1b]0;evil\x07",
        thresholds=(Threshold(Level.WEAK, 0.5, 0.1, "\x1b[2J" * 500),),
    )
    summary = _finding(_answer(FakeSubject([_frame()], {0: [FACE]}), [0.9], card)).summary
    assert all(character not in summary for character in "\x1b\x07\n\u202e")
    assert len(summary) < 6000


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_an_answer_that_is_no_number_is_an_error(score: float) -> None:
    with pytest.raises(ModelError, match="no number"):
        _answer(FakeSubject([_frame()], {0: [FACE]}), [score])


def test_scores_and_samples_must_pair_up() -> None:
    with pytest.raises(ValueError, match="zip"):
        _answer(FakeSubject([_frame()], {0: [FACE]}), [0.1, 0.2])
    with pytest.raises(ValueError, match="at least one"):
        Classifier(make_card()).conclude(FakeSubject([_frame()]).item, Samples(()), [])


def test_scores_need_a_network() -> None:
    class Constant:
        def probabilities(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.full(len(batch), 0.25, np.float32)

    batch = np.zeros((3, SIDE, SIDE, 3), np.uint8)
    assert Classifier(make_card(), Constant()).score(batch).tolist() == [0.25] * 3
    with pytest.raises(ModelError):
        Classifier(make_card()).score(batch)
