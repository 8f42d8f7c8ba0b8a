"""A Subject for tests of single checks: a real file, read and decoded in the plainest way, without limits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageOps

from deepscan.checks.reading.embedded import Embedded, read_embedded
from deepscan.errors import UnreadableError
from deepscan.media.frames import Face, Frame, Pixels, Reading
from deepscan.media.luma import Luma, luma_of, read_luma
from deepscan.media.signatures import HEAD_BYTES, detect
from deepscan.types import MediaItem, MediaKind


@dataclass
class FakeSubject:
    """The file at ``path``. ``found`` is what :meth:`faces` answers, ``stored`` what checks gave as exhibits."""

    path: Path
    keeps_exhibits: bool = False
    found: tuple[Face, ...] = ()
    stored: dict[str, Pixels] = field(default_factory=dict)

    @property
    def item(self) -> MediaItem:
        data = self.path.read_bytes()
        container = detect(data[:HEAD_BYTES], len(data))
        assert container is not None, self.path
        assert container.kind is not None, self.path
        digest = hashlib.sha256(data).hexdigest()
        return MediaItem(
            self.path.parent, PurePosixPath(self.path.name), container.kind, container.name, len(data), digest
        )

    def open(self) -> BinaryIO:
        return self.path.open("rb")

    def reading(self) -> Reading:
        pixels = self._video_frame() if self.item.kind is MediaKind.VIDEO else self._picture()
        return Reading((Frame(0, None, pixels),), 1)

    def luma(self) -> Luma:
        pixels = self.reading().frames[0].pixels
        stored = read_luma(self.path) if self.item.container == "jpeg" else None
        return stored or luma_of(pixels)

    def embedded(self) -> Embedded:
        with self.open() as file:
            return read_embedded(file, self.item.container)

    def faces(self, frame: Frame) -> tuple[Face, ...]:
        return self.found

    def exhibit(self, name: str, pixels: Pixels, *, photograph: bool = False) -> str | None:
        if not self.keeps_exhibits:
            return None
        self.stored[name] = pixels
        return f"exhibits/{name}.{'jpg' if photograph else 'png'}"

    def _picture(self) -> Pixels:
        try:
            with Image.open(self.path) as image:
                return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        except Exception as e:
            raise UnreadableError(f"Pillow cannot read it: {type(e).__name__}.") from e

    def _video_frame(self) -> Pixels:
        capture = cv2.VideoCapture(str(self.path))
        try:
            read, frame = capture.read()
        finally:
            capture.release()
        if not read:
            raise UnreadableError("OpenCV cannot read it.")
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
