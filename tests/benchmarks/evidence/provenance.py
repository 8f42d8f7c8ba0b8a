"""Content credentials: expected and found states of the known files, and what a file without any costs."""

from __future__ import annotations

import csv
import io
import statistics
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from deepscan.checks.base import NotApplicableError
from deepscan.checks.credentials.places import SEARCHED, find_places
from deepscan.checks.provenance import Provenance
from deepscan.media.signatures import HEAD_BYTES, detect
from deepscan.types import PointsTo
from tests.benchmarks.table import Table
from tests.fake_subject import FakeSubject

_STATES = {
    "valid": {"valid-trusted", "valid-untrusted"},
    "valid_c2pa_identity_bad": {"valid-trusted", "valid-untrusted"},
    "invalid": {"invalid"},
    "no_credentials": {"none"},
    "remote_manifest": {"marker-only"},
    "malformed": {"unreadable", "marker-only"},
    "fragment_init": {"unreadable"},
}
"""Kind of row -> the states that answer it. A remote manifest is a marker here: neither none nor tampered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One row: what was expected, and what the check found. ``state`` is empty for files that deepscan skips."""

    path: str
    expected: str
    expected_ai: str
    sure: bool
    state: str
    codes: tuple[str, ...]
    generated: bool

    @property
    def examined(self) -> bool:
        """Whether deepscan examines such files at all (it does not examine DNG, PDF, SVG and sound)."""
        return bool(self.state)

    @property
    def right(self) -> bool:
        """State, identity and AI answer."""
        identity = self.expected != "valid_c2pa_identity_bad" or "DS-PROV-006" in self.codes
        return (
            self.state in _STATES[self.expected]
            and identity
            and ("DS-PROV-006" not in self.codes or self.expected == "valid_c2pa_identity_bad")
            and ("DS-PROV-007" in self.codes) == (self.expected == "remote_manifest")
            and self.generated == (self.expected_ai == "ai")
        )


def answers(data: Path) -> Iterator[Answer]:
    """The check's answers on forensics/c2pa."""
    folder = data / "forensics" / "c2pa"
    check = Provenance()
    for row in csv.DictReader(io.StringIO((folder / "expected.csv").read_text(encoding="utf-8"))):
        state, codes, generated = _answer(check, folder / row["path"])
        yield Answer(
            row["path"], row["expected"], row["expected_ai"], row["confidence"] == "high", state, codes, generated
        )


def _answer(check: Provenance, path: Path) -> tuple[str, tuple[str, ...], bool]:
    with path.open("rb") as file:
        container = detect(file.read(HEAD_BYTES), path.stat().st_size)
    if container is None or container.name not in SEARCHED:
        return "", (), False
    try:
        findings = check.run(FakeSubject(path)).findings
    except NotApplicableError:
        return "none", (), False
    state = next(e.value for finding in findings for e in finding.evidence if e.label == "state")
    return str(state), tuple(f.code for f in findings), any(f.points_to is PointsTo.GENERATED for f in findings)


def tables(data: Path) -> Iterable[Table]:
    """Expected against found, and the cost of a file without credentials."""
    yield _states(tuple(answers(data)))
    yield _cost(data)


def _states(found: tuple[Answer, ...]) -> Table:
    rows = []
    for kind in _STATES:
        for sure in (True, False):
            some = [a for a in found if a.expected == kind and a.sure is sure]
            seen = [a for a in some if a.examined]
            if some:
                states = ", ".join(f"{s} {n}" for s, n in sorted(Counter(a.state for a in seen).items()))
                right = sum(a.right for a in seen)
                rows.append((kind, "high" if sure else "medium", len(some), len(seen), states, right))
    tampered = sum("DS-PROV-004" in a.codes for a in found if a.expected.startswith("valid"))
    wrongly_ai = sum(a.generated for a in found if a.expected_ai != "ai")
    graded = [a for a in found if a.sure and a.examined]
    return Table(
        "Content credentials: state, identity and AI answer by kind of row",
        ("expected", "confidence", "files", "examined", "states found", "right"),
        rows,
        "every examined row of confidence high right; no intact file changed, none wrongly AI",
        all(a.right for a in graded) and not tampered and not wrongly_ai,
        f"{sum(a.right for a in graded)} of {len(graded)} sure rows right; intact files called changed: {tampered}; "
        f"files wrongly called AI: {wrongly_ai}. deepscan examines no PDF, SVG, sound. Rows of confidence medium "
        "whose identity can only be judged over the network list it as not confirmed, which counts here as not right.",
    )


def _cost(data: Path) -> Table:
    rows = []
    for name, path in _plain(data):
        with path.open("rb") as file:
            container = detect(file.read(HEAD_BYTES), path.stat().st_size)
            assert container is not None
            times = []
            for _ in range(50):
                start = time.perf_counter()
                places = find_places(file, container.name)
                times.append((time.perf_counter() - start) * 1000)
        assert places.nothing
        rows.append((name, f"{path.stat().st_size / 1e6:.1f}", statistics.median(times), max(times)))
    return Table(
        "Content credentials: what a file without any costs",
        ("file", "MB", "median ms", "most ms of 50"),
        rows,
        "at most 1 ms (median)",
        all(row[2] <= 1.0 for row in rows),
    )


def _plain(data: Path) -> Iterator[tuple[str, Path]]:
    """Pictures of 12 megapixels of noise, the largest files that there are, and some real ones."""
    noise = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("jpg", "png", "tif", "gif", "webp"):
            path = Path(folder) / f"noise.{name}"
            Image.fromarray(noise).save(path, quality=90, compress_level=1, method=0)
            yield f"12 megapixels of noise, {name}", path
        rewritten = Path(folder) / "chunks.png"
        rewritten.write_bytes(_in_small_chunks((Path(folder) / "noise.png").read_bytes()))
        yield "the same PNG in chunks of 8 KiB", rewritten
    for real in ("sample1.avif", "earth_apollo17.jpg"):
        yield real, data / "forensics" / "c2pa" / "c2pa-rs" / real


def _in_small_chunks(png: bytes) -> bytes:
    at, stream, rest = 33, b"", b""
    while at < len(png):
        length, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        if kind == b"IDAT":
            stream += png[at + 8 : at + 8 + length]
        else:
            rest += png[at : at + 12 + length]
        at += 12 + length
    pieces = [png[:33]]
    for start in range(0, len(stream), 8192):
        body = b"IDAT" + stream[start : start + 8192]
        pieces.append((len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big"))
    return b"".join(pieces) + rest
