"""Tell a container from a file's first bytes: :func:`detect`, and the signatures it goes by.

A pure room: nothing here opens a file. The specification behind each signature stands in
:mod:`deepscan.media.containers`, one row per container.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping

from deepscan.media.containers import CONTAINERS, Container

HEAD_BYTES = 64 * 1024
"""Bytes from the start of a file that :func:`detect` wants to see. An MXF may begin with a run-in of this length."""


def detect(head: bytes, size: int) -> Container | None:
    """Tell a container from a file's first bytes.

    Args:
        head: The first :data:`HEAD_BYTES` bytes, or all there are.
        size: Bytes in the whole file; a signature that promises more than that can hold is not believed.

    Returns:
        The container, or None where the bytes are nothing deepscan knows.
    """
    for offset, magic, answer in _SIGNATURES:
        if head.startswith(magic, offset):
            name = answer if isinstance(answer, str) else answer(head, size)
            if name is not None:
                return CONTAINERS[name]
    for guess in _GUESSES:
        name = guess(head, size)
        if name is not None:
            return CONTAINERS[name]
    return None


# Families: one signature, several containers.


def _png(head: bytes, _size: int) -> str:
    """An APNG has its acTL chunk before the first IDAT; chunks before it are walked, never searched for."""
    at = 8
    while at + 8 <= len(head):
        length, kind = struct.unpack_from(">I4s", head, at)
        if kind == b"acTL":
            return "apng"
        if kind in (b"IDAT", b"IEND"):
            break
        at += 12 + length
    return "png"


def _jpeg(head: bytes, _size: int) -> str:
    """JPEG-LS shares JPEG's SOI and has its own frame header, SOF55."""
    return "jls" if head[3:4] == b"\xf7" else "jpeg"


_RIFF = {b"WEBP": "webp", b"AVI ": "avi", b"AVIX": "avi", b"WAVE": "wav", b"RMID": "midi", b"CDXA": "mpeg-ps"}


def _riff(head: bytes, _size: int) -> str | None:
    return _RIFF.get(head[8:12])


