"""The border to the decoders: Pillow, and libheif through pillow-heif.

Whatever they throw on hostile bytes leaves here as a :class:`~deepscan.errors.MediaError` with a sentence. Three rules
hold throughout:

- Each container goes straight to its own decoder, never to ``Image.open``: no other plugin can be reached by crafted
  bytes, nothing new is registered with Pillow, and sizes are checked by us, from the header, before anything is
  allocated.
- A picture that is cut short is refused, never filled up: pixels the file does not hold would be examined as evidence.
- Files are read through an open handle, without Pillow's memory map: a mapped file that shrinks kills the process.

Pillow warns through :mod:`warnings` about large and odd pictures. Those warnings are silenced while a file is read,
and ``warnings.catch_warnings`` is not thread-safe before Python 3.14: read in one thread of a process at a time, as
worker processes do.
"""

from __future__ import annotations

import importlib
import io
import logging
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from PIL import ExifTags, Image, ImageFile

from deepscan.errors import LimitError, MediaError, UnreadableError, UnsupportedError
from deepscan.media.containers import CONTAINERS, TITLES
from deepscan.media.frames import Pixels
from deepscan.media.limits import MAX_BUFFERED_BYTES, MAX_METADATA_BYTES, MAX_PIXELS, MAX_SIDE
from deepscan.media.opening import open_file as open_file
from deepscan.media.png_pixels import PngPixels
from deepscan.media.tones import to_pixels
from deepscan.text import clean
from deepscan.text import size as in_words

logger = logging.getLogger(__name__)

DECODER_ERRORS: tuple[type[Exception], ...] = (
    # What Pillow 13 and pillow-heif 1.8 threw on 110,000 mutations of the hostile corpus and of small files of
    # every container; each line names a case. No more than that: an error of our own must not pass as a damaged file.
    OSError,  # most refusals: "image file is truncated", "broken data stream", "decoder error -2"
    SyntaxError,  # ImageFile wraps IndexError, TypeError, KeyError, EOFError and struct.error while it opens a file
    ValueError,  # tiles outside the picture, PNG text above its limit, libheif's "Invalid input"
    EOFError,  # libheif: unexpected end of file; WebP: a frame that cannot be decoded
    struct.error,  # a GIF that ends inside a frame's header
    LookupError,  # KeyError: a later TIFF page without its colour map; IndexError: a GIF that ends between blocks
    TypeError,  # TIFF tags that hold bytes, or several numbers, where one is meant
    ArithmeticError,  # ZeroDivisionError: an AVIF sequence whose time scale is 0
    AssertionError,  # Pillow asserts that a palette picture has a palette
    RuntimeError,  # libavif and libheif: "Decoding of color planes failed"
    MemoryError,  # an allocation was refused, by the system or by a codec's own limit
    Image.DecompressionBombError,  # Pillow's own limit, where a frame is larger than the header said
)
"""Every exception that a decoder is known to raise for what is in a file."""

FRAME_ERRORS: tuple[type[Exception], ...] = (*DECODER_ERRORS, MediaError)
"""What may go wrong with one frame or page while others can still be read."""

_TRUNCATED = (
    "truncat",
    "end of file",
    "end-of-file",
    "no more images",
    "not enough image data",
    "failed to decode next",
)
_UNSUPPORTED = ("unsupported", "not supported", "not implemented", "not been built in", "unknown pixel mode", "codec")


def shown(path: Path) -> str:
    """A file's name as an error quotes it."""
    return clean(path.name, 120)


