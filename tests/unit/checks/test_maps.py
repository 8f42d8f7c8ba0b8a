"""What checks that draw a map have in common: they inform, measure, draw when asked, and accuse nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepscan.checks import ela, ghosts, noise, resampling, spectrum
from deepscan.checks.base import NotApplicableError
from deepscan.checks.catalogue import SPECS
from deepscan.checks.maps import MapCheck
from deepscan.types import Level, Meaning, MediaKind, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject

MAPS = (ela.CHECK, ghosts.CHECK, noise.CHECK, resampling.CHECK, spectrum.CHECK)

every_map = pytest.mark.parametrize("check", MAPS, ids=[check.spec.id for check in MAPS])


def test_they_are_all_in_the_catalogue() -> None:
    assert {check.spec for check in MAPS} <= set(SPECS)


@every_map
def test_the_result_is_information_with_an_intensity_and_a_map(check: MapCheck, tmp_path: Path) -> None:
    subject = FakeSubject(media.write_jpeg(tmp_path, size=(320, 288)), keeps_exhibits=True)
    result = check.run(subject)
    (finding,) = result.findings
    assert (finding.code, finding.level, finding.points_to) == (check.spec.codes[0], Level.INFO, PointsTo.NEITHER)
    assert "This alone shows neither that" in finding.summary
    assert result.score is not None
    assert result.score.meaning is Meaning.INTENSITY
    assert {"what to look for", "what to ignore"} <= {e.label for e in finding.evidence}
    assert [e.exhibit for e in finding.evidence if e.exhibit] == [f"exhibits/{check.spec.id}.png"]
    assert subject.stored.keys() == {check.spec.id}


@every_map
def test_nothing_is_drawn_unless_exhibits_are_kept(check: MapCheck, tmp_path: Path) -> None:
    subject = FakeSubject(media.write_jpeg(tmp_path, size=(320, 288)))
    (finding,) = check.run(subject).findings
    assert not any(e.exhibit for e in finding.evidence)
    assert not subject.stored


@every_map
def test_small_pictures_do_not_apply(check: MapCheck, tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError, match="500 x 32"):
        check.run(FakeSubject(media.write_jpeg(tmp_path, size=(500, 32))))


@every_map
def test_films_do_not_apply_and_what_jpeg_leaves_is_looked_for_in_jpegs_alone(check: MapCheck, tmp_path: Path) -> None:
    assert MediaKind.VIDEO not in check.spec.kinds
    reason = check.why_not(FakeSubject(media.write_png(tmp_path)).item)
    assert (reason is not None and "JPEG pictures" in reason) if check.jpeg_only else reason is None
