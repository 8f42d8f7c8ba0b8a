"""One fixed report that has every kind of answer in it, hostile text included. No file of it exists."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

from deepscan.reports.schema import SCHEMA_VERSION
from deepscan.types import (
    Basis,
    Box,
    Call,
    CheckInfo,
    CheckResult,
    Clip,
    Evidence,
    Family,
    Film,
    FilmFrame,
    Finding,
    ItemReport,
    Level,
    Meaning,
    MediaItem,
    MediaKind,
    Outcome,
    Part,
    PointsTo,
    RunInfo,
    ScanReport,
    Score,
    SkipCode,
    Skipped,
    Span,
    Track,
    Verdict,
    Where,
)

ROOT = Path("/evidence/case 7")

RUN = RunInfo(
    tool="deepscan",
    version="0.1.0",
    started="2026-01-02T03:04:05Z",
    finished="2026-01-02T03:04:09.5+00:00",
    argv=("scan", "/evidence/case 7", "-o", os.fsdecode(b"caf\xe9")),
    options={"frames": 16, "every": None, "checks": None, "skip": ["ela"], "file_seconds": 120.0, "exhibits": True},
    checks=(
        CheckInfo("metadata", "Metadata", Family.METADATA, "1"),
        CheckInfo("ela", "Error level analysis", Family.PIXELS, "2"),
        CheckInfo("classifier", "Classifier", Family.MODEL, "1"),
    ),
    model={"name": "tiny", "thresholds": [{"level": "weak", "probability": 0.5}], "metrics": {"auc": 0.875}},
    device="cpu",
    precision="fp32",
    libraries={"torch": "2.13.0", "pillow": "13.0.0"},
    host={"system": "Linux", "machine": "x86_64"},
    paths=("/evidence/case 7",),
)

QUIET = CheckResult("ela", "2", Outcome.NOT_APPLICABLE, reason="It was never a JPEG.", seconds=0.0)


def _item(name: str, number: int, kind: MediaKind = MediaKind.IMAGE, container: str = "jpeg") -> MediaItem:
    return MediaItem(ROOT, PurePosixPath(name), kind, container, 1000 + number, f"{number:064x}")


DECLARED = ItemReport(
    _item("a/marked.png", 1, container="png"),
    (
        CheckResult(
            "metadata",
            "1",
            Outcome.DONE,
            findings=(
                Finding(
                    "DS-META-003",
                    Level.STRONG,
                    PointsTo.GENERATED,
                    "PNG text holds the settings of Stable Diffusion web UI; anyone can write such text.",
                    (
                        Evidence("parameters", "a cat\x1b[31m, \u202eevil, =1+1\nSteps: 20", Where(frame=0)),
                        Evidence("fields", {"steps": 20, "cfg": 7.5, "hires": False, "model": None, "tags": ["a", 1]}),
                    ),
                ),
                Finding("DS-META-001", Level.INFO, PointsTo.NEITHER, "No camera is named."),
            ),
            seconds=0.25,
        ),
        QUIET,
        CheckResult("classifier", "1", Outcome.FAILED, reason="The model could not be loaded.", seconds=0.5),
    ),
    Verdict(Call.STRONG, PointsTo.GENERATED, Basis.DECLARED, because=("DS-META-003",)),
)

CLASSIFIED = ItemReport(
    _item("b/group.jpg", 2),
    (
        CheckResult("metadata", "1", Outcome.DONE, seconds=0.125),
        CheckResult(
            "ela",
            "2",
            Outcome.DONE,
            score=Score(0.0625, Meaning.INTENSITY),
            findings=(
                Finding(
                    "DS-ELA-001",
                    Level.INFO,
                    PointsTo.NEITHER,
                    "A map of error levels was drawn.",
                    (Evidence("map", None, Where(box=Box(1, 2, 30, 40)), "exhibits/000002-ela.png"),),
                ),
            ),
            seconds=0.0,
        ),
        CheckResult(
            "classifier",
            "1",
            Outcome.DONE,
            findings=(Finding("DS-MODEL-001", Level.MODERATE, PointsTo.GENERATED, "One face of two looks generated."),),
            score=Score(0.96875, Meaning.PROBABILITY),
            parts=(
                Part("face", Where(0, None, Box(10, 20, 64, 64)), Score(0.96875, Meaning.PROBABILITY)),
                Part("face", Where(0, None, Box(100, 20, 64, 64)), Score(0.125, Meaning.PROBABILITY)),
                Part("face", Where(0, None, Box(200, 20, 9, 9)), None, "The face is smaller than 32 pixels."),
            ),
            seconds=1.5,
        ),
    ),
    Verdict(Call.MODERATE, PointsTo.GENERATED, Basis.MODEL, 0.96875, 0.5, ("DS-MODEL-001",)),
)

VIDEO = ItemReport(
    _item("c/=cmd|' -1\n.mp4", 3, MediaKind.VIDEO, "mp4"),
    (
        CheckResult("metadata", "1", Outcome.TIMED_OUT, reason="It took longer than 120 seconds.", seconds=120.0),
        CheckResult(
            "classifier",
            "1",
            Outcome.DONE,
            score=Score(0.25, Meaning.PROBABILITY),
            parts=(
                Part("frame", Where(0, 0.0), Score(0.25, Meaning.PROBABILITY), track=1),
                Part("frame", Where(25, 1.0), Score(0.1, Meaning.PROBABILITY), track=2),
            ),
            seconds=2.0,
            film=Film(
                reader="OpenCV",
                seconds=4.0,
                total=100,
                sampling="Two frames were looked at.",
                budget=2,
                cuts=(0.5,),
                frames=(
                    FilmFrame(0, 0.0, "00:00:00.000", 1, 0, Score(0.25, Meaning.PROBABILITY)),
                    FilmFrame(25, 1.0, "00:00:01.000", 2, 0, None),
                ),
                tracks=(
                    Track(
                        1,
                        "frame",
                        1,
                        Span(0.0, 0.5, "00:00:00.000", "00:00:00.500"),
                        1,
                        Score(0.25, Meaning.PROBABILITY),
                        Level.WEAK,
                        (Where(0, 0.0, Box(0, 0, 9, 9)),),
                        "exhibits/000003-track-1.png",
                    ),
                    Track(2, "frame", 2, Span(0.5, 4.0, "00:00:00.500", "00:00:04.000"), 0, None, Level.INFO),
                ),
                clips=(
                    Clip(
                        Span(0.0, 0.5, "00:00:00.000", "00:00:00.500"), 1, Score(0.25, Meaning.PROBABILITY), Level.WEAK
                    ),
                ),
                exhibit="exhibits/000003-timeline.svg",
            ),
        ),
    ),
    Verdict(Call.NO_EVIDENCE, PointsTo.NEITHER, Basis.BELOW_THRESHOLD, 0.25, 0.5),
)

NOT_UNICODE = ItemReport(
    _item(os.fsdecode(b"caf\xe9 \xf0\x9f\x93\xb7 \xef\xbf\xbd{.jpg"), 4),
    (CheckResult("classifier", "1", Outcome.NOT_APPLICABLE, reason="No face was found.", seconds=0.0),),
    Verdict(Call.UNDETERMINED, PointsTo.NEITHER, Basis.NO_USABLE_CHECK),
)

CONFLICT = ItemReport(
    _item("@sum.jpg", 5),
    (
        CheckResult(
            "metadata", "1", Outcome.DONE, (Finding("DS-C2PA-001", Level.STRONG, PointsTo.AUTHENTIC, "Signed."),)
        ),
        CheckResult(
            "classifier",
            "1",
            Outcome.DONE,
            (Finding("DS-MODEL-001", Level.MODERATE, PointsTo.GENERATED, "It looks generated."),),
            Score(1.0, Meaning.PROBABILITY),
        ),
    ),
    Verdict(Call.UNDETERMINED, PointsTo.NEITHER, Basis.CONFLICT, 1.0, 0.5, ("DS-C2PA-001", "DS-MODEL-001")),
)

SKIPPED = (
    Skipped(ROOT / "notes.txt", SkipCode.NOT_MEDIA, "Its bytes are no picture or video deepscan knows."),
    Skipped(ROOT / os.fsdecode(b"-broken\xff.jpg"), SkipCode.UNREADABLE, "Permission denied."),
)

REPORT = ScanReport(SCHEMA_VERSION, RUN, (DECLARED, CLASSIFIED, VIDEO, NOT_UNICODE, CONFLICT), SKIPPED, finished=True)

EMPTY = replace(REPORT, run=replace(RUN, finished=None, model=None), items=(), skipped=(), finished=False)
"""An interrupted run that came to nothing."""
