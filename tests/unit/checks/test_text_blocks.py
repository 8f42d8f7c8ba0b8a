"""PNG text, IPTC records, Matroska and MP4 tags, AVI lists: what they say, and hostile ones."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepscan.checks.reading.embedded import READ, Embedded, read_embedded
from deepscan.checks.reading.iptc import iptc_of_photoshop, read_iptc
from deepscan.checks.reading.png_text import as_text, raw_profile, read_text
from deepscan.errors import LimitError, UnreadableError
from tests.media_factory import PNG_SIGNATURE, png_chunk
from tests.unit.checks.test_layout import box, element

LIMIT = 10_000


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(b"\0\0"))
    return PNG_SIGNATURE + header + data + b"".join(png_chunk(*c) for c in chunks) + png_chunk(b"IEND", b"")


def said(data: bytes, container: str) -> dict[tuple[str, str], str]:
    return {(e.source, e.key): e.text for e in embedded(data, container).entries}


def embedded(data: bytes, container: str) -> Embedded:
    return read_embedded(io.BytesIO(data), container)


def test_the_three_kinds_of_png_text_after_the_picture_data() -> None:
    found = said(
        png(
            (b"tEXt", b"Title\0caf\xe9"),
            (b"zTXt", b"Comment\0\0" + zlib.compress("é".encode())),
            (b"iTXt", b"Note\0\1\0en\0Notiz\0" + zlib.compress("猫".encode())),
            (b"iTXt", b"Plain\0\0\0\0\0text"),
        ),
        "png",
    )
    assert found == {
        ("PNG tEXt", "Title"): "café",
        ("PNG zTXt", "Comment"): "é",
        ("PNG iTXt", "Note"): "猫",
        ("PNG iTXt", "Plain"): "text",
    }


def test_a_png_text_bomb_is_a_problem_and_the_rest_is_read() -> None:
    bomb = zlib.compress(bytes(300_000_000 // 8), 9)
    found = embedded(png((b"zTXt", b"a\0\0" + bomb), (b"tEXt", b"Title\0still here")), "png")
    assert [e.text for e in found.entries] == ["still here"]
    assert "unpacks to more" in found.problems[0].reason


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("tEXt", b"no separator"),
        ("zTXt", b"a\0\0not packed"),
        ("zTXt", b"a\0"),
        ("iTXt", b"a\0"),
        ("iTXt", b"a\0\1\0\0\0x"),
    ],
)
def test_broken_png_text_is_unreadable(kind: str, body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_text(kind, body, LIMIT)


def test_png_text_is_unpacked_up_to_its_limit() -> None:
    body = b"a\0\0" + zlib.compress(bytes(LIMIT))
    assert len(read_text("zTXt", body, LIMIT)[1]) == LIMIT
    with pytest.raises(LimitError):
        read_text("zTXt", b"a\0\0" + zlib.compress(bytes(LIMIT + 1)), LIMIT)


def test_text_is_utf8_where_it_can_be() -> None:
    assert (as_text("猫".encode()), as_text(b"\xe9")) == ("猫", "é")


def test_raw_profiles_are_hexadecimal() -> None:
    assert raw_profile("\niptc\n      4\n00ff\n1a2b\n") == b"\x00\xff\x1a\x2b"
    with pytest.raises(UnreadableError):
        raw_profile("nothing of the kind")


def test_a_raw_iptc_profile_in_a_png_is_read() -> None:
    record = iptc((2, 80, b"Ana")).hex().encode()
    found = said(png((b"tEXt", b"Raw profile type iptc\0\niptc\n  8\n" + record)), "png")
    assert found == {("IPTC", "By-line"): "Ana"}


def iptc(*datasets: tuple[int, int, bytes]) -> bytes:
    return b"".join(bytes([0x1C, r, d]) + struct.pack(">H", len(v)) + v for r, d, v in datasets)


def test_iptc_follows_its_character_set() -> None:
    plain, utf8 = iptc((2, 80, b"B\xe9a")), iptc((1, 90, b"\x1b%G"), (2, 80, "Béa".encode()))
    assert dict(read_iptc(plain)) == dict(read_iptc(utf8)) == {"By-line": "Béa"}


def test_iptc_inside_photoshops_resources() -> None:
    other = b"8BIM\x03\xed\0\0" + struct.pack(">I", 3) + b"abc\0"
    ours = b"8BIM\x04\x04\x03abc" + struct.pack(">I", 5) + b"hello"
    assert iptc_of_photoshop(other + ours) == b"hello"
    assert iptc_of_photoshop(other) == b""
    assert iptc_of_photoshop(b"8BIM\x04\x05\0\0\xff\xff\xff\xff") == b""


def data_box(text: str) -> bytes:
    return box(b"data", struct.pack(">II", 1, 0) + text.encode())


def movie(*parts: bytes) -> bytes:
    return box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", b"".join(parts))


def test_times_user_data_itunes_tags_and_keys_of_a_movie() -> None:
    header = box(b"mvhd", bytes(4) + struct.pack(">II", 3_000_000_000, 0) + bytes(80))
    text = b"place"
    old = box(b"\xa9swr", struct.pack(">HH", len(text), 0) + text)
    itunes = box(b"meta", bytes(4) + box(b"hdlr", bytes(24)) + box(b"ilst", box(b"\xa9too", data_box("Lavf61"))))
    name = b"com.apple.quicktime.make"
    keys = box(b"keys", struct.pack(">II", 0, 1) + box(b"mdta", name))
    new = box(b"meta", box(b"hdlr", bytes(24)) + keys + box(b"ilst", box(b"\0\0\0\1", data_box("Apple"))))
    found = said(movie(header, box(b"udta", old + itunes), new), "mov")
    assert found == {
        ("MP4 header", "creation_time"): "1999:01:24 05:20:00Z",
        ("MP4 tag", "©swr"): "place",
        ("MP4 tag", "©too"): "Lavf61",
        ("QuickTime key", "com.apple.quicktime.make"): "Apple",
    }


def test_boxes_inside_themselves_do_not_trap_the_reader() -> None:
    nested = b""
    for _ in range(2000):
        nested = box(b"udta", nested)
    assert embedded(movie(nested), "mp4").entries == ()


def test_info_and_tags_of_a_matroska_file() -> None:
    info = element(b"\x15\x49\xa9\x66", element(b"\x57\x41", b"mkvmerge") + element(b"\x44\x61", bytes(8)))
    simple = element(b"\x67\xc8", element(b"\x45\xa3", b"PROMPT") + element(b"\x44\x87", b"a duck"))
    tags = element(b"\x12\x54\xc3\x67", element(b"\x73\x73", element(b"\x63\xc0", b"") + simple))
    found = said(element(b"\x1a\x45\xdf\xa3", b"") + element(b"\x18\x53\x80\x67", info + tags), "mkv")
    assert found == {
        ("Matroska Info", "WritingApp"): "mkvmerge",
        ("Matroska Info", "DateUTC"): "2001:01:01 00:00:00Z",
        ("Matroska tag", "PROMPT"): "a duck",
    }


def test_the_info_list_of_an_avi() -> None:
    info = b"INFOISFT" + struct.pack("<I", 5) + b"Lavf\0\0"
    body = b"AVI LIST" + struct.pack("<I", len(info)) + info
    assert said(b"RIFF" + struct.pack("<I", len(body)) + body, "avi") == {("AVI INFO", "ISFT"): "Lavf"}


def test_more_metadata_than_is_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from deepscan.checks.reading import embedded as module

    monkeypatch.setattr(module, "MAX_ENTRIES", 10)
    found = embedded(png(*[(b"tEXt", b"k%d\0v" % i) for i in range(500)]), "png")
    assert len(found.entries) == 10
    assert len(found.problems) == 1


@settings(max_examples=200, deadline=None)
@given(container=st.sampled_from(sorted(READ)), data=st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(container: str, data: bytes) -> None:
    found = embedded(data, container)
    assert all(entry.text for entry in found.entries)
    assert all(problem.reason for problem in found.problems)
