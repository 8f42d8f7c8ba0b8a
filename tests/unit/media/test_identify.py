from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepscan.config import ScanOptions
from deepscan.media.containers import CONTAINERS, MEDIA_SUFFIXES
from deepscan.media.discover import Candidate, walk
from deepscan.media.identify import SUFFIXES, TITLES, detect, identify, suffixes_for
from deepscan.types import MediaItem, MediaKind, SkipCode, Skipped
from tests import media_factory as factory

ALL = ScanOptions()


def look(path: Path, options: ScanOptions = ALL) -> MediaItem | Skipped:
    return identify(Candidate(path.parent, PurePosixPath(path.name)), options)


def skipped(path: Path, options: ScanOptions = ALL) -> Skipped:
    answer = look(path, options)
    assert isinstance(answer, Skipped)
    assert answer.path == path
    assert answer.reason.isprintable()
    assert answer.reason.endswith(".")
    return answer


PICTURES: list[tuple[Callable[..., Path], dict[str, Any], str]] = [
    (factory.write_jpeg, {}, "jpeg"),
    (factory.write_cmyk_jpeg, {}, "jpeg"),
    (factory.write_png, {}, "png"),
    (factory.write_grey16_png, {}, "png"),
    (factory.write_apng, {}, "apng"),
    (factory.write_apng, {"default_image": True}, "apng"),
    (factory.write_webp, {}, "webp"),
    (factory.write_webp, {"durations": (100, 100)}, "webp"),
    (factory.write_gif, {}, "gif"),
    (factory.write_gif, {"durations": (100, 100)}, "gif"),
    (factory.write_bmp, {}, "bmp"),
    (factory.write_tiff, {"sizes": ((20, 30), (10, 5))}, "tiff"),
    (factory.write_tiff, {"big_tiff": True}, "tiff"),
    (factory.write_heic, {}, "heic"),
    (factory.write_avif, {}, "avif"),
    (factory.write_avif, {"durations": (100, 100)}, "avif"),
    (factory.write_truncated_jpeg, {}, "jpeg"),
    (factory.write_bomb_png, {}, "png"),
]


@pytest.mark.parametrize(("write", "how", "container"), PICTURES)
def test_pictures_are_told_from_their_bytes(
    tmp_path: Path, write: Callable[..., Path], how: dict[str, Any], container: str
) -> None:
    path = write(tmp_path, "name without suffix", **how)
    data = path.read_bytes()
    assert look(path) == MediaItem(
        tmp_path,
        PurePosixPath(path.name),
        MediaKind.IMAGE,
        container,
        len(data),
        hashlib.sha256(data).hexdigest(),
    )


def test_the_suffix_does_not_decide(tmp_path: Path) -> None:
    item = look(factory.write_wrong_suffix(tmp_path))
    assert isinstance(item, MediaItem)
    assert item.container == "jpeg"
    assert ".png" not in suffixes_for(item.container)
    assert ".jpg" in suffixes_for(item.container)


def box(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    return box(b"ftyp", major + bytes(4) + b"".join(compatible))


def packets(size: int, first: int = 0, count: int = 6) -> bytes:
    return (bytes(first) + b"G" + bytes(size - first - 1)) * count


def ogg(*packets_: bytes) -> bytes:
    return b"".join(b"OggS\0\2" + bytes(20) + b"\1" + bytes([len(p)]) + p for p in packets_)


def tiff(order: str, *tags: tuple[int, int, int]) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = b"".join(
        struct.pack(order + "HHI", tag, form, 1) + struct.pack(order + ("HH" if form == 3 else "I"), *value)
        for tag, form, value in ((t, f, (v, 0) if f == 3 else (v,)) for t, f, v in tags)
    )
    return mark + struct.pack(order + "IH", 8, len(tags)) + entries + bytes(4)


def ebml(document: bytes) -> bytes:
    body = b"\x42\x86\x81\x01\x42\x82" + bytes([0x80 | len(document)]) + document
    return b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(body)]) + body


ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_AUDIO = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
MXF = bytes.fromhex("060e2b34020501010d01020101020400")

