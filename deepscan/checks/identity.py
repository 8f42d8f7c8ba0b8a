"""The check of identity: is the file what its name says, is it whole, and does it end where its picture ends?

All answers come from the structure (lengths and markers); nothing is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepscan.checks.base import CheckSpec, Subject
from deepscan.checks.reading.layout import Layout, Pieces, layout
from deepscan.checks.reading.layout.base import WINDOW
from deepscan.checks.reading.layout.guests import find_guests, is_rest_of_a_png
from deepscan.checks.scope import title
from deepscan.errors import LimitError
from deepscan.media.containers import CONTAINERS, SUFFIXES, TEXT_SUFFIXES, Container
from deepscan.media.signatures import HEAD_BYTES, detect
from deepscan.text import clean, size
from deepscan.types import CheckResult, Evidence, Family, Finding, Level, MediaItem, MediaKind, PointsTo

SUFFIX, CUT_SHORT, TRAILING = "DS-STRUCT-001", "DS-STRUCT-002", "DS-STRUCT-003"
LEFTOVER, TWO_FILES = "DS-STRUCT-015", "DS-STRUCT-016"

SPEC = CheckSpec(
    id="identity",
    title="Name against content, completeness, data after the end",
    family=Family.STRUCTURE,
    version="3",
    kinds=frozenset({MediaKind.IMAGE, MediaKind.VIDEO}),
    codes=(SUFFIX, CUT_SHORT, TRAILING, LEFTOVER, TWO_FILES),
    options=(),
    by_name=True,
)

# One reader opens all of a family: a name out of the same family promises nothing false.
_FAMILIES = (
    frozenset({"png", "apng"}),
    frozenset({"mp4", "mov", "3gp", "m4a"}),
    frozenset({"mkv", "webm"}),
    frozenset({"mpeg-ps", "mpeg-es", "mpeg-ts"}),
    frozenset({"wmv", "wma"}),
    frozenset({"ogv", "ogg"}),
    frozenset({"tiff", "raw-tiff", "raw-canon"}),
)
_FOREIGN = frozenset({"zip", "archive", "pdf", "postscript", "ole", "program", "sqlite", "svg"})
_SAMSUNG = (b"SEFT", b"QDIOBS")
_HTML = re.compile(rb"<(?:!doctype html|html|script|\?php)", re.IGNORECASE)


class Identity:
    """Compares suffix and content, and walks the container to its end."""

    spec = SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """It applies to every picture and video."""
        del item
        return None

    def run(self, subject: Subject) -> CheckResult:
        """Examine the name and the structure of one file.

        Raises:
            LimitError: its structure has too many parts to be followed to the end.
            UnreadableError: the disk gives an error.
        """
        findings = list(_wrong_suffix(subject.item))
        with subject.open() as file:
            plan = layout(file, subject.item.container)
            if plan.unfinished is not None:
                raise LimitError(plan.unfinished)
            findings += _cut_short(plan)
            pieces = Pieces(file)
            follows = list(_trailing(plan, pieces, subject.item.container))
            findings += follows or _two_files(pieces)
        return SPEC.done(findings)


def _wrong_suffix(item: MediaItem) -> Iterator[Finding]:
    suffix = item.name.suffix.lower()
    promised = [name for name, suffixes in SUFFIXES.items() if suffix in suffixes]
    # Suffixes that nobody gives to media (.bin, .tmp) promise nothing.
    if not promised or suffix in TEXT_SUFFIXES or any(_related(name, item.container) for name in promised):
        return
    content = title(item.container)
    yield Finding(
        SUFFIX,
        Level.INFO,
        PointsTo.NEITHER,
        f"The file is named {clean(suffix)}, as {CONTAINERS[promised[0]].with_article} would be, and its content is "
        f"{content}. Programs and websites often rename files so; it says nothing about the picture.",
        (
            Evidence("suffix", clean(suffix)),
            Evidence("content", item.container),
            Evidence("usual suffixes", sorted(SUFFIXES.get(item.container, ()))),
        ),
    )


def _related(promised: str, container: str) -> bool:
    return promised == container or any({promised, container} <= family for family in _FAMILIES)


def _cut_short(plan: Layout) -> Iterator[Finding]:
    if plan.problem is None:
        return
    yield Finding(
        CUT_SHORT,
        Level.INFO,
        PointsTo.NEITHER,
        f"The file is damaged or incomplete. {plan.problem} What is left of it was examined; a broken download or "
        "recording is the usual cause.",
        (Evidence("structure", plan.problem),),
    )


def _two_files(pieces: Pieces) -> Iterator[Finding]:
    for guest in find_guests(pieces):
        yield Finding(
            TWO_FILES,
            Level.WEAK,
            PointsTo.NEITHER,
            f"The file is also {guest.title}: other programs would open it as that. The cause may be harmless, and it "
            "may be hidden on purpose; it says nothing about the picture.",
            (Evidence("also", guest.name), Evidence("offset", guest.offset)),
        )


def _trailing(plan: Layout, pieces: Pieces, container: str) -> Iterator[Finding]:
    if plan.end is None or plan.end >= pieces.size:
        return
    count = pieces.size - plan.end
    if container in ("png", "apng") and is_rest_of_a_png(pieces, plan.end):
        yield Finding(
            LEFTOVER,
            Level.WEAK,
            PointsTo.EDITED,
            f"After the end of the PNG picture there are {size(count)} of an earlier, larger PNG that was written "
            "over. Some programs left them when they cropped a picture (CVE-2023-21036), and parts of the earlier "
            "picture may be recoverable. It does not show what was cut away.",
            (Evidence("offset", plan.end), Evidence("bytes", count)),
        )
        return
    content, what, level = _recognise(plan, pieces)
    yield Finding(
        TRAILING,
        level,
        PointsTo.NEITHER,
        f"The picture or video ends at byte {plan.end:,}, and the file goes on for {size(count)}: {what}.",
        (
            Evidence("offset", plan.end),
            Evidence("bytes", count),
            Evidence("seems to be", content),
        ),
    )


def _recognise(plan: Layout, pieces: Pieces) -> tuple[str, str, Level]:
    """What follows the end: a word, a sentence, and what it is worth."""
    assert plan.end is not None
    head = pieces.read(plan.end, HEAD_BYTES)
    body = head.lstrip(b"\0")
    if not body and len(head) == pieces.size - plan.end:
        return "padding", "zero bytes, as many cameras and programs pad their files", Level.INFO
    found = _container(head, len(head) - len(body), pieces.size - plan.end)
    name = found.name if found is not None else "unknown"
    if name == "jpeg" and any(block.kind == "mpf" for block in plan.blocks):
        sentence = (
            "further pictures of the Multi-Picture Format, as cameras and phones add previews and depth or gain maps"
        )
        return "multi-picture", sentence, Level.INFO
    if name == "jpeg" and _announces_gain_map(plan, pieces):
        return "gain-map", "a gain map that the file's XMP announces, as phones add it for bright displays", Level.INFO
    if name in ("mp4", "mov", "3gp") or b"MotionPhoto_Data" in body[:1024]:
        return "motion-photo", "a short video, as phones add it to a motion photo", Level.INFO
    if pieces.read(pieces.size - 8, 8).endswith(_SAMSUNG):
        return "samsung-trailer", "a trailer that Samsung's cameras add", Level.INFO
    if name in _FOREIGN and found is not None:
        sentence = (
            f"what seems to be {found.with_article}. Such a file is two things at once; the cause may be harmless, and "
            "it may be hidden on purpose"
        )
        return name, sentence, Level.WEAK
    if _HTML.match(body[:1024].lstrip()):
        sentence = "a web page or a script. The cause may be harmless, and it may be hidden on purpose"
        return "html", sentence, Level.WEAK
    guest = next(find_guests(pieces), None) if found is None or name == "text" else None
    if guest is not None:
        sentence = f"data that make the file {guest.title} as well. It may be harmless, and may be hidden on purpose"
        return guest.name, sentence, Level.WEAK
    if found is None or name == "text":
        shown = clean(body[:16].decode("latin-1"))
        sentence = f'data of no known kind, beginning "{shown}". Cameras, editors and websites add their own trailers'
        return "unknown", sentence, Level.INFO
    return name, f"what seems to be {found.with_article}", Level.INFO


def _announces_gain_map(plan: Layout, pieces: Pieces) -> bool:
    """Whether XMP says that a gain map follows (Android, "Ultra HDR Image Format"; Adobe's ``hdrgm``)."""
    packets = (pieces.read(block.offset, min(block.size, WINDOW)) for block in plan.blocks if block.kind == "xmp")
    return any(b"GainMap" in packet or b"hdrgm:Version" in packet for packet in packets)


def _container(head: bytes, padding: int, count: int) -> Container | None:
    """What begins at the start, or after ``padding`` zero bytes, the last of which may belong to a box's length."""
    for skip in (0, padding, *range(max(0, padding - 3), padding)):
        found = detect(head[skip:], count - skip)
        if found is not None:
            return found
    return None
