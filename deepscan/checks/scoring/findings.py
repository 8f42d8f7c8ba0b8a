"""What the classifier says: its findings in words, with what each number is a number of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deepscan.checks.base import Samples
from deepscan.checks.film.result import change_of, total_of, value_of
from deepscan.models import describe
from deepscan.models.card import ModelCard, Threshold
from deepscan.models.coverage import Stratum
from deepscan.text import clean, plural, timecode
from deepscan.types import Clip, Evidence, Film, Finding, JSONValue, Level, Part, PointsTo, Where

MAX_CLIPS = 50
"""Stretches of a film listed under one finding, the earliest first; all of them are in the film of the result."""

MAX_EVIDENCE = 50
"""Faces or frames listed under one finding, highest first; all of them are among the parts of the result."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What the score of one part is worth: a likelihood ratio, and the card's kind of picture it comes from."""

    where: Where
    stratum: Stratum
    ratio: float


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a model said of a file: ``total`` of the whole, from the parts that were ``scored``.

    ``samples`` are what it was asked about; ``worth`` has the highest likelihood ratio first; ``film`` is there for a
    video or animation.
    """

    card: ModelCard
    total: float
    scored: Sequence[Part]
    samples: Samples
    worth: Sequence[Worth]
    film: Film | None

    def sentences(self) -> tuple[str, ...]:
        """What is said of every answer at the end: of the model, and of what it did not see or saw less of."""
        return (
            describe.coverage(self.card),
            describe.licence(self.card),
            _cut_off(self.samples),
            _left_out(self.samples),
        )

    def ratio(self) -> str:
        """The highest likelihood ratio in a sentence; empty where the card knows none."""
        return describe.likelihood(self.worth[0].stratum, self.worth[0].ratio, self.card) if self.worth else ""


def resembles(answer: Answer, best: Threshold) -> Finding:
    """The finding for a score at or above a threshold."""
    card, film = answer.card, answer.film
    sentences = (
        what_scored(answer),
        f"That is at or above {best.probability:g}, this model's threshold for {best.level} evidence.",
        describe.false_alarms(best, card),
        "" if best.false_alarms is None else _caveat_of_many(answer),
        answer.ratio(),
        "Resemblance is no proof: strong compression, filters, retouching or subjects unlike the training data can "
        "cause it, and it does not say how, by whom or to what end the file was made.",
        *answer.sentences(),
    )
    lowest = min(t.probability for t in card.thresholds)
    high = sorted((p for p in answer.scored if value_of(p) >= lowest), key=value_of, reverse=True)[:MAX_EVIDENCE]
    proof = Evidence(
        "threshold",
        {
            "level": str(best.level),
            "probability": best.probability,
            "false_alarms": best.false_alarms,
            "measured_on": clean(best.measured_on),
        },
    )
    return Finding(
        code="DS-MODEL-001",
        level=best.level,
        points_to=PointsTo.GENERATED,
        summary=" ".join(s for s in sentences if s),
        evidence=(
            proof,
            *(_clip(clip) for clip in (film.clips[:MAX_CLIPS] if film else ())),
            *(Evidence(p.kind, {"probability": value_of(p)}, p.where) for p in high),
            *_ratios(answer.worth),
        ),
    )


def below(answer: Answer) -> Finding:
    """What is said of a score below every threshold."""
    lowest = min((t.probability for t in answer.card.thresholds), default=None)
    sentences = (
        what_scored(answer),
        "The model's card sets no threshold, so this says nothing by itself."
        if lowest is None
        else f"That is below {lowest:g}, this model's lowest threshold; it does not show that the file is authentic.",
        answer.ratio(),
        *answer.sentences(),
    )
    summary = " ".join(s for s in sentences if s)
    return Finding("DS-MODEL-002", Level.INFO, PointsTo.NEITHER, summary, tuple(_ratios(answer.worth)))


def _ratios(worth: Sequence[Worth]) -> Iterator[Evidence]:
    for entry in worth:
        stratum = entry.stratum
        yield Evidence(
            "likelihood ratio",
            {
                "ratio": float(f"{entry.ratio:.3g}"),
                "lower_bound": stratum.lower,
                "upper_bound": stratum.upper,
                "kind": clean(stratum.name),
                "real": stratum.real,
                "fake": stratum.fake,
            },
            entry.where,
        )


def changes(film: Film | None) -> tuple[Finding, ...]:
    """The finding that a film's score changes at a moment, or none."""
    change = change_of(film) if film else None
    if change is None:
        return ()
    where = "at a cut" if change.at_cut else "within a shot"
    summary = (
        f"The model's score of this film changes at {timecode(change.seconds)}, {where}: the {change.frames[0]} frames "
        f"looked at before it come to {change.before:g} in the mean, and the {change.frames[1]} after it to "
        f"{change.after:g}. Another person, light or camera does this as well as footage of another origin; look at "
        "both sides."
    )
    value: dict[str, JSONValue] = {
        "before": change.before,
        "after": change.after,
        "frames": list(change.frames),
        "cut": change.at_cut,
    }
    evidence = Evidence("change", value, Where(seconds=change.seconds))
    return (Finding("DS-MODEL-003", Level.INFO, PointsTo.NEITHER, summary, (evidence,)),)