@contextmanager
def boundary(path: Path, container: str) -> Iterator[None]:
    """Turn what a decoder throws into a MediaError, and keep its warnings from the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except DECODER_ERRORS as e:
            raise translated(e, path, container) from e


def translated(error: Exception, path: Path, container: str) -> MediaError:
    """The error a user is told of; what is one already passes unchanged."""
    if isinstance(error, MediaError):
        return error
    name = shown(path)
    what = CONTAINERS[container].with_article if container in CONTAINERS else "a picture"
    words = str(error)
    if isinstance(error, Image.DecompressionBombError):
        return LimitError(f"{name} unpacks to more than the {MAX_PIXELS:,} pixels that deepscan examines.")
    if isinstance(error, MemoryError):
        return LimitError(f"{name} needs more memory to decode than there is.", "Scan with fewer workers.")
    if isinstance(error, OSError) and error.errno is not None:
        return UnreadableError(f"{name} cannot be read: {clean(error.strerror or words)}.")
    if isinstance(error, EOFError) or any(sign in words.lower() for sign in _TRUNCATED):
        return UnreadableError(f"{name} is truncated: the file ends before its picture does ({_detail(error)}).")
    if any(sign in words.lower() for sign in _UNSUPPORTED):
        return UnsupportedError(f"{name} is {what} of a kind that deepscan has no reader for ({_detail(error)}).")
    return UnreadableError(
        f"{name} cannot be decoded as {what}: its bytes are damaged or break the format ({_detail(error)})."
    )


def _detail(error: Exception) -> str:
    """The decoder's own words; where it has none that a reader could use, the kind of error."""
    words = clean(str(error), 160).rstrip(".")
    readable = isinstance(error, (OSError, SyntaxError, ValueError, EOFError, RuntimeError))
    return words if readable and words else type(error).__name__


def check_size(size: tuple[int, int], path: Path, where: str = "") -> None:
    """Refuse a width and height in pixels before anything is allocated for them.

    Raises:
        LimitError: larger than MAX_PIXELS or MAX_SIDE.
        UnreadableError: no size at all.
    """
    width, height = size
    if width <= 0 or height <= 0:
        raise UnreadableError(f"{shown(path)} is damaged: its header gives {where or 'the picture'} no size.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise LimitError(
            f"{shown(path)} claims {width:,} x {height:,} pixels{where and ' for '}{where}, "
            f"and deepscan examines up to {MAX_PIXELS:,} pixels and {MAX_SIDE:,} on a side."
        )


# One picture.


def open_image(file: BinaryIO, path: Path, container: str) -> ImageFile.ImageFile:
    """Read the header with the container's own decoder, and check the size it gives."""
    if container in ("webp", "avif"):
        _check_buffered(file, path)
    if container == "webp":
        _check_riff(file, path)
    if container in ("png", "apng"):
        # Buffered: Pillow takes a short read for the end of the file.
        image = _plugin(container)(cast(BinaryIO, io.BufferedReader(PngPixels(file))))
        _check_checksums(file, path)
    else:
        image = _plugin(container)(file)
    check_size(image.size, path)
    return image


_PLUGINS = {
    "jpeg": "JpegImageFile",  # not jpeg_factory, which would hand a file with an MPF segment to the MPO plugin
    "png": "PngImageFile",
    "apng": "PngImageFile",
    "gif": "GifImageFile",
    "webp": "WebPImageFile",
    "bmp": "BmpImageFile",
    "tiff": "TiffImageFile",
    "avif": "AvifImageFile",
}


def _plugin(container: str) -> Callable[[BinaryIO], ImageFile.ImageFile]:
    name = _PLUGINS.get(container)
    if name is None:
        title = TITLES.get(container, repr(container))
        raise UnsupportedError(f"deepscan has no picture reader for this container: {title}.")
    module = importlib.import_module("PIL." + name.replace("ImageFile", "ImagePlugin"))  # registers it with Pillow
    return cast("Callable[[BinaryIO], ImageFile.ImageFile]", getattr(module, name))


def _check_buffered(file: BinaryIO, path: Path) -> None:
    length = file.seek(0, 2)
    file.seek(0)
    if length > MAX_BUFFERED_BYTES:
        raise LimitError(
            f"{shown(path)} has {in_words(length)}; its decoder holds the whole file in memory, "
            f"and gets {in_words(MAX_BUFFERED_BYTES)} at most."
        )


def _check_riff(file: BinaryIO, path: Path) -> None:
    """Of a file cut short, libwebp says no more than that it cannot read it; the length in its header tells."""
    file.seek(4)
    promised = int.from_bytes(file.read(4), "little") + 8
    held = file.seek(0, 2)
    file.seek(0)
    if held < promised:
        raise UnreadableError(
            f"{shown(path)} is truncated: its header promises {promised:,} bytes, and it has {held:,}."
        )


