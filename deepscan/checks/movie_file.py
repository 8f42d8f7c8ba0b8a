"""The check of movie files: boxes and their order, tracks, lengths, edit lists, and what the encoder wrote.

Nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from deepscan.checks.base import CheckSpec, Cost, Subject
from deepscan.checks.movie_writers import REWRITTEN, Writers, rewritten, writers
from deepscan.checks.reading.embedded import Entry
from deepscan.checks.reading.layout import Pieces
from deepscan.checks.reading.layout.isobmff import Box, boxes
from deepscan.checks.reading.layout.tracks import Movie, Track, read_matroska_tracks, read_movie
from deepscan.checks.scope import only
from deepscan.text import clean, duration, plural
from deepscan.types import CheckResult, Evidence, Family, Finding, JSONValue, Level, MediaItem, MediaKind, PointsTo

WRITTEN, HIDDEN, LENGTHS = "DS-STRUCT-017", "DS-STRUCT-018", "DS-STRUCT-019"
APART, OLDER = "DS-STRUCT-021", "DS-STRUCT-022"

SPEC = CheckSpec(
    id="movie_file",
    title="How a video file was written: boxes, tracks, edit lists, encoder",
    family=Family.STRUCTURE,
    version="2",
    kinds=frozenset({MediaKind.VIDEO}),
    codes=(WRITTEN, HIDDEN, LENGTHS, REWRITTEN, APART, OLDER),
    cost=Cost.LOW,
    looks_at="MP4, MOV, 3GP, Matroska and WebM videos",
    options=(),
    by_name=True,  # copies have times of their own
)

MAX_BOXES = 20_000
"""Boxes at the top that are looked at; two hours of fragmented video have 10,000."""

MAX_SCANNED = 1024**2
"""Bytes of media that are searched for the encoder's own words: x264 writes them before the first picture."""

SLACK = 1.0
"""Seconds by which lengths may differ: sound and pictures seldom end together, and encoders add priming."""

DAY = 86_400
"""Seconds by which the parts of one recording may say they were made apart: some writers use local time."""

MAX_CREATED = 2**32
"""Seconds since 1904 up to which a creation time is believed: those of 2040."""

_ISO, _MATROSKA = frozenset({"mp4", "mov", "3gp"}), frozenset({"mkv", "webm"})
_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
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
        entries = subject.embedded().entries
        with subject.open() as file:
            pieces = Pieces(file)
            if subject.item.container in _MATROSKA:
                movie = Movie(0, None, read_matroska_tracks(pieces))
                found = writers(movie.tracks, entries, _start(pieces, 0, pieces.size))
                findings = [_story(movie, [], "", found)]
            else:
                found, findings = _iso(pieces, entries, subject.item)
        return SPEC.done((*findings, *rewritten(found)))


def _iso(pieces: Pieces, entries: Sequence[Entry], item: MediaItem) -> tuple[Writers, list[Finding]]:
    tops = list(islice(boxes(pieces, 0, pieces.size), MAX_BOXES))
    moov = next((box for box in tops if box.kind == b"moov"), None)
    media = next((box for box in tops if box.kind == b"mdat"), None)
    movie = read_movie(pieces, moov.body, moov.end - moov.body) if moov else Movie(0, None, ())
    found = writers(movie.tracks, entries, _start(pieces, media.body, media.end) if media else b"")
    fragmented = any(box.kind == b"moof" for box in tops)
    findings = [_story(movie, tops, _brand(pieces, tops), found), *_apart(movie), *_older(item, movie)]
    # In fragments the header's lengths are those of the first part, or zero.
    return found, findings if fragmented else [*findings, *_contradictions(movie)]


def _brand(pieces: Pieces, tops: list[Box]) -> str:
    return clean(pieces.read(tops[0].body, 4).decode("latin-1")) if tops and tops[0].kind == b"ftyp" else ""


def _start(pieces: Pieces, at: int, end: int) -> bytes:
    """The bytes of the media in which encoders are looked for."""
    return pieces.read(at, min(MAX_SCANNED, max(0, end - at)))


