"""The pictures of an HTML report: inside the page as far as there is room, else beside it, as links."""

from __future__ import annotations

import base64
import os
import re
import stat
from pathlib import Path

from deepscan.reports.setting import Setting
from deepscan.types import JSONValue

INLINE_BYTES = 24_000_000
"""Bytes of pictures that a page holds in all, before base64 makes a third more of them."""

PICTURE_BYTES = 4_000_000
"""Bytes of one picture inside the page."""

_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}

# The paths that the engine gives to exhibits. Any other path (a case file may come from anyone) is not followed: it
# could name a file of the reader's own, and the page would hold it.
_EXHIBIT = re.compile(r"exhibits/[0-9A-Za-z][0-9A-Za-z._-]{0,150}\.(?:png|jpg)")


class Pictures:
    """Decides for each exhibit where its pixels are."""

    def __init__(self, setting: Setting) -> None:
        self._from = setting.exhibits or setting.folder
        self._to = setting.folder
        self._left = INLINE_BYTES
        self._inside: dict[str, JSONValue] = {}
        self._linked = False

    def take(self, path: str) -> None:
        """Take note of an exhibit: its bytes go into the page while there is room."""
        if path in self._inside or not _EXHIBIT.fullmatch(path):
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
        """``inside``: data addresses by path. ``folder``: what stands before the path of every other one."""
        return {"inside": self._inside, "folder": self._way() if self._linked else ""}

    def _read(self, path: str) -> bytes | None:
        """The bytes of an exhibit that lies where it should and fits; None for any other: the page links to it."""
        if self._from is None:
            return None
        try:
            # O_NOFOLLOW: a link in the folder of exhibits could lead to any file of the reader's.
            handle = os.open(self._from / path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
            with os.fdopen(handle, "rb") as stream:
                found = os.fstat(stream.fileno())
                if not stat.S_ISREG(found.st_mode) or found.st_size > min(PICTURE_BYTES, self._left):
                    return None
                return stream.read(PICTURE_BYTES)
        except OSError:
            return None

    def _way(self) -> str:
        """The way from the report to the folder of exhibits, as a relative address; empty when side by side."""
        if self._from is None or self._to is None or not (self._from / "exhibits").is_dir():
            return ""
        try:
            way = os.path.relpath(self._from.resolve(), self._to.resolve())
        except ValueError:  # on another drive, to which no relative way leads
            return ""
        return "" if way == "." else Path(way).as_posix() + "/"