def _check_checksums(file: BinaryIO, path: Path) -> None:
    """Compare the checksums of a PNG's picture data (IDAT): Pillow does not, and the standard (13.1) has it refused.

    Leaves ``file`` where it stood, and damage of other kinds to the decoder.
    """
    at = file.tell()
    file.seek(8)
    seen = False
    while len(head := file.read(8)) == 8:
        left, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"IDAT":
            seen = True
            checksum = zlib.crc32(kind)
            while left and (block := file.read(min(left, 1024 * 1024))):
                checksum = zlib.crc32(block, checksum)
                left -= len(block)
            told = file.read(4)
            if not left and len(told) == 4 and int.from_bytes(told, "big") != checksum:
                raise UnreadableError(f"{shown(path)} is damaged: a checksum of its picture data does not match.")
        elif seen:  # IDAT chunks follow one another without a gap
            break
        else:
            file.seek(left + 4, 1)
    file.seek(at)


def decode(image: ImageFile.ImageFile, path: Path, where: str = "") -> Pixels:
    """The current frame or page, upright."""
    check_size(image.size, path, where)
    tags: Any = getattr(image, "tag_v2", None)  # TIFF only
    if tags is None:
        image.load()
        return to_pixels(image, orientation_of(image))
    _check_tiles(tags, path, where)
    bits, photometric = tags.get(ExifTags.Base.BitsPerSample, (8,)), tags.get(_PHOTOMETRIC)
    image.load()  # Pillow turns TIFF pages upright itself
    return to_pixels(image, white=4095 if bits == (12,) else 65535, inverted=photometric == _WHITE_IS_ZERO)


_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_TILE_WIDTH, _TILE_LENGTH = 322, 323


def _check_tiles(tags: Any, path: Path, where: str) -> None:
    """A TIFF decoder allocates a whole tile, however small the picture is."""
    width, length = tags.get(_TILE_WIDTH, 1), tags.get(_TILE_LENGTH, 1)
    if isinstance(width, int) and isinstance(length, int):
        check_size((width, length), path, f"a tile of {where or 'the picture'}")


def orientation_of(image: ImageFile.ImageFile) -> int:
    """The EXIF orientation, 1 where there is none or EXIF is damaged: viewers show such a picture as it is stored.

    Only EXIF is asked. Pillow's own getexif() also believes XMP, which viewers do not. For AVIF, Pillow puts the
    container's rotation (irot, imir), which alone counts there, in its place.
    """
    block = image.info.get("exif")
    if not isinstance(block, bytes) or len(block) > MAX_METADATA_BYTES:
        return 1
    exif = Image.Exif()
    try:
        exif.load(block)
        value = exif.get(ExifTags.Base.Orientation, 1)
    except DECODER_ERRORS as e:
        logger.debug("EXIF cannot be read: %r", e)
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def open_heif(file: BinaryIO, path: Path) -> Sequence[Any]:
    """The pictures of a HEIC, the main one first, none of them decoded yet; each has ``size`` and ``to_pillow()``.

    pillow-heif is used by itself, without registering its plugin with Pillow. libheif applies the rotation the
    container asks for (irot, imir), and by ISO/IEC 23008-12 EXIF orientation says nothing more.

    Raises:
        UnsupportedError: the container's pictures are in codings that libheif was built without.
        LimitError: the file is larger than may be held in memory.
    """
    import pillow_heif

    _check_buffered(file, path)
    heif = pillow_heif.open_heif(file, convert_hdr_to_8bit=True)
    if not len(heif):
        raise UnsupportedError(f"{shown(path)} is a HEIF file whose pictures have a coding deepscan has no reader for.")
    return sorted(heif, key=lambda picture: not picture.info.get("primary", False))


def decode_heif(picture: Any, path: Path, where: str = "") -> Pixels:
    """Decode one of :func:`open_heif`; the coded picture may differ in size from what the header said."""
    check_size(picture.size, path, where)
    image = picture.to_pillow()
    check_size(image.size, path, where)
    return to_pixels(image)
