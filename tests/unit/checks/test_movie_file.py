"""The story of a video file's boxes and tracks, and lengths that do not agree."""

from __future__ import annotations

import os
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deepscan.checks.movie_file import APART, HIDDEN, LENGTHS, OLDER, WRITTEN, MovieFile
from deepscan.checks.movie_writers import REWRITTEN
from deepscan.errors import MediaError
from deepscan.types import Finding, Level, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject
from tests.unit.checks.test_layout import MKV, box, element

FTYP = box(b"ftyp", b"isom\0\0\0\0isom")


def full(kind: bytes, body: bytes) -> bytes:
    return box(kind, bytes(4) + body)


def movie(
    seconds: int = 10,
    media_seconds: int = 10,
    edits: tuple[tuple[int, int], ...] = (),
    mdat: bytes = b"",
    *,
    created: tuple[int, int] = (0, 0),
    handler: bytes = b"VideoHandler",
    paces: tuple[tuple[int, int], ...] = ((250, 40),),
    tags: bytes = b"",
    flags: int = 7,
) -> bytes:
    """An MP4 with one video track; ``edits`` are (seconds, start in the media), both times in a scale of 1000.

    ``created`` are the times of the movie and of its track, ``paces`` (samples, milliseconds), ``tags`` its user data.
    """
    times = struct.pack(">IIII", created[0], 0, 1000, seconds * 1000)
    listed = b"".join(struct.pack(">IiI", length * 1000, start * 1000, 0x10000) for length, start in edits)
    elst = box(b"edts", full(b"elst", struct.pack(">I", len(edits)) + listed)) if edits else b""
    entry = box(b"avc1", bytes(24) + b"\5\0\2\xd0" + bytes(14) + b"\4AVC!" + bytes(27))
    runs = b"".join(struct.pack(">II", *pace) for pace in paces)
    table = box(
        b"stbl",
        full(b"stsd", struct.pack(">I", 1) + entry) + full(b"stts", struct.pack(">I", len(paces)) + runs),
    )
    mdhd = full(b"mdhd", struct.pack(">IIIIHH", created[1], 0, 1000, media_seconds * 1000, 0x15C7, 0))
    hdlr = full(b"hdlr", bytes(4) + b"vide" + bytes(12) + handler + b"\0")
    tkhd = box(b"tkhd", bytes(3) + bytes([flags]) + bytes(80))
    trak = box(b"trak", tkhd + elst + box(b"mdia", mdhd + hdlr + box(b"minf", table)))
    moov = box(b"moov", full(b"mvhd", times + bytes(80)) + trak + box(b"udta", tags))
    return FTYP + moov + box(b"mdat", mdat or bytes(100))


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


@pytest.mark.parametrize(
    ("paces", "media_seconds", "mode", "words"),
    [
        (((250, 40),), 10, "constant", "(1280 x 720, 25 frames a second)"),
        (((249, 40), (1, 80)), 10, "constant", "25 frames a second"),
        (((100, 40), (100, 20)), 6, "variable", "a varying rate, 33.33 a second in the mean"),
        (((1, 40), (1, 20)) * 700, 42, "not looked at", "a rate of many steps"),
        ((), 10, "not stated", "video avc1 (1280 x 720);"),
    ],
)
def test_the_mode_and_rate_of_frames_are_told(
    paces: tuple[tuple[int, int], ...], media_seconds: int, mode: str, words: str, tmp_path: Path
) -> None:
    finding = findings(tmp_path, movie(media_seconds, media_seconds, paces=paces))[WRITTEN]
    track = next(e.value for e in finding.evidence if e.label == "track")
    assert isinstance(track, dict)
    assert track["frame rate"] == mode
    assert words in finding.summary


def test_the_layout_of_tracks_is_told(tmp_path: Path) -> None:
    finding = findings(tmp_path, movie(flags=6))[WRITTEN]
    track = next(e.value for e in finding.evidence if e.label == "track")
    assert isinstance(track, dict)
    assert (track["size"], track["enabled"], track["compressor"]) == ([1280, 720], False, "AVC!")
    assert "switched off" in finding.summary
    assert "no sound" in finding.summary


TOO = box(b"\xa9too", struct.pack(">HH", 11, 0x15C7) + b"Lavf60.16.1")
MAKE = box(b"\xa9mak", struct.pack(">HH", 5, 0x15C7) + b"Apple")
X264, OTHER = b"x264 - core 164 r3095 crf=23\0", b"x264 - core 164 r3095 crf=18\0"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            movie(handler=b"Core Media Video", tags=TOO),
            'the name that Apple\'s Core Media gives ("Core Media Video"), and FFmpeg wrote the file ("Lavf60.16.1")',
        ),
        (
            movie(tags=MAKE, mdat=X264),
            'it names Apple, and its pictures were encoded by a program on a computer ("x264',
        ),
        (movie(handler=b"VideoHandle", mdat=X264), "it was recorded by Android's recorder"),
        (movie(mdat=X264 + bytes(9) + OTHER), "x264 encoded it in 2 parts"),
    ],
)
def test_generations_that_a_file_names_itself_are_told(data: bytes, words: str, tmp_path: Path) -> None:
    finding = findings(tmp_path, data)[REWRITTEN]
    assert (finding.level, finding.points_to) == (Level.INFO, PointsTo.NEITHER)
    assert words in finding.summary


@pytest.mark.parametrize(
    "data",
    [
        movie(tags=TOO, mdat=X264 + X264),
        movie(handler=b"Core Media Video", tags=MAKE),
        movie(tags=MAKE, mdat=b"Lavc58.134.100\0"),
        movie(handler=b"GPAC ISO Video Handler", tags=TOO.replace(b"Lavf60.16.1", b"GPAC-2.2-re")),
    ],
)
def test_one_generation_is_no_chain(data: bytes, tmp_path: Path) -> None:
    assert REWRITTEN not in findings(tmp_path, data)


YEAR = 365 * 86_400
NOW = 120 * YEAR
"""Seconds since 1904: late in 2023."""


@pytest.mark.parametrize(("created", "told"), [((NOW, NOW + YEAR), True), ((NOW, NOW + 60), False), ((NOW, 0), False)])
def test_parts_that_were_made_at_other_times_are_told(created: tuple[int, int], told: bool, tmp_path: Path) -> None:
    assert (APART in findings(tmp_path, movie(created=created))) is told


def test_a_file_written_before_it_was_made_is_told(tmp_path: Path) -> None:
    data = movie(created=(NOW, NOW))
    assert OLDER not in findings(tmp_path, data), "it was written just now"
    made = datetime(1904, 1, 1, tzinfo=UTC).timestamp() + NOW
    os.utime(tmp_path / "a.mp4", (made - YEAR, made - YEAR))
    found = {finding.code: finding for finding in MovieFile().run(FakeSubject(tmp_path / "a.mp4")).findings}
    assert {e.label for e in found[OLDER].evidence} == {"made", "last written"}


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
    video = element(b"\xe0", element(b"\xb0", b"\x02\x80") + element(b"\xba", b"\x01\x68"))
    usual = element(b"\x23\xe3\x83", (40_000_000).to_bytes(4, "big"))
    entry = element(b"\xae", element(b"\x83", b"\x01") + element(b"\x86", b"V_VP9") + usual + video)
    tracks = element(b"\x16\x54\xae\x6b", entry)
    data = element(b"\x1a\x45\xdf\xa3", b"") + element(b"\x18\x53\x80\x67", tracks)
    assert "video V_VP9 (640 x 360, 25 frames a second stated)" in findings(tmp_path, data, "a.mkv")[WRITTEN].summary
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
