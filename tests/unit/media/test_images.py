from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from deepscan.errors import LimitError, MediaError, UnreadableError, UnsupportedError
from deepscan.media import images
from deepscan.media.animation import choose, starts_of
from deepscan.media.frames import Pixels, Reading, Sampling
from deepscan.media.images import load_rgb, read_image
from deepscan.media.limits import MAX_FRAME_SIDE, MAX_PAGES
from deepscan.media.signatures import detect
from deepscan.media.tones import shrink, to_pixels, upright
from tests import media_factory as factory

WIDTH, HEIGHT = factory.SIZE


def read(path: Path, sampling: Sampling | None = None) -> Reading:
    data = path.read_bytes()
    container = detect(data, len(data))
    assert container
    reading = read_image(path, container.name, sampling or Sampling())
    for frame in reading.frames:
        assert frame.pixels.dtype == np.uint8
        assert frame.pixels.ndim == 3
        assert frame.pixels.shape[2] == 3
        assert frame.pixels.flags["C_CONTIGUOUS"]
    return reading


def one(path: Path) -> Pixels:
    """The only picture of a file, read both ways."""
    reading = read(path)
    assert len(reading.frames) == 1
    assert (reading.frames[0].index, reading.frames[0].seconds, reading.total) == (0, None, 1)
    assert reading.problem is None
    assert np.array_equal(load_rgb(path), reading.frames[0].pixels)
    return reading.frames[0].pixels


def distance(a: Pixels, b: Pixels) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


SMOOTH = factory.pixels(noise=0)


def smooth() -> Image.Image:
    return factory.picture(noise=0)


# Containers and modes.


@pytest.mark.parametrize(
    ("write", "tolerance"),
    [
        (factory.write_jpeg, 3.0),
        (factory.write_png, 0.0),
        (factory.write_webp, 3.0),
        (factory.write_bmp, 0.0),
        (factory.write_avif, 3.0),
    ],
)
def test_colours_come_out_as_they_went_in(tmp_path: Path, write: Callable[..., Path], tolerance: float) -> None:
    assert distance(one(write(tmp_path, image=smooth())), SMOOTH) <= tolerance


def test_tiff_and_heic_colours(tmp_path: Path) -> None:
    assert distance(one(factory.write_tiff(tmp_path, images=[smooth()])), SMOOTH) == 0
    assert distance(one(factory.write_tiff(tmp_path, images=[smooth()], compression="tiff_lzw")), SMOOTH) == 0
    assert distance(one(factory.write_heic(tmp_path, images=[smooth()])), SMOOTH) < 4


def test_grey_is_grey(tmp_path: Path) -> None:
    pixels = one(factory.write_grey_png(tmp_path))
    assert np.array_equal(pixels[..., 0], np.asarray(factory.picture().convert("L")))
    assert np.array_equal(pixels[..., 0], pixels[..., 2])


def test_one_bit(tmp_path: Path) -> None:
    image = smooth().convert("1")
    for path in (
        factory.write_png(tmp_path, image=image),
        factory.write_tiff(tmp_path, images=[image], compression="group4"),
    ):
        assert np.array_equal(one(path)[..., 1], np.where(np.asarray(image), 255, 0))


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, WIDTH)
    for path in (
        factory.write_grey16_png(tmp_path),
        factory.write_tiff(tmp_path, images=[Image.open(tmp_path / "grey16.png")]),
        factory.write_tiff(tmp_path, "z.tif", images=[Image.open(tmp_path / "grey16.png")], compression="tiff_lzw"),
    ):
        row = one(path)[0, :, 0].astype(float)
        assert (row[0], row[-1]) == (0, 255)
        assert np.abs(row - ramp).max() <= 1