_BRANDS: Mapping[bytes, str] = {
    **dict.fromkeys((b"avif", b"avis", b"avio"), "avif"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "heic"),
    **dict.fromkeys((b"avci", b"avcs", b"jpeg", b"jpgs", b"j2ki", b"j2is", b"vvic", b"vvis", b"unif"), "heic"),
    **dict.fromkeys((b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"1pic"), "heic"),
    **dict.fromkeys((b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "), "m4a"),
    **dict.fromkeys((b"jp2 ", b"jpx ", b"jpm ", b"mjp2"), "jp2"),
    b"qt  ": "mov",
    b"crx ": "raw-canon",
    b"jxl ": "jxl",
}
"""Brands of ISO/IEC 14496-12 file type boxes, from the MP4 Registration Authority (mp4ra.org)."""

_GENERAL_IMAGE_BRANDS = frozenset([b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"1pic"])
"""Brands that say "a picture", and leave the coding to the compatible brands."""


def _ftyp(head: bytes, _size: int) -> str:
    length = int.from_bytes(head[:4], "big")
    major, compatible = head[8:12], head[16 : max(16, min(length, 1024))]
    brands = {compatible[i : i + 4] for i in range(0, len(compatible) - 3, 4)}
    if major in _GENERAL_IMAGE_BRANDS:  # mif3 names the coding in place of the minor version
        return "avif" if (brands | {head[12:16]}) & {b"avif", b"avis"} else "heic"
    if major in _BRANDS:
        return _BRANDS[major]
    if major[:2] == b"3g":
        return "3gp"
    # An unknown major brand is legal: a reader looks for a compatible brand it knows (14496-12, 4.3.1).
    if not brands & {b"isom", b"iso2", b"mp41", b"mp42"}:
        for name in ("avif", "heic", "mov"):
            if any(_BRANDS.get(brand) == name for brand in brands):
                return name
    return "mp4"


_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"junk")
_FRAGMENT_BOXES = (b"styp", b"moof", b"sidx", b"emsg")


def _bare_box(head: bytes, size: int) -> str | None:
    """QuickTime files older than ftyp begin with another atom; its length must be possible, or 0 or 1 (64-bit)."""
    length = int.from_bytes(head[:4], "big")
    possible = length in (0, 1) or (length >= 8 and (length <= size or head[4:8] == b"mdat"))
    if not possible:
        return None
    return "mp4" if head[4:8] in _FRAGMENT_BOXES else "mov"


def _ebml(head: bytes, _size: int) -> str:
    """DocType (element 0x4282) of the EBML header; any other document than WebM is read as Matroska."""
    found = re.search(rb"\x42\x82[\x81-\x8f]([a-z]+)", head[:1024])
    return "webm" if found and found[1].startswith(b"webm") else "mkv"


_OGG_VIDEO = (b"\x80theora", b"\x01video\x00", b"BBCD\x00", b"OVP80")


def _ogg(head: bytes, _size: int) -> str:
    """The first packet of each stream stands on a page of its own, all before any other page (RFC 3533, 6)."""
    at = 0
    while head.startswith(b"OggS", at) and at + 27 <= len(head):
        segments = head[at + 26]
        body = at + 27 + segments
        if head.startswith(_OGG_VIDEO, body):
            return "ogv"
        at = body + sum(head[at + 27 : body])
    return "ogg"


_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_ASF_AUDIO = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")


def _asf(head: bytes, _size: int) -> str:
    return "wma" if _ASF_AUDIO in head and _ASF_VIDEO not in head else "wmv"


_SUBFILE_TYPE, _PHOTOMETRIC, _SUB_IFDS, _DNG_VERSION = 254, 262, 330, 50706
_SENSOR_DATA = (32803, 34892)


def _tiff(head: bytes, _size: int) -> str | None:
    """Plain TIFF, or a camera raw file: one whose first page is a reduced picture and whose SubIFDs hold the real one.

    Where the first page lies beyond ``head`` the answer is TIFF, and the reader refuses sensor data by itself.
    """
    if head[8:10] == b"CR" and head[:4] == b"II*\0":
        return "raw-canon"
    order = "<" if head[:2] == b"II" else ">"
    tags = _first_ifd(head, order)
    reduced = bool(tags.get(_SUBFILE_TYPE, 0) & 1)
    if tags.get(_PHOTOMETRIC) in _SENSOR_DATA or (reduced and (_SUB_IFDS in tags or _DNG_VERSION in tags)):
        return "raw-tiff"
    return "tiff"


def _first_ifd(head: bytes, order: str) -> dict[int, int]:
    """Tag -> its first value (or offset) of a TIFF's first directory, as far as ``head`` reaches."""
    big = head[2:4] in (b"+\0", b"\0+")
    start, count, entry, number = (8, "Q", "HHQQ", 20) if big else (4, "H", "HHII", 12)
    try:
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), head, start)
        (entries,) = struct.unpack_from(order + count, head, at)
        at += struct.calcsize(order + count)
        tags = {}
        for i in range(min(entries, 1000)):
            tag, form, _, value = struct.unpack_from(order + entry, head, at + i * number)
            if form == 3 and order == ">":  # a SHORT stands in the high half of a big-endian value field
                value >>= 48 if big else 16
            tags[tag] = value & 0xFFFF if form == 3 else value
    except (struct.error, OverflowError):
        return {}
    return tags


def _ico(head: bytes, size: int) -> str | None:
    """Three fixed fields are a weak signature: the first entry must also point inside the file."""
    count = int.from_bytes(head[4:6], "little")
    if not 1 <= count <= 1024 or len(head) < 22 or head[9] != 0:
        return None
    length, offset = struct.unpack_from("<II", head, 14)
    return "ico" if offset >= 6 + 16 * count and 0 < length <= size and offset < size else None


def _bmp(head: bytes, _size: int) -> str | None:
    """The two letters are too short by themselves: the length of the DIB header must be one that exists."""
    header = int.from_bytes(head[14:18], "little")
    return "bmp" if header in (12, 16, 40, 52, 56, 64, 108, 124) else None


