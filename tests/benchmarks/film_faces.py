"""What is measured on faces from frame to frame, in real clips and in ones with a cause planted into them.

``python -m tests.benchmarks.film_faces ../shared/data [--planted]`` prints the tables of docs/video.md. The real clips
were at hand while the signals were made and thresholds were set: these are no blind tests.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from deepscan.checks.closely import blinks, pulse, steadiness
from deepscan.checks.closely.following import Followed, Follower
from deepscan.checks.closely.windows import MOST_FRAMES, Seen
from deepscan.media.faces import HaarFinder
from deepscan.media.film.stretch import stretch
from deepscan.media.frames import Pixels
from deepscan.types import Box
from tests.benchmarks.table import Table
from tests.planted_films import PULSE_COLOUR, Planted, encoded, frames

HERTZ = 1.2
"""Of the pulse that is painted."""


def follow(path: Path, most: int = MOST_FRAMES) -> Followed | None:
    """The largest face of a film's first frame, followed through its first frames."""
    follower: Follower | None = None
    with path.open("rb") as file:
        for number, (seconds, pixels) in enumerate(stretch(file, 0.0, 3600.0, time.monotonic() + 3600)):
            if follower is None:
                faces = HaarFinder().find(pixels)
                if not faces:
                    continue
                follower = Follower((Seen(1, number, seconds, faces[0].box),))
            follower.add(seconds, pixels)
            if number + 1 >= most:
                break
    return follower.followed() if follower else None


def described(face: Followed) -> tuple[object, ...]:
    """The columns of a row: size, rate and length, and each measure or the reason why there is none."""
    flicker, movement = steadiness.flicker(face), steadiness.movement(face)
    counted = blinks.why_not(face) or len(blinks.measure(face))
    rhythm: object = pulse.why_not(face)
    if rhythm is None:
        found = pulse.measure(face)
        clear = "clear" if found.clear else "not clear"
        rhythm = f"{60 * found.hertz:.0f} a minute, {found.share:.0%}, {clear}"
    return (
        f"{face.side:.0f}",
        f"{face.rate:.3g}",
        f"{face.length:.1f}",
        f"{flicker.face:.2f} / {flicker.head:.2f}",
        movement if isinstance(movement, str) else f"{movement.face:.2f} / {movement.head:.2f}, {movement.follows:.2f}",
        counted,
        rhythm,
    )


COLUMNS = ("side", "rate", "seconds", "flicker % face / head", "moves face / head, follows", "blinks", "rhythm in skin")


def real(clips: dict[str, Path], labels: dict[str, str]) -> Table:
    """What is measured on the clips as they are."""
    rows = []
    for name, path in clips.items():
        face = follow(path)
        rows.append((name, labels[name], *(described(face) if face else ("no face", *[""] * (len(COLUMNS) - 1)))))
    return Table("Clips as they are", ("clip", "label", *COLUMNS), rows)


def planted(clips: dict[str, Path], folder: Path, crf: int) -> Table:
    """How often a cause that was planted into the first seconds of each clip is named, and another one is."""
    causes = ("none", "stays", "flicker 2 %", "pulse 2 %")
    named: dict[str, list[str]] = {cause: [] for cause in causes}
    for path in clips.values():
        before = follow(path, 200)
        if before is None:
            continue
        pictures = list(_first(path, len(before.seconds)))
        for cause in causes:
            changed = _with(cause, pictures, before)
            film = encoded(folder / "planted.mp4", changed, round(before.rate), crf=crf)
            face = follow(film)
            named[cause].append(_named(face) if face else "no face")
            sys.stderr.write(f"{path.name}, {cause}: {named[cause][-1] or 'nothing'}\n")
    answers = ("stays", "apart", "flickers", "pulse", "not judged: movement", "not judged: pulse")
    rows = [(cause, *(sum(a in found.split(", ") for found in named[cause]) for a in answers)) for cause in causes]
    return Table(f"Of {len(named['none'])} clips with a planted cause, at CRF {crf}", ("planted", *answers), rows)


