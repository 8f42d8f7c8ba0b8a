"""Embedded previews against the picture they stand for."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from deepscan.checks import likeness
from deepscan.checks.base import NotApplicableError
from deepscan.checks.previews import NOT_COMPARED, OTHER_PICTURE, Previews
from deepscan.media.frames import Pixels
from deepscan.types import Finding, Level, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject


def scene(seed: int = 0, size: tuple[int, int] = (480, 360)) -> Pixels:
    """Smooth shapes in the way of a photograph: what blurring noise leaves."""
    width, height = size
    grain = np.random.default_rng(seed).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def jpeg(pixels: Pixels, quality: int = 85) -> bytes:
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "JPEG", quality=quality)
    return held.getvalue()


def small(pixels: Pixels, width: int = 160) -> Pixels:
    height = round(width * pixels.shape[0] / pixels.shape[1])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def exif_with(thumbnail: bytes, orientation: int = 1, size: int | None = None) -> bytes:
    """An EXIF block whose second directory points to a JPEG thumbnail."""
    first = struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 26)
    second = struct.pack(">H", 2)
    second += struct.pack(">HHII", 0x0201, 4, 1, 56) + struct.pack(">HHII", 0x0202, 4, 1, size or len(thumbnail))
    return b"Exif\0\0" + b"MM\0*" + struct.pack(">I", 8) + first + second + struct.pack(">I", 0) + thumbnail


def write(folder: Path, main: Pixels, thumbnail: Pixels | bytes, orientation: int = 1) -> Path:
    body = thumbnail if isinstance(thumbnail, bytes) else jpeg(thumbnail)
    path = folder / "photo.jpg"
    Image.fromarray(main).save(path, "JPEG", quality=92, exif=exif_with(body, orientation))
    return path


def findings(path: Path) -> tuple[Finding, ...]:
    return Previews().run(FakeSubject(path)).findings


TONES: dict[str, Callable[[Pixels], Any]] = {
    "the same": lambda p: p,
    "brighter": lambda p: np.clip(p * 0.6 + 90, 0, 255).astype(np.uint8),
    "gamma": lambda p: (255 * (p / 255.0) ** 0.6).astype(np.uint8),
    "grey": lambda p: np.repeat(p.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8),
    "blurred": lambda p: cv2.GaussianBlur(p, (0, 0), 4),
    "turned": lambda p: np.rot90(p).copy(),
}


@pytest.mark.parametrize("name", TONES)
def test_tone_sharpness_and_quarter_turns_are_no_difference(name: str, tmp_path: Path) -> None:
    main = scene()
    assert findings(write(tmp_path, TONES[name](main), small(main))) == ()


def test_black_bars_are_no_difference(tmp_path: Path) -> None:
    main = scene(size=(480, 320))
    padded = np.asarray(cv2.copyMakeBorder(small(main), 6, 7, 0, 0, cv2.BORDER_CONSTANT), np.uint8)
    assert findings(write(tmp_path, main, padded)) == ()


def test_a_thumbnail_that_follows_the_orientation_is_no_difference(tmp_path: Path) -> None:
    main = scene()
    for orientation in range(1, 9):
        assert findings(write(tmp_path, main, small(main), orientation)) == (), orientation


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "another picture": lambda p: scene(7),
    "mirrored": lambda p: p[:, ::-1].copy(),
    "cropped": lambda p: p[: int(p.shape[0] * 0.6), : int(p.shape[1] * 0.6)].copy(),
    "pasted": lambda p: pasted(p),
}


def pasted(main: Pixels) -> Pixels:
    changed = main.copy()
    changed[60:240, 100:340] = scene(9)[60:240, 100:340]
    return changed


@pytest.mark.parametrize("name", CHANGES)
def test_another_picture_or_part_is_weak_evidence_of_editing_with_both_shown(name: str, tmp_path: Path) -> None:
    main = scene()
    path = write(tmp_path, CHANGES[name](main), small(main))
    subject = FakeSubject(path, keeps_exhibits=True)
    (finding,) = Previews().run(subject).findings
    assert (finding.code, finding.level, finding.points_to) == (OTHER_PICTURE, Level.WEAK, PointsTo.EDITED)
    assert set(subject.stored) == {"thumbnail", "main"}
    assert {"what to look for", "what to ignore"} < {e.label for e in finding.evidence}


@pytest.mark.parametrize(
    "thumbnail",
    [b"\xff\xd8\xff\xe0 no picture at all", b"RIFF", bytes(40), jpeg(np.full((120, 160, 3), 9, np.uint8))],
)
def test_what_cannot_be_compared_is_said_to_be_so(thumbnail: bytes, tmp_path: Path) -> None:
    (finding,) = findings(write(tmp_path, scene(), thumbnail))
    assert (finding.code, finding.level) == (NOT_COMPARED, Level.INFO)


@pytest.mark.parametrize("size", [2**31, 9 * 1024**2, 10**6])
def test_a_thumbnail_that_lies_about_its_size_is_not_read(size: int, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(scene()).save(path, "JPEG", exif=exif_with(b"\xff\xd8\xff", size=size))
    (finding,) = findings(path)
    assert finding.code == NOT_COMPARED


def test_a_thumbnail_of_a_giant_size_is_not_decoded(tmp_path: Path) -> None:
    giant = bytearray(jpeg(scene()))
    at = giant.index(b"\xff\xc0")
    giant[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    (finding,) = findings(write(tmp_path, scene(), bytes(giant)))
    assert finding.code == NOT_COMPARED


def test_large_thumbnails_of_the_multi_picture_format_are_compared(tmp_path: Path) -> None:
    """A second picture of the kind that Pillow writes is no thumbnail; marked as one, it is compared."""
    path = tmp_path / "pair.jpg"
    Image.fromarray(scene()).save(path, "MPO", save_all=True, append_images=[Image.fromarray(scene(3))])
    with pytest.raises(NotApplicableError):
        findings(path)
    data = bytearray(path.read_bytes())
    start = data.index(b"MPF\0") + 4
    entries = data.index(b"\xb0\x02" if data[start : start + 2] == b"MM" else b"\x02\xb0", start)
    order = ">" if data[start : start + 2] == b"MM" else "<"
    (offset,) = struct.unpack_from(f"{order}I", data, entries + 8)
    struct.pack_into(f"{order}I", data, start + offset + 16, 0x010002)
    path.write_bytes(data)
    (finding,) = findings(path)
    assert finding.code == OTHER_PICTURE


def test_files_without_previews_do_not_apply(tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError):
        findings(media.write_jpeg(tmp_path))
    assert Previews().why_not(FakeSubject(media.write_png(tmp_path)).item)


def test_blank_pictures_are_not_compared() -> None:
    assert likeness.compare(np.full((90, 90, 3), 200, np.uint8), scene()) is None
