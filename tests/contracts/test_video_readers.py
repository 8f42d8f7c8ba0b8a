"""What holds for every reader of videos: the frame shown at each asked time, by the numbers painted into frames.

``tests/unit/media/test_video.py`` runs with both readers too (constant and variable rates, B-frames, edit lists,
rotation, odd sizes, late and negative starts, damage); here are the kinds of picture, the rules, and their agreement.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from deepscan.errors import MediaError, UnreadableError
from deepscan.media import video
from deepscan.media.film.clips import Reader, best_reader
from deepscan.media.film.locks import is_encrypted
from deepscan.media.film.opencv import OpenCvReader
from deepscan.media.film.pyav import PyAvReader
from deepscan.media.frames import Rule, Sampling
from deepscan.media.video import read_video
from tests.unit.checks.test_layout import element
from tests.video_factory import make, number_of, paint, patch, times_of, uneven_times

READERS: tuple[Reader, ...] = (OpenCvReader(), PyAvReader())
EVEN = times_of(60)


@pytest.fixture(params=READERS, ids=lambda reader: reader.name)
def reader(request: pytest.FixtureRequest) -> Reader:
    chosen: Reader = request.param
    return chosen


def numbers(path: Path, sampling: Sampling, reader: Reader) -> list[int]:
    """The painted numbers, each compared with the frame's own."""
    reading = read_video(path, sampling, reader)
    assert reading.problem is None
    found = [number_of(frame.pixels) for frame in reading.frames]
    assert found == [frame.index for frame in reading.frames]
    return found


def make_kind(path: Path, pixel_format: str, codec: str, settings: Mapping[str, str], tags: Mapping[str, int]) -> Path:
    """A video of 60 numbered frames in an unusual kind of picture."""
    with av.open(str(path), "w") as container:
        stream = cast("VideoStream", container.add_stream(codec, rate=25))
        stream.width, stream.height, stream.pix_fmt = 192, 96, pixel_format
        stream.options = dict(settings)
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for number in range(60):
            frame = av.VideoFrame.from_ndarray(paint(number, 192, 96), format="rgb24").reformat(format=pixel_format)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


