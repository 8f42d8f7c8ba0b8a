"""Films of real persons, and films spliced from a real and a generated part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deepscan.config import ScanOptions
from deepscan.engine.scan import scan
from deepscan.types import Call, CheckResult, Film, ItemReport, Outcome
from tests.film_factory import clip, faces, panned, splice

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

LIVE = ("d11", "d12", "d18", "d19", "d20")


def examined(folder: Path, *checks: str) -> dict[str, ItemReport]:
    """Every film of a folder, answered by the embedded pack, in this process."""
    report = scan([folder], ScanOptions(checks=checks, workers=0))
    return {item.item.name.name: item for item in report.items}


def result(report: ItemReport) -> tuple[CheckResult, Film]:
    (answer,) = report.results
    assert answer.outcome is Outcome.DONE
    assert answer.film is not None
    return answer, answer.film


def test_clips_of_live_persons_are_one_track_each_and_not_above_weak(corpus: Path) -> None:
    reports = examined(corpus / "forensics" / "facevideo" / "LivePortrait", "classifier")
    assert reports.keys() == {f"driving__{name}.mp4" for name in LIVE}
    for report in reports.values():
        _, film = result(report)
        assert report.verdict.call in (Call.NO_EVIDENCE, Call.WEAK)
        assert len(film.tracks) == 1
        assert film.cuts == ()


@pytest.fixture(scope="module")
def _spliced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, float]]]:
    from tests.conftest import corpus_folder

    corpus = corpus_folder()
    if corpus is None:
        pytest.skip("the real data (../shared/data or $DEEPSCAN_DATA) is not on this machine")
    folder = tmp_path_factory.mktemp("spliced")
    live = corpus / "forensics" / "facevideo" / "LivePortrait"
    generated = faces(corpus, "sd21", "fake", 2)
    parts = {
        "real-then-generated.mp4": [clip(live / "driving__d19.mp4", 4.0), panned(generated[0], 4.0)],
        "generated-then-real.mp4": [panned(generated[1], 3.0), clip(live / "driving__d11.mp4", 5.0)],
    }
    yield folder, {name: splice(folder / name, both)[0] for name, both in parts.items()}


def test_the_boundary_of_a_splice_is_found_within_a_second_and_no_track_crosses_it(
    _spliced: tuple[Path, dict[str, float]],
) -> None:
    folder, boundaries = _spliced
    for name, report in examined(folder, "classifier").items():
        _, film = result(report)
        boundary = boundaries[name]
        assert min(abs(cut - boundary) for cut in film.cuts) <= 1.0
        for track in film.tracks:
            assert track.span.end <= boundary + 1.0 or track.span.start >= boundary - 1.0
        assert {frame.shot for frame in film.frames if frame.seconds < boundary - 1} == {1}


def test_hostile_videos_end_in_frames_or_a_reason(corpus: Path) -> None:
    report = scan(
        [corpus / "forensics" / "hostile"],
        ScanOptions(checks=("film_flow",), workers=0, include=("*.mp4", "*.mov", "*.mkv", "*.webm", "*.avi")),
    )
    assert report.items
    for item in report.items:
        (answer,) = item.results
        assert answer.outcome is Outcome.DONE or answer.reason


def test_a_swapped_film_blinks_with_its_original_and_nothing_else_is_said_of_either(corpus: Path) -> None:
    folder = corpus / "forensics" / "facevideo" / "cyshih704"
    counted = {}
    for name, report in examined(folder, "film_faces").items():
        (answer,) = report.results
        assert answer.outcome is Outcome.DONE
        assert {finding.code for finding in answer.findings} <= {"DS-TIME-008", "DS-TIME-009"}
        assert report.verdict.call is Call.UNDETERMINED
        (blinks,) = (finding for finding in answer.findings if finding.code == "DS-TIME-008")
        numbers = blinks.evidence[0].value
        assert isinstance(numbers, dict)
        counted[name] = numbers["blinks"]
    # Seen by eye: nine in the twelve seconds of each that are looked at.
    assert counted.keys() == {"real.mp4", "fake.mp4"}
    assert all(7 <= count <= 10 for count in counted.values())
