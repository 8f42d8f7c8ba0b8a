"""How a JPEG file was written: quality, tables, order, and the camera that did not write it."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, JpegPresets

from deepscan.checks.jpeg_encoders import compare, writers
from deepscan.checks.jpeg_file import OTHER_WRITER, WRITTEN, JpegFile
from deepscan.checks.reading.layout.base import Pieces
from deepscan.checks.reading.layout.segments import Header, read_header
from deepscan.errors import MediaError
from deepscan.types import Finding, Level, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject


def findings(path: Path) -> dict[str, Finding]:
    return {finding.code: finding for finding in JpegFile().run(FakeSubject(path)).findings}


def header(data: bytes) -> Header:
    return read_header(Pieces(io.BytesIO(data)))


def values(finding: Finding) -> dict[str, object]:
    return {e.label: e.value for e in finding.evidence}


@pytest.mark.parametrize("quality", [1, 24, 25, 50, 75, 90, 95, 100])
def test_every_quality_of_libjpeg_is_found_exactly(quality: int, tmp_path: Path) -> None:
    finding = findings(media.write_jpeg(tmp_path, quality=quality))[WRITTEN]
    found = [e.value for e in finding.evidence if e.label == "quantisation table"]
    assert [(v["quality"], v["match"], v["base"]) for v in found if isinstance(v, dict)] == [
        (quality, "exact", "luma"),
        (quality, "exact", "chroma"),
    ]
    assert f"quality {quality} of libjpeg's scale exactly" in finding.summary
    assert (finding.level, finding.points_to) == (Level.INFO, PointsTo.NEITHER)


def test_tables_of_its_own_are_called_nearest(tmp_path: Path) -> None:
    own = [[10 + i % 7 for i in range(64)], [20 + i % 5 for i in range(64)]]
    finding = findings(media.write_jpeg(tmp_path, qtables=own, quality=50))[WRITTEN]
    assert "nearest to quality" in finding.summary
    assert "exactly" not in finding.summary
    assert "possible writers" not in values(finding)


def test_tables_between_two_qualities_are_called_so() -> None:
    base = compare_base()
    scaled = tuple(max(1, round(value * 0.213)) for value in base)
    assert compare(scaled, luma=True).kind == "scaled"


def compare_base() -> tuple[int, ...]:
    held = io.BytesIO()
    Image.new("L", (8, 8)).save(held, "JPEG", quality=50)
    return header(held.getvalue()).tables[0]


def test_photoshops_tables_are_known(tmp_path: Path) -> None:
    preset = JpegPresets.presets["web_low"]
    finding = findings(media.write_jpeg(tmp_path, qtables=preset["quantization"], quality=50))[WRITTEN]
    assert "Save for Web, low" in str(values(finding)["possible writers"])


def test_no_row_claims_a_table_of_libjpegs() -> None:
    held = io.BytesIO()
    for quality in range(1, 101):
        held.seek(0)
        Image.new("RGB", (8, 8)).save(held, "JPEG", quality=quality)
        tables = header(held.getvalue()).tables
        assert writers(tables[0], tables[1]) == ()


@pytest.mark.parametrize(
    ("save", "words"),
    [
        ({"subsampling": 0}, "chroma 4:4:4"),
        ({"subsampling": 1}, "chroma 4:2:2"),
        ({"subsampling": 2}, "chroma 4:2:0"),
        ({"progressive": True}, "progressive"),
        ({"optimize": True}, "Huffman tables optimised"),
        ({}, "Huffman tables standard"),
    ],
)
def test_the_ways_of_writing_are_told_apart(save: dict[str, Any], words: str, tmp_path: Path) -> None:
    assert words in findings(media.write_jpeg(tmp_path, **save))[WRITTEN].summary


def test_segments_are_named_in_order(tmp_path: Path) -> None:
    path = media.write_jpeg(tmp_path, exif=media.exif(make="A"), comment=b"hello", restart_marker_blocks=2)
    found = header(path.read_bytes())
    assert found.names[:3] == ["SOI", "APP0 JFIF", "APP1 Exif"]
    assert {"COM", "DRI", "SOF0"} < set(found.names)
    assert found.names[-1] == "EOI"
    assert found.restart == 2


def test_a_cameras_exif_on_a_programs_file_is_weak(tmp_path: Path) -> None:
    finding = findings(media.write_jpeg(tmp_path, exif=media.exif(make="Canon", model="EOS")))[OTHER_WRITER]
    assert (finding.level, finding.points_to) == (Level.WEAK, PointsTo.EDITED)
    assert '"Canon" "EOS"' in finding.summary


def without_jfif(data: bytes) -> bytes:
    length = int.from_bytes(data[4:6], "big")
    return data[:2] + data[4 + length :]


def test_a_file_built_as_exif_asks_is_no_contradiction(tmp_path: Path) -> None:
    path = media.write_jpeg(tmp_path, exif=media.exif(make="Canon", model="EOS"))
    path.write_bytes(without_jfif(path.read_bytes()))
    assert header(path.read_bytes()).names[1] == "APP1 Exif"
    assert OTHER_WRITER not in findings(path)


@pytest.mark.parametrize(
    "exif",
    [media.exif(make="Canon"), media.exif(model="EOS"), media.exif(make="Canon", model="EOS", software="GIMP 2.10")],
)
def test_no_camera_or_an_editor_that_names_itself_is_no_contradiction(exif: Image.Exif, tmp_path: Path) -> None:
    assert OTHER_WRITER not in findings(media.write_jpeg(tmp_path, exif=exif))


def test_a_makers_note_that_is_left_makes_it_information(tmp_path: Path) -> None:
    exif = media.exif(make="Canon", model="EOS")
    exif.get_ifd(0x8769)[0x927C] = b"note of the maker"
    finding = findings(media.write_jpeg(tmp_path, exif=exif))[OTHER_WRITER]
    assert (finding.level, finding.points_to) == (Level.INFO, PointsTo.NEITHER)


def test_other_containers_do_not_apply(tmp_path: Path) -> None:
    assert JpegFile().why_not(FakeSubject(media.write_png(tmp_path)).item)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff\xfe\0\2" * 200_000,
        b"\xff\xd8" + (b"\xff\xdb\0\x43\0" + bytes(64)) * 20_000,
        b"\xff\xd8\xff\xdb\xff\xff" + b"\x7f" * 65_533,
        b"\xff\xd8\xff\xc4\0\x13\0" + b"\xff" * 16,
        b"\xff\xd8\xff\xc0\0\x08\x08\0\x08\0\x08\xff",
    ],
)
def test_hostile_segments_end_soon_in_a_header_or_a_reason(data: bytes) -> None:
    started = time.process_time()
    found = header(data)
    assert time.process_time() - started < 3
    assert len(found.names) <= 256


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_change_of_a_real_file_makes_the_check_fail(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    held = io.BytesIO()
    exif = media.exif(make="Canon", model="EOS")
    media.picture((16, 16)).save(held, "JPEG", exif=exif)
    changed = bytearray(held.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        changed[data.draw(st.integers(3, len(changed) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "a.jpg"
    path.write_bytes(changed)
    try:
        found = JpegFile().run(FakeSubject(path)).findings
    except MediaError as e:
        assert e.message.endswith(".")
    else:
        assert all(f.summary.isprintable() for f in found)
