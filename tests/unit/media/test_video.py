"""Reading videos: the right frame at the right time, whatever the header says."""

from __future__ import annotations

import os
import random
import shutil
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deepscan.errors import LimitError, MediaError, UnreadableError
from deepscan.media import decoding, video
from deepscan.media.film import clips, packets, walking
from deepscan.media.film import sampling as rules
from deepscan.media.film.clips import Reader
from deepscan.media.film.opencv import WORKER_ENVIRONMENT, OpenCvClip, OpenCvReader
from deepscan.media.film.pyav import PyAvClip, PyAvReader
from deepscan.media.frames import Reading, Sampling
from deepscan.media.video import read_video
from tests import video_factory as factory
from tests.video_factory import cut, make, number_of, shown_at, times_of, uneven_times


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WORKER_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True, params=[OpenCvReader(), PyAvReader()], ids=lambda reader: reader.name)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Every test of this module holds for both readers."""
    chosen: Reader = request.param
    monkeypatch.setattr(video, "best_reader", lambda: chosen)
    return chosen


CLIPS = (OpenCvClip, PyAvClip)


def check(reading: Reading, times: Sequence[float], sampling: Sampling, *, tolerance: float = 0.0015) -> None:
    """Each frame is the one on screen at a time asked for, has its own number and time, and none is missing."""
    end = times[-1] + float(np.median([b - a for a, b in pairwise(times)]))
    if sampling.every is not None:
        moments = [k * sampling.every for k in range(int(np.ceil(end / sampling.every - 1e-9)))]
        wanted = sorted({shown_at(times, moment) for moment in moments})
    elif len(times) <= sampling.count:
        wanted = list(range(len(times)))
    else:
        wanted = sorted({shown_at(times, (k + 0.5) * end / sampling.count) for k in range(sampling.count)})
    assert [number_of(frame.pixels) for frame in reading.frames] == wanted
    assert [frame.index for frame in reading.frames] == wanted
    for frame in reading.frames:
        assert frame.seconds == pytest.approx(times[frame.index], abs=tolerance)


def seconds(milliseconds: Sequence[int]) -> list[float]:
    return [m / 1000 for m in milliseconds]


EVEN, UNEVEN = times_of(60), uneven_times(60)
TICK = Fraction(1, 25)

CASES: dict[str, tuple[Callable[[Path], Path], list[float]]] = {
    "even.mp4": (lambda p: make(p, EVEN), seconds(EVEN)),
    "b-frames.mp4": (lambda p: make(p, EVEN, b_frames=3), seconds(EVEN)),
    "uneven.mp4": (lambda p: make(p, UNEVEN), seconds(UNEVEN)),
    "uneven-b-frames.mp4": (lambda p: make(p, UNEVEN, b_frames=3), seconds(UNEVEN)),
    "one-key-frame.mp4": (lambda p: make(p, EVEN, key_every=250, b_frames=2), seconds(EVEN)),
    "fragmented.mp4": (
        lambda p: make(p, EVEN, b_frames=2, mux={"movflags": "frag_keyframe+empty_moov"}),
        seconds(EVEN),
    ),
    "sound.mp4": (lambda p: make(p, EVEN, sound=True), seconds(EVEN)),
    "sound.mkv": (lambda p: make(p, UNEVEN, b_frames=2, sound=True), seconds(UNEVEN)),
    "late.mp4": (lambda p: make(p, [t + 5000 for t in EVEN], b_frames=2), seconds(EVEN)),
    "late.ts": (lambda p: make(p, [t + 5000 for t in EVEN], b_frames=2), seconds(EVEN)),
    "negative.mkv": (lambda p: make(p, [t - 200 for t in EVEN], b_frames=2), seconds(EVEN)),
    "odd-size.mp4": (lambda p: make(p, EVEN, size=(193, 97), pixel_format="yuv444p"), seconds(EVEN)),
    "even.mov": (lambda p: make(p, EVEN, codec="mjpeg", pixel_format="yuvj420p"), seconds(EVEN)),
    "uneven.webm": (lambda p: make(p, UNEVEN, codec="libvpx"), seconds(UNEVEN)),
    "even.avi": (lambda p: make(p, range(60), codec="mpeg4", time_base=TICK), seconds(EVEN)),
    "b-frames.avi": (lambda p: make(p, range(60), time_base=TICK, b_frames=2), seconds(EVEN)),
    "b-frames.mpg": (lambda p: make(p, range(60), codec="mpeg2video", b_frames=2, time_base=TICK), seconds(EVEN)),
    "even.flv": (lambda p: make(p, EVEN, codec="flv"), seconds(EVEN)),
    "even.wmv": (lambda p: make(p, EVEN, codec="wmv2"), seconds(EVEN)),
    "one-frame.mp4": (lambda p: make(p, [0]), [0.0]),
}


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {name: build(folder / name) for name, (build, _) in CASES.items()}


@pytest.mark.parametrize("sampling", [Sampling(16), Sampling(7), Sampling(1), Sampling(every=0.25)], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_right_frame_at_every_time(videos: dict[str, Path], name: str, sampling: Sampling) -> None:
    times = CASES[name][1]
    reading = read_video(videos[name], sampling)
    assert reading.problem is None
    assert reading.total == len(times)
    if len(times) > 1:
        check(reading, times, sampling)
    else:
        assert [(f.index, f.seconds, number_of(f.pixels)) for f in reading.frames] == [(0, 0.0, 0)]


@pytest.fixture
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seek in short videos too."""
    monkeypatch.setattr(video, "ALWAYS_IN_ORDER", 0)
    monkeypatch.setattr(video, "SEEK_COST", 0)