def _clip(clip: Clip) -> Evidence:
    value: dict[str, JSONValue] = {
        "from": clip.span.start_timecode,
        "to": clip.span.end_timecode,
        "track": clip.track,
        "probability": clip.score.value,
    }
    return Evidence("clip", value, Where(seconds=clip.span.start))


def _meaning(card: ModelCard) -> str:
    return f'generated or manipulated (the model\'s label "{clean(card.fake_label, 60)}")'


def _what_of_film(card: ModelCard, film: Film) -> str:
    """Which track of a film has its score, and when; and how frames were chosen."""
    total, track = total_of(film)
    who = "a face" if track.kind == "face" else "the picture"
    among = f", the highest of {plural(len(film.tracks), 'track')}" if len(film.tracks) > 1 else ""
    clips = [f"{c.span.start_timecode} to {c.span.end_timecode} (track {c.track})" for c in film.clips[:5]]
    more = f" and {len(film.clips) - 5} more" if len(film.clips) > 5 else ""
    return " ".join(
        [
            f"The model gives this film a probability of {total:g} of being {_meaning(card)}: that of track "
            f"{track.number}{among}, {who} in shot {track.shot}, from {track.span.start_timecode} to "
            f"{track.span.end_timecode}, in {plural(track.looked_at, 'frame')}. A track counts with the higher half of "
            "its scores once single outliers are gone.",
            *([f"Worth looking at: {'; '.join(clips)}{more}."] if clips else []),
            film.sampling,
        ]
    )


def what_scored(answer: Answer) -> str:
    """What the number is a probability of, and what it was made of."""
    if answer.film is not None:
        return _what_of_film(answer.card, answer.film)
    scored, top = answer.scored, max(answer.scored, key=value_of)
    among = f", the highest of {plural(len(scored), top.kind)}," if len(scored) > 1 else ""
    meaning = _meaning(answer.card)
    return f"The model gives {_place(top)}{among} a probability of {answer.total:g} of being {meaning}."


def _caveat_of_many(answer: Answer) -> str:
    scored = answer.scored
    if not any(part.where.seconds is None for part in scored):
        return f"That rate is one of single {describe.noun(answer.card)}s; for videos it has not been measured."
    if len(scored) > 1:
        return f"Each of the {plural(len(scored), scored[0].kind)} scored is another chance of a false alarm."
    return ""


def _place(part: Part) -> str:
    where, box = part.where, part.where.box
    what = f"the {part.kind}"
    if box is not None:
        what += f" at x {box.x}, y {box.y} ({box.width} x {box.height} pixels)"
    if where.seconds is not None:
        return f"{what} at {where.seconds:.2f} s" + (f" (frame {where.frame})" if where.frame is not None else "")
    return what if where.frame is None else f"{what} on page {where.frame + 1}" if box else f"page {where.frame + 1}"


CUT_OFF = 1 / 3
"""Part of a face's box outside the picture from which on it is named as cut off."""


def _cut_off(samples: Samples) -> str:
    count = sum(sample.cut > CUT_OFF and sample.variant is None for sample in samples.samples)
    if not count:
        return ""
    return (
        f"Cut off by the edge of the picture: {plural(count, 'face')}, of which more than a third lies outside; the "
        "model had less of it to see."
    )


def _left_out(samples: Samples) -> str:
    faces = sum(part.kind == "face" for part in samples.left_out)
    empty = [part for part in samples.left_out if part.kind != "face"]
    sentences = []
    if faces:
        sentences.append(f"Left out: {plural(faces, 'face')}, each with its reason among the parts.")
    if empty:
        sentences.append(f"Not scored: {plural(len(empty), empty[0].kind)}, each with its reason among the parts.")
    return " ".join(sentences)
