"""PNG files with more words than Pillow takes: the pixels are read all the same."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from deepscan.errors import LimitError, UnreadableError
from deepscan.media import png_pixels
from deepscan.media.frames import Sampling
from deepscan.media.images import load_rgb, read_image
from deepscan.media.png_pixels import PngPixels
from tests import media_factory as media
from tests.media_factory import PNG_SIGNATURE, png_chunk

LONG = b"a\0\0" + zlib.compress(bytes(3_000_000))
PROFILE = b"name\0\0" + zlib.compress(bytes(3_000_000))


def with_chunks(path: Path, *, before: tuple[bytes, ...] = (), after: tuple[bytes, ...] = ()) -> Path:
    """The PNG again, with chunks put in after its header and before its end."""
    data = path.read_bytes()
    target = path.with_stem(path.stem + "-wordy")
    target.write_bytes(data[:33] + b"".join(before) + data[33:-12] + b"".join(after) + data[-12:])
    return target


@pytest.mark.parametrize(
    "chunk",
    [png_chunk(b"zTXt", LONG), png_chunk(b"iTXt", b"a\0\1\0\0\0" + LONG[3:]), png_chunk(b"iCCP", PROFILE)],
    ids=["zTXt", "iTXt", "iCCP"],
)
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_long_text_or_profile_costs_no_pixel(chunk: bytes, place: str, tmp_path: Path) -> None:
    plain = media.write_png(tmp_path)
    wordy = with_chunks(plain, **{place: (chunk, png_chunk(b"tEXt", b"a\0b"), chunk)})
    assert np.array_equal(load_rgb(wordy), load_rgb(plain))


def test_all_texts_together_may_be_long(tmp_path: Path) -> None:
    plain = media.write_png(tmp_path)
    wordy = with_chunks(plain, before=(png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000))),) * 70)
    assert np.array_equal(load_rgb(wordy), load_rgb(plain))


def test_the_frames_of_an_animation_are_the_same(tmp_path: Path) -> None:
    plain = media.write_apng(tmp_path, durations=(50, 50, 50))
    wordy = with_chunks(plain, before=(png_chunk(b"zTXt", LONG),), after=(png_chunk(b"zTXt", LONG),))
    one, other = (read_image(path, "apng", Sampling(2, None)) for path in (plain, wordy))
    assert [f.index for f in one.frames] == [f.index for f in other.frames]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one.frames, other.frames, strict=True))


def test_orientation_in_exif_still_counts(tmp_path: Path) -> None:
    plain = media.write_png(tmp_path, exif=media.exif(orientation=6))
    wordy = with_chunks(plain, before=(png_chunk(b"zTXt", LONG),))
    assert load_rgb(wordy).shape == load_rgb(plain).shape == (*media.SIZE, 3)


def test_a_text_that_claims_a_gigabyte_after_the_picture_costs_no_pixel(tmp_path: Path) -> None:
    plain = media.write_png(tmp_path)
    lying = plain.with_stem("lying")
    lying.write_bytes(plain.read_bytes()[:-12] + struct.pack(">I", 10**9) + b"tEXta\0b")
    assert np.array_equal(load_rgb(lying), load_rgb(plain))
    cut = plain.with_stem("cut")
    cut.write_bytes(plain.read_bytes()[:33] + struct.pack(">I", 10**9) + b"tEXta\0b" + plain.read_bytes()[33:])
    with pytest.raises(UnreadableError):
        load_rgb(cut)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_reads_of_any_size_give_the_file_without_the_words(size: int) -> None:
    picture = [png_chunk(b"IHDR", bytes(13)), png_chunk(b"IDAT", b"12345"), png_chunk(b"IEND", b"")]
    words = png_chunk(b"tEXt", b"a\0" + b"b" * 30)
    file = io.BytesIO(PNG_SIGNATURE + words + picture[0] + words + words + picture[1] + words + picture[2] + b"tail")
    stream = PngPixels(file)
    wanted = PNG_SIGNATURE + b"".join(picture) + b"tail"
    parts = []
    while part := stream.read(size):
        parts.append(part)
    assert b"".join(parts) == wanted
    assert stream.seek(-4, 2) == len(wanted) - 4
    assert stream.read(10) == b"tail"


def test_more_chunks_than_are_followed_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png_pixels, "MAX_CHUNKS", 10)
    with pytest.raises(LimitError):
        PngPixels(io.BytesIO(PNG_SIGNATURE + png_chunk(b"tEXt", b"a\0b") * 11))