KINDS: dict[str, tuple[str, str, dict[str, str], dict[str, int]]] = {
    "ten-bit.mp4": ("yuv420p10le", "libx264", {"preset": "ultrafast", "crf": "12"}, {}),
    # ITU-T H.273: primaries 9 (BT.2020), transfer 16 (PQ), matrix 9, as HDR10 has them.
    "hdr.mkv": (
        "yuv420p10le",
        "libx264",
        {"preset": "ultrafast", "crf": "12"},
        {"color_primaries": 9, "color_trc": 16, "colorspace": 9},
    ),
    "interlaced.mp4": ("yuv420p", "libx264", {"crf": "12", "x264-params": "tff=1"}, {}),
    "interlaced.mpg": ("yuv420p", "mpeg2video", {"flags": "+ildct+ilme", "b": "4000000"}, {}),
    "full-chroma.mkv": ("yuv444p", "libx264", {"preset": "ultrafast", "crf": "12"}, {}),
    "lossless-rgb.mkv": ("bgr0", "ffv1", {}, {}),
    "grey.mkv": ("gray", "ffv1", {}, {}),
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    return {name: make_kind(folder / name, *kind) for name, kind in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_picture_gives_the_frame_of_its_time(kinds: dict[str, Path], name: str, reader: Reader) -> None:
    reading = read_video(kinds[name], Sampling(every=0.5), reader)
    if reader.name == "OpenCV" and name.startswith("interlaced"):  # a known fault of OpenCV, which is told
        assert reading.problem is not None
        assert "OpenCV gives interlaced video so" in reading.problem
        return
    assert reading.problem is None
    assert [number_of(f.pixels) for f in reading.frames] == [0, 12, 25, 37, 50]
    assert [f.seconds for f in reading.frames] == pytest.approx([0.0, 0.48, 1.0, 1.48, 2.0], abs=0.0015)


@pytest.mark.parametrize("name", KINDS)
def test_both_readers_see_the_same(kinds: dict[str, Path], name: str) -> None:
    one, other = (read_video(kinds[name], Sampling(5), reader) for reader in READERS)
    assert one.total == other.total == 60
    for mine, yours in zip(one.frames, other.frames, strict=True):
        assert (mine.index, mine.pixels.shape) == (yours.index, yours.pixels.shape)
        assert mine.seconds == pytest.approx(yours.seconds, abs=0.0015)
        # Each has its own idea of wide colours, and OpenCV cannot convert interlaced frames.
        if name != "hdr.mkv" and not name.startswith("interlaced"):
            assert np.abs(mine.pixels.astype(int) - yours.pixels).mean() < 4


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Longer than ALWAYS_IN_ORDER, so that seeking is allowed; key frames at 0, 50, 100 ..."""
    return make(tmp_path_factory.mktemp("long") / "long.mp4", uneven_times(420), key_every=50, b_frames=2)


def test_key_frames_are_those_that_the_encoder_stored_whole(long: Path, reader: Reader) -> None:
    assert numbers(long, Sampling(rule=Rule.KEYFRAMES), reader) == list(range(0, 420, 50))


def test_key_frames_without_times_are_found_by_reading_on(tmp_path: Path, reader: Reader) -> None:
    path = make(tmp_path / "k.ts", EVEN, key_every=20)
    assert numbers(path, Sampling(rule=Rule.KEYFRAMES), reader) == [0, 20, 40]


def test_all_frames_are_all(tmp_path: Path, reader: Reader) -> None:
    assert numbers(make(tmp_path / "a.mp4", EVEN), Sampling(10**9, rule=Rule.ALL), reader) == list(range(60))


def test_all_frames_are_given_in_turns_where_they_do_not_fit_at_once(
    long: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "MAX_SAMPLED_FRAMES", 100)
    first = read_video(long, Sampling(10**9, rule=Rule.ALL), reader)
    assert first.problem is None
    assert first.footage is not None
    seen = [frame.index for frame in first.frames]
    left = first.footage.left
    for start in range(0, len(left), 100):
        more = read_video(long, Sampling(moments=left[start : start + 100]), reader)
        assert all(number_of(frame.pixels) == frame.index for frame in more.frames)
        seen += [frame.index for frame in more.frames]
    assert sorted(seen) == list(range(420))


def scenes(number: int, width: int, height: int) -> Any:
    """Three scenes of unlike colours with things that move in them: cuts at 30 and at 44."""
    scene = sum(number >= cut for cut in (30, 44))
    rng = np.random.default_rng(scene)
    picture = np.full((height, width, 3), rng.integers(30, 220, 3), np.uint8)
    for _ in range(12):
        x, y = int(rng.integers(0, width - 30) + number % 20), int(rng.integers(0, height - 20))
        picture[y : y + 20, x : x + 30] = rng.integers(0, 255, 3)
    return picture


@pytest.fixture(scope="module")
def cut_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("cut") / "cut.mp4", times_of(200, fps=20), paint=scenes, key_every=100)


def test_auto_finds_the_cuts_and_gives_every_shot_a_frame(cut_film: Path, reader: Reader) -> None:
    reading = read_video(cut_film, Sampling(4, rule=Rule.AUTO), reader)
    assert reading.footage is not None
    assert reading.footage.cuts == pytest.approx([1.5, 2.2], abs=0.002)
    seconds = [cast("float", f.seconds) for f in reading.frames]
    assert seconds == pytest.approx([1.25, 1.85, 3.75, 6.25, 8.75], abs=0.06)
    assert reading.footage.seconds == pytest.approx(10.0, abs=0.01)
    assert reading.footage.reader == reader.name
    assert "3 shots found" in reading.footage.sampling
    assert reading.footage.budget == 48
    assert len(reading.footage.changes) == len(reading.footage.times) == 200


def test_a_film_too_long_to_decode_is_looked_at_by_its_key_frames(
    long: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "SURVEYED_PIXELS", 192 * 96 * 419)
    monkeypatch.setattr("deepscan.media.film.sampling.AUTO_BASE", 4)
    monkeypatch.setattr(video, "walk_through", None)  # reading in order would fail
    reading = read_video(long, Sampling(4, rule=Rule.AUTO), reader)
    assert [number_of(f.pixels) for f in reading.frames] == list(range(0, 420, 50))
    assert reading.footage is not None
    assert reading.footage.changes.size == 0


def test_frames_are_in_order_and_owned(cut_film: Path, reader: Reader) -> None:
    reading = read_video(cut_film, Sampling(9), reader)
    assert all(a.index < b.index for a, b in pairwise(reading.frames))
    assert all(f.pixels.flags.owndata or f.pixels.base is not None for f in reading.frames)
    assert all(f.pixels.flags.c_contiguous for f in reading.frames)


# Bad input: frames, or a reason.


@pytest.mark.parametrize("size", [(2, 2), (1, 1)])
def test_tiny_frames_are_read(tmp_path: Path, reader: Reader, size: tuple[int, int]) -> None:
    path = make(
        tmp_path / "tiny.mkv", EVEN, size=size, codec="ffv1", pixel_format="bgr0", paint=lambda n, w, h: full(n, w, h)
    )
    reading = read_video(path, Sampling(3, rule=Rule.AUTO), reader)
    assert {f.pixels.shape for f in reading.frames} == {(size[1], size[0], 3)}
    assert [int(f.pixels[0, 0, 0]) for f in reading.frames] == [f.index for f in reading.frames]


def full(number: int, width: int, height: int) -> Any:
    return np.full((height, width, 3), number, np.uint8)


@pytest.mark.parametrize("rule", list(Rule))
def test_one_frame_is_one_frame_by_every_rule(tmp_path: Path, reader: Reader, rule: Rule) -> None:
    assert numbers(make(tmp_path / "one.mp4", [0]), Sampling(5, rule=rule), reader) == [0]


@pytest.mark.parametrize("rate", [b"\0\0\0\0", b"\x7f\xff\xff\xff"])
def test_no_rate_and_an_absurd_rate_move_no_frame_silently(tmp_path: Path, reader: Reader, rate: bytes) -> None:
    """The time scale of the media (14496-12, 8.4.2): 0, and two thousand million ticks a second."""
    path = patch(make(tmp_path / "rate.mp4", EVEN), b"mdhd", 12, rate)
    try:
        reading = read_video(path, Sampling(4), reader)
    except MediaError as e:
        assert e.message
        return
    assert all(number_of(f.pixels) == f.index for f in reading.frames)


def test_what_an_encrypting_writer_made_is_a_reason(tmp_path: Path, reader: Reader) -> None:
    keys = {"encryption_key": "76a6c65c5ea762046bd749a2e632ccbb", "encryption_kid": "a7e61c373e219033c21091fa607bf3b8"}
    path = make(tmp_path / "secret.mp4", EVEN, mux={"encryption_scheme": "cenc-aes-ctr", **keys})
    with pytest.raises(UnreadableError, match="is encrypted"):
        read_video(path, Sampling(4), reader)


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}, {"movflags": "frag_keyframe+empty_moov"}])
def test_encrypted_pictures_are_a_reason_and_never_noise(
    tmp_path: Path, reader: Reader, options: dict[str, str]
) -> None:
    clear = make(tmp_path / "clear.mp4", EVEN, mux=options)
    # What an encrypting writer does: another type for the sample entry, and noise in place of the pictures.
    data = bytearray(clear.read_bytes())
    at = data.index(b"avc1", data.index(b"stsd"))
    data[at : at + 4] = b"encv"
    (tmp_path / "secret.mp4").write_bytes(data)
    with pytest.raises(UnreadableError, match=r"secret\.mp4 is encrypted: its pictures cannot be read without"):
        read_video(tmp_path / "secret.mp4", Sampling(4), reader)
    assert read_video(clear, Sampling(4), reader).problem is None


@pytest.mark.parametrize("size", [b"\0\0\0\0", b"\0\0\0\1", b"\xff\xff\xff\xff"])
def test_boxes_of_impossible_sizes_hide_no_reason_and_no_frame(tmp_path: Path, reader: Reader, size: bytes) -> None:
    data = make(tmp_path / "odd.mp4", EVEN, mux={"movflags": "faststart"}).read_bytes()
    at = data.index(b"moov") - 4
    (tmp_path / "odd.mp4").write_bytes(data[:at] + size + data[at + 4 :])
    try:
        reading = read_video(tmp_path / "odd.mp4", Sampling(4), reader)
    except MediaError as e:
        assert e.message.endswith(".")
    else:
        assert all(number_of(f.pixels) == f.index for f in reading.frames)


@pytest.mark.parametrize("encrypted", [True, False])
def test_encryption_of_matroska_is_told_from_its_headers(tmp_path: Path, encrypted: bool) -> None:
    # ContentEncodingType 1 with ContentEncryption, or 0 with ContentCompression (RFC 9559, 5.1.4.1.31).
    inner = element(b"\x50\x33", b"\1") + element(b"\x50\x35", b"") if encrypted else element(b"\x50\x34", b"")
    encodings = element(b"\x6d\x80", element(b"\x62\x40", inner))
    entry = element(b"\xae", element(b"\x83", b"\1") + element(b"\x86", b"V_VP9") + encodings)
    tracks = element(b"\x16\x54\xae\x6b", entry)
    path = tmp_path / "a.webm"
    path.write_bytes(element(b"\x1a\x45\xdf\xa3", b"") + element(b"\x18\x53\x80\x67", tracks))
    with path.open("rb") as file:
        assert is_encrypted(file) is encrypted


def without_samples(data: bytearray) -> bytes:
    """An MP4 whose tables of samples are empty (14496-12, 8.6.1.2 and 8.7.3.2)."""
    for table, at in ((b"stts", 8), (b"stsz", 12)):
        start = data.index(table) + at
        data[start : start + 4] = bytes(4)
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "options", "emptied"),
    [
        ("tables.mp4", {}, without_samples),
        (
            "fragments.mp4",
            {"movflags": "empty_moov+frag_keyframe"},
            lambda data: bytes(data[: data.index(b"moof") - 4]),
        ),
        ("clusters.mkv", {}, lambda data: bytes(data.partition(b"\x1f\x43\xb6\x75")[0])),
    ],
)
def test_no_frames_are_a_reason(
    tmp_path: Path, reader: Reader, name: str, options: dict[str, str], emptied: Callable[[bytearray], bytes]
) -> None:
    path = make(tmp_path / name, EVEN, mux=options)
    path.write_bytes(emptied(bytearray(path.read_bytes())))
    for rule in Rule:
        with pytest.raises(UnreadableError, match=r"No frame of .* can be decoded|cannot be opened as a video"):
            read_video(path, Sampling(4, rule=rule), reader)


@pytest.mark.parametrize("rate", [0, 1, 10**9])
def test_an_avi_of_any_rate_gives_its_frames_in_order(tmp_path: Path, reader: Reader, rate: int) -> None:
    """The scale and rate of the stream's header (Microsoft, AVISTREAMHEADER)."""
    path = make(tmp_path / "rate.avi", EVEN, codec="mpeg4")
    data = bytearray(path.read_bytes())
    start = data.index(b"strh") + 8 + 20
    data[start : start + 8] = struct.pack("<II", min(rate, 1), rate)
    path.write_bytes(data)
    reading = read_video(path, Sampling(4), reader)
    found = [number_of(frame.pixels) for frame in reading.frames]
    assert found == sorted(found) == [frame.index for frame in reading.frames]
    assert reading.total == 60


def test_the_best_reader_is_one_of_these() -> None:
    best_reader.cache_clear()
    assert best_reader().name == "PyAV"


@pytest.fixture
def _no_pyav(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("deepscan.media.film.clips.find_spec", lambda name: None)
    best_reader.cache_clear()
    yield
    best_reader.cache_clear()


@pytest.mark.usefixtures("_no_pyav")
def test_without_pyav_opencv_reads() -> None:
    assert best_reader().name == "OpenCV"
