"""The samples of a film in tracks: whom each face belongs to, and a sheet of each one's faces."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import replace

from deepscan.checks.base import Sample, Samples, Subject
from deepscan.checks.film.result import Facts
from deepscan.checks.film.sheets import MOST, Seen, sheet, tile
from deepscan.media.film.tracks import Sighting, follow, look
from deepscan.media.frames import Reading
from deepscan.media.limits import STREAM_SECONDS
from deepscan.text import duration, plural

MAX_SHEETS = 24
"""Tracks of one film that get a sheet: those with most sightings."""


def followed(
    samples: Sequence[Sample], reading: Reading, facts: Facts, subject: Subject
) -> tuple[tuple[Sample, ...], dict[int, str]]:
    """The samples with the tracks they belong to, and the exhibits of tracks."""
    pixels = {frame.index: frame.pixels for frame in reading.frames}
    seen = []
    for sample in samples:
        where = sample.where
        if where.box is not None and where.seconds is not None and where.frame is not None:
            sample = replace(sample, look=look(pixels[where.frame], where.box))
        seen.append(sample)
    found = tracked(seen, facts)
    faces = any(sample.look is not None for sample in found)
    return found, _sheets(found, reading, subject) if faces and subject.keeps_exhibits else {}


def tracked(samples: Sequence[Sample], facts: Facts) -> tuple[Sample, ...]:
    """The samples with their tracks: faces are followed within their shots; of whole frames, each shot is a track.

    A sample without a time has no track.
    """
    places = [i for i, s in enumerate(samples) if s.where.seconds is not None and s.where.frame is not None]
    sightings = [sighting for i in places if (sighting := _sighting(samples[i], facts)) is not None]
    if len(sightings) == len(places):
        tracks = dict(zip(places, follow(sightings), strict=True))
    else:
        tracks = {i: facts.shot(samples[i].where.seconds or 0.0) for i in places}
    return tuple(replace(sample, track=tracks.get(i)) for i, sample in enumerate(samples))


def cut_short(reading: Reading, count: int) -> Reading:
    """The reading of a film with its first ``count`` frames only; the others are left for another turn."""
    assert reading.footage is not None
    later = {frame.seconds for frame in reading.frames[count:] if frame.seconds is not None}
    left = tuple(sorted({*reading.footage.left, *later}))
    return replace(reading, frames=reading.frames[:count], footage=replace(reading.footage, left=left))


def joined(first: Samples, more: Samples, asked: Collection[float]) -> Samples:
    """Two lookings at one film as one: the first one's samples, then those of frames that it did not have.

    Frames that were ``asked`` for are no longer left, unless nothing came of it. New samples have no track yet
    (see :func:`settled`).
    """
    assert first.film is not None
    known = {number for number, _ in first.film.looked_at}
    seen, done = (more.film.looked_at, max(asked, default=-1.0)) if more.film else ((), -1.0)
    again = more.film.left if more.film else ()  # a turn that was cut short
    added = [frame for frame in seen if frame[0] not in known]
    facts = replace(
        first.film,
        looked_at=tuple(sorted([*first.film.looked_at, *added])),
        left=tuple(sorted({*first.film.left[bisect_right(first.film.left, done) :], *again})),
        at_a_time=min(first.film.at_a_time, len(seen)) if again else first.film.at_a_time,
        looks=first.film.looks + 1,
    )
    if not first.film.asked and added:
        facts = replace(
            facts,
            sampling=f"{facts.sampling} Then {plural(len(added), 'frame')} more, where scores were high, uncertain or "
            "changing.",
        )
    new = [replace(sample, track=None) for sample in more.samples if sample.where.frame not in known]
    left_out = [part for part in more.left_out if part.where.frame not in known]
    return replace(
        first,
        samples=(*first.samples, *new),
        left_out=(*first.left_out, *left_out),
        problem=" ".join(dict.fromkeys(filter(None, (first.problem, more.problem)))) or None,
        film=facts,
        largest=max(first.largest, more.largest),
    )


def settled(samples: Samples) -> Samples:
    """The samples of a film with all its looks behind it: each with its track, and in words what was looked at."""
    facts = samples.film
    if facts is None or not (facts.looks or facts.asked):
        return samples
    # Changed copies of a face, which are scored beside it, are where it is.
    plain = tracked([sample for sample in samples.samples if sample.variant is None], facts)
    track_of = {sample.where: sample.track for sample in plain}
    together = tuple(replace(sample, track=track_of[sample.where]) for sample in samples.samples)
    sheets = {
        track: facts.sheets[before.track]
        for before, after in zip(samples.samples, together, strict=True)
        if before.track is not None and before.track in facts.sheets and (track := after.track) is not None
    }
    facts = replace(facts, sheets=sheets)
    if not facts.asked:
        return replace(samples, samples=together, film=facts)
    seen = f"{len(facts.looked_at):,}" if facts.left else "All"
    facts = replace(facts, sampling=f"{facts.sampling} {seen} of them were.")
    return replace(samples, samples=together, film=facts, problem=_with_ending(samples.problem, facts))


def _with_ending(problem: str | None, facts: Facts) -> str | None:
    """What kept a film from being looked at whole, with a sentence where frames that were asked for are left."""
    if not facts.left:
        return problem
    ending = (
        f"{len(facts.looked_at):,} of the {facts.asked:,} frames that were asked for were looked at: one film has "
        f"{duration(STREAM_SECONDS)} of work, and the first read that fails ends it."
    )
    return f"{problem} {ending}" if problem else ending


def _sighting(sample: Sample, facts: Facts) -> Sighting | None:
    where = sample.where
    if where.box is None or where.frame is None or where.seconds is None or sample.look is None:
        return None
    return Sighting(where.frame, where.seconds, facts.shot(where.seconds), where.box, sample.look)


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