@pytest.mark.parametrize(
    ("order", "bits", "white", "white_is_zero"),
    [("<", 16, 65535, False), (">", 16, 65535, False), ("<", 12, 4095, False), ("<", 16, 65535, True)],
)
def test_sixteen_and_twelve_bit_tiff(tmp_path: Path, order: str, bits: int, white: int, white_is_zero: bool) -> None:
    """Photometric 0 says that zero is white, which Pillow leaves to the caller in these modes."""
    values = np.array([0, white // 4, white // 2, white], np.uint16)
    data = values.astype(order + "u2").tobytes()
    if bits == 12:
        data = b"".join(bytes([a >> 4, (a & 15) << 4 | b >> 8, b & 255]) for a, b in values.reshape(2, 2).tolist())
    path = tmp_path / "deep.tif"
    path.write_bytes(_tiff(order, (4, 1), bits, 0 if white_is_zero else 1, data))
    row = one(path)[0, :, 0].astype(int)
    expected = np.array([0, 64, 127, 255])
    assert np.abs((255 - row if white_is_zero else row) - expected).max() <= 1


def _tiff(order: str, size: tuple[int, int], bits: int, photometric: int, data: bytes, extra: Any = ()) -> bytes:
    tags = [(256, 3, size[0]), (257, 3, size[1]), (258, 3, bits), (259, 3, 1), (262, 3, photometric)]
    tags += [(273, 4, 0), (277, 3, 1), (278, 3, size[1]), (279, 4, len(data)), *extra]
    at = 8 + 2 + 12 * len(tags) + 4
    body = b""
    for tag, form, value in sorted(tags):
        number = at if tag == 273 else value
        packed = struct.pack(order + "HH", number, 0) if form == 3 else struct.pack(order + "I", number)
        body += struct.pack(order + "HHI", tag, form, 1) + packed
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "IH", 8, len(tags)) + body + bytes(4) + data


def test_sixteen_bit_colour(tmp_path: Path) -> None:
    pixels = one(factory.write_rgb16_png(tmp_path))
    assert pixels[0, 0].tolist() == [0, 128, 255]
    assert pixels[0, -1].tolist() == [255, 128, 0]
    assert np.all(np.diff(pixels[0, :, 0].astype(int)) >= 0)


def test_sixteen_bit_transparency_lies_over_white(tmp_path: Path) -> None:
    pixels = one(factory.write_rgb16_png(tmp_path, alpha=True))
    assert np.all(pixels[: HEIGHT // 2] == 255)
    assert pixels[-1, 0].tolist() == [0, 128, 255]


def test_sixteen_bit_grey_with_a_transparent_value(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + struct.pack(">4H", 0, 1000, 32768, 65535) for _ in range(2))
    path = tmp_path / "key.png"
    path.write_bytes(
        factory.PNG_SIGNATURE
        + factory.png_chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 2, 16, 0, 0, 0, 0))
        + factory.png_chunk(b"tRNS", struct.pack(">H", 1000))
        + factory.png_chunk(b"IDAT", zlib.compress(rows))
        + factory.png_chunk(b"IEND", b"")
    )
    assert one(path)[0, :, 0].tolist() == [0, 255, 128, 255]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.25, 0.5, 0.75]], np.float32), [64, 128, 191]),
        (np.array([[-5.0, 0.0, 5.0]], np.float32), [0, 128, 255]),
        (np.array([[7.0, 7.0, 7.0]], np.float32), [0, 0, 0]),
        (np.array([[np.nan, np.inf, -np.inf, 0.0, 100.0]], np.float32), [0, 255, 0, 0, 255]),
        (np.array([[np.nan, np.nan]], np.float32), [0, 0]),
        (np.array([[3e38, -3e38]], np.float32), [255, 0]),
        (np.array([[0, 128, 255]], np.int32), [0, 128, 255]),
        (np.array([[1_000_000_000, 1_000_000_100]], np.int32), [0, 255]),
        (np.array([[-(2**31), 0, 2**31 - 1]], np.int32), [0, 128, 255]),
    ],
)
def test_floats_and_long_integers_are_scaled(tmp_path: Path, samples: Any, expected: list[int]) -> None:
    path = factory.write_tiff(tmp_path, images=[Image.fromarray(samples)])
    assert one(path)[0, :, 0].tolist() == expected


def test_palette(tmp_path: Path) -> None:
    image = factory.picture().quantize(32)
    assert np.array_equal(one(factory.write_palette_png(tmp_path)), np.asarray(image.convert("RGB")))
    assert distance(one(factory.write_gif(tmp_path)), factory.pixels()) < 12


