"""The samples of a film in tracks: whom each face belongs to, and a sheet of each one's faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deepscan.checks.base import Sample, Subject
from deepscan.checks.film_result import Facts
from deepscan.checks.film_sheets import MOST, Seen, sheet, tile
from deepscan.media.film.tracks import Sighting, follow, look
from deepscan.media.frames import Reading

MAX_SHEETS = 24
"""Tracks of one film that get a sheet: those with most sightings."""


def followed(
    samples: Sequence[Sample], reading: Reading, facts: Facts, subject: Subject
) -> tuple[tuple[Sample, ...], dict[int, str]]:
    """The samples with the tracks they belong to, and the exhibits of tracks.

    Faces are followed within their shots; of whole frames, each shot is a track. A sample without a time has no track.
    """
    pixels = {frame.index: frame.pixels for frame in reading.frames}
    places = [i for i, s in enumerate(samples) if s.where.seconds is not None and s.where.frame is not None]
    sightings = []
    for i in places:
        where = samples[i].where
        assert where.frame is not None
        assert where.seconds is not None
        if where.box is not None:
            shot = facts.shot(where.seconds)
            sightings.append(
                Sighting(where.frame, where.seconds, shot, where.box, look(pixels[where.frame], where.box))
            )
    if len(sightings) == len(places):
        tracks = dict(zip(places, follow(sightings), strict=True))
    else:
        tracks = {i: facts.shot(samples[i].where.seconds or 0.0) for i in places}
    found = tuple(replace(sample, track=tracks.get(i)) for i, sample in enumerate(samples))
    return found, _sheets(found, reading, subject) if sightings and subject.keeps_exhibits else {}


def _sheets(samples: Sequence[Sample], reading: Reading, subject: Subject) -> dict[int, str]:
    """A contact sheet of each of the longest tracks."""
    pixels = {frame.index: frame.pixels for frame in reading.frames}
    by_track: dict[int, list[Sample]] = {}
    for sample in samples:
        if sample.track is not None and sample.where.box is not None:
            by_track.setdefault(sample.track, []).append(sample)
    longest = sorted(by_track, key=lambda number: (-len(by_track[number]), number))[:MAX_SHEETS]
    sheets: dict[int, str] = {}
    for number in sorted(longest):
        faces = sorted(by_track[number], key=lambda sample: sample.where.seconds or 0.0)
        step = max(1, len(faces) // MOST)
        seen = []
        for sample in faces[::step]:
            assert sample.where.box is not None
            assert sample.where.frame is not None
            seen.append(Seen(sample.where.seconds or 0.0, tile(pixels[sample.where.frame], sample.where.box)))
        path = subject.exhibit(f"track-{number}", sheet(seen))
        if path is not None:
            sheets[number] = path
    return sheets
