"""The story of a video file's boxes and tracks, and lengths that do not agree."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from deepscan.checks.movie_file import HIDDEN, LENGTHS, WRITTEN, MovieFile
from deepscan.errors import MediaError
from deepscan.types import Finding, Level, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject
from tests.unit.checks.test_layout import MKV, box, element

FTYP = box(b"ftyp", b"isom\0\0\0\0isom")


def full(kind: bytes, body: bytes) -> bytes:
    return box(kind, bytes(4) + body)


def movie(
    seconds: int = 10, media_seconds: int = 10, edits: tuple[tuple[int, int], ...] = (), mdat: bytes = b""
) -> bytes:
    """An MP4 with one video track; ``edits`` are (seconds, start in the media), both times in a scale of 1000."""
    times = struct.pack(">IIII", 0, 0, 1000, seconds * 1000)
    listed = b"".join(struct.pack(">IiI", length * 1000, start * 1000, 0x10000) for length, start in edits)
    elst = box(b"edts", full(b"elst", struct.pack(">I", len(edits)) + listed)) if edits else b""
    table = box(
        b"stbl",
        full(b"stsd", struct.pack(">I", 1) + box(b"avc1", bytes(70))) + full(b"stts", struct.pack(">III", 1, 250, 40)),
    )
    mdhd = full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 1000, media_seconds * 1000, 0x15C7, 0))
    hdlr = full(b"hdlr", bytes(4) + b"vide" + bytes(12) + b"VideoHandler\0")
    trak = box(b"trak", elst + box(b"mdia", mdhd + hdlr + box(b"minf", table)))
    return FTYP + box(b"moov", full(b"mvhd", times + bytes(80)) + trak) + box(b"mdat", mdat or bytes(100))


def findings(folder: Path, data: bytes, name: str = "a.mp4") -> dict[str, Finding]:
    (folder / name).write_bytes(data)
    return {finding.code: finding for finding in MovieFile().run(FakeSubject(folder / name)).findings}


def test_the_story_names_boxes_tracks_and_codecs(tmp_path: Path) -> None:
    found = findings(tmp_path, movie())
    assert set(found) == {WRITTEN}
    values = {e.label: e.value for e in found[WRITTEN].evidence}
    assert values["boxes"] == ["ftyp", "moov", "mdat"]
    assert isinstance(track := values["track"], dict)
    assert (track["codec"], track["handler"], track["language"]) == ("avc1", "VideoHandler", "eng")
    assert (track["frame rate"], track["seconds"]) == ("constant", 10.0)
    assert "index before the media" in found[WRITTEN].summary


def test_the_words_of_the_encoder_are_quoted_and_cleaned(tmp_path: Path) -> None:
    mdat = bytes(50) + b"x264 - core 164 r3095 - H.264 - options: crf=23.0\x1b[31m" + bytes(50)
    finding = findings(tmp_path, movie(mdat=mdat))[WRITTEN]
    assert {e.label: e.value for e in finding.evidence}["encoder in the media"] == (
        "x264 - core 164 r3095 - H.264 - options: crf=23.0"
    )


def test_media_that_the_edit_list_leaves_out_is_said(tmp_path: Path) -> None:
    finding = findings(tmp_path, movie(seconds=4, media_seconds=10, edits=((4, 3),)))[HIDDEN]
    assert (finding.level, finding.points_to) == (Level.INFO, PointsTo.NEITHER)
    assert {e.label: e.value for e in finding.evidence}["seconds left out"] == 6.0


@pytest.mark.parametrize("edits", [(), ((10, 0),), ((1, -1), (10, 0)), ((0, 0),)])
def test_ordinary_edit_lists_leave_nothing_out(edits: tuple[tuple[int, int], ...], tmp_path: Path) -> None:
    seconds = sum(length for length, _ in edits) or 10
    assert set(findings(tmp_path, movie(seconds=seconds, edits=edits))) == {WRITTEN}


def test_lengths_that_disagree_are_said(tmp_path: Path) -> None:
    assert LENGTHS in findings(tmp_path, movie(seconds=30))
    assert LENGTHS not in findings(tmp_path, movie(seconds=10))


def test_the_tracks_of_a_matroska_file_are_named(tmp_path: Path) -> None:
    entry = element(b"\xae", element(b"\x83", b"\x01") + element(b"\x86", b"V_VP9"))
    tracks = element(b"\x16\x54\xae\x6b", entry)
    data = element(b"\x1a\x45\xdf\xa3", b"") + element(b"\x18\x53\x80\x67", tracks)
    assert "video V_VP9" in findings(tmp_path, data, "a.mkv")[WRITTEN].summary
    assert "0 tracks" in findings(tmp_path, MKV, "b.mkv")[WRITTEN].summary


def test_pictures_do_not_apply(tmp_path: Path) -> None:
    assert MovieFile().why_not(FakeSubject(media.write_png(tmp_path)).item)


def nested(depth: int) -> bytes:
    """Boxes in boxes, without copying the inner ones again and again."""
    sizes = range(8 * depth, 0, -8)
    return b"".join(struct.pack(">I", size) + b"moov" for size in sizes)


@pytest.mark.parametrize(
    "data",
    [
        FTYP + nested(10_000),
        FTYP + b"\0\0\0\x01moov" + b"\xff" * 8,
        FTYP + box(b"moov", box(b"trak") * 50_000),
        FTYP + b"\0\0\0\x08free" * 200_000,
        movie(edits=((1, 0),)).replace(b"elst\0\0\0\0\0\0\0\1", b"elst\0\0\0\0\xff\xff\xff\xff"),
        movie().replace(b"stts\0\0\0\0\0\0\0\1", b"stts\0\0\0\0\xff\xff\xff\xff"),
    ],
)
def test_hostile_boxes_end_soon_in_a_result_or_a_reason(data: bytes, tmp_path: Path) -> None:
    started = time.process_time()
    try:
        assert WRITTEN in findings(tmp_path, data)
    except MediaError as e:
        assert e.message.endswith(".")
    assert time.process_time() - started < 2
