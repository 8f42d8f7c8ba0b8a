"""The story of a PNG file's chunks."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from deepscan.checks.png_file import PngFile
from deepscan.errors import UnreadableError
from deepscan.types import Finding, Level, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject

HEAD = media.PNG_SIGNATURE + media.png_chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
DATA = media.png_chunk(b"IDAT", zlib.compress(bytes(4 * 13)))
END = media.png_chunk(b"IEND", b"")


def story(path: Path) -> Finding:
    (finding,) = PngFile().run(FakeSubject(path)).findings
    assert (finding.level, finding.points_to) == (Level.INFO, PointsTo.NEITHER)
    return finding


def built(folder: Path, *parts: bytes) -> Path:
    path = folder / "a.png"
    path.write_bytes(b"".join(parts))
    return path


def test_a_plain_picture_has_nothing_unusual(tmp_path: Path) -> None:
    finding = story(media.write_png(tmp_path, text={"Title": "a"}))
    assert {e.label: e.value for e in finding.evidence}["chunks"] == ["IHDR", "tEXt", "IDAT", "IEND"]
    assert not [e for e in finding.evidence if e.label == "unusual"]
    assert "96 x 64 pixels, RGB, 8 bits, not interlaced" in finding.summary
    black = media.write_png(tmp_path, "black.png", image=Image.new("1", (16, 16)))
    assert "16 x 16 pixels, grey, 1 bit, not interlaced" in story(black).summary


def test_an_animation_is_ordinary_too(tmp_path: Path) -> None:
    assert not [e for e in story(media.write_apng(tmp_path)).evidence if e.label == "unusual"]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((DATA, media.png_chunk(b"tEXt", b"a\0b")), "follow the picture data"),
        ((media.png_chunk(b"gAMA", bytes(4)) * 2, DATA), "one each of: gAMA"),
        ((DATA, media.png_chunk(b"tIME", bytes(7)), DATA), "Other chunks stand between"),
        ((media.png_chunk(b"caBX", b""), DATA), "C2PA manifest"),
        ((media.png_chunk(b"zzZz", b""), DATA), "zzZz is unknown"),
    ],
)
def test_what_is_unusual_is_said(parts: tuple[bytes, ...], words: str, tmp_path: Path) -> None:
    assert words in story(built(tmp_path, HEAD, *parts, END)).summary


def test_many_chunks_are_counted_and_not_listed(tmp_path: Path) -> None:
    listed = {e.label: e.value for e in story(built(tmp_path, HEAD, DATA * 50_000, END)).evidence}["chunks"]
    assert listed == ["IHDR", "IDAT x 50,000", "IEND"]


def test_without_a_header_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError):
        story(built(tmp_path, media.PNG_SIGNATURE, DATA, END))
