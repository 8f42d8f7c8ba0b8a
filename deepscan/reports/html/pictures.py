"""The pictures of an HTML report: inside the page as far as there is room, else beside it, as links."""

from __future__ import annotations

import base64
import os

from deepscan.reports.exhibits import is_exhibit, open_exhibit
from deepscan.reports.setting import Setting
from deepscan.types import JSONValue

INLINE_BYTES = 24_000_000
"""Bytes of pictures that a page holds in all, before base64 makes a third more of them."""

PICTURE_BYTES = 4_000_000
"""Bytes of one picture inside the page."""

_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


class Pictures:
    """Decides for each exhibit where its pixels are."""

    def __init__(self, setting: Setting) -> None:
        self._from = setting.exhibits or setting.folder
        self._left = INLINE_BYTES
        self._inside: dict[str, JSONValue] = {}
        self._linked = False

    def take(self, path: str) -> None:
        """Take note of an exhibit: its bytes go into the page while there is room."""
        if path in self._inside or not is_exhibit(path):
            return
        content = self._read(path)
        kind = next((kind for magic, kind in _TYPES.items() if content is not None and content.startswith(magic)), None)
        if content is None or kind is None:
            self._linked = True
            return
        self._left -= len(content)
        self._inside[path] = f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"

    @property
    def linked(self) -> bool:
        """Whether some exhibit is not in the page, which then links to it."""
        return self._linked

    def as_json(self) -> JSONValue:
        """``inside``: data addresses by path. Every other picture lies beside the page, under its own path."""
        return {"inside": self._inside}

    def _read(self, path: str) -> bytes | None:
        """The bytes of an exhibit that lies where it should and fits; None for any other: the page links to it."""
        if self._from is None:
            return None
        stream = open_exhibit(self._from, path)
        if stream is None:
            return None
        with stream:
            try:
                too_large = os.fstat(stream.fileno()).st_size > min(PICTURE_BYTES, self._left)
                return None if too_large else stream.read(PICTURE_BYTES)
            except OSError:
                return None
