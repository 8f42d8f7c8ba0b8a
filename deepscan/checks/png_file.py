"""The check of PNG files: which chunks stand in which order, and what that tells of how the file was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby, islice

from deepscan.checks.base import CheckSpec, Cost, Subject
from deepscan.checks.reading.layout import Pieces
from deepscan.checks.reading.layout.png import Chunk, chunks
from deepscan.checks.scope import only
from deepscan.errors import UnreadableError
from deepscan.text import clean, plural
from deepscan.types import CheckResult, Evidence, Family, Finding, JSONValue, Level, MediaItem, MediaKind, PointsTo

WRITTEN = "DS-STRUCT-014"

SPEC = CheckSpec(
    id="png_file",
    title="How a PNG picture was written: chunks and their order",
    family=Family.STRUCTURE,
    version="2",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(WRITTEN,),
    cost=Cost.LOW,
    looks_at="PNG and APNG pictures",
    options=(),
)

MAX_CHUNKS = 100_000
"""Chunks that are looked at. Animations of an hour have some ten thousand."""

_MAX_LISTED = 200
_COLOURS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
_TEXTS = frozenset({"tEXt", "zTXt", "iTXt"})

# W3C PNG, third edition, table 7: chunks of which there may be one at most, and those registered or public.
_SINGLE = frozenset(
    [
        "IHDR",
        "PLTE",
        "IEND",
        "acTL",
        "cHRM",
        "cICP",
        "gAMA",
        "iCCP",
        "mDCV",
        "cLLI",
        "sBIT",
        "sRGB",
        "bKGD",
        "hIST",
        "tRNS",
        "eXIf",
        "pHYs",
        "tIME",
        "oFFs",
        "pCAL",
        "sCAL",
        "sTER",
    ]
)
_PUBLIC = _SINGLE | _TEXTS | frozenset(["IDAT", "fcTL", "fdAT", "sPLT", "gIFg", "gIFt", "gIFx", "dSIG"])

_PRIVATE = {
    "caBX": "a C2PA manifest (C2PA specification, PNG)",
    "iDOT": "Apple's own division of the picture data",
    "CgBI": "Apple's own form for iOS, which other readers refuse",
    "vpAg": "ImageMagick's virtual page",
    "orNT": "ImageMagick's orientation",
    "caNv": "ImageMagick's canvas",
    "prVW": "a preview of Adobe Fireworks",
    "mkBF": "Adobe Fireworks",
    "mkTS": "Adobe Fireworks",
    "mkBS": "Adobe Fireworks",
    "mkBT": "Adobe Fireworks",
    "cpIp": "Adobe Photoshop",
    "meTa": "metadata of an old draft",
}
"""Private chunks whose writer is known (ExifTool's PNG tag names; ImageMagick's coders/png.c)."""


class PngFile:
    """Tells how a PNG file was written."""

    spec = SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """It applies to PNG and APNG files alone."""
        return only(item, ("png", "apng"), "this check reads the chunks of PNG files")

    def run(self, subject: Subject) -> CheckResult:
        """Read the chunks of one file.

        Raises:
            UnreadableError: it does not begin with a header chunk, or the disk gives an error.
        """
        with subject.open() as file:
            pieces = Pieces(file)
            found = list(islice(chunks(pieces), MAX_CHUNKS))
            if not found or found[0].kind != "IHDR" or found[0].size != 13:
                raise UnreadableError("The PNG file does not begin with a header chunk (IHDR).")
            header = pieces.read(found[0].offset + 8, 13)
            stream = next((pieces.read(c.offset + 8, 2) for c in found if c.kind == "IDAT" and c.size >= 2), b"")
        return SPEC.done((_story(found, header, stream),))


def _story(found: Sequence[Chunk], header: bytes, stream: bytes) -> Finding:
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    colour = _COLOURS.get(header[9], f"colour type {header[9]}")
    oddities = list(_oddities(found))
    told = f" {' '.join(oddities)}" if oddities else ""
    return Finding(
        WRITTEN,
        Level.INFO,
        PointsTo.NEITHER,
        f"The PNG picture was written so: {width:,} x {height:,} pixels, {colour}, {plural(header[8], 'bit')}, "
        f"{'interlaced' if header[12] else 'not interlaced'}, in {plural(len(found), 'chunk')}.{told} "
        "This is no evidence of editing.",
        (
            Evidence("chunks", _listed(found)),
            Evidence(
                "picture",
                {
                    "width": width,
                    "height": height,
                    "colour": colour,
                    "bits": header[8],
                    "interlaced": bool(header[12]),
                },
            ),
            Evidence("picture data", _data(found, stream)),
            *(Evidence("unusual", sentence) for sentence in oddities),
        ),
    )


def _listed(found: Sequence[Chunk]) -> list[str]:
    """The chunks in order; neighbours of one kind are counted together."""
    runs = [(kind, len(list(group))) for kind, group in groupby(found, key=lambda chunk: chunk.kind)]
    listed = [kind if count == 1 else f"{kind} x {count:,}" for kind, count in runs[:_MAX_LISTED]]
    return [*listed, f"and {len(runs) - _MAX_LISTED:,} more"] if len(runs) > _MAX_LISTED else listed


def _data(found: Sequence[Chunk], stream: bytes) -> JSONValue:
    sizes = [chunk.size for chunk in found if chunk.kind == "IDAT"]
    # RFC 1950, 2.2: the two top bits of the second byte tell how hard the compressor tried.
    level = ("fastest", "fast", "default", "most")[stream[1] >> 6] if len(stream) == 2 else "unknown"
    return {"IDAT chunks": len(sizes), "largest": max(sizes, default=0), "zlib effort": level}


def _oddities(found: Sequence[Chunk]) -> list[str]:
    counts = Counter(chunk.kind for chunk in found)
    kinds = [chunk.kind for chunk in found]
    sentences = []
    last = max((place for place, kind in enumerate(kinds) if kind == "IDAT"), default=len(kinds))
    late = sum(kind in _TEXTS for kind in kinds[last + 1 :])
    if late:
        sentences.append(f"{plural(late, 'text chunk')} follow the picture data, where few programs put them.")
    twice = sorted(kind for kind, count in counts.items() if count > 1 and kind in _SINGLE)
    if twice:
        sentences.append(f"The standard allows one each of: {', '.join(twice)}; there are more.")
    first = kinds.index("IDAT") if "IDAT" in kinds else 0
    if any(kind != "IDAT" for kind in kinds[first : last + 1]) and "fdAT" not in counts:
        sentences.append("Other chunks stand between those of the picture data, which the standard forbids.")
    for kind in sorted(set(kinds) - _PUBLIC)[:20]:
        known = _PRIVATE.get(kind)
        sentences.append(f"The private chunk {clean(kind)} is {known}." if known else f"{clean(kind)} is unknown.")
    return sentences
