"""The check of JPEG files: how the picture was written, told from its segments and tables, and whether that agrees with
the camera that its EXIF names. No pixels are decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from deepscan.checks import jpeg_encoders as encoders
from deepscan.checks.base import CheckSpec, Cost, Subject
from deepscan.checks.editors import find_editors
from deepscan.checks.reading.embedded import Entry
from deepscan.checks.reading.layout import Pieces, tiff
from deepscan.checks.reading.layout.segments import Header, read_header
from deepscan.checks.scope import only_jpeg
from deepscan.errors import UnreadableError
from deepscan.text import clean, plural
from deepscan.types import CheckResult, Evidence, Family, Finding, JSONValue, Level, MediaItem, MediaKind, PointsTo

WRITTEN, OTHER_WRITER = "DS-STRUCT-010", "DS-STRUCT-011"

SPEC = CheckSpec(
    id="jpeg_file",
    title="How a JPEG picture was written: segments, tables, estimated quality",
    family=Family.STRUCTURE,
    version="1",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(WRITTEN, OTHER_WRITER),
    cost=Cost.LOW,
    looks_at="JPEG pictures",
    options=(),
)

_MAKE, _MODEL, _SOFTWARE, _EXIF_POINTER, _MAKER_NOTE = 0x010F, 0x0110, 0x0131, 0x8769, 0x927C

# ITU-T T.81, annex K.3: the code counts of the typical Huffman tables, which an encoder that does not optimise writes.
_TYPICAL_COUNTS = {
    (0, 0): bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]),
    (0, 1): bytes([0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]),
    (1, 0): bytes([0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125]),
    (1, 1): bytes([0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119]),
}
_CODINGS = {
    0xC0: "baseline",
    0xC1: "extended sequential",
    0xC2: "progressive",
    0xC3: "lossless",
    0xC9: "sequential, arithmetic",
    0xCA: "progressive, arithmetic",
    0xCB: "lossless, arithmetic",
}
_LIBJPEG_ORDER = ("DQT", "SOF", "DHT", "SOS")


@dataclass(frozen=True, slots=True)
class Camera:
    """What EXIF says of the camera: its names, and whether the maker's note and the thumbnail are there."""

    make: str
    model: str
    software: str
    maker_note: bool
    thumbnail: bool


class JpegFile:
    """Tells how a JPEG file was written."""

    spec = SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """It applies to JPEG files alone."""
        return only_jpeg(item, "This check reads the segments of")

    def run(self, subject: Subject) -> CheckResult:
        """Read the segments of one file.

        Raises:
            UnreadableError: it has no frame header, or the disk gives an error.
            LimitError: it has too many segments to be followed to the end.
        """
        with subject.open() as file:
            pieces = Pieces(file)
            header = read_header(pieces)
            if header.frame is None:
                raise UnreadableError(
                    "The JPEG file has no frame header that can be read: nothing says how it was written."
                )
            camera = _camera(file, header)
        findings = (_story(header), *_contradiction(header, camera))
        return SPEC.done(findings)


def _camera(file: BinaryIO, header: Header) -> Camera | None:
    """What the first EXIF segment says of the camera; None where there is no EXIF that can be read."""
    segment = next((segment for name, segment in header.applications if name == "Exif"), None)
    if segment is None:
        return None
    pieces = Pieces(file, segment.offset + 10, max(0, segment.size - 6))
    found = tiff.first_directory(pieces)
    if found is None:
        return None
    first, little = found
    inner = tiff.read_directory(pieces, first.number(_EXIF_POINTER), little=little)
    second = tiff.read_directory(pieces, first.next, little=little)
    return Camera(
        make=tiff.text(pieces, first, _MAKE),
        model=tiff.text(pieces, first, _MODEL),
        software=tiff.text(pieces, first, _SOFTWARE),
        maker_note=inner is not None and _MAKER_NOTE in inner.entries,
        thumbnail=second is not None and bool(second.entries),
    )