_PNM = re.compile(
    rb"P[1-6]\s(?:\s|#[^\n]*\n)*\d+\s(?:\s|#[^\n]*\n)*\d+\s|P7\s+(?:#|WIDTH|HEIGHT|DEPTH)|P[Ff]\n\d+ \d+\n"
)


def _pnm(head: bytes, _size: int) -> str | None:
    return "pnm" if _PNM.match(head, 0, 4096) else None


def _pcx(head: bytes, _size: int) -> str | None:
    fields = len(head) >= 128 and head[1] in (0, 2, 3, 4, 5) and head[2] in (0, 1) and head[3] in (1, 2, 4, 8)
    return "pcx" if fields else None


def _sgi(head: bytes, _size: int) -> str | None:
    fields = len(head) >= 12 and head[2] in (0, 1) and head[3] in (1, 2) and head[4] == 0 and head[5] in (1, 2, 3)
    return "sgi" if fields else None


def _dv(head: bytes, _size: int) -> str | None:
    """A DIF header block of 80 bytes, then two subcode blocks (section type 1 in the top three bits)."""
    return "dv" if len(head) > 240 and head[80] >> 5 == 1 and head[160] >> 5 == 1 else None


def _emf(head: bytes, _size: int) -> str | None:
    return "wmf" if head[40:44] == b" EMF" else None


def _postscript(head: bytes, _size: int) -> str:
    return "eps" if b"EPSF" in head[:64] else "postscript"


# Guesses: what has no signature at a fixed place.


def _mpeg_ts(head: bytes, _size: int) -> str | None:
    """Sync byte 0x47 at the start of every packet: 188 bytes, 192 with a time stamp (M2TS), or 204 with parity."""
    for packet, first in ((188, 0), (192, 4), (204, 0)):
        starts = range(first, len(head), packet)
        if len(starts) >= 3 and all(head[at] == 0x47 for at in starts[:20]):
            return "mpeg-ts"
    return None


_MXF_KEY = bytes.fromhex("060e2b34020501010d0102")


def _mxf_after_run_in(head: bytes, _size: int) -> str | None:
    return "mxf" if _MXF_KEY in head else None


def _audio(head: bytes, size: int) -> str | None:
    """MPEG audio has eleven set bits as a sync word: believed only where the next frame stands where it must."""
    if len(head) >= 7 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        return "aac" if length > 7 and (head[length : length + 1] in (b"\xff", b"") or length >= size) else None
    if len(head) >= 4 and head[0] == 0xFF and head[1] in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2):
        return "mp3" if head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3 else None
    return None


