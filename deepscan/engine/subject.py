"""One file as checks see it, decoded lazily and at most once."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from deepscan.checks.reading.embedded import Embedded, read_embedded
from deepscan.config import ScanOptions
from deepscan.engine.stages import DECODE, FACES, Stages
from deepscan.errors import MediaError, OutputError, UnreadableError
from deepscan.media.decoding import open_file
from deepscan.media.faces import FaceFinder
from deepscan.media.film.sampling import sampling_of
from deepscan.media.frames import Face, Frame, Pixels, Reading
from deepscan.media.images import read_image
from deepscan.media.luma import Luma, luma_of, read_luma
from deepscan.media.video import read_video
from deepscan.text import clean
from deepscan.types import MediaItem, MediaKind

EXHIBITS = "exhibits"
"""The folder of exhibits, beside the report."""


class FileSubject:
    """The :class:`deepscan.checks.base.Subject` of a file on disk.

    ``output`` is the folder of the report; exhibits are kept there, or nowhere when it is None. ``stages`` is told when
    decoding begins, and when faces are looked for. With ``moments`` a film is read at these times only, for a second
    look, and nothing is stored of it.
    """

    def __init__(
        self,
        item: MediaItem,
        options: ScanOptions,
        finder: FaceFinder,
        output: Path | None,
        stages: Stages,
        moments: tuple[float, ...] = (),
    ) -> None:
        self._moments = moments
        self._item, self._options, self._finder, self._output = item, options, finder, output
        self._stages = stages
        self._reading: Reading | MediaError | None = None
        self._luma: Luma | MediaError | None = None
        self._embedded: Embedded | None = None
        self._faces: dict[int, tuple[Face, ...]] = {}

    @property
    def item(self) -> MediaItem:
        """The identified file."""
        return self._item

    @property
    def keeps_exhibits(self) -> bool:
        """Whether :meth:`exhibit` stores anything."""
        return self._output is not None and not self._moments

    def open(self) -> BinaryIO:
        """Open the file for reading. Raises UnreadableError."""
        try:
            return open_file(self._item.path)
        except OSError as e:
            raise UnreadableError(f"{clean(str(self._item.name))} cannot be opened: {e.strerror}.") from e

    def reading(self) -> Reading:
        """The decoded frames. Raises UnreadableError, UnsupportedError or LimitError, each time alike."""
        with self._stages.within(DECODE):
            if self._reading is None:
                try:
                    self._reading = self._decode()
                except MediaError as e:
                    self._reading = e
            if isinstance(self._reading, MediaError):
                raise self._reading
            return self._reading

    def _decode(self) -> Reading:
        sampling = replace(sampling_of(self._options), moments=self._moments)
        if self._item.kind is MediaKind.VIDEO:
            return read_video(self._item.path, sampling)
        return read_image(self._item.path, self._item.container, sampling)

    def luma(self) -> Luma:
        """The brightness of a picture. Raises as :meth:`reading` does."""
        with self._stages.within(DECODE):
            if self._luma is None:
                try:
                    stored = read_luma(self._item.path) if self._item.container == "jpeg" else None
                    self._luma = stored or luma_of(self.reading().frames[0].pixels)
                except MediaError as e:
                    self._luma = e
            if isinstance(self._luma, MediaError):
                raise self._luma
            return self._luma

    def embedded(self) -> Embedded:
        """The metadata. Raises UnreadableError."""
        if self._embedded is None:
            with self.open() as file:
                self._embedded = read_embedded(file, self._item.container)
        return self._embedded

    def faces(self, frame: Frame) -> tuple[Face, ...]:
        """The faces in a frame, largest first."""
        with self._stages.within(FACES):
            if frame.index not in self._faces:
                self._faces[frame.index] = self._finder.find(frame.pixels)
        return self._faces[frame.index]

    def exhibit(self, name: str, pixels: Pixels, *, photograph: bool = False) -> str | None:
        """Store a picture as an exhibit of this file. Raises OutputError when it cannot be written."""
        if self._output is None:
            return None
        return store_exhibit(self._output, self._item, name, pixels, photograph=photograph)


def store_exhibit(output: Path, item: MediaItem, name: str, pixels: Pixels, *, photograph: bool = False) -> str:
    """Store a picture named after the file's hash, and return its path relative to ``output``.

    It is a PNG, or a JPEG at quality 85 for a photograph.

    Raises:
        OutputError: it cannot be written.
    """
    suffix, kind, options = ("jpg", "JPEG", {"quality": 85}) if photograph else ("png", "PNG", {})
    relative = f"{EXHIBITS}/{item.sha256[:16]}-{name}.{suffix}"
    target = output / relative
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Two workers may draw the exhibit of two copies of one file at once: each has its own temporary file.
        handle, temporary = tempfile.mkstemp(dir=target.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                Image.fromarray(pixels).save(stream, kind, **options)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(target)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as e:
        raise OutputError(
            f"The exhibit {clean(str(target))} cannot be written: {e.strerror or e}.",
            "Check space and permissions of the output folder.",
        ) from e
    return relative
