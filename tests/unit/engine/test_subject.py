"""One file as checks see it: what several checks ask for is read once."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import pytest

from deepscan.checks.catalogue import SPECS, Kit, build
from deepscan.config import ScanOptions
from deepscan.engine import subject as subjects
from deepscan.engine.stages import Stages
from deepscan.engine.subject import FileSubject
from deepscan.errors import UnreadableError
from deepscan.media import images
from deepscan.media.faces import HaarFinder
from deepscan.media.frames import Face, Pixels, Reading
from deepscan.types import MediaItem, MediaKind
from tests import media_factory as media


def subject_of(path: Path) -> FileSubject:
    item = MediaItem(
        path.parent, PurePosixPath(path.name), MediaKind.IMAGE, path.suffix[1:], path.stat().st_size, "0" * 64
    )
    return FileSubject(item, ScanOptions(), HaarFinder(), None, Stages(lambda _: None, {}))


def test_metadata_is_read_once_for_all_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = subject_of(media.write_png(tmp_path))
    opened: list[Path] = []
    really = FileSubject.open

    def noting(subject: FileSubject) -> BinaryIO:
        opened.append(subject.item.path)
        return really(subject)

    monkeypatch.setattr(FileSubject, "open", noting)
    asking = tuple(spec for spec in SPECS if spec.id in ("metadata", "marks"))
    for check in build(asking, Kit(ScanOptions())):
        check.run(subject)  # type: ignore[union-attr]
    assert len(opened) == 1


def test_metadata_of_a_file_that_is_gone_is_unreadable(tmp_path: Path) -> None:
    path = media.write_png(tmp_path)
    subject = subject_of(path)
    path.unlink()
    with pytest.raises(UnreadableError, match="cannot be opened"):
        subject.embedded()


def test_pixels_are_decoded_once_and_faces_sought_once_however_many_checks_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = subject_of(media.write_jpeg(tmp_path, "a.jpeg"))
    decoded, sought = [0], [0]
    read, find = images.read_image, HaarFinder.find

    def reading(*arguments: Any) -> Reading:
        decoded[0] += 1
        return read(*arguments)

    def finding(finder: HaarFinder, pixels: Pixels) -> tuple[Face, ...]:
        sought[0] += 1
        return find(finder, pixels)

    monkeypatch.setattr(subjects, "read_image", reading)
    monkeypatch.setattr(HaarFinder, "find", finding)
    for _ in range(3):
        (frame,) = subject.reading().frames
        subject.faces(frame)
    assert (decoded, sought) == ([1], [1])


def test_what_cannot_be_decoded_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = subject_of(media.write_truncated_jpeg(tmp_path, "a.jpeg"))
    tried = [0]
    read = images.read_image

    def reading(*arguments: Any) -> Reading:
        tried[0] += 1
        return read(*arguments)

    monkeypatch.setattr(subjects, "read_image", reading)
    for _ in range(3):
        with pytest.raises(UnreadableError):
            subject.reading()
    assert tried == [1]
