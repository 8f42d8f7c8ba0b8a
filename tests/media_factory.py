"""Small real media made in code, the same bytes of picture on every run: the tests' only source of files.

Every ``write_*`` function writes one file into ``folder`` and returns its path. Pixels are a smooth gradient with
seeded noise, so that encoders have something to do and a test can tell one frame from another.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

Pixels = NDArray[np.uint8]

SIZE = (96, 64)
"""Width and height of the pictures, unless told otherwise: no square, so that a swapped side shows."""


def pixels(size: tuple[int, int] = SIZE, seed: int = 0, noise: int = 16) -> Pixels:
    """A gradient with noise, shape (height, width, 3): bright upper left corner in red, dark lower right corner.

    The corners stay apart for every seed, so that a test can see which way up a picture is.
    """
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    across, down = x / max(1, width - 1), y / max(1, height - 1)
    base = np.stack([230 - 170 * across, 60 + 120 * down, 200 - 90 * across - 80 * down], axis=-1)
    base[..., seed % 3] += 18
    grain = np.random.default_rng(seed).integers(-noise, noise + 1, base.shape) if noise else 0
    return np.clip(base + grain, 0, 255).astype(np.uint8)


def picture(size: tuple[int, int] = SIZE, seed: int = 0, noise: int = 16) -> Image.Image:
    """The same as a Pillow image."""
    return Image.fromarray(pixels(size, seed, noise))


def exif(
    *,
    orientation: int | None = None,
    make: str | None = None,
    model: str | None = None,
    software: str | None = None,
    taken: datetime | None = None,
    digitised: datetime | None = None,
    modified: datetime | None = None,
    comment: bytes | None = None,
    gps: tuple[float, float] | None = None,
) -> Image.Exif:
    """An EXIF block. ``taken`` is DateTimeOriginal, ``modified`` DateTime, ``gps`` latitude and longitude (degrees)."""
    block = Image.Exif()
    base = ExifTags.Base
    texts: dict[int, object] = {
        base.Orientation: orientation,
        base.Make: make,
        base.Model: model,
        base.Software: software,
        base.DateTime: _stamp(modified),
    }
    block.update({tag: value for tag, value in texts.items() if value is not None})
    inner = block.get_ifd(ExifTags.IFD.Exif)
    inner_values: dict[int, object] = {
        base.DateTimeOriginal: _stamp(taken),
        base.DateTimeDigitized: _stamp(digitised),
        base.UserComment: comment,
    }
    inner.update({tag: value for tag, value in inner_values.items() if value is not None})
    if gps is not None:
        latitude, longitude = gps
        block.get_ifd(ExifTags.IFD.GPSInfo).update(
            {
                ExifTags.GPS.GPSLatitudeRef: "N" if latitude >= 0 else "S",
                ExifTags.GPS.GPSLatitude: _degrees(latitude),
                ExifTags.GPS.GPSLongitudeRef: "E" if longitude >= 0 else "W",
                ExifTags.GPS.GPSLongitude: _degrees(longitude),
            }
        )
    return block


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y:%m:%d %H:%M:%S")


def _degrees(angle: float) -> tuple[float, float, float]:
    minutes, degrees = np.modf(abs(angle))
    seconds, whole = np.modf(minutes * 60)
    return float(degrees), float(whole), round(float(seconds) * 60, 3)


def write_jpeg(
    folder: Path,
    name: str = "photo.jpg",
    *,
    image: Image.Image | None = None,
    size: tuple[int, int] = SIZE,
    seed: int = 0,
    quality: int = 90,
    exif: Image.Exif | bytes | None = None,
    trailing: bytes = b"",
    **save: Any,
) -> Path:
    """A JPEG. ``save`` goes to Pillow (``subsampling``, ``progressive``, ``comment``, ``icc_profile``, ``xmp``)."""
    path = folder / name
    extra = {} if exif is None else {"exif": exif}
    (image or picture(size, seed)).save(path, "JPEG", quality=quality, **extra, **save)
    if trailing:
        with path.open("ab") as file:
            file.write(trailing)
    return path


def write_cmyk_jpeg(folder: Path, name: str = "cmyk.jpg", *, size: tuple[int, int] = SIZE, **save: Any) -> Path:
    """A CMYK JPEG with an Adobe marker, its values inverted as Adobe does (Pillow writes it so)."""
    return write_jpeg(folder, name, image=picture(size).convert("CMYK"), **save)


def write_png(
    folder: Path,
    name: str = "picture.png",
    *,
    image: Image.Image | None = None,
    size: tuple[int, int] = SIZE,
    seed: int = 0,
    text: Mapping[str, str] | None = None,
    international: Mapping[str, str] | None = None,
    compressed: Mapping[str, str] | None = None,
    trailing: bytes = b"",
    **save: Any,
) -> Path:
    """A PNG. ``text`` becomes tEXt chunks, ``international`` iTXt and ``compressed`` zTXt."""
    chunks = PngInfo()
    for key, value in (text or {}).items():
        chunks.add_text(key, value)
    for key, value in (international or {}).items():
        chunks.add_itxt(key, value)
    for key, value in (compressed or {}).items():
        chunks.add_text(key, value, zip=True)
    path = folder / name
    (image or picture(size, seed)).save(path, "PNG", pnginfo=chunks, **save)
    if trailing:
        with path.open("ab") as file:
            file.write(trailing)
    return path


def write_grey_png(folder: Path, name: str = "grey.png", *, size: tuple[int, int] = SIZE, seed: int = 0) -> Path:
    """An 8-bit grey PNG."""
    return write_png(folder, name, image=picture(size, seed).convert("L"))


def write_grey16_png(folder: Path, name: str = "grey16.png", *, size: tuple[int, int] = SIZE) -> Path:
    """A 16-bit grey PNG that uses its whole range: black in the left column, white in the right one."""
    ramp = np.linspace(0, 65535, size[0]).round().astype(np.uint16)
    return write_png(folder, name, image=Image.fromarray(np.tile(ramp, (size[1], 1))))


def write_rgb16_png(
    folder: Path, name: str = "rgb16.png", *, size: tuple[int, int] = SIZE, alpha: bool = False
) -> Path:
    """A 16-bit colour PNG (Pillow cannot write one): red from none to full, green half, blue the reverse.

    With ``alpha`` the upper half is transparent.
    """
    width, height = size
    ramp = np.tile(np.linspace(0, 65535, width).round(), (height, 1))
    planes = [ramp, np.full_like(ramp, 32768), ramp[:, ::-1]]
    if alpha:
        planes.append(np.where(np.arange(height)[:, None] < height // 2, 0.0, 65535.0) * np.ones_like(ramp))
    rows = np.stack(planes, axis=-1).astype(">u2")
    raw = b"".join(b"\x00" + row.tobytes() for row in rows)
    path = folder / name
    path.write_bytes(
        PNG_SIGNATURE
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 6 if alpha else 2, 0, 0, 0))
        + png_chunk(b"IDAT", zlib.compress(raw))
        + png_chunk(b"IEND", b"")
    )
    return path


def write_palette_png(
    folder: Path, name: str = "palette.png", *, size: tuple[int, int] = SIZE, transparent: int | None = None
) -> Path:
    """A palette PNG. ``transparent`` is a palette index that is written as transparent."""
    extra: dict[str, Any] = {} if transparent is None else {"transparency": transparent}
    return write_png(folder, name, image=picture(size).quantize(32), **extra)


def write_alpha_png(folder: Path, name: str = "alpha.png", *, size: tuple[int, int] = SIZE) -> Path:
    """A PNG whose left half is transparent (over black pixels) and whose right half is opaque."""
    image = Image.fromarray(np.zeros((size[1], size[0], 4), np.uint8))
    image.paste(picture((size[0] - size[0] // 2, size[1])).convert("RGBA"), (size[0] // 2, 0))
    return write_png(folder, name, image=image)


def write_apng(
    folder: Path,
    name: str = "moving.png",
    *,
    size: tuple[int, int] = SIZE,
    durations: Sequence[int] = (100, 200, 300),
    default_image: bool = False,
) -> Path:
    """An animated PNG, one frame per duration (ms). With ``default_image`` a still stands before the animation."""
    return _write_animation(folder / name, "PNG", size, durations, {"default_image": True} if default_image else {})


def write_gif(
    folder: Path,
    name: str = "picture.gif",
    *,
    size: tuple[int, int] = SIZE,
    durations: Sequence[int] = (),
    image: Image.Image | None = None,
) -> Path:
    """A GIF: a still, or with ``durations`` (ms) an animation of as many frames."""
    return _write(folder / name, "GIF", image or picture(size), durations, {}, {"loop": 0})


def write_webp(
    folder: Path,
    name: str = "picture.webp",
    *,
    size: tuple[int, int] = SIZE,
    durations: Sequence[int] = (),
    image: Image.Image | None = None,
    **save: Any,
) -> Path:
    """A WebP: a still, or with ``durations`` (ms) an animation of as many frames."""
    still, moving = {"quality": 90, **save}, {"lossless": True, **save}
    return _write(folder / name, "WEBP", image or picture(size), durations, still, moving)


def write_bmp(
    folder: Path, name: str = "picture.bmp", *, size: tuple[int, int] = SIZE, image: Image.Image | None = None
) -> Path:
    """A BMP."""
    path = folder / name
    (image or picture(size)).save(path, "BMP")
    return path


def write_tiff(
    folder: Path,
    name: str = "pages.tif",
    *,
    sizes: Sequence[tuple[int, int]] = (SIZE,),
    images: Sequence[Image.Image] = (),
    **save: Any,
) -> Path:
    """A TIFF with one page per entry of ``sizes`` (or of ``images``); ``save`` goes to Pillow (``compression``)."""
    first, *others = images or [picture(size, seed) for seed, size in enumerate(sizes)]
    path = folder / name
    first.save(path, "TIFF", save_all=True, append_images=others, **save)
    return path


def write_heic(
    folder: Path,
    name: str = "photo.heic",
    *,
    size: tuple[int, int] = SIZE,
    images: Sequence[Image.Image] = (),
    exif: Image.Exif | bytes | None = None,
    **save: Any,
) -> Path:
    """A HEIC, encoded by pillow-heif without registering anything with Pillow; several ``images`` are allowed.

    ``exif`` goes to the main picture. Where it holds an orientation, pillow-heif also writes it into the container
    (irot, imir), as phones do. Images must not carry EXIF in their ``info``: pillow-heif would turn their pixels too.
    """
    import pillow_heif

    first, *others = images or [picture(size)]
    file: Any = pillow_heif.from_pillow(first)
    for image in others:
        file.add_from_pillow(image)
    extra = {} if exif is None else {"exif": exif.tobytes() if isinstance(exif, Image.Exif) else exif}
    path = folder / name
    file.save(path, **{"quality": 90, **extra, **save})
    return path


def write_avif(
    folder: Path,
    name: str = "photo.avif",
    *,
    size: tuple[int, int] = SIZE,
    durations: Sequence[int] = (),
    image: Image.Image | None = None,
    **save: Any,
) -> Path:
    """An AVIF: a still, or with ``durations`` (ms) a sequence of as many frames."""
    options = {"speed": 10, "quality": 90, **save}
    return _write(folder / name, "AVIF", image or picture(size), durations, options, options)


def _write(
    path: Path,
    form: str,
    still: Image.Image,
    durations: Sequence[int],
    of_stills: Mapping[str, Any],
    of_animations: Mapping[str, Any],
) -> Path:
    """A still, or with ``durations`` an animation of its size; each with the encoder's options of its own."""
    if durations:
        return _write_animation(path, form, still.size, durations, of_animations)
    still.save(path, form, **of_stills)
    return path