HEADS: list[tuple[bytes, str | None]] = [
    (ftyp(b"isom", b"iso2", b"avc1", b"mp41"), "mp4"),
    (ftyp(b"mp42", b"mp42"), "mp4"),
    (ftyp(b"XYZW", b"ABCD"), "mp4"),
    (ftyp(b"qt  "), "mov"),
    (ftyp(b"3gp4", b"isom"), "3gp"),
    (ftyp(b"M4A ", b"isom"), "m4a"),
    (ftyp(b"heic", b"mif1"), "heic"),
    (ftyp(b"mif1", b"heic"), "heic"),
    (ftyp(b"mif1", b"avif", b"miaf"), "avif"),
    (ftyp(b"msf1", b"hevc"), "heic"),
    (ftyp(b"avis", b"msf1"), "avif"),
    (ftyp(b"    ", b"mif1", b"heic"), "heic"),
    (ftyp(b"crx ", b"crx ", b"isom"), "raw-canon"),
    (struct.pack(">I", 0xFFFFFFFF) + b"ftypmif1", "heic"),
    (box(b"moov", bytes(20)), "mov"),
    (box(b"wide") + box(b"mdat", bytes(9)), "mov"),
    (b"\0\0\0\1mdat" + bytes(8), "mov"),
    (box(b"styp", b"msdh") + box(b"sidx"), "mp4"),
    (b"some moov in a text", "text"),
    (b"\x7f\xff\xff\xffmoov" + bytes(8), None),
    (ebml(b"webm"), "webm"),
    (ebml(b"matroska"), "mkv"),
    (b"RIFF\x10\0\0\0AVI LIST", "avi"),
    (b"RIFF\x10\0\0\0WAVEfmt ", "wav"),
    (b"RIFF\x10\0\0\0ABCD" + bytes(8), None),
    (packets(188), "mpeg-ts"),
    (packets(192, 4), "mpeg-ts"),
    (packets(204), "mpeg-ts"),
    (packets(188, count=2), None),
    (b"\0\0\1\xba" + bytes(20), "mpeg-ps"),
    (b"\0\0\1\xb3" + bytes(20), "mpeg-es"),
    (b"FLV\1\5\0\0\0\x09", "flv"),
    (ASF + bytes(40) + ASF_VIDEO + ASF_AUDIO, "wmv"),
    (ASF + bytes(40) + ASF_AUDIO, "wma"),
    (ogg(b"\1vorbis" + bytes(20)), "ogg"),
    (ogg(b"\1vorbis" + bytes(20), b"\x80theora" + bytes(20)), "ogv"),
    (ogg(b"fishead\0" + bytes(20), b"\1vorbis, not \x80theora"), "ogg"),
    (MXF, "mxf"),
    (bytes(5000) + MXF, "mxf"),
    (b"\x1f\x07\0\x3f" + bytes(76) + (b"\x3f\x07\0" + bytes(77)) * 3, "dv"),
    (b"\xff\xd8\xff\xf7" + bytes(20), "jls"),
    (tiff("<", (254, 4, 1), (330, 4, 400)), "raw-tiff"),
    (tiff(">", (254, 4, 1), (50706, 1, 0x01040000)), "raw-tiff"),
    (tiff("<", (254, 4, 0), (50706, 1, 1)), "tiff"),
    (tiff(">", (254, 4, 0), (262, 3, 2)), "tiff"),
    (tiff(">", (262, 3, 32803)), "raw-tiff"),
    (b"II*\0\xff\xff\xff\x7f", "tiff"),
    (b"II*\0\x10\0\0\0CR\2\0" + bytes(20), "raw-canon"),
    (b"FUJIFILMCCD-RAW 0201", "raw-fuji"),
    (b"8BPS\0\1" + bytes(20), "psd"),
    (b"8BPS\0\7" + bytes(20), None),
    (b"BM, a text that begins with two letters", "text"),
    (b"BM" + bytes(12) + b"\x28\0\0\0", "bmp"),
    (b"<?xml version='1.0'?>\n<!-- a -->\n<svg xmlns='x'/>", "svg"),
    (b"<html><body>not an <svg", "text"),
    (b"P6 4 4 255\n" + bytes(48), "pnm"),
    (b"P6\n# made by hand\n4 4\n255\n" + bytes(48), "pnm"),
    (b"P1 of the plan is a text", "text"),
    (b"#define a_width 5\n#define a_height 5\n", "xbm"),
    (b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x18\0" + struct.pack("<II", 4, 22) + b"abcd", "ico"),
    (b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x18\0" + struct.pack("<II", 4000, 22) + b"abcd", None),
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "pdf"),
    (b"PK\3\4\x14\0", "zip"),
    (b"ID3\4\0\0\0\0\0\0", "mp3"),
    (b"\xff\xfb\x90\x64" + bytes(20), "mp3"),
    (b"\xff\x0a" + bytes(20), "jxl"),
    (b"plain words\r\n\tand tabs", "text"),
    ("größer".encode("utf-16"), "text"),
    (b"caf\xe9 in Latin-1 is no UTF-8", None),
    (bytes(100), None),
    (b"", None),
]


@pytest.mark.parametrize(("head", "name"), HEADS)
def test_detect(head: bytes, name: str | None) -> None:
    found = detect(head, len(head))
    assert (found.name if found else None) == name


def test_text_cut_in_the_middle_of_a_character_is_text() -> None:
    head = ("x" + "ü" * 40_000).encode()[: 64 * 1024]
    assert head[-1] == 0xC3
    found = detect(head, 80_001)
    assert found
    assert found.name == "text"


@given(st.binary(max_size=300), st.sampled_from([head for head, _ in HEADS]), st.integers(0, 2**40))
def test_detect_survives_anything(noise: bytes, head: bytes, size: int) -> None:
    for data in (noise, head + noise, head[: len(noise)] + noise, head[: len(noise) % (len(head) + 1)]):
        found = detect(data, size)
        assert found is None or found is CONTAINERS[found.name]


def test_the_table_is_consistent() -> None:
    assert set(SUFFIXES) == set(TITLES) == set(CONTAINERS)
    for row in CONTAINERS.values():
        assert row.source, row
        assert row.suffixes, row
        assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in row.suffixes)
        assert row.kind is not None or not row.readable
    assert {".jpg", ".png", ".mp4", ".heic"} <= MEDIA_SUFFIXES
    assert not {".ogg", ".txt", ".pdf"} & MEDIA_SUFFIXES
    assert suffixes_for("no such container") == frozenset()
    assert CONTAINERS["avi"].with_article == "an AVI video"
    assert CONTAINERS["jpeg"].with_article == "a JPEG picture"


