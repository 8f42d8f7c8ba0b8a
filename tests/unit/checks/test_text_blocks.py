"""PNG text, IPTC records, Matroska and MP4 tags, AVI lists: what they say, and hostile ones."""

from __future__ import annotations

import io
import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepscan.checks.reading.embedded import READ, Embedded, read_embedded
from deepscan.checks.reading.iptc import iptc_of_photoshop, read_iptc
from deepscan.checks.reading.png_text import as_text, raw_profile, read_text, unpack
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
    assert "unpacks to more than" in found.problems[0].reason


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("tEXt", b"no separator"),
        ("zTXt", b"a\0\0not packed"),
        ("zTXt", b"a\0"),
        ("iTXt", b"a\0"),
        ("iTXt", b"a\0\1\0\0\0x"),
        ("iCCP", b"a\0\0not packed"),
        ("iCCP", b"a\0\0" + zlib.compress(b"no profile")),
    ],
)
def test_broken_png_text_is_unreadable(kind: str, body: bytes) -> None:
    found = embedded(png((kind.encode(), body), (b"tEXt", b"Title\0still here")), "png")
    assert [e.text for e in found.entries] == ["still here"]
    assert len(found.problems) == 1


def test_png_text_is_unpacked_up_to_its_limit() -> None:
    assert read_text("zTXt", b"a\0\0packed") == ("a", b"packed", True)
    assert len(unpack(zlib.compress(bytes(LIMIT)), LIMIT)) == LIMIT
    with pytest.raises(LimitError):
        unpack(zlib.compress(bytes(LIMIT + 1)), LIMIT)


def test_thousands_of_bombs_cost_no_more_than_a_few() -> None:
    bomb = (b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000), 9))
    started = time.process_time()
    found = embedded(png(*[bomb] * 1000), "png")
    assert time.process_time() - started < 5
    assert any("more metadata than deepscan reads" in problem.reason for problem in found.problems)


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


def test_tags_of_tracks_say_which_and_places_of_3gp_are_read() -> None:
    times = box(b"mdhd", bytes(4) + struct.pack(">II", 3_000_000_000, 0) + bytes(16))
    name = b"com.apple.quicktime.full-frame-rate-playback-intent"
    keys = box(b"keys", struct.pack(">II", 0, 1) + box(b"mdta", name))
    number = box(b"data", struct.pack(">II", 65, 0) + b"\xff")
    meta = box(b"meta", box(b"hdlr", bytes(24)) + keys + box(b"ilst", box(b"\0\0\0\1", number)))
    swr = box(b"udta", box(b"\xa9swr", struct.pack(">HH", 5, 0) + b"12.34"))
    loci = box(
        b"loci", bytes(6) + b"Rome\0\0" + struct.pack(">iii", int(12.5 * 65536), -int(41.25 * 65536), 0) + b"earth\0\0"
    )
    found = said(movie(box(b"trak", b""), box(b"trak", box(b"mdia", times) + swr + meta), box(b"udta", loci)), "3gp")
    assert found == {
        ("MP4 track 2 header", "creation_time"): "1999:01:24 05:20:00Z",
        ("MP4 track 2 tag", "©swr"): "12.34",
        ("QuickTime track 2 key", name.decode()): "-1",
        ("MP4 tag", "loci"): "-41.25000+012.50000/",
        ("MP4 tag", "loci name"): "Rome",
    }


def test_matroska_tags_of_tracks_and_inside_tags() -> None:
    inner = element(b"\x67\xc8", element(b"\x45\xa3", b"EMAIL") + element(b"\x44\x87", b"a@b"))
    simple = element(b"\x67\xc8", element(b"\x45\xa3", b"ARTIST") + element(b"\x44\x87", b"Ana") + inner)
    targets = element(b"\x63\xc0", element(b"\x63\xc5", b"\1"))
    tags = element(b"\x12\x54\xc3\x67", element(b"\x73\x73", targets + simple))
    found = said(element(b"\x1a\x45\xdf\xa3", b"") + element(b"\x18\x53\x80\x67", tags), "mkv")
    assert found == {("Matroska track tag", "ARTIST"): "Ana", ("Matroska track tag", "EMAIL"): "a@b"}