def _write_animation(
    path: Path, form: str, size: tuple[int, int], durations: Sequence[int], options: Mapping[str, Any]
) -> Path:
    extra = 1 if options.get("default_image") else 0
    first, *others = [picture(size, seed) for seed in range(len(durations) + extra)]
    first.save(path, form, save_all=True, append_images=others, duration=list(durations), **options)
    return path


# Files that are not what they should be.

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk with its length and its right CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def truncate(path: Path, keep: float = 0.5) -> Path:
    """Cut a file to the first ``keep`` of its bytes, in place."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


def write_truncated_jpeg(folder: Path, name: str = "cut.jpg", *, keep: float = 0.5) -> Path:
    """A JPEG whose end is missing."""
    return truncate(write_jpeg(folder, name, size=(240, 160)), keep)


def write_truncated_png(folder: Path, name: str = "cut.png", *, keep: float = 0.5) -> Path:
    """A PNG whose end is missing."""
    return truncate(write_png(folder, name), keep)


def write_bomb_png(folder: Path, name: str = "bomb.png", *, side: int = 100_000) -> Path:
    """A PNG of some hundred bytes whose header claims ``side`` x ``side`` pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    path = folder / name
    path.write_bytes(PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b""))
    return path


def write_empty(folder: Path, name: str = "empty.jpg") -> Path:
    """A file of zero bytes."""
    path = folder / name
    path.write_bytes(b"")
    return path


def write_text(folder: Path, name: str = "notes.txt", text: str = "Nothing to see here.\n") -> Path:
    """A text file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def write_wrong_suffix(folder: Path, name: str = "really_a_jpeg.png") -> Path:
    """A JPEG that is named as a PNG."""
    return write_jpeg(folder, name)
