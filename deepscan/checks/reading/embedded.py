"""Everything a file says about itself in words, from every place where its container can hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from deepscan.checks.reading.exif import Exif, Position, Reads, read_exif, read_exif_block
from deepscan.checks.reading.heif import item_blocks
from deepscan.checks.reading.icc import read_icc
from deepscan.checks.reading.iptc import iptc_of_photoshop, read_iptc
from deepscan.checks.reading.layout import WALKED, Block, Pieces, layout
from deepscan.checks.reading.matroska import matroska_info, matroska_tags
from deepscan.checks.reading.movie import movie_tags
from deepscan.checks.reading.png_text import as_text, raw_profile, read_text, unpack
from deepscan.checks.reading.xmp import read_packet
from deepscan.checks.reading.xmp_parts import XmpParts
from deepscan.errors import LimitError, UnreadableError
from deepscan.media.limits import MAX_METADATA_BYTES
from deepscan.text import size as readable_size

READ = WALKED | {"tiff"}
"""The containers whose metadata is read."""

MAX_TOTAL_BYTES = 4 * MAX_METADATA_BYTES
"""Bytes of all metadata of one file together, compressed texts unpacked."""

MAX_ENTRIES = 50_000

_SMALL = 4096
"""Bytes of compressed text that cannot unpack to enough to matter (4 MiB at the most)."""

_RAW_PROFILE = "Raw profile type "


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement: where it stands (``EXIF``, ``XMP``, ``PNG iTXt``, ``MP4 tag`` ...), its name there, its text."""

    source: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A place that holds metadata which cannot be read, and why, as a sentence."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """What one file says: ``entries`` in the order they stand, ``position`` from EXIF, ``pixels`` as the structure has
    them (width, height), ``problems`` by place, ``damaged`` EXIF values by field name with the reason, and the
    size of EXIF's own small picture, the ``thumbnail`` (width, height).
    """

    entries: tuple[Entry, ...]
    position: Position | None
    pixels: tuple[int, int] | None
    problems: tuple[Problem, ...]
    damaged: Mapping[str, str] = field(default_factory=dict)
    thumbnail: tuple[int, int] | None = None
    container: str = ""


def read_embedded(file: BinaryIO, container: str) -> Embedded:
    """Read the metadata of an open file of a container that :mod:`deepscan.media.containers` names.

    What cannot be read becomes a problem; nothing is raised for damaged or hostile bytes.
    """
    plan = layout(file, container)
    gatherer = _Gatherer(file)
    if plan.unfinished is not None:
        gatherer.problems.append(Problem("structure", plan.unfinished))
    if container == "tiff":
        with gatherer.noting("EXIF"):
            gatherer.take_exif(read_exif(file, gatherer.reads))
    for block in plan.blocks:
        with gatherer.noting(block.name):
            gatherer.take(block)
        if gatherer.full:
            break
    gatherer.take_parts()
    return Embedded(
        tuple(gatherer.entries),
        gatherer.position,
        plan.pixels,
        tuple(gatherer.problems),
        gatherer.damaged,
        gatherer.thumbnail,
        container,
    )


class _Gatherer:
    """Reads blocks into entries, under one limit for the whole file."""

    def __init__(self, file: BinaryIO) -> None:
        self.entries: list[Entry] = []
        self.position: Position | None = None
        self.problems: list[Problem] = []
        self.damaged: dict[str, str] = {}
        self.full = False
        self.reads = Reads()
        self.thumbnail: tuple[int, int] | None = None
        self._xmp_parts = XmpParts()
        self._icc = b""
        self._pieces = Pieces(file)
        self._spent = 0
        self._readers: Mapping[str, Callable[[Block], None]] = {
            "exif": lambda block: self.take_exif(read_exif_block(self._body(block), self.reads)),
            "xmp": lambda block: self._take_xmp(self._body(block)),
            "xmp-extension": lambda block: self._xmp_parts.add(self._body(block)),
            "icc": lambda block: self._add_all("ICC", read_icc(self._body(block))),
            "icc-part": self._take_icc_part,
            "icc-packed": self._take_packed_icc,
            "photoshop": lambda block: self._take_iptc(iptc_of_photoshop(self._body(block))),
            "comment": lambda block: self._add(block.name, "", as_text(self._body(block)).strip("\0 \t\r\n")),
            "gif-comment": lambda block: self._add(block.name, "", as_text(_sub_blocks(self._body(block)))),
            "text": self._take_png_text,
            "png-time": self._take_png_time,
            "meta": self._take_items,
            "moov": self._take_movie,
            "mkv-info": lambda block: self._add_all(block.name, matroska_info(self._pieces, block)),
            "mkv-tags": self._take_matroska_tags,
            "avi-info": lambda block: self._add_all(block.name, _avi_info(self._body(block))),
            "avi-exif": lambda block: self._add_all(block.name, _avi_info(self._body(block))),
            "avi-stream": self._take_avi_stream,
            "avi-date": lambda block: self._add(block.name, "IDIT", as_text(self._body(block)).strip("\0 \t\r\n")),
        }

    @contextmanager
    def noting(self, source: str) -> Iterator[None]:
        """Turn what cannot be read into a problem of this place."""
        try:
            yield
        except (UnreadableError, LimitError) as e:
            self.problems.append(Problem(source, e.message))

    def take(self, block: Block) -> None:
        """Read a block of any kind. Raises UnreadableError, LimitError."""
        reader = self._readers.get(block.kind)
        if reader is not None:
            reader(block)

    def take_exif(self, exif: Exif) -> None:
        """Take over what an EXIF block says, and the packets inside it."""
        self._add_all("EXIF", exif.texts.items())
        self.position = self.position or exif.position
        self.thumbnail = self.thumbnail or exif.thumbnail
        self.damaged.update(exif.problems)
        if exif.failure is not None:
            self.problems.append(Problem("EXIF", exif.failure))
        if exif.xmp:
            with self.noting("XMP"):
                self._take_xmp(exif.xmp)
        self._take_iptc(exif.iptc)
        if exif.icc:
            with self.noting("ICC"):
                self._add_all("ICC", read_icc(exif.icc))

    def take_parts(self) -> None:
        """Read what was spread over several blocks: extended XMP, and the colour profile of a JPEG file."""
        if self._icc:
            with self.noting("ICC"):
                self._add_all("ICC", read_icc(self._icc))
        wanted = {e.text.upper() for e in self.entries if e.key == "xmpNote:HasExtendedXMP"}
        for packet in self._xmp_parts.whole(wanted):
            with self.noting("XMP"):
                self._take_xmp(packet)
        if self._xmp_parts.problem is not None:
            self.problems.append(Problem("XMP", self._xmp_parts.problem))

    def _body(self, block: Block) -> bytes:
        if block.size > MAX_METADATA_BYTES:
            raise LimitError(f"A block of {readable_size(block.size)} of metadata is too large to be read.")
        self._spend(block.size)
        return self._pieces.read(block.offset, block.size)

    def _spend(self, count: int) -> None:
        self._spent += count
        self.full = self._spent > MAX_TOTAL_BYTES or len(self.entries) >= MAX_ENTRIES
        if self.full:
            raise LimitError("The file holds more metadata than deepscan reads of one file; the rest was not read.")

    def _add(self, source: str, key: str, text: str) -> None:
        self._spend(len(text))
        if text:
            self.entries.append(Entry(source, key, text))

    def _add_all(self, source: str, pairs: Iterable[tuple[str, str]]) -> None:
        for key, text in pairs:
            self._add(source, key, text)

    def _take_xmp(self, packet: bytes) -> None:
        properties, problem = read_packet(packet)
        self._add_all("XMP", properties)
        if problem is not None:
            raise problem

    def _take_icc_part(self, block: Block) -> None:
        # A number, the count of parts, then the bytes (ICC.1:2022, B.4); what is read stands in the first part.
        if not self._icc:
            self._icc = self._body(block)[2:]

    def _take_packed_icc(self, block: Block) -> None:
        packed = self._body(block).partition(b"\0")[2][1:]
        self._add_all("ICC", read_icc(self._unpacked(packed)))

    def _unpacked(self, packed: bytes) -> bytes:
        """Unpack zlib, within what is left of the file's budget, which pays for the work even where it fails."""
        limit = min(MAX_METADATA_BYTES, MAX_TOTAL_BYTES - self._spent)
        try:
            data = unpack(packed, limit)
        except (UnreadableError, LimitError):
            self._spent += limit if len(packed) > _SMALL else len(packed)
            raise
        self._spend(len(data))
        return data

    def _take_avi_stream(self, block: Block) -> None:
        # Casio and Nikon keep a directory of EXIF tags without a TIFF header here (ExifTool, RIFF.pm, StreamData).
        body = self._body(block)
        if body.startswith(b"AVIF"):
            self.take_exif(read_exif_block(b"II*\0\x08\0\0\0" + body[8:], self.reads))

    def _take_iptc(self, block: bytes) -> None:
        self._add_all("IPTC", read_iptc(block))

    def _take_png_text(self, block: Block) -> None:
        key, text, packed = read_text(block.name.removeprefix("PNG "), self._body(block))
        text = self._unpacked(text) if packed else text
        if key == "XML:com.adobe.xmp":
            self._take_xmp(text)
        elif key.startswith(_RAW_PROFILE):
            self._take_profile(key.removeprefix(_RAW_PROFILE), raw_profile(as_text(text)))
        else:
            self._add(block.name, key, as_text(text))

    def _take_profile(self, kind: str, profile: bytes) -> None:
        """ImageMagick keeps foreign metadata in PNG text; EXIF profiles begin as in a JPEG segment."""
        if kind in ("exif", "APP1") and profile.startswith(b"Exif\0\0"):
            self.take_exif(read_exif_block(profile[6:], self.reads))
        elif kind == "xmp":
            self._take_xmp(profile)
        elif kind in ("iptc", "8bim"):
            self._take_iptc(iptc_of_photoshop(profile) or profile)

    def _take_png_time(self, block: Block) -> None:
        raw = self._body(block)
        year, rest = int.from_bytes(raw[:2], "big"), raw[2:7]
        self._add(block.name, "tIME", "{:04d}:{:02d}:{:02d} {:02d}:{:02d}:{:02d}Z".format(year, *rest))

    def _take_items(self, block: Block) -> None:
        for item in item_blocks(self._pieces, block):
            with self.noting(item.name):
                self.take(item)

    def _take_matroska_tags(self, block: Block) -> None:
        for source, key, text in matroska_tags(self._pieces, block):
            self._add(source, key, text)

    def _take_movie(self, block: Block) -> None:
        for source, key, text in movie_tags(self._pieces, block):
            if source == "XMP packet":
                with self.noting("XMP"):
                    self._take_xmp(text.encode("latin-1"))
            else:
                self._add(source, key, text)


def _sub_blocks(raw: bytes) -> bytes:
    """The text of GIF sub-blocks: each a length and that many bytes, up to a length of 0."""
    parts: list[bytes] = []
    at = 0
    while at < len(raw) and raw[at]:
        parts.append(raw[at + 1 : at + 1 + raw[at]])
        at += 1 + raw[at]
    return b"".join(parts)


def _avi_info(raw: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at + 8 <= len(raw):
        size = int.from_bytes(raw[at + 4 : at + 8], "little")
        text = raw[at + 8 : at + 8 + size].split(b"\0", 1)[0]
        yield raw[at : at + 4].decode("latin-1"), as_text(text).strip()
        at += 8 + size + size % 2
