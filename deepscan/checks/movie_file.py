"""The check of movie files: boxes and their order, tracks, lengths, edit lists, and what the encoder wrote.

Nothing is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from deepscan.checks.base import CheckSpec, Cost, Subject
from deepscan.checks.reading.layout import Pieces
from deepscan.checks.reading.layout.isobmff import Box, boxes
from deepscan.checks.reading.layout.tracks import Movie, Track, read_matroska_tracks, read_movie
from deepscan.checks.scope import only
from deepscan.text import clean, duration, plural
from deepscan.types import CheckResult, Evidence, Family, Finding, JSONValue, Level, MediaItem, MediaKind, PointsTo

WRITTEN, HIDDEN, LENGTHS = "DS-STRUCT-017", "DS-STRUCT-018", "DS-STRUCT-019"

SPEC = CheckSpec(
    id="movie_file",
    title="How a video file was written: boxes, tracks, edit lists, encoder",
    family=Family.STRUCTURE,
    version="1",
    kinds=frozenset({MediaKind.VIDEO}),
    codes=(WRITTEN, HIDDEN, LENGTHS),
    cost=Cost.LOW,
    looks_at="MP4, MOV, 3GP, Matroska and WebM videos",
    options=(),
)

MAX_BOXES = 20_000
"""Boxes at the top that are looked at; two hours of fragmented video have 10,000."""

MAX_SCANNED = 1024**2
"""Bytes of media that are searched for the encoder's own words: x264 writes them before the first picture."""

SLACK = 1.0
"""Seconds by which lengths may differ: sound and pictures seldom end together, and encoders add priming."""

_ISO, _MATROSKA = frozenset({"mp4", "mov", "3gp"}), frozenset({"mkv", "webm"})
_ENCODERS = re.compile(rb"(?:x264 - core \d+|x265 \(build \d+\)|Lavc\d+\.\d+\.\d+|SVT-AV1|libaom)[ -~]{0,1200}")
_MAX_LISTED = 100


class MovieFile:
    """Tells how a video file was written."""

    spec = SPEC

    def why_not(self, item: MediaItem) -> str | None:
        """It applies to the containers whose tracks are read."""
        return only(item, _ISO | _MATROSKA, "this check reads MP4, MOV, 3GP, Matroska and WebM files")

    def run(self, subject: Subject) -> CheckResult:
        """Read the boxes and tracks of one file.

        Raises:
            LimitError: its structure has too many parts.
            UnreadableError: the disk gives an error.
        """
        with subject.open() as file:
            pieces = Pieces(file)
            if subject.item.container in _MATROSKA:
                movie = Movie(0, None, read_matroska_tracks(pieces))
                findings = [_story(movie, [], "", _encoder(pieces, 0, pieces.size))]
            else:
                findings = _iso(pieces)
        return SPEC.done(findings)


def _iso(pieces: Pieces) -> list[Finding]:
    tops = list(islice(boxes(pieces, 0, pieces.size), MAX_BOXES))
    moov = next((box for box in tops if box.kind == b"moov"), None)
    media = next((box for box in tops if box.kind == b"mdat"), None)
    movie = read_movie(pieces, moov.body, moov.end - moov.body) if moov else Movie(0, None, ())
    encoder = _encoder(pieces, media.body, media.end) if media else ""
    fragmented = any(box.kind == b"moof" for box in tops)
    findings = [_story(movie, tops, _brand(pieces, tops), encoder)]
    # In fragments the header's lengths are those of the first part, or zero.
    return findings if fragmented else [*findings, *_contradictions(movie)]


def _brand(pieces: Pieces, tops: list[Box]) -> str:
    return clean(pieces.read(tops[0].body, 4).decode("latin-1")) if tops and tops[0].kind == b"ftyp" else ""


def _encoder(pieces: Pieces, at: int, end: int) -> str:
    """The first words of an encoder in the first :data:`MAX_SCANNED` bytes of the media, cleaned; empty for none."""
    found = _ENCODERS.search(pieces.read(at, min(MAX_SCANNED, max(0, end - at))))
    return clean(found[0].decode("latin-1"), 1200) if found else ""


