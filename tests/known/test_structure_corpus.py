"""The structure checks on real files: silent on what cameras wrote, and right where a program rewrote it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepscan.checks.base import Check, NotApplicableError
from deepscan.checks.identity import Identity
from deepscan.checks.jpeg_file import OTHER_WRITER, JpegFile
from deepscan.checks.movie_file import MovieFile
from deepscan.checks.png_file import PngFile
from deepscan.checks.previews import Previews
from deepscan.errors import MediaError
from deepscan.media.signatures import HEAD_BYTES, detect
from deepscan.types import Finding, Level
from tests.fake_subject import FakeSubject

pytestmark = pytest.mark.corpus

CHECKS: tuple[Check, ...] = (Identity(), JpegFile(), PngFile(), MovieFile(), Previews())


def files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".csv":
            with path.open("rb") as file:
                container = detect(file.read(HEAD_BYTES), path.stat().st_size)
            if container is not None and container.readable and container.kind is not None:
                yield path


def findings(path: Path, checks: tuple[Check, ...] = CHECKS) -> list[Finding]:
    """What the checks find; a reason that a check gives is no finding, and any other exception fails the test."""
    subject = FakeSubject(path)
    found: list[Finding] = []
    for check in checks:
        try:
            if check.why_not(subject.item) is None:
                found += check.run(subject).findings
        except (MediaError, NotApplicableError) as e:
            assert str(e).endswith("."), (path, str(e))
    return found


@pytest.mark.parametrize("name", ["metadata", "c2pa", "aimeta", "facevideo", "tampered/CASIA2/authentic"])
def test_nothing_but_information_on_files_that_nobody_forged(name: str, corpus: Path) -> None:
    wrong = [
        (path.name, f.code, f.summary)
        for path in files(corpus / "forensics" / name)
        for f in findings(path)
        if f.level is not Level.INFO
    ]
    assert wrong == []


def test_a_cameras_exif_on_a_programs_file_is_found_on_every_forged_row(corpus: Path) -> None:
    folder = corpus / "forensics" / "tampered" / "BSDS-exif-forged"
    forged = [findings(path, (JpegFile(),)) for path in files(folder / "exif_edited")]
    assert len(forged) == 12
    assert all([f.level for f in found if f.code == OTHER_WRITER] == [Level.WEAK] for found in forged)
    assert not [f for path in files(folder / "original") for f in findings(path) if f.code == OTHER_WRITER]


def test_every_hostile_file_ends_soon_in_results_or_reasons(corpus: Path) -> None:
    slow = []
    structure = CHECKS[:4]  # previews decode the picture, which the media room's own tests time
    for path in files(corpus / "forensics" / "hostile"):
        started = time.perf_counter()
        assert all(f.level.rank <= Level.WEAK.rank for f in findings(path, structure)), path
        if (seconds := time.perf_counter() - started) > 2:
            slow.append((path.name, seconds))
    assert slow == []
