"""What reading videos costs and finds: ``python -m tests.benchmarks.video [--corpus FOLDER]``.

Times are of this machine at this moment; the ratios among them are what to compare. Without the corpus the tables on
pooling and on real clips are left out.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from statistics import mean

import av
import numpy as np

from deepscan.media.film import pooling
from deepscan.media.film.clips import Reader
from deepscan.media.film.opencv import OpenCvReader
from deepscan.media.film.pyav import PyAvReader
from deepscan.media.film.shots import THUMBNAIL, Survey
from deepscan.media.frames import Pixels, Rule, Sampling
from deepscan.media.video import read_video
from tests.benchmarks.table import Table

READERS: tuple[Reader, ...] = (OpenCvReader(), PyAvReader())
SECONDS, FPS = 60, 30


def film(path: Path, seconds: int = SECONDS) -> Path:
    """A film of 720p with a key frame every 250 frames, something that moves, and grain."""
    rng = np.random.default_rng(1)
    back = rng.integers(40, 200, (720, 1280, 3), np.uint8)
    back = np.asarray(np.kron(back[::40, ::40], np.ones((40, 40, 1))), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "23", "x264-params": "keyint=250:scenecut=0"}
        for i in range(seconds * FPS):
            picture = np.roll(back, 3 * i, axis=1)
            picture[::7, ::5] ^= 7
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def reading(path: Path, seconds: int) -> Table:
    """What each way of choosing frames costs, with each reader."""
    rows: list[tuple[object, ...]] = []
    ratios = []
    for reader in READERS:
        spent = {}
        for rule in (Rule.AUTO, Rule.EVEN, Rule.KEYFRAMES, Rule.ALL):
            start, cpu = time.perf_counter(), time.process_time()
            found = read_video(path, Sampling(24 if rule is not Rule.ALL else 10**9, rule=rule), reader)
            spent[rule] = time.process_time() - cpu
            rows.append((reader.name, rule, len(found.frames), time.perf_counter() - start, spent[rule]))
        ratios.append(spent[Rule.AUTO] / spent[Rule.KEYFRAMES])
    return Table(
        f"Reading {seconds} s of 720p at {FPS} frames a second",
        ("reader", "frames chosen", "frames", "seconds", "seconds of CPU"),
        rows,
        "key frames at least ten times faster than all frames (CPU), with each reader",
        all(ratio >= 10 for ratio in ratios),
        f"Most memory of this process so far: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB.",
    )


def thumbnails(path: Path) -> list[Pixels]:
    """The small copies of all frames of a clip."""
    with av.open(str(path)) as container:
        return [
            np.asarray(f.reformat(*THUMBNAIL, format="rgb24", interpolation="AREA").to_ndarray(), np.uint8)
            for f in container.decode(video=0)
        ]


def cuts(clips: dict[str, list[Pixels]]) -> Table:
    """Cuts made between every two clips, and what is found within each."""
    rng = random.Random(1)
    found = extra = tried = 0
    for one, other in permutations(clips, 2):
        end, start = rng.randrange(30, len(clips[one]) - 1), rng.randrange(0, len(clips[other]) - 30)
        survey = Survey()
        for small in clips[one][end - 30 : end] + clips[other][start : start + 30]:
            survey.add(small)
        places = survey.cuts()
        tried, found, extra = tried + 1, found + (30 in places), extra + len([p for p in places if p != 30])
    whole = 0
    for frames in clips.values():
        survey = Survey()
        for small in frames:
            survey.add(small)
        whole += len(survey.cuts())
    rows = [("cuts between two clips", f"{found} of {tried}"), ("other places in these", extra)]
    rows.append(("cuts in whole clips, which have none", whole))
    return Table("Cuts", ("what", "found"), rows)


POOLINGS: dict[str, Callable[[Sequence[float]], float]] = {
    "deepscan": pooling.of_track,
    "mean": mean,
    "maximum": max,
    "mean of the higher half": lambda p: mean(sorted(p)[len(p) // 2 :]),
}


def pooled(trials: int = 4000) -> Table:
    """Ways to make one score of a track, on drawn tracks: false alarms at 0.7, and forgeries found.

    A real track's scores scatter around log-odds of -0.5 (0.38), a forged one's around 1.5 (0.82), both with the
    deviation of 0.35 that the embedded pack has within real clips; "bad" frames are drawn at 3 (0.95).
    """
    rng = random.Random(7)

    def track(kind: str) -> list[float]:
        odds = [rng.gauss(-0.5, 0.35) for _ in range(24)]
        if kind == "real, 1 bad frame":
            odds[rng.randrange(24)] = 3.0
        if kind == "real, 3 bad frames apart":
            for place in (3, 11, 19):
                odds[place] = 3.0
        if kind.startswith("forged"):
            part = {"forged all through": 24, "forged in one half": 12, "forged in a third": 8}[kind]
            start = rng.randrange(24 - part + 1)
            odds[start : start + part] = [rng.gauss(1.5, 0.35) for _ in range(part)]
        return [pooling.probability(value) for value in odds]

    real = ("real", "real, 1 bad frame", "real, 3 bad frames apart")
    kinds = (*real, "forged all through", "forged in one half", "forged in a third")
    rows = []
    for kind in kinds:
        tracks = [track(kind) for _ in range(trials // len(kinds))]
        shares = [100 * mean(pool(scores) >= 0.7 for scores in tracks) for pool in POOLINGS.values()]
        rows.append((kind, *(f"{share:.1f} %" for share in shares)))
    return Table("Tracks at or above 0.7, by pooling", ("track", *POOLINGS), rows)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, help="the folder of shared data")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="length of the film that is read")
    arguments = parser.parse_args()
    sys.stdout.write(pooled().render() + "\n\n")
    if arguments.corpus:
        folder = arguments.corpus / "forensics" / "facevideo"
        clips = {path.name: thumbnails(path) for path in sorted(folder.glob("*/*.mp4"))}
        sys.stdout.write(cuts(clips).render() + "\n\n")
    with tempfile.TemporaryDirectory() as folder_name:
        sys.stdout.write(
            reading(film(Path(folder_name) / "film.mp4", arguments.seconds), arguments.seconds).render() + "\n"
        )


if __name__ == "__main__":
    main()