@pytest.mark.usefixtures("_eager")
@pytest.mark.parametrize("name", CASES)
def test_seeking_finds_the_same_frames(videos: dict[str, Path], name: str) -> None:
    for sampling in (Sampling(4), Sampling(every=1.1)):
        reading = read_video(videos[name], sampling)
        assert reading.problem is None
        if name != "one-frame.mp4":
            check(reading, CASES[name][1], sampling)
            assert reading.total == 60


@pytest.mark.usefixtures("_eager")
@pytest.mark.parametrize("name", ["even.mp4", "uneven.mp4", "uneven-b-frames.mp4", "negative.mkv"])
def test_indexed_containers_are_really_sought(
    videos: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "walk_through", None)  # reading in order would fail
    check(read_video(videos[name], Sampling(4)), CASES[name][1], Sampling(4))


@pytest.mark.usefixtures("_eager")
@pytest.mark.parametrize("reread", [20_000, 0])
def test_seeks_that_land_late_cost_time_or_the_frame_but_never_give_another(
    videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch, reread: int
) -> None:
    for kind in CLIPS:
        real = kind.seek
        monkeypatch.setattr(kind, "seek", lambda self, to, real=real: real(self, to + 30))
    monkeypatch.setattr(walking, "REREAD", reread)
    reading = read_video(videos["uneven.mp4"], Sampling(3))
    if reread:
        check(reading, CASES["uneven.mp4"][1], Sampling(3))
        assert reading.problem is None
    else:
        assert {number_of(f.pixels) for f in reading.frames} < {9, 30, 51}
        assert reading.problem is not None
        assert "could not be reached" in reading.problem
    assert all(number_of(f.pixels) == f.index for f in reading.frames)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_rotation_is_applied_once(tmp_path: Path, quarters: int) -> None:
    path = make(tmp_path / "turned.mp4", times_of(5), turned=quarters)
    if quarters:
        factory.turn_back(path, quarters)
    reading = read_video(path, Sampling(16))
    assert [number_of(f.pixels) for f in reading.frames] == [0, 1, 2, 3, 4]
    assert {f.pixels.shape for f in reading.frames} == {(96, 192, 3)}


def test_colours_are_rgb_and_pixels_own_their_memory(tmp_path: Path) -> None:
    path = make(tmp_path / "one.mp4", [0], codec="libx264rgb", pixel_format="rgb24", size=(64, 64), paint=red)
    frame = read_video(path, Sampling(1)).frames[0]
    assert frame.pixels.dtype == np.uint8
    assert frame.pixels[32, 32].tolist() == pytest.approx([250, 10, 10], abs=3)


