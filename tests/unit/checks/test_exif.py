"""EXIF behind its boundary: values, encodings, and blocks made to mislead exifread."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepscan.checks.reading.exif import Position, Reads, read_exif, read_exif_block, user_comment
from deepscan.errors import LimitError, UnreadableError
from tests import media_factory as media

BLOCK = media.exif(make="Canon", model="EOS", software="Ver.1", orientation=6, gps=(-33.8568, 151.2153)).tobytes()


def tiff(*entries: bytes, order: str = ">", rest: bytes = b"", after: int = 0) -> bytes:
    """A block with one directory; offsets in ``entries`` count from the beginning, ``rest`` follows the directory."""
    head = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "H", len(entries)) + b"".join(entries) + struct.pack(order + "I", after) + rest


def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
    return struct.pack(">HHI", tag, kind, count) + value.ljust(4, b"\0")


def test_texts_orientation_and_position() -> None:
    found = read_exif_block(BLOCK)
    assert found.texts["Make"] == "Canon"
    assert found.texts["Orientation"] == "Rotated 90 CW"
    assert found.position == Position(pytest.approx(-33.8568, abs=1e-4), pytest.approx(151.2153, abs=1e-4))  # type: ignore[arg-type]


def test_a_jpeg_signature_before_the_block_is_allowed() -> None:
    assert read_exif_block(b"Exif\0\0" + BLOCK.removeprefix(b"Exif\0\0")).texts["Make"] == "Canon"


@pytest.mark.parametrize(
    ("raw", "little"),
    [
        (b"UNICODE\0" + "duck, 猫".encode("utf-16-be"), True),
        (b"UNICODE\0" + "duck, 猫".encode("utf-16-le"), False),
        (b"UNICODE\0" + b"\xff\xfe" + "duck, 猫".encode("utf-16-le"), False),
        (b"\0" * 8 + "duck, 猫".encode(), True),
        (b"ASCII\0\0\0" + "duck, 猫".encode(), True),
        ("duck, 猫".encode(), True),
    ],
)
def test_user_comments_are_read_whatever_their_writer_made_of_the_standard(raw: bytes, little: bool) -> None:
    assert user_comment(raw, little=little) == "duck, 猫"


def test_ascii_under_the_name_of_unicode_is_not_read_as_chinese() -> None:
    assert user_comment(b"UNICODE\0" + b"plain text", little=True) == "plain text"


def test_a_long_user_comment_is_read_whole() -> None:
    text = "prompt " * 3000
    block = media.exif(make="A", comment=b"UNICODE\0" + text.encode("utf-16-be")).tobytes()
    assert read_exif_block(block).texts["UserComment"] == text.strip()


def test_text_that_is_not_utf8_is_kept() -> None:
    data = tiff(entry(0x010F, 2, 4, b"M\xfcn\0"))
    assert read_exif_block(data).texts["Make"] == "Mün"


def place(hemisphere: bytes, angles: int) -> bytes:
    """A GPS directory whose latitude and eastern longitude are both the three fractions at the offset ``angles``."""
    where = struct.pack(">I", angles)
    entries = entry(1, 2, 2, hemisphere + b"\0"), entry(2, 5, 3, where), entry(3, 2, 2, b"E\0"), entry(4, 5, 3, where)
    return struct.pack(">H", 4) + b"".join(entries) + bytes(4)


def test_a_place_that_divides_by_zero_is_a_problem_and_not_a_place() -> None:
    data = tiff(entry(0x8825, 4, 1, struct.pack(">I", 26)), rest=place(b"N", 120)).ljust(120, b"\0") + bytes(24)
    found = read_exif_block(data)
    assert found.position is None
    assert "not an angle" in found.problems["gps"]


def test_xmp_and_iptc_of_a_tiff_are_handed_on(tmp_path: Path) -> None:
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>" + b" " * 2000
    path = media.write_tiff(tmp_path, tiffinfo={700: packet})
    with path.open("rb") as file:
        assert read_exif(file).xmp == packet


def big(*entries: tuple[int, int, int, bytes]) -> bytes:
    """A BigTIFF block with one directory of (tag, type, count, eight bytes)."""
    body = b"".join(
        struct.pack("<HHQ", tag, kind, count) + value.ljust(8, b"\0") for tag, kind, count, value in entries
    )
    return b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, len(entries)) + body + bytes(8)


def test_the_main_statements_of_a_bigtiff_are_read() -> None:
    found = read_exif_block(big((0x010F, 2, 6, b"Canon\0"), (0x0112, 3, 1, b"\x06\0"), (0x8769, 4, 1, b"\xff")))
    assert found.texts == {"Make": "Canon", "Orientation": "Rotated 90 CW"}


def test_where_exifread_stumbles_the_main_statements_are_read_all_the_same() -> None:
    damaged = tiff(entry(0x010F, 2, 4, b"Leo\0"), entry(0x8769, 4, 0, b""))
    found = read_exif_block(damaged)
    assert found.texts == {"Make": "Leo"}
    assert found.failure is not None
    assert "exifread cannot read it" in found.failure


def test_a_place_is_read_where_exifread_stumbles() -> None:
    head = tiff(entry(0x8769, 4, 0, b""), entry(0x8825, 4, 1, struct.pack(">I", 38)), rest=place(b"S", 150))
    found = read_exif_block(head.ljust(150, b"\0") + struct.pack(">6I", 33, 1, 30, 1, 0, 1))
    assert found.failure is not None
    assert found.position == Position(-33.5, 33.5)


def test_makers_notes_are_told_by_their_size_and_the_thumbnail_by_its_own(tmp_path: Path) -> None:
    exif = media.exif(make="Canon")
    exif.get_ifd(0x8769)[0x927C] = b"x" * 1500
    assert read_exif_block(exif.tobytes()).texts["MakerNote"] == "1,500 bytes"
    small = media.write_jpeg(tmp_path, size=(40, 24)).read_bytes()
    first = tiff(after=14)
    pointers = [entry(0x0201, 4, 1, struct.pack(">I", 44)), entry(0x0202, 4, 1, struct.pack(">I", len(small)))]
    second = struct.pack(">H", 2) + b"".join(pointers) + bytes(4)
    assert read_exif_block(first + second + small).thumbnail == (40, 24)


def test_all_blocks_of_a_file_share_the_reads() -> None:
    reads = Reads(100)
    read_exif_block(BLOCK, reads)
    with pytest.raises(LimitError):
        for _ in range(100):
            assert read_exif_block(tiff(), reads).failure is None


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II",
        b"not a header at all",
        tiff(entry(0x8769, 4, 0, b"")),
    ],
)
def test_damaged_blocks_raise_one_error(block: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"\.$"):
        read_exif_block(block)


def test_a_chain_of_full_directories_is_given_up_soon() -> None:
    # Overlapping directories of 4,096 entries, each leading to the next one 12 bytes on: 40 million entries to follow.
    data = bytearray(b"MM\0*\0\0\0\x08" + bytes(200_000))
    for at in range(8, 120_000, 12):
        data[at : at + 2] = b"\x10\0"
        data[at + 2 + 12 * 4096 : at + 6 + 12 * 4096] = struct.pack(">I", at + 12)
    started = time.process_time()
    with pytest.raises(LimitError):
        read_exif_block(bytes(data))
    assert time.process_time() - started < 3


def test_values_that_all_claim_the_whole_block_are_given_up() -> None:
    entries = [entry(0x9000 + i, 2, 2**31, struct.pack(">I", 8)) for i in range(2000)]
    with pytest.raises(LimitError):
        read_exif_block(tiff(*entries) + b"x" * 1_000_000)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_change_of_a_real_block_raises_anything_else(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(BLOCK.removeprefix(b"Exif\0\0"))
    for _ in range(chance.choice([1, 2, 8, 30])):
        data[chance.randrange(4, len(data))] = chance.choice([0, 1, 2, 5, 7, 255, chance.randrange(256)])
    with contextlib.suppress(UnreadableError, LimitError):
        read_exif(io.BytesIO(bytes(data)))
