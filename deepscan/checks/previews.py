"""The check of previews: whether the smaller copies that a JPEG file holds still show the picture that it shows.

Cameras write a thumbnail, and many programs that change the picture leave it as it was (N. Krawetz 2007; E. Kee and
H. Farid, "Digital image authentication from thumbnails", 2010).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from deepscan.checks import likeness
from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Subject
from deepscan.checks.reading.layout import Pieces
from deepscan.checks.reading.layout.previews import Preview, find_previews, orientation
from deepscan.checks.reading.layout.segments import read_header
from deepscan.checks.scope import only_jpeg
from deepscan.config import SAMPLING
from deepscan.errors import MediaError, UnreadableError
from deepscan.media import decoding
from deepscan.media.frames import Pixels
from deepscan.text import clean
from deepscan.text import size as readable_size
from deepscan.types import CheckResult, Evidence, Family, Finding, Level, MediaItem, MediaKind, PointsTo

OTHER_PICTURE, NOT_COMPARED = "DS-STRUCT-012", "DS-STRUCT-013"

SPEC = CheckSpec(
    id="previews",
    title="Embedded thumbnails and previews against the picture",
    family=Family.STRUCTURE,
    version="1",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(OTHER_PICTURE, NOT_COMPARED),
    cost=Cost.MEDIUM,
    looks_at="JPEG pictures that hold a thumbnail or a preview",
    options=(*SAMPLING, "exhibits"),
)

MAX_BYTES = 8 * 1024**2
"""Bytes of one preview that are decoded; full HD ones have about one MiB."""

MAX_PIXELS = 4_000_000
"""Pixels of one preview that are decoded (full HD has two million)."""

DIFFERENT = 0.85
"""Correlation below which a preview shows another picture or another part of it. The previews of 60 real files reach
0.99 and more; tone curves far stronger than a camera's keep 0.94. Chosen on the files that it was measured on."""

REGION = 1.0
"""Mean difference of a region, in standard deviations of the picture, above which that region shows something else.
The same real files stay below 0.27, strong tone curves below 0.64."""


class Previews:
    """Compares each embedded preview with the picture."""

    spec = SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """It applies to JPEG files alone."""
        return only_jpeg(item, "This check compares the previews in")

    def run(self, subject: Subject) -> CheckResult:
        """Decode the previews and compare each with the picture.

        Raises:
            NotApplicableError: the file holds no preview.
            MediaError: the picture itself cannot be decoded.
        """
        with subject.open() as file:
            header = read_header(Pieces(file))
            previews = tuple(find_previews(file, header))
            turned = orientation(file, header)
            if not previews:
                raise NotApplicableError("The file holds no thumbnail or preview to compare the picture with.")
            findings = [
                finding
                for number, preview in enumerate(previews)
                for finding in _compare(subject, file, preview, number, turned)
            ]
        return SPEC.done(findings)


def _compare(subject: Subject, file: BinaryIO, preview: Preview, number: int, turned: int) -> Iterator[Finding]:
    try:
        small = read_preview(file, preview)
    except MediaError as e:
        yield _not_compared(preview, clean(e.message))
        return
    main = subject.reading().frames[0].pixels
    found = likeness.compare(main, upright(small, turned))
    if found is None:
        which = "The preview" if likeness.is_blank(small) else "The picture"
        yield _not_compared(preview, f"{which} shows nothing that could be compared.")
        return
    if found.correlation >= DIFFERENT and found.worst < REGION:
        return
    whole = found.correlation < DIFFERENT
    what = "another picture, or another part of it," if whole else "something else in a part of the picture"
    yield Finding(
        OTHER_PICTURE,
        Level.WEAK,
        PointsTo.EDITED,
        f"The {preview.place}, {small.shape[1]} x {small.shape[0]} pixels, shows {what} than the picture itself "
        f"(correlation {found.correlation:.2f} of 1). The picture was changed, cropped or replaced after the preview "
        "was made, or a program copied the preview from another file. It does not show what was done or why.",
        (
            Evidence("correlation of preview and picture, from -1 to 1", found.correlation),
            Evidence("largest difference of a region in standard deviations", found.worst),
            Evidence("place", preview.place),
            Evidence("pixels of the preview", [small.shape[1], small.shape[0]]),
            *_exhibits(subject, main, small, number),
        ),
    )


def _not_compared(preview: Preview, why: str) -> Finding:
    return Finding(
        NOT_COMPARED,
        Level.INFO,
        PointsTo.NEITHER,
        f"The {preview.place} could not be compared with the picture. {why} This says nothing about the picture.",
        (Evidence("place", preview.place), Evidence("offset", preview.offset), Evidence("bytes", preview.size)),
    )


def _exhibits(subject: Subject, main: Pixels, small: Pixels, number: int) -> Iterator[Evidence]:
    if not subject.keeps_exhibits:
        return
    import cv2

    scale = min(1.0, 640 / max(main.shape[:2]))
    size = (max(1, round(main.shape[1] * scale)), max(1, round(main.shape[0] * scale)))
    shown = np.asarray(cv2.resize(np.ascontiguousarray(main), size, interpolation=cv2.INTER_AREA), np.uint8)
    ending = "" if number == 0 else f"-{number + 1}"
    yield Evidence("thumbnail", "the preview as stored", exhibit=subject.exhibit(f"thumbnail{ending}", small))
    yield Evidence("main", "the picture, scaled down", exhibit=subject.exhibit(f"main{ending}", shown))
    yield Evidence("what to look for", "Objects, persons or edges that only one of the two shows.")
    yield Evidence("what to ignore", "Other sharpness, colour and tone, black bars, and a turned preview.")


def read_preview(file: BinaryIO, preview: Preview) -> Pixels:
    """Decode a preview, (height, width, 3) RGB.

    Raises:
        UnreadableError: it lies outside the file, is empty, or damaged.
        LimitError: it is larger than a preview may be.
    """
    if preview.size > MAX_BYTES:
        raise UnreadableError(f"It claims {readable_size(preview.size)}, more than a preview has.")
    data = Pieces(file).read(preview.offset, preview.size)
    if len(data) < preview.size:
        raise UnreadableError("It claims to lie where the file has ended.")
    if not data.startswith(b"\xff\xd8"):
        raise UnreadableError("What stands in its place is no JPEG picture.")
    name = Path(preview.place)
    with decoding.boundary(name, "jpeg"):
        held = io.BytesIO(data)
        image = decoding.open_image(held, name, "jpeg")
        if image.width * image.height > MAX_PIXELS:
            raise UnreadableError(f"It claims {image.width:,} x {image.height:,} pixels, more than a preview has.")
        return decoding.decode(image, name)


def upright(small: Pixels, orientation: int) -> Pixels:
    """Mirror a preview as EXIF orientation asks for the picture; the comparison tries quarter turns itself."""
    return np.ascontiguousarray(small[:, ::-1]) if orientation in (2, 4, 5, 7) else small