def red(_number: int, width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), (250, 10, 10), np.uint8)


def test_frames_hidden_by_an_edit_list_are_neither_given_nor_counted(tmp_path: Path) -> None:
    """A negative start in MP4 becomes an edit list: the five frames before 0 are never shown."""
    path = make(tmp_path / "edited.mp4", [t - 200 for t in EVEN], b_frames=2)
    for sampling in (Sampling(16), Sampling(1), Sampling(60), Sampling(every=0.3)):
        reading = read_video(path, sampling)
        assert reading.total == 55
        assert reading.problem is None
        assert all(number_of(f.pixels) == f.index + 5 for f in reading.frames)
        assert all(f.seconds == pytest.approx(f.index * 0.04, abs=0.001) for f in reading.frames)
    assert number_of(read_video(path, Sampling(1)).frames[0].pixels) == 5 + 27


@pytest.mark.parametrize("name", ["even.mkv", "even.mp4", "even.avi", "even.ts"])
def test_truncated_tail_gives_what_was_readable(tmp_path: Path, name: str) -> None:
    mux = {"movflags": "faststart"} if name.endswith("mp4") else {}
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    path = cut(make(tmp_path / name, times_of(100), codec=codec, mux=mux, key_every=10, grain=True), 0.6)
    reading = read_video(path, Sampling(8))
    assert 5 <= len(reading.frames) <= 8
    assert reading.total is not None
    assert 40 < reading.total < 90
    for frame in reading.frames[:-1]:  # the last one may be torn
        assert number_of(frame.pixels) == frame.index
        assert frame.seconds == pytest.approx(frame.index * 0.04, abs=0.002)
    if not name.endswith("ts"):  # a transport stream states no duration
        assert reading.problem is not None
        assert "announces 4.0 s" in reading.problem


def test_damaged_middle_does_not_shift_the_frames_after_it(tmp_path: Path) -> None:
    path = make(tmp_path / "damaged.mkv", times_of(100), key_every=10)
    data = bytearray(path.read_bytes())
    noise = random.Random(1)
    middle = len(data) // 2
    data[middle : middle + 600] = bytes(noise.randrange(256) for _ in range(600))
    path.write_bytes(data)
    reading = read_video(path, Sampling(10))
    good = [f for f in reading.frames if f.seconds is not None and not 1.6 < f.seconds < 2.4]
    assert len(good) >= 6
    for frame in good:
        assert frame.seconds is not None
        assert number_of(frame.pixels) == round(frame.seconds * 25)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02])
def test_nothing_readable_is_an_error_with_a_reason(tmp_path: Path, share: float) -> None:
    path = cut(make(tmp_path / "stub.mp4", EVEN), share)
    with pytest.raises(UnreadableError, match=r"stub\.mp4 cannot be opened as a video"):
        read_video(path, Sampling())


def test_index_without_data_is_an_error_that_names_the_codec(tmp_path: Path) -> None:
    path = make(tmp_path / "index.mp4", EVEN, mux={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 4])
    with pytest.raises(UnreadableError, match=r"No frame of index\.mp4 can be decoded \(codec 'h264'\)"):
        read_video(path, Sampling())


@pytest.mark.parametrize("name", ["sound.m4a", "sound.mp4", "sound.mka"])
def test_sound_alone_is_no_video(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableError, match="no video stream, only sound"):
        read_video(factory.make_sound(tmp_path / name), Sampling())


def test_codec_without_decoder_is_named(tmp_path: Path) -> None:
    path = make(tmp_path / "odd.mp4", EVEN)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"avc1\x00", b"\x1b[2J\x00").replace(b"avcC", b"free"))
    with pytest.raises(UnreadableError, match=r"no decoder for its codec '\\\\x1b\[2J'"):
        read_video(path, Sampling())


def test_stream_without_timestamps_is_spread_by_number(tmp_path: Path) -> None:
    reading = read_video(make(tmp_path / "raw.h264", EVEN, time_base=MILLI), Sampling(4))
    assert [number_of(f.pixels) for f in reading.frames] == [f.index for f in reading.frames] == [7, 22, 37, 52]
    assert reading.problem is not None
    assert "no timestamps" in reading.problem