def _first(path: Path, count: int) -> Iterator[Pixels]:
    with path.open("rb") as file:
        for number, (_, pixels) in enumerate(stretch(file, 0.0, 3600.0, time.monotonic() + 3600)):
            if number == count:
                return
            height, width = pixels.shape[:2]
            yield pixels[: height // 2 * 2, : width // 2 * 2]


def _with(cause: str, pictures: list[Pixels], face: Followed) -> Iterator[Pixels]:
    """The frames with a cause planted into the face, in a soft ellipse that goes with it (or stays)."""
    rng = np.random.default_rng(9)
    size = float(cause.split()[1]) / 100 if " " in cause else 0.0
    for picture, (x, y), now in zip(pictures, face.middles, face.seconds, strict=False):
        if cause == "stays":
            x, y = face.middles[0]
        reach = round(0.65 * face.side)
        left, top = max(0, round(x) - reach), max(0, round(y) - reach)
        here = np.s_[top : round(y) + reach, left : round(x) + reach]
        mask = np.zeros(picture[here].shape[:2], np.float32)
        axes = round(0.36 * face.side), round(0.46 * face.side)
        cv2.ellipse(mask, (round(x) - left, round(y + 0.04 * face.side) - top), axes, 0, 0, 360, 1.0, -1)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(1.0, 0.03 * face.side)), np.float32)[..., None]
        there: NDArray[np.float64] = (pictures[0] if cause == "stays" else picture)[here].astype(np.float64)
        if cause.startswith("flicker"):
            there *= 1 + size * rng.standard_normal()
        elif cause.startswith("pulse"):
            there *= 1 + size * PULSE_COLOUR * np.sin(2 * np.pi * HERTZ * now)
        changed = picture.copy()
        mixed = picture[here] * (1 - mask) + there * mask
        # Rounding up and down by chance keeps changes of less than one grey level, as a camera's noise does.
        changed[here] = np.clip(mixed + rng.random(mixed.shape), 0, 255).astype(np.uint8)
        yield changed


def _named(face: Followed) -> str:
    """What is named of a face, in words."""
    movement = steadiness.movement(face)
    found = ["flickers"] if steadiness.flicker(face).stands_out else []
    if isinstance(movement, str) or (movement.head < steadiness.LEAST_MOVED and not movement.apart):
        found.append("not judged: movement")
    elif movement.stays or movement.apart:
        found.append("stays" if movement.stays else "apart")
    if pulse.why_not(face):
        return ", ".join([*found, "not judged: pulse"])
    rhythm = pulse.measure(face)
    return ", ".join([*found, "pulse"] if rhythm.clear else found)


def chance(trials: int = 300) -> Table:
    """How often noise alone has a clear rhythm, and the share of the signal that its strongest one has."""
    rng = np.random.default_rng(5)
    rows = []
    for seconds in (6, 8, 10, 12):
        count = 25 * seconds
        blank = Followed(
            first=_blank(),
            seconds=np.arange(count) / 25,
            middles=np.zeros((count, 2)),
            moves=np.zeros((count, 3, 2)),
            gains=np.zeros((count, 2)),
            skin=np.zeros((count, 3)),
            behind=np.zeros((count, 3)),
            unchanged=np.zeros(count),
            eyes=(),
            eyes_found=False,
            lost=None,
        )
        noise = [rng.normal(0, 0.1, (2, count, 3)) + 120 for _ in range(trials)]
        found = [pulse.measure(replace(blank, skin=skin, behind=behind)) for skin, behind in noise]
        shares = [100 * one.share for one in found]
        clear = 100 * sum(one.clear for one in found) / trials
        rows.append((seconds, f"{np.median(shares):.0f} %", f"{np.percentile(shares, 95):.0f} %", f"{clear:.1f} %"))
    return Table(f"Rhythms in noise, {trials} of each", ("seconds", "share, median", "share, 95 %", "clear"), rows)


def _blank() -> Seen:
    return Seen(1, 0, 0.0, Box(0, 0, 150, 150))


def cost(folder: Path) -> Table:
    """Seconds of CPU for a stretch of 300 frames of 720p with a face of 370 pixels, found and followed."""
    wide = (np.pad(p, ((0, 0), (240, 240), (0, 0)), "edge") for p in frames(Planted(seconds=10, fps=30, scale=2.0)))
    path = encoded(folder / "wide.mp4", wide, 30, crf=23)
    start = time.process_time()
    face = follow(path)
    spent = time.process_time() - start
    assert face is not None
    start = time.process_time()
    described(face)
    return Table(
        f"Cost of {len(face.seconds)} frames of 720p",
        ("what", "seconds of CPU"),
        [("decoding and following", f"{spent:.2f}"), ("measuring", f"{time.process_time() - start:.2f}")],
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="the folder of shared data")
    parser.add_argument("--planted", action="store_true", help="plant causes into the clips too: some minutes of CPU")
    arguments = parser.parse_args()
    folder = arguments.corpus / "forensics" / "facevideo"
    with (folder / "expected.csv").open(newline="") as lines:
        labels = {row["path"]: row["expected"] for row in csv.DictReader(lines)}
    clips = {name: folder / name for name in sorted(labels)}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        tables: list[Callable[[], Table]] = [chance, lambda: real(clips, labels), lambda: cost(scratch)]
        if arguments.planted:
            tables.append(lambda: planted(clips, scratch, 20))
        for table in tables:
            sys.stdout.write(table().render() + "\n\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
