"""What a very long film costs: ``python -m tests.benchmarks.long_film [--hours 3] [--folder SCRATCH]``.

The film is made in seconds: a minute is encoded once, and its packets are written over and over with later times.
Each way of reading runs in a process of its own, whose peak memory and seconds of CPU are told; then a whole scan,
with those of its workers. A tenth as long a film is measured beside it, which shows what grows with the length.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from deepscan.media.film.opencv import OpenCvReader
from deepscan.media.film.pyav import PyAvReader
from deepscan.media.frames import Rule, Sampling
from deepscan.media.video import read_video
from tests.benchmarks.table import Table

FPS, SIZE, KEY_EVERY = 25, (320, 240), 250
READERS: dict[str, type[OpenCvReader] | type[PyAvReader]] = {"OpenCV": OpenCvReader, "PyAV": PyAvReader}
TURNS = 3
"""Turns of ``--all-frames`` that are read here: the others cost the same."""


def minute(path: Path) -> Path:
    """A minute of a moving texture that is another one every 20 s."""
    rng = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "30", "x264-params": f"keyint={KEY_EVERY}:scenecut=0:bframes=0"}
        for number in range(60 * FPS):
            if number % (20 * FPS) == 0:
                texture = rng.integers(40, 200, (SIZE[1] // 20, SIZE[0] // 20, 3), np.uint8).repeat(20, 0).repeat(20, 1)
            picture = np.ascontiguousarray(np.roll(texture, 2 * number, axis=1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def repeated(part: Path, path: Path, times: int) -> Path:
    """The packets of a film one after the other, so many times, without encoding anything again."""
    with av.open(str(part)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        out = target.add_stream_from_template(stream)
        packets = [(bytes(p), p.pts, p.dts, p.duration, p.is_keyframe) for p in source.demux(stream) if p.size]
        length = max((pts or 0) + (lasts or 0) for _, pts, _, lasts, _ in packets)
        for turn in range(times):
            for data, pts, dts, lasts, key in packets:
                packet = av.Packet(data)
                packet.pts, packet.dts = (pts or 0) + turn * length, (dts or 0) + turn * length
                packet.duration, packet.is_keyframe = lasts, key
                packet.time_base, packet.stream = stream.time_base or Fraction(1, FPS), out
                target.mux(packet)
    return path


def read(path: Path, reader: str, rule: str) -> dict[str, object]:
    """One way of reading, in this process: frames, CPU seconds, peak memory in MB, and what was said of it."""
    start = time.process_time()
    sampling = Sampling(24, rule=Rule(rule))
    reading = read_video(path, sampling, READERS[reader]())
    first = time.process_time() - start
    footage = reading.footage
    assert footage is not None
    frames = len(reading.frames)
    del reading
    for turn in range(TURNS if footage.left else 0):
        moments = footage.left[turn * frames : (turn + 1) * frames]
        read_video(path, Sampling(moments=moments), READERS[reader]())
    spent = time.process_time() - start
    each = (spent - first) / TURNS if footage.left else 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"frames": frames + len(footage.left), "first": first, "each": each, "peak": peak}


def reading(films: Sequence[tuple[str, Path]]) -> Table:
    """Every way of reading each film."""
    rows: list[tuple[object, ...]] = []
    for name, path in films:
        for reader in READERS:
            for rule in (Rule.AUTO, Rule.KEYFRAMES, Rule.ALL):
                call = [sys.executable, "-m", "tests.benchmarks.long_film", "--read", str(path), reader, rule]
                found = json.loads(subprocess.run(call, check=True, capture_output=True).stdout)
                each = f"{found['each']:.2f} s" if found["each"] else ""
                rows.append(
                    (name, reader, rule, found["frames"], f"{found['first']:.2f} s", each, f"{found['peak']:.0f}")
                )
    header = ("film", "reader", "frames asked for", "frames taken", "CPU, first turn", "each further turn", "peak MB")
    return Table("Reading a long film", header, rows)


def scanning(films: Sequence[tuple[str, Path]]) -> Table:
    """A whole scan of each film with default options: seconds, and the peak memory of any of its processes."""
    rows: list[tuple[object, ...]] = []
    for name, path in films:
        with tempfile.TemporaryDirectory(dir=path.parent) as out:
            call = [sys.executable, "-m", "deepscan", "scan", str(path), "--format", "json", "-o", f"{out}/report.json"]
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            peaks: dict[int, float] = {}
            watcher = threading.Thread(target=_watch, args=(process, peaks))
            watcher.start()
            code = process.wait()
            watcher.join()
            after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            highest = sorted(peaks.values(), reverse=True)[:2]
            rows.append((name, code, f"{cpu:.1f} s", f"{wall:.1f} s", " and ".join(f"{peak:.0f}" for peak in highest)))
    return Table("Scanning a long film", ("film", "exit code", "CPU", "wall", "peak MB of its processes"), rows)


def _watch(process: subprocess.Popen[bytes], peaks: dict[int, float]) -> None:
    """The peak resident memory of a process and of its descendants, as Linux counts it, until it ends."""
    while process.poll() is None:
        parents = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
            except (OSError, ValueError):
                continue  # it has just ended
            parents[int(folder.name)] = int(status["PPid"]), status.get("VmHWM", "0 kB")
        mine = {process.pid}
        while grown := {pid for pid, (parent, _) in parents.items() if parent in mine} - mine:
            mine |= grown
        for pid in mine & parents.keys():
            peaks[pid] = max(peaks.get(pid, 0.0), int(parents[pid][1].split()[0]) / 1024)
        time.sleep(0.2)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--folder", type=Path, help="where the films are made (default: a temporary folder)")
    parser.add_argument("--read", nargs=3, metavar=("FILM", "READER", "RULE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        path, reader, rule = arguments.read
        sys.stdout.write(json.dumps(read(Path(path), reader, rule)))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
        part = minute(Path(place) / "minute.mp4")
        films = [
            (f"{hours:g} h", repeated(part, Path(place) / f"{hours:g}h.mp4", max(1, round(60 * hours))))
            for hours in (arguments.hours / 10, arguments.hours)
        ]
        for table in (reading(films), scanning(films)):
            sys.stdout.write(table.render() + "\n\n")
        sys.stdout.write(
            f"{arguments.hours:g} h at {FPS} frames a second, {SIZE[0]} x {SIZE[1]}, {os.cpu_count()} cores.\n"
        )


if __name__ == "__main__":
    main()