MILLI = Fraction(1, 1000)


# Lies and limits.


@pytest.mark.parametrize("box", [b"mvhd", b"tkhd", b"mdhd"])
@pytest.mark.parametrize("lie", [0, 0x7FFF_FFFF])
def test_lying_durations_move_no_frame(tmp_path: Path, box: bytes, lie: int) -> None:
    path = make(tmp_path / "lie.mp4", EVEN)
    factory.patch(path, box, {b"mvhd": 16, b"tkhd": 20, b"mdhd": 16}[box], struct.pack(">I", lie))
    check(read_video(path, Sampling(8)), CASES["even.mp4"][1], Sampling(8))


def test_absurd_rate_is_survived(tmp_path: Path) -> None:
    path = make(tmp_path / "fast.mp4", EVEN)
    factory.patch(path, b"mdhd", 12, struct.pack(">I", 1_000_000_000))  # ticks per second
    reading = read_video(path, Sampling(16))
    assert reading.total == 60
    assert all(number_of(f.pixels) == f.index for f in reading.frames)


def test_equal_timestamps_are_survived(tmp_path: Path) -> None:
    path = make(tmp_path / "still.mp4", EVEN)
    # ISO/IEC 14496-12, 8.6.1.2: one run of 60 samples, each lasting 0 ticks.
    factory.patch(path, b"stts", 12, struct.pack(">I", 0))
    reading = read_video(path, Sampling(4))
    assert len(reading.frames) >= 1
    assert all(number_of(f.pixels) == f.index for f in reading.frames)


def test_repeating_timestamps_are_put_in_order_and_told() -> None:
    times, problem = packets.settled([0.0, 0.1, 0.1, 0.05, 0.2], packets.Packets(), 25)
    assert times == (0.0, 0.1, 0.1, 0.1, 0.2)
    assert problem is not None
    assert "repeat or run backwards" in problem