def icc(text: bytes = b"desc" + bytes(4) + struct.pack(">I", 5) + b"Test\0") -> bytes:
    header = bytearray(128)
    header[24:36] = struct.pack(">6H", 2020, 1, 2, 3, 4, 5)
    header[36:40], header[80:84] = b"acsp", b"lcms"
    return bytes(header) + struct.pack(">I", 1) + b"desc" + struct.pack(">II", 144, len(text)) + text


PROFILE = {
    ("ICC", "ProfileCreator"): "lcms",
    ("ICC", "ProfileDateTime"): "2020:01:02 03:04:05",
    ("ICC", "ProfileDescription"): "Test",
}


def test_colour_profiles_are_read_from_every_container() -> None:
    assert said(png((b"iCCP", b"x\0\0" + zlib.compress(icc()))), "png") == PROFILE
    segment = b"ICC_PROFILE\0\1\1" + icc()
    jpeg = b"\xff\xd8\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment + b"\xff\xd9"
    assert said(jpeg, "jpeg") == PROFILE
    webp = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(10) + b"ICCP" + struct.pack("<I", len(icc())) + icc() + b"\0"
    assert said(b"RIFF" + struct.pack("<I", len(webp)) + webp, "webp") == PROFILE
    heic = box(b"meta", bytes(4) + box(b"iprp", box(b"ipco", box(b"colr", b"prof" + icc()))))
    assert said(heic, "heic") == PROFILE
    wide = b"mluc" + bytes(4) + struct.pack(">IIHHII", 1, 12, 0, 0, 8, 28) + "Wide".encode("utf-16-be")
    assert said(png((b"iCCP", b"x\0\0" + zlib.compress(icc(wide)))), "png")["ICC", "ProfileDescription"] == "Wide"


def extended(packet: bytes, name: bytes, *, part: int = 100, named: bool = True) -> bytes:
    segments = [packet[at : at + part] for at in range(0, len(packet), part)]
    note = b"<a xmlns:n='http://ns.adobe.com/xmp/note/' n:HasExtendedXMP='" + name + b"'/>" if named else b"<a/>"
    bodies = [b"http://ns.adobe.com/xap/1.0/\0" + note]
    bodies += [
        b"http://ns.adobe.com/xmp/extension/\0" + name + struct.pack(">II", len(packet), index * part) + piece
        for index, piece in reversed(list(enumerate(segments)))
    ]
    return b"\xff\xd8" + b"".join(b"\xff\xe1" + struct.pack(">H", len(b) + 2) + b for b in bodies) + b"\xff\xd9"


def test_extended_xmp_is_put_together_from_its_parts() -> None:
    packet = b"<a xmlns:q='http://example.org/own/'>" + b" " * 500 + b"<q:word>far</q:word></a>"
    assert ("XMP", "own:word") in said(extended(packet, b"0" * 32), "jpeg")
    stray = embedded(extended(packet, b"0" * 32, named=False), "jpeg")
    assert not stray.entries
    assert "does not name" in stray.problems[0].reason
    short = embedded(extended(packet, b"0" * 32).replace(b"<q:word>far</q:word></a>", b""), "jpeg")
    assert short.problems


def test_what_stands_before_the_damage_of_a_packet_is_kept() -> None:
    packet = b"<a xmlns:x='http://ns.adobe.com/xap/1.0/' x:CreatorTool='GIMP'>" + b"<b>" * 10_000
    found = embedded(png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet + b">")), "png")
    assert [e.text for e in found.entries] == ["GIMP"]
    assert "nested more than" in found.problems[0].reason
