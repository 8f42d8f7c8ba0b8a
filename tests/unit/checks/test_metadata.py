"""The metadata check on real files made in code."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from deepscan.checks.metadata import EDITOR, STATEMENTS, UNREADABLE, Metadata
from deepscan.checks.reading.embedded import read_embedded
from deepscan.types import Finding, Level, Outcome, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject
from tests.unit.checks.test_marks import GRAPH, WORKFLOW


def findings(path: Path) -> dict[str, Finding]:
    result = Metadata().run(FakeSubject(path))
    assert result.outcome is Outcome.DONE
    return {finding.code: finding for finding in result.findings}


def test_a_file_without_metadata_has_no_findings(tmp_path: Path) -> None:
    for path in (media.write_jpeg(tmp_path), media.write_png(tmp_path), media.write_webp(tmp_path)):
        assert findings(path) == {}


def test_what_a_camera_states_is_information_with_its_source(tmp_path: Path) -> None:
    block = media.exif(
        make="Canon", model="EOS 40D", taken=datetime(2008, 5, 30, 15, 56, 1), gps=(43.4675, 11.8851), orientation=1
    )
    finding = findings(media.write_jpeg(tmp_path, exif=block))[STATEMENTS]
    assert (finding.level, finding.points_to) == (Level.INFO, PointsTo.NEITHER)
    values = {e.label: e.value for e in finding.evidence}
    assert values["make"] == {"state": "present", "value": "Canon", "source": "EXIF Make"}
    assert values["datetime_original"] == {
        "state": "present",
        "value": "2008:05:30 15:56:01",
        "source": "EXIF DateTimeOriginal",
    }
    assert isinstance(values["gps"], dict)
    assert values["gps"]["value"] == pytest.approx({"latitude": 43.4675, "longitude": 11.8851}, abs=1e-4)
    assert "43.4675" in finding.summary


@pytest.mark.parametrize(
    "write",
    [
        lambda folder, exif: media.write_jpeg(folder, exif=exif),
        lambda folder, exif: media.write_png(folder, exif=exif),
        lambda folder, exif: media.write_webp(folder, exif=exif),
        lambda folder, exif: media.write_avif(folder, exif=exif.tobytes()),
        lambda folder, exif: media.write_heic(folder, exif=exif.tobytes()),
        lambda folder, exif: media.write_tiff(folder, tiffinfo={271: "Canon", 272: "EOS"}),
    ],
    ids=["jpeg", "png", "webp", "avif", "heic", "tiff"],
)
def test_exif_is_read_from_every_container(write: Callable[[Path, Image.Exif], Path], tmp_path: Path) -> None:
    values = {
        e.label: e.value for e in findings(write(tmp_path, media.exif(make="Canon", model="EOS")))[STATEMENTS].evidence
    }
    assert isinstance(values["make"], dict)
    assert values["make"]["value"] == "Canon"


def test_an_editor_is_weak_and_points_to_editing(tmp_path: Path) -> None:
    finding = findings(media.write_jpeg(tmp_path, exif=media.exif(software="GIMP 2.10.32")))[EDITOR]
    assert (finding.level, finding.points_to) == (Level.WEAK, PointsTo.EDITED)
    assert '"GIMP 2.10.32"' in finding.summary


def test_a_raw_developer_is_explained(tmp_path: Path) -> None:
    finding = findings(media.write_jpeg(tmp_path, exif=media.exif(software="darktable 4.6")))[EDITOR]
    assert "raw developers usually" in finding.summary


def test_a_camera_photograph_gets_nothing_above_information(tmp_path: Path) -> None:
    block = media.exif(
        make="Apple", model="iPhone 15", software="17.1.2", taken=datetime(2023, 1, 1), modified=datetime(2023, 1, 1)
    )
    assert {f.level for f in findings(media.write_jpeg(tmp_path, exif=block)).values()} == {Level.INFO}


def test_metadata_that_cannot_be_read_is_told_apart_from_none(tmp_path: Path) -> None:
    path = media.write_jpeg(tmp_path, exif=b"Exif\0\0garbage that is no TIFF")
    assert findings(path).keys() == {UNREADABLE}
    assert "TIFF header" in findings(path)[UNREADABLE].summary


def test_a_bomb_in_one_chunk_hides_nothing_in_the_next(tmp_path: Path) -> None:
    path = media.write_png(tmp_path, compressed={"a": "x" * 20_000_000}, text={"Software": "GIMP 2.10"})
    assert findings(path).keys() == {STATEMENTS, EDITOR, UNREADABLE}


def test_a_generators_record_in_the_place_of_a_camera_is_no_statement(tmp_path: Path) -> None:
    block = media.exif(make="workflow:" + json.dumps(WORKFLOW), model="prompt:" + json.dumps(GRAPH))
    assert findings(media.write_webp(tmp_path, durations=(80, 80), exif=block)) == {}


def test_the_files_own_words_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    path = media.write_jpeg(tmp_path, exif=media.exif(make="\x1b]0;owned\x07\u202e", software="GIMP \x1b[2J"))
    for finding in findings(path).values():
        written = finding.summary + json.dumps([e.value for e in finding.evidence], ensure_ascii=False)
        assert "\x1b" not in written
        assert "\u202e" not in written


def test_it_does_not_apply_where_it_cannot_read(tmp_path: Path) -> None:
    reason = Metadata().why_not(FakeSubject(media.write_bmp(tmp_path)).item)
    assert reason is not None
    assert "BMP" in reason
    assert Metadata().why_not(FakeSubject(media.write_jpeg(tmp_path)).item) is None


def test_a_text_of_a_gigabyte_is_told_by_its_length_and_the_rest_is_read(tmp_path: Path) -> None:
    path = media.write_png(tmp_path, text={"Author": "Ana"})
    data = path.read_bytes()
    with path.open("wb") as file:
        file.write(data[:33] + (2**30).to_bytes(4, "big") + b"tEXtTitle\0")
        file.seek(2**30 - 6 + 4, 1)  # a hole: no byte of it is on the disk
        file.write(data[33:])
    with path.open("rb") as file:
        embedded = read_embedded(file, "png")
    assert [(e.key, e.text) for e in embedded.entries] == [("Author", "Ana")]
    assert "1.0 GiB" in embedded.problems[0].reason


def test_a_value_that_is_cut_says_by_how_much(tmp_path: Path) -> None:
    path = media.write_png(tmp_path, text={"Author": "A" * 100_000})
    (author,) = [e.value for e in findings(path)[STATEMENTS].evidence if e.label == "artist"]
    assert isinstance(author, dict)
    assert str(author["value"]).endswith("(99000 more characters)")


def test_lone_surrogates_and_bytes_that_are_no_text_reach_the_report_as_text(tmp_path: Path) -> None:
    comment = b"UNICODE\0" + b"\x00\xd8" * 5 + "duck".encode("utf-16-le")
    exif = media.exif(make="Canon", comment=comment)
    path = media.write_jpeg(
        tmp_path, exif=exif, xmp=b"<a xmlns:x='http://ns.adobe.com/xap/1.0/' x:CreatorTool='\xff\xfe'/>"
    )
    for finding in findings(path).values():
        text = finding.summary + json.dumps([e.value for e in finding.evidence], ensure_ascii=False)
        assert text.encode("utf-8")


def test_directories_that_point_at_each_other_ten_thousand_deep_end_soon(tmp_path: Path) -> None:
    block = bytearray(b"II*\0\x08\0\0\0")
    for number in range(10_000):
        following = 8 + 18 * (number + 1)
        block += b"\1\0" + b"\x69\x87\4\0\1\0\0\0" + following.to_bytes(4, "little") + bytes(4)
    path = media.write_tiff(tmp_path)
    path.write_bytes(bytes(block))
    started = time.process_time()
    assert UNREADABLE in findings(path) or findings(path) == {}
    assert time.process_time() - started < 5


def test_a_history_of_twenty_thousand_programs_ends_soon(tmp_path: Path) -> None:
    agents = "".join(f"<rdf:li st:softwareAgent='{'x' * 500}{i}'/>" for i in range(19_000))
    packet = (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        f"xmlns:st='http://ns.adobe.com/xap/1.0/sType/ResourceEvent#'>{agents}</rdf:RDF></x:xmpmeta>"
    )
    path = media.write_png(tmp_path, international={"XML:com.adobe.xmp": packet})
    started = time.process_time()
    findings(path)
    assert time.process_time() - started < 10