def _story(header: Header) -> Finding:
    frame = header.frame
    assert frame is not None
    matches = _matches(header)
    likely = _writers(header, matches)
    coding = _CODINGS.get(frame.marker, f"SOF{frame.marker - 0xC0}")
    words = [f"{frame.width} x {frame.height} pixels, {coding}", _quality_words(matches)]
    words += [f"chroma {subsampling(header)}"] if len(frame.components) >= 3 else []
    words += [f"Huffman tables {huffman(header)}"]
    tables = f" Its tables are among those of: {'; '.join(likely)}." if likely else ""
    return Finding(
        WRITTEN,
        Level.INFO,
        PointsTo.NEITHER,
        f"The JPEG picture was written so: {', '.join(word for word in words if word)}.{tables} Many programs and "
        "cameras share one way of writing; this is no evidence of editing.",
        tuple(_evidence(header, matches, likely)),
    )


def _evidence(header: Header, matches: dict[int, encoders.Match], likely: list[str]) -> Iterator[Evidence]:
    frame = header.frame
    assert frame is not None
    more = header.count - len(header.names)
    yield Evidence("segments", [clean(name) for name in header.names] + ([f"and {more:,} more"] if more else []))
    yield Evidence(
        "picture",
        {
            "coding": _CODINGS.get(frame.marker, f"SOF{frame.marker - 0xC0}"),
            "width": frame.width,
            "height": frame.height,
            "bits": frame.precision,
            "components": len(frame.components),
            "sampling": [f"{c.across}x{c.down}" for c in frame.components[:4]],
            "chroma": subsampling(header),
            "scans": header.scans,
            "restart interval": header.restart,
            "Huffman tables": huffman(header),
        },
    )
    for place, match in matches.items():
        yield Evidence(
            "quantisation table",
            {
                "place": place,
                "quality": match.quality,
                "match": match.kind,
                "base": match.base,
                "mean difference": match.difference,
                "values in zigzag order": list(header.tables[place]),
            },
        )
    if likely:
        yield Evidence("possible writers", list[JSONValue](likely))
    if header.adobe is not None:
        yield Evidence("Adobe colour transform", header.adobe)
    if header.problems:
        yield Evidence(
            "unreadable", f"{plural(header.problems, 'segment')} cut short or not built as the standard asks"
        )


def _matches(header: Header) -> dict[int, encoders.Match]:
    frame = header.frame
    assert frame is not None
    first = frame.components[0].table if frame.components else 0
    found: dict[int, encoders.Match] = {}
    for place, table in sorted(header.tables.items(), key=lambda item: (item[0] != first, item[0])):
        prefer = found[first].quality if first in found else 0
        found[place] = encoders.compare(table, luma=place == first, prefer=prefer)
    return found


def _quality_words(matches: dict[int, encoders.Match]) -> str:
    """The estimated quality in words; empty where the file has no tables before its picture."""
    if not matches:
        return ""
    exact = {match.quality for match in matches.values() if match.kind == "exact"}
    if all(match.kind == "exact" and match.base != "mozjpeg" for match in matches.values()) and len(exact) == 1:
        return f"at quality {exact.pop()} of libjpeg's scale exactly"
    if all(match.kind == "exact" and match.base == "mozjpeg" for match in matches.values()):
        return f"at quality {min(exact)} of mozjpeg's scale exactly"
    first = next(iter(matches.values()))
    what = "between libjpeg's steps" if first.kind == "scaled" else "with tables of its own"
    return f"{what if first.kind != 'exact' else 'with tables of two kinds'}, nearest to quality {first.quality}"