@pytest.mark.parametrize(
    ("name", "data", "code", "words"),
    [
        ("notes.txt", b"hello\n", SkipCode.NOT_MEDIA, "a text file"),
        ("page.jpg", b"<html>404</html>", SkipCode.UNREADABLE, "named .jpg, but its bytes are a text file"),
        ("code.ts", b"export const a = 1;\n", SkipCode.NOT_MEDIA, "a text file"),
        ("empty.ts", b"", SkipCode.NOT_MEDIA, "empty"),
        ("noise.JPG", b"\x01\x02\x03\x04" * 9, SkipCode.UNREADABLE, "no picture or video deepscan knows"),
        (".jpg", b"\x01\x02\x03\x04" * 9, SkipCode.NOT_MEDIA, "no picture or video"),
        ("noise.bin", b"\x01\x02\x03\x04" * 9, SkipCode.NOT_MEDIA, "no picture or video"),
        ("noise", b"\x01\x02\x03\x04" * 9, SkipCode.NOT_MEDIA, "no picture or video"),
        ("doc.pdf", b"%PDF-1.4", SkipCode.NOT_MEDIA, "a PDF document"),
        ("doc.jpg", b"%PDF-1.4", SkipCode.UNREADABLE, "a PDF document"),
        ("sound.ogg", ogg(b"\1vorbis"), SkipCode.NOT_MEDIA, "an Ogg recording"),
        ("pic.jxl", b"\xff\x0a\0\0", SkipCode.UNSUPPORTED, "a JPEG XL picture: deepscan has no reader"),
        ("pic.tga", bytes(18), SkipCode.UNSUPPORTED, "TGA"),
        ("empty.jpg", b"", SkipCode.EMPTY, "zero bytes"),
        ("__init__.py", b"", SkipCode.NOT_MEDIA, "empty"),
    ],
)
def test_what_is_not_examined_has_its_code_and_reason(
    tmp_path: Path, name: str, data: bytes, code: SkipCode, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    answer = skipped(tmp_path / name)
    assert answer.code is code
    assert words in answer.reason


def test_size_limit_names_both_sizes_and_only_holds_for_media(tmp_path: Path) -> None:
    options = ScanOptions(max_size=2048)
    answer = skipped(factory.write_png(tmp_path), options)
    assert answer.code is SkipCode.TOO_LARGE
    assert "KiB" in answer.reason
    assert "--max-size allows 2.0 KiB" in answer.reason
    assert skipped(factory.write_text(tmp_path, text="x" * 4000), options).code is SkipCode.NOT_MEDIA
    exact = factory.write_jpeg(tmp_path)
    assert isinstance(look(exact, ScanOptions(max_size=exact.stat().st_size)), MediaItem)


def test_kinds_not_wanted_are_excluded(tmp_path: Path) -> None:
    only_videos = ScanOptions(kinds=(MediaKind.VIDEO,))
    answer = skipped(factory.write_jpeg(tmp_path), only_videos)
    assert answer.code is SkipCode.EXCLUDED
    assert "--kinds asks for videos" in answer.reason
    (tmp_path / "a.psd").write_bytes(b"8BPS\0\1" + bytes(20))
    assert skipped(tmp_path / "a.psd", only_videos).code is SkipCode.EXCLUDED


def test_reading_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = factory.write_jpeg(tmp_path)
    os.utime(path, ns=(10**18, 10**18))
    path.chmod(0o400)
    before = path.stat()
    assert isinstance(look(path), MediaItem)
    after = path.stat()
    assert (after.st_mtime_ns, after.st_ctime_ns, after.st_mode) == (
        before.st_mtime_ns,
        before.st_ctime_ns,
        before.st_mode,
    )


@pytest.mark.skipif(not hasattr(os, "O_NOATIME"), reason="only Linux can leave access times alone")
def test_where_the_access_time_may_not_be_kept_the_file_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def not_the_owner(path: Path, flags: int) -> int:
        if flags & os.O_NOATIME:
            raise PermissionError(1, "Operation not permitted", str(path))
        assert not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return real(path, flags)

    monkeypatch.setattr("deepscan.media.identify.os.open", not_the_owner)
    assert isinstance(look(factory.write_jpeg(tmp_path)), MediaItem)


def test_without_permission_it_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = factory.write_jpeg(tmp_path)

    def refuse(path: Path, flags: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("deepscan.media.identify.os.open", refuse)
    answer = skipped(path)
    assert answer.code is SkipCode.UNREADABLE
    assert "permission denied" in answer.reason


def test_a_disk_error_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = factory.write_jpeg(tmp_path)

    def fail(descriptor: int, size: int) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("deepscan.media.identify.os.read", fail)
    assert skipped(path).code is SkipCode.UNREADABLE


def test_a_file_that_is_gone_has_vanished(tmp_path: Path) -> None:
    assert skipped(tmp_path / "gone.jpg").code is SkipCode.VANISHED


def test_a_pipe_put_in_a_files_place_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    answer = skipped(tmp_path / "a.jpg")
    assert answer.code is SkipCode.SPECIAL
    assert "named pipe" in answer.reason


def test_a_folder_put_in_a_files_place_is_special(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").mkdir()
    assert skipped(tmp_path / "a.jpg").code is SkipCode.SPECIAL


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 10)


def _rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"other")
    os.utime(path, ns=(1, 1))


def _replace(path: Path) -> None:
    status = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("meddle", [_grow, _shrink, _rewrite, _replace])
def test_a_file_that_changes_while_it_is_read_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[Path], None]
) -> None:
    path = factory.write_bmp(tmp_path, size=(400, 300))  # longer than the head
    real = os.read
    todo = [meddle]

    def read(descriptor: int, size: int) -> bytes:
        data = real(descriptor, size)
        if todo:
            todo.pop()(path)
        return data

    monkeypatch.setattr("deepscan.media.identify.os.read", read)
    assert skipped(path).code is SkipCode.CHANGED


def test_a_file_that_vanishes_while_it_is_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = factory.write_jpeg(tmp_path)
    real = os.read

    def read(descriptor: int, size: int) -> bytes:
        path.unlink(missing_ok=True)
        return real(descriptor, size)

    monkeypatch.setattr("deepscan.media.identify.os.read", read)
    assert skipped(path).code is SkipCode.VANISHED


def test_the_hash_is_of_the_whole_file(tmp_path: Path) -> None:
    path = factory.write_jpeg(tmp_path, trailing=os.urandom(3 * 1024 * 1024 + 17))
    item = look(path)
    assert isinstance(item, MediaItem)
    assert item.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_hostile_names_are_clean_in_reasons(tmp_path: Path) -> None:
    path = tmp_path / "a.\x1b[31mjpg\n"
    path.write_bytes(b"\x01\x02\x03")
    skipped(path)


@pytest.mark.corpus
def test_every_real_file_has_an_answer(corpus: Path) -> None:
    answers = 0
    for each in walk([corpus / "forensics"], ALL):
        answer = identify(each, ALL) if isinstance(each, Candidate) else each
        assert isinstance(answer, MediaItem) or answer.reason
        answers += 1
    assert answers > 1000
