"""Name against content, completeness, and what follows the end."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from deepscan.checks.identity import CUT_SHORT, LEFTOVER, SUFFIX, TRAILING, TWO_FILES, Identity
from deepscan.checks.reading.layout import base
from deepscan.errors import LimitError
from deepscan.types import Finding, Level, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject
from tests.unit.checks.test_layout import MP4, box, seed


def findings(path: Path) -> dict[str, Finding]:
    return {finding.code: finding for finding in Identity().run(FakeSubject(path)).findings}


def zipped() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.txt", "hidden")
    return held.getvalue()


def test_whole_files_under_their_own_names_have_no_findings(tmp_path: Path) -> None:
    paths = [
        media.write_jpeg(tmp_path),
        media.write_jpeg(tmp_path, "SHOUTING.JPEG"),
        media.write_png(tmp_path),
        media.write_apng(tmp_path, "moving.png", durations=(50, 50)),
        media.write_webp(tmp_path),
        media.write_gif(tmp_path),
        media.write_bmp(tmp_path),
        media.write_tiff(tmp_path),
        media.write_heic(tmp_path),
        media.write_avif(tmp_path),
    ]
    assert {path.name: findings(path) for path in paths if findings(path)} == {}


def test_a_wrong_suffix_names_both_and_accuses_nobody(tmp_path: Path) -> None:
    finding = findings(media.write_jpeg(tmp_path, "photo.png"))[SUFFIX]
    assert (finding.level, finding.points_to) == (Level.INFO, PointsTo.NEITHER)
    assert ".png" in finding.summary
    assert "JPEG" in finding.summary


@pytest.mark.parametrize("name", ["photo", "photo.bin", "photo.jpg~", "photo.unheard-of", ".jpg"])
def test_a_name_that_promises_nothing_breaks_no_promise(name: str, tmp_path: Path) -> None:
    assert findings(media.write_jpeg(tmp_path, name)) == {}


@pytest.mark.parametrize("name", ["clip.mov", "clip.m4v", "clip.3gp"])
def test_relatives_of_mp4_are_one_family(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(MP4)
    assert findings(path) == {}


@pytest.mark.parametrize("keep", [0.4, 0.95])
def test_a_file_cut_short_is_called_so(keep: float, tmp_path: Path) -> None:
    for path in (
        media.write_jpeg(tmp_path),
        media.write_png(tmp_path),
        media.write_webp(tmp_path),
        media.write_gif(tmp_path),
    ):
        finding = findings(media.truncate(path, keep))[CUT_SHORT]
        assert (finding.level, finding.points_to) == (Level.INFO, PointsTo.NEITHER)


@pytest.mark.parametrize(
    ("trailing", "content", "level"),
    [
        (bytes(512), "padding", Level.INFO),
        (box(b"ftyp", b"mp42\0\0\0\0") + box(b"mdat", bytes(99)), "motion-photo", Level.INFO),
        (bytes(64) + box(b"ftyp", b"mp42\0\0\0\0") + box(b"mdat", bytes(99)), "motion-photo", Level.INFO),
        (b"\0" * 7 + b"MotionPhoto_Data" + box(b"ftyp", b"mp42\0\0\0\0"), "motion-photo", Level.INFO),
        (b"\1\2\3\4" * 30 + b"SEFHe\0\0\0SEFT", "samsung-trailer", Level.INFO),
        (b"\x14\x99\x01", "unknown", Level.INFO),
        (zipped(), "zip", Level.WEAK),
        (b"\0\0\0" + zipped(), "zip", Level.WEAK),
        (b"%PDF-1.7\n", "pdf", Level.WEAK),
        (b"\x7fELF" + bytes(60), "program", Level.WEAK),
        (b"<html><script>alert(1)</script></html>", "html", Level.WEAK),
        (b"no header of an archive, but " + zipped(), "zip", Level.WEAK),
        (seed("png"), "png", Level.INFO),
    ],
)
def test_what_follows_the_end_is_measured_and_named(
    trailing: bytes, content: str, level: Level, tmp_path: Path
) -> None:
    path = media.write_jpeg(tmp_path, trailing=trailing)
    finding = findings(path)[TRAILING]
    values = {e.label: e.value for e in finding.evidence}
    assert (values["seems to be"], finding.level, finding.points_to) == (content, level, PointsTo.NEITHER)
    assert values["bytes"] == len(trailing)
    assert values["offset"] == path.stat().st_size - len(trailing)


def test_an_archive_behind_a_png_is_found(tmp_path: Path) -> None:
    assert findings(media.write_png(tmp_path, trailing=zipped()))[TRAILING].level is Level.WEAK


def test_second_pictures_that_are_announced_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "pair.jpg"
    first, second = media.picture(seed=1), media.picture(seed=2)
    first.save(path, "MPO", save_all=True, append_images=[second])
    values = {e.label: e.value for e in findings(path)[TRAILING].evidence}
    assert values["seems to be"] == "multi-picture"


def test_a_structure_without_end_is_a_failure_and_not_a_clean_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_STEPS", 3)
    with pytest.raises(LimitError, match="more than"):
        findings(media.write_png(tmp_path))


def test_the_rest_of_a_larger_png_is_named(tmp_path: Path) -> None:
    """What a program leaves that writes a cropped PNG over a larger one without shortening the file."""
    large = media.write_png(tmp_path, "large.png", size=(200, 200)).read_bytes()
    path = media.write_png(tmp_path)
    path.write_bytes(path.read_bytes() + large[len(path.read_bytes()) :])
    found = findings(path)
    assert set(found) == {LEFTOVER}
    assert (found[LEFTOVER].level, found[LEFTOVER].points_to) == (Level.WEAK, PointsTo.EDITED)


def test_a_whole_second_png_is_not_called_a_rest(tmp_path: Path) -> None:
    path = media.write_png(tmp_path, trailing=media.write_png(tmp_path, "b.png").read_bytes())
    assert set(findings(path)) == {TRAILING}


def test_a_document_inside_a_comment_makes_two_files_of_one(tmp_path: Path) -> None:
    found = findings(media.write_jpeg(tmp_path, comment=b"%PDF-1.4\nstartxref 0\n%%EOF"))
    assert found == {}  # the end mark is missing at the end: no reader of PDF takes it
    path = media.write_png(tmp_path, text={"a": "%PDF-1.4"})
    data = path.read_bytes()
    path.write_bytes(data[:-12] + media.png_chunk(b"tEXt", b"b\0startxref 0 %%EOF") + data[-12:])
    finding = findings(path)[TWO_FILES]
    assert (finding.level, finding.points_to) == (Level.WEAK, PointsTo.NEITHER)
    assert "PDF" in finding.summary


def test_an_archive_inside_a_chunk_makes_two_files_of_one(tmp_path: Path) -> None:
    path = media.write_png(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:-12] + media.png_chunk(b"zzZz", zipped()) + data[-12:])
    assert "ZIP" in findings(path)[TWO_FILES].summary


def test_a_gain_map_that_is_announced_is_explained(tmp_path: Path) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a hdrgm:Version="1.0"/></x:xmpmeta>'
    path = media.write_jpeg(tmp_path, xmp=xmp, trailing=seed("jpeg"))
    assert {e.label: e.value for e in findings(path)[TRAILING].evidence}["seems to be"] == "gain-map"