def _story(movie: Movie, tops: list[Box], brand: str, encoder: str) -> Finding:
    kinds = [box.kind.decode("latin-1") for box in tops]
    words = [plural(len(movie.tracks), "track")]
    words += [", ".join(_named(track) for track in movie.tracks[:8])] if movie.tracks else []
    words += [duration(movie.seconds)] if movie.seconds else []
    words += [f'brand "{brand}"'] if brand else []
    if "moov" in kinds and "mdat" in kinds:
        words.append("index before the media" if kinds.index("moov") < kinds.index("mdat") else "index after the media")
    words += ["in fragments"] if "moof" in kinds else []
    by = f' The encoder wrote into the media: "{clean(encoder, 80)}".' if encoder else ""
    return Finding(
        WRITTEN,
        Level.INFO,
        PointsTo.NEITHER,
        f"The video file was written so: {'; '.join(words)}.{by} Every program and device has its own way; this is no "
        "evidence of editing.",
        (
            *((Evidence("boxes", _listed(kinds)),) if kinds else ()),
            *((Evidence("encoder in the media", encoder),) if encoder else ()),
            *(Evidence("track", _shown(track)) for track in movie.tracks),
        ),
    )


def _named(track: Track) -> str:
    kind = {"vide": "video", "soun": "sound", "subt": "subtitles"}.get(track.kind, clean(track.kind, 8) or "unknown")
    return f"{kind} {clean(track.codec, 20)}".strip()


def _listed(kinds: list[str]) -> list[str]:
    shown = [clean(kind) for kind in kinds[:_MAX_LISTED]]
    return [*shown, f"and {len(kinds) - _MAX_LISTED:,} more"] if len(kinds) > _MAX_LISTED else shown


def _shown(track: Track) -> dict[str, JSONValue]:
    rate = {None: "not looked at", 0: "not stated", 1: "constant"}.get(track.rates, "variable")
    return {
        "kind": clean(track.kind, 8),
        "codec": clean(track.codec, 40),
        "handler": clean(track.handler, 128),
        "language": clean(track.language, 40),
        "seconds": None if track.media_seconds is None else round(track.media_seconds, 3),
        "frame rate": rate,
        "edits": [
            {"seconds": round(edit.seconds, 3), "from": None if edit.start is None else round(edit.start, 3)}
            for edit in track.edits[:20]
        ],
    }


def _contradictions(movie: Movie) -> Iterator[Finding]:
    for number, track in enumerate(movie.tracks, 1):
        shown = sum(edit.seconds for edit in track.edits if edit.start is not None)
        hidden = (track.media_seconds or 0.0) - shown
        # An edit of length 0 lasts to the end of the media (14496-12, 8.6.6, and QuickTime's fragments).
        if track.edits and shown > 0 and hidden > SLACK:
            yield Finding(
                HIDDEN,
                Level.INFO,
                PointsTo.NEITHER,
                f"The edit list of track {number} ({_named(track)}) shows {duration(shown)} of "
                f"{duration(shown + hidden)} of media: the rest is in the file, and players leave it out. Trimming on "
                "a phone does this; the cut parts can be recovered.",
                (Evidence("track", _shown(track)), Evidence("seconds left out", round(hidden, 3))),
            )
    longest = max((_shown_seconds(track) for track in movie.tracks if track.kind in ("vide", "soun")), default=0.0)
    if movie.seconds and longest and abs(movie.seconds - longest) > max(SLACK, 0.02 * longest):
        yield Finding(
            LENGTHS,
            Level.INFO,
            PointsTo.NEITHER,
            f"The movie's header says {duration(movie.seconds)}, and its longest track has {duration(longest)}. Faulty "
            "writers and broken recordings do this as well as cutting tools.",
            (Evidence("seconds of the movie", round(movie.seconds, 3)), Evidence("of its tracks", round(longest, 3))),
        )


def _shown_seconds(track: Track) -> float:
    """How long a track lasts: its edit list, with empty stretches, or else its media."""
    return sum(edit.seconds for edit in track.edits) or track.media_seconds or 0.0