def _writers(header: Header, matches: dict[int, encoders.Match]) -> list[str]:
    tables = [header.tables[place] for place in matches]
    if not tables:
        return []
    names = [row.writer for row in encoders.writers(tables[0], tables[1] if len(tables) > 1 else None)]
    if any(name == "Ducky" for name, _ in header.applications):
        names.append("Adobe's Save for Web (segment APP12 Ducky)")
    if all(match.kind == "exact" for match in matches.values()):
        mozjpeg = all(match.base == "mozjpeg" for match in matches.values()) and min(tables[0]) > 1
        names.append("mozjpeg" if mozjpeg else "libjpeg and what is built on it, and many cameras")
    return list(dict.fromkeys(names))


def subsampling(header: Header) -> str:
    """The chroma subsampling as people write it: ``4:2:0``; the factors where it has no such name."""
    frame = header.frame
    if frame is None or len(frame.components) < 3:
        return "none"
    first, others = frame.components[0], frame.components[1:3]
    if any((c.across, c.down) != (others[0].across, others[0].down) for c in others) or not others[0].across:
        return "mixed"
    ratio = (first.across / others[0].across, first.down / max(1, others[0].down))
    named: dict[tuple[float, float], str] = {
        (1, 1): "4:4:4",
        (2, 1): "4:2:2",
        (2, 2): "4:2:0",
        (1, 2): "4:4:0",
        (4, 1): "4:1:1",
        (4, 2): "4:1:0",
    }
    return named.get(ratio, f"{ratio[0]:g} x {ratio[1]:g}")


def huffman(header: Header) -> str:
    """Whether the Huffman tables are the ``standard`` ones of annex K, ``optimised``, or ``none`` in the file."""
    if not header.huffman:
        return "none"
    usual = all(_TYPICAL_COUNTS.get((t.kind, t.place)) == t.counts for t in header.huffman)
    return "standard" if usual else "optimised"


def _contradiction(header: Header, camera: Camera | None) -> Iterator[Finding]:
    """A camera's EXIF on a file that a program wrote.

    EXIF asks for its segment right after the start (CIPA DC-008, 4.5.4), and cameras and Android's ExifInterface put
    it there; libjpeg writes JFIF first, and programs add EXIF behind it. Some firmware does the same, so what counts is
    that the maker's note and the thumbnail, which cameras write, are missing as well.
    """
    if camera is None or not camera.make or not camera.model or not _by_libjpeg(header):
        return
    if find_editors([Entry("EXIF", "Software", camera.software)]):
        return  # the file says itself that a program wrote it
    lost = not camera.maker_note and not camera.thumbnail
    who = f'"{clean(camera.make, 60)}" "{clean(camera.model, 60)}"'
    also = ", and neither a maker's note nor a thumbnail is left" if lost else ""
    yield Finding(
        OTHER_WRITER,
        Level.WEAK if lost else Level.INFO,
        PointsTo.EDITED if lost else PointsTo.NEITHER,
        f"EXIF names the camera {who}, and the file is built as programs with libjpeg write it: a JFIF segment before "
        f"EXIF, libjpeg's tables and order{also}. It was probably saved again after it was taken, or EXIF was copied "
        "into it; that happens with every scaled or uploaded copy, and does not show that the content was changed.",
        (
            Evidence("camera", {"make": clean(camera.make), "model": clean(camera.model)}),
            Evidence("maker's note", camera.maker_note),
            Evidence("thumbnail", camera.thumbnail),
            Evidence("order of segments", header.names[:16]),
        ),
    )


def _by_libjpeg(header: Header) -> bool:
    """Whether the file has JFIF before EXIF, one quality of libjpeg, and its order with one table a segment."""
    names = [name for name, _ in header.applications]
    if names[:1] != ["JFIF"] or "Exif" not in names:
        return False
    matches = _matches(header).values()
    if not matches or any(match.kind != "exact" or match.base == "mozjpeg" for match in matches):
        return False
    if len({match.quality for match in matches}) > 1 or max(header.per_segment.values()) > 1:
        return False
    kinds = [name[:3] for name in header.names if name[:3] in _LIBJPEG_ORDER]
    return tuple(dict.fromkeys(kinds)) == _LIBJPEG_ORDER
