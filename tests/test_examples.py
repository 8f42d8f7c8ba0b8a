"""The example files: made by their script, answered as their README says, and left as they were.

The table in docs/examples/README.md is what is expected here; a row there is a case.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageSequence

from deepscan import ScanReport, scan
from deepscan.config import ScanOptions
from deepscan.engine.scan import exit_code
from deepscan.errors import EXIT_FOUND, EXIT_INCOMPLETE
from deepscan.models.calibration import Calibration
from deepscan.types import Basis, Call, Level, Outcome, PointsTo, SkipCode
from tests.fake_pack import make_pack
from tests.test_docs import ROOT, load_script, table, text_of

EXAMPLES = ROOT / "docs" / "examples"
MEDIA = EXAMPLES / "media"
MAX_BYTES = 1_500_000

ROWS = {row[0]: row for row in table(text_of(EXAMPLES / "README.md"), "file")}
BY_MODEL = "by the model"
SKIPPED = "skipped: "

SURE = 20.0
"""A calibration bias that makes a model sure of everything: of fake, or with a minus of real."""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script(EXAMPLES / "make_examples.py")


@pytest.fixture(scope="module")
def remade(script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("remade")
    script.make(folder)
    return folder


def state(folder: Path) -> dict[str, tuple[str, int]]:
    """Names, contents and times of change of all files."""
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def scanned(folder: Path, bias: float) -> ScanReport:
    pack = make_pack(folder / "pack", calibration=Calibration("temperature", 1.0, bias))
    before = state(MEDIA)
    report = scan([MEDIA], ScanOptions(model=str(pack.folder), workers=0))
    assert state(MEDIA) == before, "evidence was changed"
    return report


@pytest.fixture(scope="module")
def all_real(tmp_path_factory: pytest.TempPathFactory) -> ScanReport:
    """A scan with a model that calls everything real."""
    return scanned(tmp_path_factory.mktemp("real"), -SURE)


@pytest.fixture(scope="module")
def all_fake(tmp_path_factory: pytest.TempPathFactory) -> ScanReport:
    """A scan with a model that calls everything fake."""
    return scanned(tmp_path_factory.mktemp("fake"), SURE)


# What is answered.


def test_the_table_names_every_file(script: ModuleType) -> None:
    assert ROWS.keys() == set(script.MEDIA) == state(MEDIA).keys()


def test_every_file_has_one_answer(all_real: ScanReport) -> None:
    names = [str(item.item.name) for item in all_real.items]
    names += [str(skipped.path.relative_to(MEDIA)) for skipped in all_real.skipped]
    assert sorted(names) == sorted(ROWS)
    assert all_real.finished


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row[2].startswith(SKIPPED)])
def test_what_is_skipped(name: str, all_real: ScanReport) -> None:
    skipped = {str(s.path.relative_to(MEDIA)): s for s in all_real.skipped}[name]
    assert skipped.code == ROWS[name][2].removeprefix(SKIPPED)
    assert skipped.reason.endswith(".")


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if not row[2].startswith(SKIPPED)])
def test_what_is_answered(name: str, all_real: ScanReport, all_fake: ScanReport) -> None:
    _, _, answer, findings = ROWS[name]
    for report, by_model in ((all_real, Call.NO_EVIDENCE), (all_fake, Call.MODERATE)):
        item = {str(i.item.name): i for i in report.items}[name]
        assert item.verdict.call == (by_model if answer == BY_MODEL else answer)
        found = {finding.code for result in item.results for finding in result.findings}
        assert set(filter(None, findings.split(", "))) <= found
        classifier = next(result for result in item.results if result.check == "classifier")
        if answer == BY_MODEL:
            assert item.verdict.basis in (Basis.BELOW_THRESHOLD, Basis.MODEL)
            assert classifier.outcome is Outcome.DONE
            assert all(part.kind == "face" for part in classifier.parts)
        if item.verdict.call in (Call.WEAK, Call.STRONG):
            # What a file states of itself is declared; what contradicts the file is our observation.
            contradicted = item.verdict.because == ("DS-META-006",)
            assert item.verdict.basis is (Basis.OBSERVED if contradicted else Basis.DECLARED)
            assert item.verdict.because
            assert item.verdict.points_to is (PointsTo.EDITED if item.verdict.call is Call.WEAK else PointsTo.GENERATED)


def test_every_kind_of_answer_is_among_them(all_real: ScanReport, all_fake: ScanReport, tmp_path: Path) -> None:
    calls = {item.verdict.call for report in (all_real, all_fake) for item in report.items}
    assert calls == set(Call)
    outcomes = {result.outcome for item in all_real.items for result in item.results}
    assert outcomes == set(Outcome) - {Outcome.TIMED_OUT}
    # An empty file cannot be told from any other empty file, so none is committed: this one is made here.
    (tmp_path / "empty.jpg").touch()
    empty = scan([tmp_path / "empty.jpg"], ScanOptions(checks=("identity",), workers=0))
    assert {s.code for s in (*all_real.skipped, *empty.skipped)} == {
        SkipCode.EMPTY,
        SkipCode.UNREADABLE,
        SkipCode.NOT_MEDIA,
        SkipCode.UNSUPPORTED,
    }


def test_faces_are_counted(all_real: ScanReport) -> None:
    faces = {
        str(item.item.name): [part for result in item.results for part in result.parts if part.kind == "face"]
        for item in all_real.items
    }
    assert len(faces["camera/portrait.jpg"]) == 1
    assert len(faces["generated/stable-diffusion.png"]) == 1
    two = [part.where.box for part in faces["camera/two-people.jpg"]]
    assert len(two) == 2
    assert len({box.x < 450 for box in two if box is not None}) == 2, "one on each side"
    assert sorted({part.where.frame for part in faces["scanned/two-pages.tiff"]}, key=str) == [0, 1]
    assert len(faces["moving/blinking.gif"]) == 4
    moving = [part for part in faces["moving/walking-by.mp4"] if part.where.box is not None]
    assert len(moving) == 24
    times = [part.where.seconds or 0.0 for part in moving]
    assert times == sorted(set(times))
    first, last = moving[0].where.box, moving[-1].where.box
    assert first is not None
    assert last is not None
    assert last.x - first.x > 40, "the head moves to the right"
    assert not faces["camera/hills.jpg"]


def test_a_file_cut_short_is_never_clean(all_real: ScanReport) -> None:
    item = {str(i.item.name): i for i in all_real.items}["damaged/truncated.jpg"]
    outcomes = {result.check: result.outcome for result in item.results}
    assert outcomes["identity"] is outcomes["metadata"] is Outcome.DONE
    assert outcomes["classifier"] is outcomes["ela"] is Outcome.FAILED


def test_exit_codes_are_those_of_the_readme(all_real: ScanReport) -> None:
    assert exit_code(all_real, Level.MODERATE) == EXIT_FOUND
    assert exit_code(all_real, None) == EXIT_INCOMPLETE
    text = text_of(EXAMPLES / "README.md")
    assert f"ends with exit code {EXIT_FOUND}" in text
    assert f"`--fail-on never` it ends with {EXIT_INCOMPLETE}" in text


# How they are made.


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in MEDIA.rglob("*") if path.is_file()) < MAX_BYTES


def test_the_script_makes_all_of_them(remade: Path) -> None:
    assert state(remade).keys() == state(MEDIA).keys()


def frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    if path.suffix == ".mp4":
        capture = cv2.VideoCapture(str(path))
        while True:
            read, pixels = capture.read()
            if not read:
                break
            yield np.asarray(pixels, np.uint8)
        capture.release()
        return
    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            yield np.asarray(frame.convert("RGB"))


PICTURES = [name for name, row in ROWS.items() if not row[2].startswith(SKIPPED) and "truncated" not in name]


@pytest.mark.parametrize("name", PICTURES)
def test_the_script_makes_the_same_pixels(name: str, remade: Path) -> None:
    """The same but for what another version of an encoder rounds differently."""
    made, kept = list(frames(remade / name)), list(frames(MEDIA / name))
    assert len(made) == len(kept)
    for ours, theirs in zip(made, kept, strict=True):
        assert ours.shape == theirs.shape
        difference = np.abs(ours.astype(int) - theirs.astype(int))
        assert difference.mean() < 2
        assert np.percentile(difference, 99) < 16


@pytest.mark.parametrize("name", [name for name in PICTURES if not name.endswith(".mp4")])
def test_the_script_writes_the_same_metadata(name: str, remade: Path) -> None:
    def stated(path: Path) -> object:
        with Image.open(path) as image:
            exif = image.getexif()
            inner = [exif.get_ifd(block) for block in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)]
            offsets = {*ExifTags.IFD, ExifTags.Base.StripOffsets, ExifTags.Base.StripByteCounts}  # where, not what
            main = {tag: value for tag, value in exif.items() if tag not in offsets}
            return main, inner, getattr(image, "text", None)

    assert stated(remade / name) == stated(MEDIA / name)


def test_the_script_writes_the_same_other_files(remade: Path) -> None:
    for name, row in ROWS.items():
        if row[2].startswith(SKIPPED):
            assert (remade / name).read_bytes() == (MEDIA / name).read_bytes(), name
    for folder in (remade, MEDIA):
        with zipfile.ZipFile(io.BytesIO((folder / "damaged/archive-appended.jpg").read_bytes())) as archive:
            assert archive.namelist() == ["hidden.txt"]
        with Image.open(folder / "damaged/truncated.jpg") as image, pytest.raises(OSError, match="truncated"):
            image.load()
