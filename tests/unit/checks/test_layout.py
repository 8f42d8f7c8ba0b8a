"""The walks over containers: where metadata lies, where the picture ends, and that no bytes make them fail."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from deepscan.checks.reading import layout as layout_module
from deepscan.checks.reading.layout import WALKED, Layout, layout
from deepscan.checks.reading.layout import base as layout_base
from tests import media_factory as media


def box(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def element(identity: bytes, body: bytes, *, size: bytes | None = None) -> bytes:
    return identity + (size or (0x0100_0000_0000_0000 | len(body)).to_bytes(8, "big")) + body


def of(data: bytes, container: str) -> Layout:
    return layout(io.BytesIO(data), container)


MP4 = box(b"ftyp", b"isom\0\0\0\0isom") + box(b"moov", box(b"mvhd", bytes(100))) + box(b"mdat", bytes(500))
MKV = element(b"\x1a\x45\xdf\xa3", b"") + element(
    b"\x18\x53\x80\x67", element(b"\x15\x49\xa9\x66", b"") + bytes([0xEC, 0x80])
)
AVI = b"RIFF" + struct.pack("<I", 4 + 8 + 40) + b"AVI " + b"JUNK" + struct.pack("<I", 40) + bytes(40)


@pytest.fixture
def samples(tmp_path: Path) -> dict[str, bytes]:
    """One whole file of each container that is walked."""
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    exif = media.exif(make="Canon")
    paths = {
        "jpeg": media.write_jpeg(tmp_path, exif=exif, comment=b"hello", xmp=xmp),
        "png": media.write_png(tmp_path, text={"Title": "a"}, exif=exif),
        "webp": media.write_webp(tmp_path, exif=exif, xmp=xmp),
    }
    built = {"gif": seed("gif"), "mp4": MP4, "mkv": MKV, "avi": AVI}
    return {name: path.read_bytes() for name, path in paths.items()} | built


def test_whole_files_end_at_their_end_and_have_no_problem(samples: dict[str, bytes]) -> None:
    for container, data in samples.items():
        found = of(data, container)
        assert (container, found.end, found.problem) == (container, len(data), None)


def test_every_prefix_is_called_incomplete_and_none_has_an_end(samples: dict[str, bytes]) -> None:
    for container, data in samples.items():
        for keep in (0.3, 0.6, 0.9, 0.99):
            cut = data[: int(len(data) * keep)]
            found = of(cut, container)
            assert found.problem, (container, keep)
            assert found.end is None, (container, keep)


def test_data_after_the_end_is_found_where_it_begins(samples: dict[str, bytes]) -> None:
    for container, data in samples.items():
        if container == "mkv":
            continue  # the size of the next element is read from the tail: garbage there is the next element
        found = of(data + b"\x01\x02\x03\x04 and more than a header of it", container)
        assert (container, found.end, found.problem) == (container, len(data), None)


def test_metadata_blocks_point_at_their_bytes(samples: dict[str, bytes]) -> None:
    found = {(c, b.kind): samples[c][b.offset : b.offset + b.size] for c in samples for b in of(samples[c], c).blocks}
    assert found["jpeg", "exif"].startswith((b"II*\0", b"MM\0*"))
    assert found["jpeg", "comment"] == b"hello"
    assert found["jpeg", "xmp"].startswith(b"<x:xmpmeta")
    assert found["png", "text"] == b"Title\0a"
    assert found["png", "exif"].startswith((b"II*\0", b"MM\0*"))
    assert found["webp", "xmp"].startswith(b"<x:xmpmeta")
    assert b"hello" in found["gif", "gif-comment"]


def test_a_jpeg_says_its_size_and_a_thumbnail_does_not_end_it(tmp_path: Path) -> None:
    thumbnail = media.write_jpeg(tmp_path, "small.jpg", size=(16, 16)).read_bytes()
    data = media.write_jpeg(tmp_path, exif=b"Exif\0\0" + media.exif(make="A").tobytes()[6:] + thumbnail).read_bytes()
    found = of(data, "jpeg")
    assert found.end == len(data)
    assert found.pixels == media.SIZE


def test_a_progressive_jpeg_with_restarts_is_followed_to_its_end(tmp_path: Path) -> None:
    data = media.write_jpeg(tmp_path, progressive=True, restart_marker_blocks=2, size=(300, 200)).read_bytes()
    assert of(data, "jpeg").end == len(data)


def test_a_marker_across_a_window_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from deepscan.checks.reading.layout import segments

    head = b"\xff\xd8\xff\xda\x00\x02"
    for pad in range(60, 70):
        monkeypatch.setattr(segments, "WINDOW", 64)
        data = head + b"\x11" * pad + b"\xff\xd9"
        assert of(data, "jpeg").end == len(data)


def test_a_damaged_png_chunk_is_named(tmp_path: Path) -> None:
    data = bytearray(media.write_png(tmp_path).read_bytes())
    at = data.index(b"IDAT") + 10
    data[at] ^= 0xFF
    found = of(bytes(data), "png")
    assert found.problem is not None
    assert "IDAT" in found.problem
    assert found.end == len(data)


def test_an_mp4_without_its_index_is_incomplete() -> None:
    found = of(box(b"ftyp", b"isom\0\0\0\0") + box(b"mdat", bytes(64)), "mp4")
    assert found.problem is not None
    assert "moov" in found.problem


def test_a_fragment_needs_no_index() -> None:
    assert of(box(b"styp", b"msdh\0\0\0\0") + box(b"moof") + box(b"mdat", bytes(9)), "mp4").problem is None


def test_boxes_of_64_bit_and_to_the_end_of_the_file() -> None:
    wide = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + bytes(5)
    data = box(b"moov") + wide + struct.pack(">I4s", 0, b"free") + bytes(77)
    assert of(data, "mp4").end == len(data)


def test_a_live_matroska_of_unknown_size_has_no_end_to_speak_of() -> None:
    live = element(b"\x1a\x45\xdf\xa3", b"") + element(b"\x18\x53\x80\x67", bytes(50), size=b"\x01" + b"\xff" * 7)
    found = of(live, "mkv")
    assert (found.end, found.problem) == (None, None)


def test_an_unknown_container_is_not_walked() -> None:
    assert of(b"FLV\x01", "flv") == Layout()


def test_a_walk_without_end_is_given_up_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout_base, "MAX_STEPS", 1000)
    found = of(b"GIF89a\x01\0\x01\0\0\0\0!\xfe" + b"\x01a" * 5000, "gif")
    assert found.unfinished is not None
    assert found.problem is None


@pytest.mark.parametrize(
    "build",
    [
        lambda: ("png", b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0tEXt\0\0\0\0" * 60_000),
        lambda: ("jpeg", b"\xff\xd8" + b"\xff\xfe\0\2" * 60_000),
        lambda: ("mp4", b"\0\0\0\x08free" * 60_000),
        lambda: ("webp", b"RIFF\xff\xff\xff\x7fWEBP" + b"EXIF\0\0\0\0" * 60_000),
        lambda: ("avi", b"RIFF\xff\xff\xff\x7fAVI " + b"LIST\x04\0\0\0hdrl" * 60_000),
        lambda: ("mkv", b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"\xec\x80" * 200_000),
        lambda: ("gif", b"GIF89a\x01\0\x01\0\0\0\0!\xfe" + b"\x01a" * 200_000),
        lambda: ("mp4", (b"\0\0\0\x01moov" + b"\xff" * 8) * 1000),
        lambda: ("jpeg", b"\xff\xd8\xff\xda\0\x02" + b"\xff" * 1_000_000),
    ],
)
def test_bombs_of_small_parts_end_soon(build: Callable[[], tuple[str, bytes]]) -> None:
    container, data = build()
    started = time.process_time()
    of(data, container)
    assert time.process_time() - started < 5


@settings(max_examples=150, deadline=None)
@given(container=st.sampled_from(sorted(WALKED)), data=st.binary(max_size=400))
def test_no_bytes_make_a_walk_fail(container: str, data: bytes) -> None:
    check_bounds(of(data, container), len(data))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_change_of_a_real_file_makes_a_walk_fail(data: st.DataObject) -> None:
    container = data.draw(st.sampled_from(["jpeg", "png", "webp", "gif", "mp4", "mkv", "avi"]))
    changed = bytearray(seed(container))
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(0, min(len(changed), 900) - 1))] = data.draw(st.integers(0, 255))
    check_bounds(of(bytes(changed), container), len(changed))


_SEEDS: dict[str, bytes] = {"mp4": MP4, "mkv": MKV, "avi": AVI}


def seed(container: str) -> bytes:
    if container not in _SEEDS:
        held = io.BytesIO()
        Image.new("RGB", (24, 16), "teal").save(
            held, container.upper(), **({"comment": b"hello"} if container == "gif" else {})
        )
        _SEEDS[container] = held.getvalue()
    return _SEEDS[container]


def check_bounds(found: Layout, size: int) -> None:
    assert found.end is None or 0 <= found.end <= size + 1
    for block in found.blocks:
        assert block.size >= 0
        assert 0 <= block.offset <= size
    assert found.problem is None or found.problem.endswith(".")


def test_the_walks_cover_what_the_media_room_calls_pictures_and_common_videos() -> None:
    assert {
        "jpeg",
        "png",
        "apng",
        "webp",
        "gif",
        "heic",
        "avif",
        "mp4",
        "mov",
        "mkv",
        "webm",
        "avi",
    } <= layout_module.WALKED