def _story(movie: Movie, tops: list[Box], brand: str, found: Writers) -> Finding:
    kinds = [box.kind.decode("latin-1") for box in tops]
    words = [plural(len(movie.tracks), "track")]
    words += [", ".join(_named(track) for track in movie.tracks[:8])] if movie.tracks else []
    words += ["no sound"] if movie.tracks and all(track.kind != "soun" for track in movie.tracks) else []
    words += [duration(movie.seconds)] if movie.seconds else []
    words += [f'brand "{brand}"'] if brand else []
    if "moov" in kinds and "mdat" in kinds:
        words.append("index before the media" if kinds.index("moov") < kinds.index("mdat") else "index after the media")
    words += ["in fragments"] if "moof" in kinds else []
    by = f' The encoder wrote into the media: "{clean(found.encoders[0], 80)}".' if found.encoders else ""
    by += f' The program that wrote the file calls itself "{found.muxers[0][0]}".' if found.muxers else ""
    return Finding(
        WRITTEN,
        Level.INFO,
        PointsTo.NEITHER,
        f"The video file was written so: {'; '.join(words)}.{by} Every program and device has its own way; this is no "
        "evidence of editing.",
        (
            *((Evidence("boxes", _listed(kinds)),) if kinds else ()),
            *(Evidence("encoder in the media", encoder) for encoder in found.encoders),
            *(Evidence("program that wrote the file", muxer) for muxer, _ in found.muxers),
            *(Evidence("track", _shown(track)) for track in movie.tracks),
        ),
    )


def _named(track: Track) -> str:
    kind = {"vide": "video", "soun": "sound", "subt": "subtitles"}.get(track.kind, clean(track.kind, 8) or "unknown")
    size = f"{track.size[0]} x {track.size[1]}" if all(track.size) else ""
    pace = _pace(track) if track.kind == "vide" else ""
    told = ", ".join(part for part in (size, pace, "" if track.enabled else "switched off") if part)
    return f"{kind} {clean(track.codec, 20)}".strip() + (f" ({told})" if told else "")


def _pace(track: Track) -> str:
    """The mode and rate of a track's frames, in words; empty where nothing tells."""
    pace = track.pace
    if pace is None or pace.longest <= 0:
        return ""
    if pace.even or pace.samples == 0:
        return f"{1 / pace.longest:.5g} frames a second{'' if pace.samples else ' stated'}"
    mean = f", {pace.samples / track.media_seconds:.4g} a second in the mean" if track.media_seconds else ""
    return f"a varying rate{mean}" if pace.even is False else f"a rate of many steps{mean}"


def _moment(created: int) -> str:
    return (_EPOCH + timedelta(seconds=created)).strftime("%Y-%m-%d %H:%M:%SZ")


def _older(item: MediaItem, movie: Movie) -> Iterator[Finding]:
    """A file that was last written before it says that it was made."""
    modified = item.path.stat().st_mtime - _EPOCH.timestamp()
    if not 0 < movie.created < MAX_CREATED or modified >= movie.created - DAY:
        return
    made, written = _moment(movie.created), _moment(int(modified))
    yield Finding(
        OLDER,
        Level.INFO,
        PointsTo.NEITHER,
        f"The file says that it was made on {made}, and the disk that it was last written on {written}, before that. A "
        "clock that was wrong explains it, and so does a time that was set by hand. The time of a file changes with "
        "many ways of copying it, and is no part of its contents.",
        (Evidence("made", made), Evidence("last written", written)),
    )


def _apart(movie: Movie) -> Iterator[Finding]:
    """Tracks that say they were made at another time than the movie."""
    times = {0: movie.created, **{number: track.created for number, track in enumerate(movie.tracks, 1)}}
    known = {number: made for number, made in times.items() if 0 < made < MAX_CREATED}
    if not known or max(known.values()) - min(known.values()) <= DAY:
        return
    shown = {number: _moment(made) for number, made in known.items()}
    listed = "; ".join(f"{f'track {number}' if number else 'the movie'} on {when}" for number, when in shown.items())
    yield Finding(
        APART,
        Level.INFO,
        PointsTo.NEITHER,
        f"The parts of the file say that they were made more than a day apart: {clean(listed, 600)}. Programs that put "
        "together or rewrite recordings leave this, and so do clocks that were set in between.",
        tuple(Evidence(f"track {number}" if number else "movie", when) for number, when in shown.items()),
    )


def _listed(kinds: list[str]) -> list[str]:
    shown = [clean(kind) for kind in kinds[:_MAX_LISTED]]
    return [*shown, f"and {len(kinds) - _MAX_LISTED:,} more"] if len(kinds) > _MAX_LISTED else shown


def _shown(track: Track) -> dict[str, JSONValue]:
    pace = track.pace
    mode = {None: "not looked at", True: "constant", False: "variable"}[pace.even] if pace else "not stated"
    return {
        "kind": clean(track.kind, 8),
        "codec": clean(track.codec, 40),
        "handler": clean(track.handler, 128),
        "language": clean(track.language, 40),
        "seconds": None if track.media_seconds is None else round(track.media_seconds, 3),
        "frame rate": "stated" if pace and not pace.samples else mode,
        "samples": pace.samples if pace else None,
        "sample seconds": [round(pace.shortest, 6), round(pace.longest, 6)] if pace else None,
        "size": list(track.size),
        "enabled": track.enabled,
        "compressor": clean(track.compressor, 40),
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
