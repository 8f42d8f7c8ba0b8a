"""Who wrote a movie file, by its own words: the camera, the recorder of its tracks, the encoder, the program that wrote
the file; and what follows where these are not the same.

A handler's name is set by whoever records a track, and FFmpeg and others keep it when they write the track anew. An
encoder's words stand inside the pictures' own data, and only encoding again removes them. Both therefore outlast the
tags of a container, and tell of a generation before this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deepscan.checks.reading.embedded import Entry
from deepscan.checks.reading.layout.tracks import Track
from deepscan.text import clean, plural
from deepscan.types import Evidence, Finding, Level, PointsTo

REWRITTEN = "DS-STRUCT-020"

MAX_WORDS = 20
"""Different words of one kind that are kept of one file."""

_ENCODERS = re.compile(rb"(?:x264 - core \d+|x265 \(build \d+\)|Lavc\d+\.\d+\.\d+|SVT-AV1|libaom)[ -~]{0,1200}")

_HANDLERS = (
    (re.compile(r"^Core Media "), "Apple's Core Media"),
    (re.compile(r"^(?:Video|Sound)Handle$"), "Android's recorder"),
    (re.compile(r"^GoPro "), "a GoPro"),
    (re.compile(r"^(?:DJI|\x08DJI)[. ]"), "a DJI camera"),
    (re.compile(r"^Mainconcept ", re.IGNORECASE), "a MainConcept encoder (Adobe's programs among others)"),
    (re.compile(r"^GPAC ISO "), "GPAC"),
    (re.compile(r"^L-SMASH "), "L-SMASH"),
    (re.compile(r"^ISO Media file produced by Google"), "Google's services"),
)
"""Names that recorders give their tracks. FFmpeg's own (``VideoHandler``) is left out: others write it too."""

_MUXERS = (
    (re.compile(r"^(?:Lavf|libavformat)", re.IGNORECASE), "FFmpeg"),
    (re.compile(r"^HandBrake"), "HandBrake"),
    (re.compile(r"^(?:mkvmerge|libmatroska|libebml)"), "mkvmerge"),
    (re.compile(r"^GPAC"), "GPAC"),
    (re.compile(r"^Google$"), "Google's services"),
)
_SIGNED = frozenset({"\xa9too", "\xa9swr", "encoder", "MuxingApp", "WritingApp"})
_CAMERA = frozenset({"\xa9mak", "\xa9mod", "com.apple.quicktime.make", "com.apple.quicktime.model"})
_CAMERA |= {"com.android.manufacturer", "com.android.model"}


@dataclass(frozen=True, slots=True)
class Writers:
    """What a file says of who wrote it, each cleaned and quoted as it stands: ``camera`` from tags, ``recorders`` as
    (handler's name, program), ``encoders`` from the pictures' data, ``muxers`` as (tag's text, program or nothing).
    """

    camera: tuple[str, ...]
    recorders: tuple[tuple[str, str], ...]
    encoders: tuple[str, ...]
    muxers: tuple[tuple[str, str], ...]


def encoders(media: bytes) -> tuple[str, ...]:
    """The different words of encoders in some bytes of media, in their order."""
    found = dict.fromkeys(clean(match[0].decode("latin-1"), 1200) for match in _ENCODERS.finditer(media))
    return tuple(found)[:MAX_WORDS]


def writers(tracks: Sequence[Track], entries: Sequence[Entry], media: bytes) -> Writers:
    """Gather what a file says of who wrote it.

    Args:
        tracks: Its tracks.
        entries: Its metadata.
        media: The first bytes of its media.
    """
    recorders = [(clean(t.handler, 80), _named(t.handler, _HANDLERS)) for t in tracks if _named(t.handler, _HANDLERS)]
    muxers = [(clean(e.text, 80), _named(e.text, _MUXERS)) for e in entries if e.key in _SIGNED and e.text]
    camera = [clean(e.text, 80) for e in entries if e.key in _CAMERA and e.text]
    return Writers(
        camera=tuple(dict.fromkeys(camera))[:MAX_WORDS],
        recorders=tuple(dict.fromkeys(recorders))[:MAX_WORDS],
        encoders=encoders(media),
        muxers=tuple(dict.fromkeys(muxers))[:MAX_WORDS],
    )


def rewritten(found: Writers) -> Iterator[Finding]:
    """The finding that the file's own words name more than one generation of it, or none."""
    reasons = [*_other_muxer(found), *_other_encoder(found), *_joined(found)]
    if not reasons:
        return
    evidence = (
        *(Evidence("camera", words) for words in found.camera),
        *(Evidence("handler of a track", words) for words, _ in found.recorders),
        *(Evidence("encoder in the media", words) for words in found.encoders),
        *(Evidence("program that wrote the file", words) for words, _ in found.muxers),
    )
    yield Finding(
        REWRITTEN,
        Level.INFO,
        PointsTo.NEITHER,
        f"This is not the first file these pictures were written to: {'; '.join(reasons)}. Messengers, sites and "
        "converters do this to every video; it does not say what was changed, or whether anything was.",
        evidence,
    )


def _other_muxer(found: Writers) -> Iterator[str]:
    for handler, recorder in found.recorders:
        for muxer, program in found.muxers:
            if program and program != recorder:
                named = f'a track carries the name that {recorder} gives ("{handler}")'
                yield f'{named}, and {program} wrote the file ("{muxer}")'
                return


def _other_encoder(found: Writers) -> Iterator[str]:
    # Cameras encode with a chip, or with their maker's own program. FFmpeg's AAC encoder signs the sound only.
    software = [words for words in found.encoders if not words.startswith("Lavc")]
    who = [*(f"names {maker}" for maker in found.camera[:1]), *(f"was recorded by {r}" for _, r in found.recorders[:1])]
    if software and who:
        yield f'it {who[0]}, and its pictures were encoded by a program on a computer ("{clean(software[0], 60)}")'


def _joined(found: Writers) -> Iterator[str]:
    for family in ("x264", "x265"):
        kinds = [words for words in found.encoders if words.startswith(family)]
        if len(kinds) > 1:
            yield f"{family} encoded it in {plural(len(kinds), 'part')} with different versions or settings"


def _named(text: str, table: Sequence[tuple[re.Pattern[str], str]]) -> str:
    return next((name for pattern, name in table if pattern.search(text)), "")
