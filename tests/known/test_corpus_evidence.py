"""The evidence checks on real files whose answers are known: what other readers say, and where ours says otherwise."""

from __future__ import annotations

import re
import time
from fractions import Fraction
from pathlib import Path

import pytest

from deepscan.checks.fields import Field, State, read_fields
from deepscan.checks.identity import Identity
from deepscan.checks.metadata import Metadata
from deepscan.checks.reading.embedded import READ, read_embedded
from deepscan.errors import MediaError
from deepscan.media.signatures import HEAD_BYTES, detect
from deepscan.types import Finding, Level
from tests.fake_subject import FakeSubject
from tests.known.answers import media_files, readable, rows

pytestmark = pytest.mark.corpus

UNREAD = {
    "exiftool/BPG.bpg": "BPG is not a format deepscan examines",
    "exiftool/DNG.dng": "camera raw files are not examined",
    "exiftool/GIMP.xcf": "GIMP documents are not examined",
    "exiftool/JXL2.jxl": "JPEG XL is not a format deepscan examines",
    "exiftool/Jpeg2000.jp2": "JPEG 2000 is not a format deepscan examines",
    "exiftool/Nikon.nef": "camera raw files are not examined",
    "exiftool/Panasonic.rw2": "camera raw files are not examined",
    "exiftool/Photoshop.psd": "Photoshop documents are not examined",
}
"""Rows with answers that are not reached, and why."""

MORE_THAN_EXPECTED = {
    "exif-samples/jpg/tests/32-lens_data.jpeg": "the dump has no entry for this file",
    "exiftool/Casio.jpg": "no read test of this file",
    "exiftool/Casio2.jpg": "no read test of this file",
    "exiftool/FLIR.jpg": "no read test of this file",
    "exiftool/JVC2.jpg": "no read test of this file",
    "exiftool/MWG.jpg": "no read test of this file",
    "exiftool/NikonD70.jpg": "no read test of this file",
    "exiftool/RIFF.webp": "no read test of this file",
    "exiftool/Canon.jpg": "ExifTool's test prints other tags only",
    "exiftool/ExifTool.tif": "ExifTool's test prints other tags only",
    "exiftool/GoPro.jpg": "ExifTool's test prints other tags only",
    "exiftool/JVC.jpg": "ExifTool's test prints other tags only",
    "exiftool/Motorola.jpg": "ExifTool's test prints other tags only",
}
"""Files whose EXIF holds fields that the other reader's output does not show, and why."""

COLUMNS = {
    "Make": "make",
    "Model": "model",
    "Software": "software",
    "DateTimeOriginal": "datetime_original",
    "Orientation": "orientation",
    "Artist": "artist",
    "Copyright": "copyright",
}
WORDS = {"Rotate 270 CW": "Rotated 90 CCW"}
"""ExifTool's words for an orientation, where EXIF.py has others."""


def fields_of(path: Path) -> dict[str, Field]:
    with path.open("rb") as file:
        container = detect(file.read(HEAD_BYTES), path.stat().st_size)
        assert container is not None
        return {field.name: field for field in read_fields(read_embedded(file, container.name))}


def findings(path: Path) -> tuple[Finding, ...]:
    subject = FakeSubject(path)
    return Metadata().run(subject).findings if subject.item.container in READ else ()


def test_every_field_that_other_readers_state_is_the_same_here(corpus: Path) -> None:
    folder = corpus / "forensics" / "metadata"
    wrong: list[str] = []
    equal = 0
    unread: set[str] = set()
    more: set[str] = set()
    for row in rows(folder):
        stated = {ours: row[f"expected_{theirs}"] for theirs, ours in COLUMNS.items()}
        if not readable(folder / row["path"]):
            unread |= {row["path"]} if any(stated.values()) else set()
            continue
        found = fields_of(folder / row["path"])
        for name, expected in stated.items():
            value = found[name].value
            if expected and value == WORDS.get(expected, expected):
                equal += 1
            elif expected:
                wrong.append(f"{row['path']} {name}: expected {expected!r}, read {value!r}")
            elif (found[name].source or "").startswith("EXIF ") and found[name].state is State.PRESENT:
                more.add(row["path"])
        for axis, ours in (("GPSLatitude", "latitude"), ("GPSLongitude", "longitude")):
            expected = row[f"expected_{axis}"]
            place = found["gps"].value
            if not expected:
                more |= {row["path"]} if place else set()
            elif isinstance(place, dict) and abs(abs(place[ours]) - degrees(expected)) < 1e-5:
                equal += 1
            else:
                wrong.append(f"{row['path']} {axis}: expected {expected!r}, read {place!r}")
    assert wrong == []
    assert unread == UNREAD.keys()
    assert more == MORE_THAN_EXPECTED.keys()
    assert equal >= 378


def degrees(text: str) -> float:
    """``N [43, 28, 1407/500]``, ``53 deg 22' 58.25"`` and ``54 degrees 59.38 minutes`` as one number."""
    parts = [Fraction(part) for part in re.findall(r"\d+(?:/\d+|\.\d+)?", text)]
    return float(sum(part / unit for part, unit in zip(parts, (1, 60, 3600), strict=False)))


def test_no_photograph_of_a_camera_is_more_than_weak(corpus: Path) -> None:
    for path in media_files(corpus / "forensics" / "metadata"):
        for finding in (*findings(path), *Identity().run(FakeSubject(path)).findings):
            assert finding.level.rank <= Level.WEAK.rank, (path, finding.summary)


def test_every_hostile_file_ends_in_a_result_soon(corpus: Path) -> None:
    slow: list[tuple[float, str]] = []
    for path in media_files(corpus / "forensics" / "hostile"):
        started = time.perf_counter()
        try:
            findings(path)
            Identity().run(FakeSubject(path))
        except MediaError as e:
            assert e.message.endswith(".")
        if (seconds := time.perf_counter() - started) > 2:
            slow.append((seconds, path.name))
    assert slow == []


def test_no_untouched_picture_is_called_cut_short_or_followed_by_data(corpus: Path) -> None:
    wrong = [
        (path.name, finding.summary)
        for name in ("tampered", "aimeta", "c2pa", "facevideo")
        for path in media_files(corpus / "forensics" / name)
        for finding in Identity().run(FakeSubject(path)).findings
    ]
    assert wrong == []