_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def _text(head: bytes, _size: int) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text" if b"\0" in head[:64] else None
    if not head or _CONTROLS.search(head):
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as e:
        if e.start < len(head) - 4 or len(head) < HEAD_BYTES:  # only a character cut by the end of head is forgiven
            return None
    start = head[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") and re.search(rb"<(?:svg:)?svg[\s>]", start):
        return "svg"
    return "xbm" if re.match(rb"(?:/\*.*?\*/\s*)?#define\s+\S+_width\s+\d", start, re.DOTALL) else "text"


_Resolver = Callable[[bytes, int], str | None]

_SIGNATURES: tuple[tuple[int, bytes, str | _Resolver], ...] = (
    (0, b"\xff\xd8\xff", _jpeg),
    (0, b"\x89PNG\r\n\x1a\n", _png),
    (0, b"RIFF", _riff),
    (0, b"RIFX", _riff),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (0, b"BM", _bmp),
    (0, b"II*\0", _tiff),
    (0, b"MM\0*", _tiff),
    (0, b"II+\0", _tiff),
    (0, b"MM\0+", _tiff),
    (4, b"ftyp", _ftyp),
    *((4, box, _bare_box) for box in _BOXES + _FRAGMENT_BOXES),
    (0, b"\x1a\x45\xdf\xa3", _ebml),
    (0, b"FLV\x01", "flv"),
    (0, b"\x00\x00\x01\xba", "mpeg-ps"),
    (0, b"\x00\x00\x01\xb3", "mpeg-es"),
    (0, bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), _asf),
    (0, b"OggS", _ogg),
    (0, _MXF_KEY, "mxf"),
    (0, b"\x1f\x07\x00", _dv),
    (0, b".RMF", "realmedia"),
    (0, b"YUV4MPEG2 ", "y4m"),
    (0, b"DKIF\0\0", "ivf"),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
    (0, b"\xff\x0a", "jxl"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (0, b"\xff\x4f\xff\x51", "jp2"),
    (0, b"II\xbc", "jxr"),
    (0, b"8BPS\0\1", "psd"),
    (0, b"8BPS\0\2", "psd"),
    (0, b"gimp xcf ", "xcf"),
    (0, b"\0\0\1\0", _ico),
    (0, b"\0\0\2\0", _ico),
    (0, b"icns", "icns"),
    (0, b"%!PS-Adobe", _postscript),
    (0, b"%!", "postscript"),
    (0, b"\xc5\xd0\xd3\xc6", "eps"),
    (0, b"\xd7\xcd\xc6\x9a", "wmf"),
    (0, b"\x01\x00\x00\x00", _emf),
    (0, b"P", _pnm),
    (0, b"\x0a", _pcx),
    (0, b"\xb1\x68\xde\x3a", "pcx"),
    (0, b"\x01\xda", _sgi),
    (0, b"\x59\xa6\x6a\x95", "ras"),
    (0, b"DDS |\0\0\0", "dds"),
    (0, b"\x76\x2f\x31\x01", "exr"),
    (0, b"#?RADIANCE", "hdr"),
    (0, b"#?RGBE", "hdr"),
    (0, b"qoif", "qoi"),
    (0, b"BPG\xfb", "bpg"),
    (0, b"farbfeld", "farbfeld"),
    (0, b"/* XPM */", "xbm"),
    (0, b"BLP1", "blp"),
    (0, b"BLP2", "blp"),
    (0, b"\xabKTX ", "ktx"),
    (0, b"FTEX", "ftex"),
    (0, b"\x80\xe8\0\0", "pixar"),
    (0, b"FLIF", "flif"),
    (0, b"\x8bJNG\r\n\x1a\n", "jng"),
    (0, b"\x8aMNG\r\n\x1a\n", "mng"),
    (0, b"AT&TFORM", "djvu"),
    (0, b"SIMPLE  =", "fits"),
    (128, b"DICM", "dicom"),
    (0, b"FUJIFILMCCD-RAW", "raw-fuji"),
    (0, b"IIRO", "raw-olympus"),
    (0, b"IIRS", "raw-olympus"),
    (0, b"MMOR", "raw-olympus"),
    (0, b"IIU\0", "raw-panasonic"),
    (6, b"HEAPCCDR", "raw-canon"),
    (0, b"FOVb", "raw-sigma"),
    (0, b"\0MRM", "raw-minolta"),
    (4, b"\x11\xaf", "flic"),
    (4, b"\x12\xaf", "flic"),
    (0, b"FWS", "swf"),
    (0, b"CWS", "swf"),
    (0, b"ZWS", "swf"),
    (0, b"\0\0\0\1\x67", "h26x"),
    (0, b"\0\0\0\1\x09", "h26x"),
    (0, b"\0\0\0\1\x40\1", "h26x"),
    (0, b"%PDF-", "pdf"),
    (0, b"PK\3\4", "zip"),
    (0, b"PK\5\6", "zip"),
    (0, b"\x1f\x8b\x08", "archive"),
    (0, b"BZh", "archive"),
    (0, b"\xfd7zXZ\0", "archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive"),
    (0, b"Rar!\x1a\x07", "archive"),
    (0, b"\x28\xb5\x2f\xfd", "archive"),
    (257, b"ustar", "archive"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (0, b"ID3", "mp3"),
    (0, b"FORM", lambda head, size: "aiff" if head[8:12] in (b"AIFF", b"AIFC") else None),
    (0, b"fLaC", "flac"),
    (0, b"MThd", "midi"),
    (0, b"\x7fELF", "program"),
    (0, b"MZ", lambda head, size: "program" if b"PE\0\0" in head[:4096] else None),
    (0, b"SQLite format 3\0", "sqlite"),
)

_GUESSES: tuple[_Resolver, ...] = (_mpeg_ts, _audio, _text, _mxf_after_run_in)