def test_frame_limit_ends_the_reading_and_is_told(videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (clips, video):
        monkeypatch.setattr(module, "MAX_FRAMES_READ", 20)
    reading = read_video(videos["even.mp4"], Sampling(4))
    assert [number_of(f.pixels) for f in reading.frames] == [2, 7, 12, 17]
    assert reading.total is None
    assert reading.problem is not None
    assert "stopped at the limit of 20 frames, 0.8 s into the video" in reading.problem


def test_time_limit_keeps_what_was_read(videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that ticks each time it is looked at, two thirds of the ticks that the whole video takes."""
    ticks = [0]

    def monotonic() -> float:
        ticks[0] += 1
        return float(ticks[0])

    for module in ("film.clips", "video"):
        monkeypatch.setattr(f"deepscan.media.{module}.time", SimpleNamespace(monotonic=monotonic))
    monkeypatch.setattr(video, "VIDEO_SECONDS", 1e6)
    whole = read_video(videos["one-key-frame.mp4"], Sampling(10))
    assert len(whole.frames) == 10
    monkeypatch.setattr(video, "VIDEO_SECONDS", ticks[0] * 0.67)
    monkeypatch.setattr(video, "LISTING_SHARE", 1.0)
    reading = read_video(videos["one-key-frame.mp4"], Sampling(10))
    assert 1 <= len(reading.frames) < 10
    assert [f.index for f in reading.frames] == [f.index for f in whole.frames][: len(reading.frames)]
    assert all(number_of(f.pixels) == f.index for f in reading.frames)
    assert reading.total is None
    assert reading.problem is not None
    assert "stopped at the limit of" in reading.problem


def test_no_time_at_all_is_a_limit_not_damage(videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "VIDEO_SECONDS", 0.0)
    with pytest.raises(LimitError, match=r"Reading even\.mp4 took longer than"):
        read_video(videos["even.mp4"], Sampling())


def test_frames_above_the_pixel_limit_are_refused(videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS", 192 * 96 - 1)
    for kind in CLIPS:
        monkeypatch.setattr(kind, "pixels", None)  # nothing may be converted
    with pytest.raises(LimitError, match=r"192 x 96 pixels for its frames"):
        read_video(videos["even.mp4"], Sampling())


def test_long_sides_are_scaled_down(tmp_path: Path) -> None:
    path = make(tmp_path / "wide.mp4", times_of(3), size=(2400, 96))
    reading = read_video(path, Sampling(3))
    assert {f.pixels.shape for f in reading.frames} == {(77, 1920, 3)}
    assert [number_of(f.pixels) for f in reading.frames] == [0, 1, 2]


def test_frames_that_do_not_fit_at_once_are_left_for_later_and_found_by_their_moments(
    videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "MAX_SAMPLED_FRAMES", 6)
    for sampling, asked in ((Sampling(20), 20), (Sampling(every=0.01), 60), (Sampling(every=1e-300), 60)):
        reading = read_video(videos["uneven-b-frames.mp4"], sampling)
        footage = reading.footage
        assert footage is not None
        assert reading.problem is None
        assert len(reading.frames) == 6
        assert footage.budget == 6 + len(footage.left)
        assert asked - 8 <= footage.budget <= asked, "a frame that is shown at two of the times counts once"
        assert f"{footage.budget} frames of" in footage.sampling
        assert "to be looked at, 6 at a time" in footage.sampling
        seen = [number_of(frame.pixels) for frame in reading.frames]
        for start in range(0, len(footage.left), 6):
            more = read_video(videos["uneven-b-frames.mp4"], Sampling(moments=footage.left[start : start + 6]))
            assert more.problem is None
            assert more.footage is not None
            assert more.footage.again
            assert all(number_of(frame.pixels) == frame.index for frame in more.frames)
            seen += [frame.index for frame in more.frames]
        assert len(seen) == len(set(seen)) == footage.budget


def test_more_frames_than_are_examined_in_all_are_thinned_out_evenly_and_told(
    videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_EXAMINED_FRAMES", 6)
    reading = read_video(videos["even.mp4"], Sampling(every=0.01))
    assert [number_of(f.pixels) for f in reading.frames] == [5, 15, 25, 35, 45, 55]
    assert reading.problem == (
        "A frame every 0.01 s, 240 in all, were asked for, and 6, evenly spread over the video, are examined."
    )


def test_a_film_is_read_no_further_than_its_last_moment(
    videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [0]
    for kind in CLIPS:
        real = kind.step

        def step(self: Any, real: Any = real) -> Any:
            steps[0] += 1
            return real(self)

        monkeypatch.setattr(kind, "step", step)
    monkeypatch.setattr(video, "PAST_MOMENTS", 0.1)
    reading = read_video(videos["one-key-frame.mp4"], Sampling(moments=(0.2, 0.24)))
    assert [number_of(f.pixels) for f in reading.frames] == [5, 6]
    assert steps[0] < 61 + 30, "OpenCV lists the 60 packets by the same steps; reading on would take 61 more"
    assert reading.problem is None


def test_a_stream_that_grows_is_held_to_the_pixel_budget(
    videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "MAX_TOTAL_PIXELS", 3 * 192 * 96)
    monkeypatch.setattr(video, "_room", lambda size, path: 100)  # as if the header had promised small frames
    reading = read_video(videos["even.mp4"], Sampling(10))
    assert len(reading.frames) == 3
    assert reading.problem is not None
    assert "limit of 55,296 pixels" in reading.problem


# Hostile names, playlists, bytes.


@pytest.mark.parametrize(
    "name", [b"\xff\xfe.mp4", b"new\nline\x1b[2J.mp4", b"%03d.png", b"-i.mp4", "häß\u202e.mp4".encode()]
)
def test_odd_names(videos: dict[str, Path], tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    try:
        shutil.copy(videos["even.mp4"], path)
    except OSError:
        pytest.skip("this file system does not take the name")
    assert len(read_video(path, Sampling(3)).frames) == 3
    path.write_bytes(b"\0" * 100)
    with pytest.raises(UnreadableError) as caught:
        read_video(path, Sampling(3))
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "text", ["#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile '{}'\n"]
)
@pytest.mark.parametrize("suffix", [".m3u8", ".mp4"])
def test_playlists_open_no_other_file(videos: dict[str, Path], tmp_path: Path, text: str, suffix: str) -> None:
    before = dict(os.environ)
    shutil.copy(videos["late.ts"], tmp_path / "other.ts")
    path = tmp_path / f"list{suffix}"
    path.write_text(text.format("other.ts"))
    with pytest.raises(UnreadableError):
        read_video(path, Sampling())
    assert dict(os.environ) == before


def test_the_caller_s_ffmpeg_options_are_put_back(videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "video_codec;h264_cuvid")
    assert len(read_video(videos["even.mp4"], Sampling(2)).frames) == 2
    assert os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] == "video_codec;h264_cuvid"


def test_what_python_raises_while_opencv_reads_comes_out(
    videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception inside OpenCV's own calls would end the process."""

    def interrupted(self: clips.Source) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(clips.Source, "spent", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_video(videos["even.mp4"], Sampling())


def test_read_errors_of_the_disk_are_told(videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: clips.Source) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(clips.Source, "spent", failing)
    # A seek that fails is an answer FFmpeg knows; a read that fails is the disk's fault, and not the file's.
    with pytest.raises(UnreadableError, match="cannot be read: Input/output error"):
        read_video(videos["even.mp4"], Sampling())


def test_endless_opening_is_cut_off(videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "READS_TO_OPEN", 0)
    with pytest.raises(UnreadableError, match="cannot be opened"):
        read_video(videos["even.mp4"], Sampling())


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_what_is_no_file_is_an_error(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    with pytest.raises(UnreadableError, match=f"{what} cannot be read"):
        read_video(path, Sampling())


@pytest.mark.parametrize(
    "name", ["uneven-b-frames.mp4", "b-frames.avi", "sound.mkv", "late.ts", "even.wmv", "even.flv"]
)
def test_damaged_bytes_end_in_frames_or_a_reason(videos: dict[str, Path], tmp_path: Path, name: str) -> None:
    whole = videos[name].read_bytes()
    noise = random.Random(name)
    path = tmp_path / "mutant"
    for _ in range(12):
        data = bytearray(whole)
        for _ in range(noise.randint(1, 12)):
            at = noise.randrange(len(data)) if noise.random() < 0.4 else noise.randrange(1500)
            data[at : at + 4] = noise.choice(
                [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", noise.randbytes(4)]
            )
        path.write_bytes(data[: noise.choice([len(data), len(data), noise.randrange(len(data))])])
        try:
            reading = read_video(path, Sampling(4))
        except MediaError as e:
            assert e.message.startswith(("mutant", "No frame of mutant", "Reading mutant"))
        else:
            assert reading.frames
            indices = [f.index for f in reading.frames]
            assert indices == sorted(set(indices))


def test_evidence_is_not_touched(videos: dict[str, Path]) -> None:
    path = videos["even.mp4"]
    before = path.read_bytes(), path.stat().st_mtime_ns
    path.chmod(0o400)
    read_video(path, Sampling(4))
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "total", "last"),
    [
        ("facevideo/HongguLiu/003_000.mp4", 303, 11.72),
        ("facevideo/LivePortrait/driving__d11.mp4", 225, 8.68),
        ("hostile/auto-editor/embedded-image__h264-png.mp4", 60, 1.933333),
        ("hostile/torchcodec/test_non_zero_start.mp4", 12, 0.366667),
        ("hostile/torchcodec/sine_stereo_mp2.mpg", 100, 3.84),
        ("hostile/torchcodec/testsrc2_odd_width_vp9.mp4", 25, 0.96),
    ],
)
def test_real_videos(corpus: Path, name: str, total: int, last: float) -> None:
    """Counts and times as PyAV reads them."""
    reading = read_video(corpus / "forensics" / name, Sampling(16))
    assert reading.total == total
    assert reading.frames[-1].seconds == pytest.approx(last, abs=0.001)
    assert reading.problem is None