def test_a_transparent_palette_entry_lies_over_white(tmp_path: Path) -> None:
    indices = np.asarray(factory.picture().quantize(32))
    entry = int(indices[0, 0])
    pixels = one(factory.write_palette_png(tmp_path, transparent=entry))
    assert np.all(pixels[indices == entry] == 255)
    assert not np.all(pixels[indices != entry] == 255)


def test_alpha_lies_over_white(tmp_path: Path) -> None:
    pixels = one(factory.write_alpha_png(tmp_path))
    assert np.all(pixels[:, : WIDTH // 2] == 255)
    assert pixels[:, WIDTH // 2 :].mean() < 200


def test_half_transparency_is_blended(tmp_path: Path) -> None:
    half = Image.new("RGBA", (4, 4), (0, 100, 200, 128))
    assert one(factory.write_png(tmp_path, image=half))[0, 0].tolist() == [127, 177, 227]
    grey = Image.new("LA", (4, 4), (0, 128))
    assert one(factory.write_png(tmp_path, image=grey))[0, 0].tolist() == [127, 127, 127]
    lossless = factory.write_webp(tmp_path, image=half, lossless=True, exact=True)
    assert one(lossless)[0, 0].tolist() == [127, 177, 227]


@pytest.mark.parametrize("mode", ["La", "RGBa", "PA", "HSV", "YCbCr", "RGBX"])
def test_rare_modes_are_converted(mode: str) -> None:
    image = smooth()
    image = image.convert("LA").convert("La") if mode == "La" else _to_mode(image, mode)
    pixels = to_pixels(image)
    expected = SMOOTH if mode not in ("La", "PA") else to_pixels(smooth().convert("L" if mode == "La" else "P"))
    assert distance(pixels, expected) < 3


def _to_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode == "RGBa":
        return image.convert("RGBA").convert("RGBa")
    return image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)


def test_lab_goes_through_its_definition(tmp_path: Path) -> None:
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(smooth(), to_lab)
    assert lab is not None
    assert distance(one(factory.write_tiff(tmp_path, images=[lab])), SMOOTH) < 3


def test_cmyk_jpeg_of_adobe_is_not_inverted(tmp_path: Path) -> None:
    assert distance(one(factory.write_cmyk_jpeg(tmp_path, quality=95)), factory.pixels()) < 8
    cmyk = factory.write_tiff(tmp_path, images=[smooth().convert("CMYK")])
    assert distance(one(cmyk), SMOOTH) < 2


@pytest.mark.parametrize("profile", [b"", b"not a profile", bytes(200), "sRGB"])
def test_a_damaged_or_foreign_profile_does_not_matter(tmp_path: Path, profile: bytes | str) -> None:
    if isinstance(profile, str):
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = one(factory.write_cmyk_jpeg(tmp_path, "plain.jpg"))
    assert np.array_equal(one(factory.write_cmyk_jpeg(tmp_path, icc_profile=profile)), plain)


def test_wide_pictures_are_converted_in_strips_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepscan.media.tones.STRIP_PIXELS", 7 * WIDTH)
    assert np.array_equal(to_pixels(factory.picture()), factory.pixels())


# Orientation.


def _stored_for(pixels: Pixels, orientation: int) -> Image.Image:
    """The picture as a camera stores it, so that this orientation turns it upright (Pillow's own table)."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = Image.fromarray(pixels)
    return image.transpose(undo[orientation]) if orientation in undo else image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    stored = _stored_for(SMOOTH, orientation)
    exif = factory.exif(orientation=orientation)
    assert distance(one(factory.write_png(tmp_path, image=stored, exif=exif)), SMOOTH) == 0
    assert distance(one(factory.write_jpeg(tmp_path, image=stored, exif=exif)), SMOOTH) < 3
    assert distance(one(factory.write_webp(tmp_path, image=stored, exif=exif)), SMOOTH) < 3
    assert distance(one(factory.write_avif(tmp_path, image=stored, exif=exif)), SMOOTH) < 3
    assert distance(one(factory.write_tiff(tmp_path, images=[stored], tiffinfo={274: orientation})), SMOOTH) == 0
    packed = factory.write_tiff(
        tmp_path, "lzw.tif", images=[stored], tiffinfo={274: orientation}, compression="tiff_lzw"
    )
    assert distance(one(packed), SMOOTH) == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_once(tmp_path: Path, orientation: int) -> None:
    """pillow-heif writes the rotation into the container; libheif applies it when it decodes."""
    path = factory.write_heic(
        tmp_path, images=[_stored_for(SMOOTH, orientation)], exif=factory.exif(orientation=orientation)
    )
    assert (b"irot" in path.read_bytes() or b"imir" in path.read_bytes()) == (orientation != 1)
    assert distance(one(path), SMOOTH) < 5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_agrees_with_pillow(orientation: int) -> None:
    assert np.array_equal(upright(np.asarray(_stored_for(SMOOTH, orientation)), orientation), SMOOTH)


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0" + b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0" + bytes(4),  # 99
        b"Exif\0\0" + b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x01\0\0\0six\0" + bytes(4),  # text
        b"Exif\0\0" + b"II*\0\xff\xff\xff\x7f",
        b"Exif\0\0nonsense",
        b"Exif\0\0",
    ],
)
def test_damaged_exif_leaves_the_picture_as_it_is(tmp_path: Path, exif: bytes) -> None:
    assert distance(one(factory.write_jpeg(tmp_path, image=smooth(), exif=exif)), SMOOTH) < 3


def test_orientation_in_xmp_alone_turns_nothing(tmp_path: Path) -> None:
    """Pillow's getexif() believes it; viewers do not."""
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert distance(one(factory.write_jpeg(tmp_path, image=smooth(), xmp=xmp)), SMOOTH) < 3


# Several pictures.


MOVING: list[Callable[..., Path]] = [factory.write_gif, factory.write_webp, factory.write_apng, factory.write_avif]


@pytest.mark.parametrize("write", MOVING)
def test_a_short_animation_is_read_whole_with_its_times(tmp_path: Path, write: Callable[..., Path]) -> None:
    reading = read(write(tmp_path, durations=(100, 200, 300)))
    assert reading.total == 3
    assert reading.problem is None
    assert [frame.index for frame in reading.frames] == [0, 1, 2]
    assert [frame.seconds for frame in reading.frames] == pytest.approx([0, 0.1, 0.3])
    for frame in reading.frames:
        others = [distance(frame.pixels, factory.pixels(seed=seed)) for seed in range(3)]
        assert int(np.argmin(others)) == frame.index


@pytest.mark.parametrize("write", MOVING)
def test_a_long_animation_is_sampled_evenly_in_time(tmp_path: Path, write: Callable[..., Path]) -> None:
    durations = [1000, *[50] * 20]  # 2 s: four intervals of 0.5 s, their middles at 0.25, 0.75, 1.25, 1.75
    path = write(tmp_path, size=(32, 24), durations=durations)
    reading = read(path, Sampling(count=4))
    assert reading.total == 21
    assert [frame.index for frame in reading.frames] == [0, 6, 16]
    assert [frame.seconds for frame in reading.frames] == pytest.approx([0, 1.25, 1.75])
    for frame in reading.frames:
        others = [distance(frame.pixels, factory.pixels((32, 24), seed)) for seed in range(21)]
        assert int(np.argmin(others)) == frame.index


def test_every_takes_one_frame_each_interval(tmp_path: Path) -> None:
    path = factory.write_gif(tmp_path, durations=[100] * 10)
    assert [f.index for f in read(path, Sampling(every=0.25)).frames] == [0, 2, 5, 7]
    assert [f.index for f in read(path, Sampling(every=99)).frames] == [0]
    assert [f.index for f in read(path, Sampling(every=0.01)).frames] == list(range(7))  # 64 moments, to 0.63 s


def test_durations_that_browsers_do_not_believe(tmp_path: Path) -> None:
    reading = read(factory.write_gif(tmp_path, durations=(0, 10, 20, 500)))
    assert [frame.seconds for frame in reading.frames] == pytest.approx([0, 0.1, 0.2, 0.22])


def test_frames_are_composed_not_raw(tmp_path: Path) -> None:
    """The second frame changes one corner only: what the file stores of it is small, what is seen is all."""
    first = Image.new("RGB", (40, 30), (200, 30, 30))
    second = first.copy()
    second.paste((20, 20, 220), (0, 0, 5, 5))
    for name, options in (("a.gif", {}), ("a.png", {}), ("a.webp", {"lossless": True})):
        form = {"gif": "GIF", "png": "PNG", "webp": "WEBP"}[name[2:]]
        first.save(tmp_path / name, form, save_all=True, append_images=[second], duration=100, **options)
        frames = read(tmp_path / name).frames
        assert len(frames) == 2
        assert frames[1].pixels[2, 2, 2] > 200
        assert frames[1].pixels[20, 20, 0] > 180


def test_the_default_image_of_an_apng_is_examined_and_has_no_time(tmp_path: Path) -> None:
    path = factory.write_apng(tmp_path, durations=(100, 200), default_image=True)
    reading = read(path)
    assert [(f.index, f.seconds) for f in reading.frames] == [(0, None), (1, 0.0), (2, pytest.approx(0.1))]
    long = factory.write_apng(tmp_path, size=(16, 16), durations=[100] * 20, default_image=True)
    assert [(f.index, f.seconds) for f in read(long, Sampling(count=2)).frames] == [
        (0, None),
        (6, pytest.approx(0.5)),
        (16, pytest.approx(1.5)),
    ]


def test_frames_of_animations_and_pages_are_scaled_down(tmp_path: Path) -> None:
    size = (MAX_FRAME_SIDE + 480, 50)
    assert read(factory.write_gif(tmp_path, size=size)).frames[0].pixels.shape == (50, size[0], 3)
    for path in (
        factory.write_gif(tmp_path, size=size, durations=(100, 100)),
        factory.write_tiff(tmp_path, sizes=(size, size)),
    ):
        assert {frame.pixels.shape for frame in read(path).frames} == {(40, MAX_FRAME_SIDE, 3)}


def test_all_pages_of_a_tiff_with_their_own_sizes(tmp_path: Path) -> None:
    sizes = [(40, 30), (10, 60), (25, 25)]
    reading = read(factory.write_tiff(tmp_path, sizes=sizes))
    assert [(f.index, f.seconds, f.pixels.shape[1::-1]) for f in reading.frames] == [
        (i, None, size) for i, size in enumerate(sizes)
    ]
    assert reading.total == 3
    for frame, size in zip(reading.frames, sizes, strict=True):
        assert np.array_equal(frame.pixels, factory.pixels(size, frame.index))


def test_pages_beyond_the_limit_are_counted_as_not_examined(tmp_path: Path) -> None:
    reading = read(factory.write_tiff(tmp_path, sizes=[(4, 4)] * (MAX_PAGES + 1)))
    assert len(reading.frames) == MAX_PAGES
    assert reading.total is None
    assert reading.problem
    assert str(MAX_PAGES) in reading.problem
    exact = read(factory.write_tiff(tmp_path, sizes=[(4, 4)] * MAX_PAGES))
    assert (len(exact.frames), exact.total, exact.problem) == (MAX_PAGES, MAX_PAGES, None)


def test_more_frames_than_the_limit_cannot_be_asked_for(tmp_path: Path) -> None:
    path = factory.write_gif(tmp_path, size=(8, 8), durations=[100] * 70)
    reading = read(path, Sampling(count=1000))
    assert len(reading.frames) == MAX_PAGES
    assert reading.problem


def test_the_pictures_of_a_heic(tmp_path: Path) -> None:
    path = factory.write_heic(tmp_path, images=[factory.picture((64, 64), 0), factory.picture((80, 48), 1)])
    reading = read(path)
    assert [frame.pixels.shape for frame in reading.frames] == [(64, 64, 3), (48, 80, 3)]
    assert (reading.total, reading.problem) == (2, None)
    assert load_rgb(path).shape == (64, 64, 3)


def test_the_main_picture_of_a_heic_comes_first(tmp_path: Path) -> None:
    pictures = [factory.picture((64, 64), 0), factory.picture((80, 48), 1)]
    path = factory.write_heic(tmp_path, images=pictures, primary_index=1)
    assert [frame.pixels.shape for frame in read(path).frames] == [(48, 80, 3), (64, 64, 3)]


def test_a_damaged_page_costs_only_itself(tmp_path: Path) -> None:
    path = factory.write_tiff(tmp_path, sizes=[(40, 30)] * 3, compression="tiff_adobe_deflate")
    data = bytearray(path.read_bytes())
    starts = [at for at in range(len(data)) if data.startswith(b"\x78", at)]
    with Image.open(path) as image:
        image.seek(1)
        (strip,) = image.tag_v2[273]  # type: ignore[attr-defined]
    assert strip in starts
    data[strip : strip + 40] = bytes(40)
    path.write_bytes(data)
    reading = read(path)
    assert [frame.index for frame in reading.frames] == [0, 2]
    assert reading.problem
    assert reading.problem.startswith("Page 2 was not examined")


def test_total_pixels_are_limited_and_the_rest_is_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_TOTAL_PIXELS", 2500)
    pages = read(factory.write_tiff(tmp_path, sizes=[(40, 30)] * 4))
    moving = read(factory.write_gif(tmp_path, size=(40, 30), durations=[100] * 4))
    heic = read(factory.write_heic(tmp_path, images=[factory.picture((64, 64), i) for i in range(2)]))
    assert [len(reading.frames) for reading in (pages, moving, heic)] == [2, 2, 1]
    for reading in (pages, moving, heic):
        assert reading.problem
        assert "not examined" in reading.problem


def test_the_work_on_one_animation_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = factory.write_gif(tmp_path, size=(40, 30), durations=[100] * 6)
    monkeypatch.setattr(images, "MAX_STEPPED_PIXELS", 4 * 1200)
    reading = read(path)
    assert len(reading.frames) == 4
    assert reading.problem
    assert "Frame 5 and any later ones were not examined" in reading.problem
    monkeypatch.setattr(images, "MAX_FRAMES_READ", 2)
    assert len(read(path).frames) == 2


# Hostile files.


@pytest.mark.parametrize("write", [factory.write_truncated_jpeg, factory.write_truncated_png])
@pytest.mark.parametrize("keep", [0.3, 0.5, 0.9])
def test_a_truncated_picture_is_refused_and_never_filled_up(
    tmp_path: Path, write: Callable[..., Path], keep: float
) -> None:
    with pytest.raises(UnreadableError, match="is truncated"):
        read(write(tmp_path, keep=keep))


WHOLE: list[Callable[[Path], Path]] = [
    lambda folder: factory.write_jpeg(folder, size=(64, 48)),
    lambda folder: factory.write_jpeg(folder, size=(64, 48), progressive=True),
    lambda folder: factory.write_png(folder, size=(32, 24)),
    lambda folder: factory.write_apng(folder, size=(32, 24)),
    lambda folder: factory.write_gif(folder, size=(32, 24)),
    lambda folder: factory.write_gif(folder, size=(32, 24), durations=(100, 100, 100)),
    lambda folder: factory.write_webp(folder, size=(32, 24)),
    lambda folder: factory.write_webp(folder, size=(32, 24), durations=(100, 100, 100)),
    lambda folder: factory.write_bmp(folder, size=(32, 24)),
    lambda folder: factory.write_tiff(folder, sizes=((32, 24), (20, 30))),
    lambda folder: factory.write_tiff(folder, sizes=((32, 24), (20, 30)), compression="tiff_lzw"),
    lambda folder: factory.write_heic(folder, size=(64, 64)),
    lambda folder: factory.write_avif(folder, size=(32, 24)),
    lambda folder: factory.write_avif(folder, size=(32, 24), durations=(100, 100, 100)),
]


@pytest.mark.parametrize("write", WHOLE)
def test_wherever_a_file_is_cut_no_pixel_is_made_up(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    path = write(tmp_path)
    data = path.read_bytes()
    whole = read(path)
    container = detect(data, len(data))
    assert container
    for cut in sorted({len(data) * i // 25 for i in range(1, 25)} | {len(data) - i for i in (1, 2, 4, 12, 13)}):
        path.write_bytes(data[:cut])
        try:
            reading = read_image(path, container.name, Sampling())
        except MediaError as e:
            assert e.message.isprintable()
            continue
        for frame in reading.frames:
            assert np.array_equal(frame.pixels, whole.frames[frame.index].pixels)
        assert len(reading.frames) == len(whole.frames) or reading.problem


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files_give_a_reading_or_a_media_error(tmp_path: Path, data: st.DataObject) -> None:
    write = data.draw(st.sampled_from(WHOLE))
    path = write(tmp_path)
    content = bytearray(path.read_bytes())
    container = detect(bytes(content), len(content))
    assert container
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + 4] = data.draw(st.binary(min_size=1, max_size=4))
    path.write_bytes(content)
    try:
        reading = read_image(path, container.name, Sampling(count=2))
    except MediaError as e:
        assert e.message.isprintable()
    else:
        assert reading.frames


def test_a_bomb_is_refused_from_its_header(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="100,000 x 100,000 pixels"):
        read(factory.write_bomb_png(tmp_path))
    with pytest.raises(LimitError):
        load_rgb(factory.write_bomb_png(tmp_path, side=66_000))


def test_a_large_picture_within_the_limit_gives_no_warning(tmp_path: Path) -> None:
    """Pillow warns from half of its limit on; the picture's data is missing here, so nothing large is allocated."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnreadableError):
            read(factory.write_bomb_png(tmp_path, side=10_000))


def test_the_filters_of_warnings_are_left_as_they_were(tmp_path: Path) -> None:
    before = list(warnings.filters)
    read(factory.write_png(tmp_path))
    with pytest.raises(UnreadableError):
        read(factory.write_truncated_png(tmp_path))
    assert list(warnings.filters) == before
    assert Image.MAX_IMAGE_PIXELS == 89_478_485


def test_a_gif_whose_later_frame_is_a_bomb_keeps_the_first(tmp_path: Path) -> None:
    path = factory.write_gif(tmp_path, size=(20, 20), durations=(100, 100))
    data = bytearray(path.read_bytes())
    second = data.rindex(b"\x2c", 0, len(data) - 20)
    while data[second - 8 : second - 5] != b"\x21\xf9\x04":
        second = data.rindex(b"\x2c", 0, second)
    data[second + 1 : second + 9] = struct.pack("<4H", 0, 0, 65000, 65000)
    path.write_bytes(data)
    reading = read(path)
    assert len(reading.frames) == 1
    assert reading.problem


def test_a_tile_larger_than_may_be_allocated_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tile.tif"
    path.write_bytes(_tiff("<", (4, 1), 8, 1, bytes(4), extra=[(322, 3, 65000), (323, 3, 65000)]))
    with pytest.raises(LimitError, match="a tile of page 1"):
        read(path)


def test_a_checksum_that_does_not_match_is_damage(tmp_path: Path) -> None:
    path = factory.write_png(tmp_path)
    data = bytearray(path.read_bytes())
    end = data.index(b"IEND") - 4
    data[end - 1] ^= 1  # the last byte of the checksum of IDAT
    path.write_bytes(data)
    with pytest.raises(UnreadableError, match="checksum"):
        read(path)


def test_trailing_data_does_not_hinder(tmp_path: Path) -> None:
    assert one(factory.write_jpeg(tmp_path, trailing=b"PK\3\4" + bytes(100))).shape == (HEIGHT, WIDTH, 3)
    assert one(factory.write_png(tmp_path, trailing=b"PK\3\4" + bytes(100))).shape == (HEIGHT, WIDTH, 3)


def test_a_gif_without_an_end_says_so(tmp_path: Path) -> None:
    path = factory.write_gif(tmp_path, durations=(100, 100, 100))
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\x21\xf9\x04")])
    reading = read(path)
    assert len(reading.frames) == 2
    assert reading.problem
    assert "no end mark" in reading.problem


def test_an_apng_that_promises_more_frames_says_so(tmp_path: Path) -> None:
    path = factory.write_apng(tmp_path, durations=(100, 100))
    data = path.read_bytes()
    actl = factory.png_chunk(b"acTL", struct.pack(">II", 9, 0))
    at = data.index(b"acTL") - 4
    path.write_bytes(data[:at] + actl + data[at + len(actl) :])
    reading = read(path)
    assert len(reading.frames) == 2
    assert reading.total == 9
    assert reading.problem


def test_buffered_formats_have_a_size_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepscan.media.decoding.MAX_BUFFERED_BYTES", 100)
    for write in (factory.write_webp, factory.write_avif, factory.write_heic):
        with pytest.raises(LimitError, match="in memory"):
            read(write(tmp_path))
    assert read(factory.write_png(tmp_path)).frames


def test_unknown_containers_and_files_that_are_gone(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="PDF document"):
        read_image(factory.write_text(tmp_path), "pdf", Sampling())
    with pytest.raises(UnreadableError, match=r"gone\.jpg cannot be read"):
        read_image(tmp_path / "gone.jpg", "jpeg", Sampling())
    with pytest.raises(UnreadableError):
        load_rgb(tmp_path / "gone.jpg")
    with pytest.raises(UnreadableError, match="a text file"):
        load_rgb(factory.write_text(tmp_path))


def test_a_pipe_put_in_a_files_place_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    for container in ("jpeg", "tiff", "webp", "heic", "gif"):
        with pytest.raises(UnreadableError):
            read_image(tmp_path / "a.jpg", container, Sampling())
    with pytest.raises(UnreadableError):
        load_rgb(tmp_path / "a.jpg")


def test_a_container_cannot_reach_another_decoder(tmp_path: Path) -> None:
    """The bytes decide which decoder is asked; one that is handed other bytes refuses."""
    with pytest.raises(UnreadableError):
        read_image(factory.write_png(tmp_path), "jpeg", Sampling())


def test_load_rgb_goes_by_the_bytes(tmp_path: Path) -> None:
    assert distance(load_rgb(factory.write_wrong_suffix(tmp_path)), factory.pixels()) < 12
    assert np.array_equal(load_rgb(factory.write_tiff(tmp_path, sizes=((9, 5), (4, 4)))), factory.pixels((9, 5)))


def test_names_are_clean_in_errors(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError) as told:
        read(factory.write_truncated_jpeg(tmp_path, "a\x1b[2J\nb.jpg"))
    assert told.value.message.isprintable()
    assert told.value.__cause__ is not None


def test_memory_that_is_not_there_is_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Pixels:
        raise MemoryError

    monkeypatch.setattr("deepscan.media.decoding.to_pixels", refuse)
    with pytest.raises(LimitError, match="memory"):
        read(factory.write_png(tmp_path))


def test_an_error_of_our_own_is_not_called_a_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Pixels:
        raise AttributeError("a mistake in deepscan")

    monkeypatch.setattr("deepscan.media.decoding.to_pixels", broken)
    with pytest.raises(AttributeError):
        read(factory.write_png(tmp_path))


# Arithmetic.


def test_starts_of() -> None:
    starts, end = starts_of([0.1, 0.0, 0.02])
    assert starts == [0.0, 0.1, 0.2]
    assert end == pytest.approx(0.22)
    assert starts_of([]) == ([], 0.0)


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=200),
    st.integers(1, 200),
    st.none() | st.floats(1e-6, 1e9),
    st.booleans(),
)
def test_choose_gives_frames_that_exist(
    durations: list[float], count: int, every: float | None, still_first: bool
) -> None:
    choice = choose(durations, Sampling(count, every), still_first=still_first)
    frames = len(durations) + still_first
    assert 1 <= len(choice.times) <= MAX_PAGES
    assert all(0 <= index < frames for index in choice.times)
    assert list(choice.times) == sorted(choice.times)
    assert (choice.times.get(0) is None) == (still_first or 0 not in choice.times)


def test_shrink() -> None:
    assert shrink(factory.pixels((100, 50)), 40).shape == (20, 40, 3)
    assert shrink(factory.pixels((50, 3000)), 30).shape == (30, 1, 3)
    small = factory.pixels((10, 10))
    assert shrink(small, 10) is small


@pytest.mark.corpus
@pytest.mark.slow
def test_every_real_picture_is_read_or_refused_with_a_reason(corpus: Path) -> None:
    readings = refusals = 0
    for path in sorted((corpus / "forensics" / "hostile").rglob("*")):
        if not path.is_file() or path.stat().st_size == 0:
            continue
        data = path.read_bytes()
        container = detect(data[: 64 * 1024], len(data))
        if container is None or container.kind != "image":
            continue
        try:
            reading = read_image(path, container.name, Sampling(count=2))
        except MediaError as e:
            assert e.message.isprintable()
            refusals += 1
        else:
            assert reading.frames
            readings += 1
    assert readings > 300
    assert refusals > 50
