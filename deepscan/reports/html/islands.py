r"""Data islands: JSON inside an HTML page, which nothing in it can leave, and which shows nothing hidden.

A page holds its data as ``<script type="application/json">``, which browsers read and never run. What could end such an
element or begin a comment in it (``<``), and every character that is not ASCII, is written as JSON's own escape: a file
name with ``</script>``, a bidirectional override or a control code in it is inert text, whoever looks at the file.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from deepscan.reports.schema import escape
from deepscan.types import JSONValue

PLAIN = "application/json"
"""The type of an island that holds JSON."""

PACKED = "application/x-deflate"
"""The type of an island that holds JSON, compressed (zlib, RFC 1950) and in base64."""

PART_BYTES, PART_FILES = 400_000, 64
"""A part of the details is closed at so many characters of JSON, or so many files: a click waits for one part."""

PLAIN_BYTES = 2_000_000
"""Details up to this size in all stay readable JSON, which any browser of the last ten years reads; larger ones are
packed, to about a tenth, and need one with DecompressionStream (from 2023)."""

_LEVEL = 4  # half the time of zlib's usual 6, for a twentieth more bytes
_MARKUP = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\x7f": "\\u007f"})


@dataclass(frozen=True, slots=True)
class Island:
    """One ``<script>`` element of data; ``text`` is safe inside it as it stands."""

    id: str
    type: str
    text: str


def dump(value: JSONValue) -> str:
    """JSON in ASCII without ``<``, ``>`` and ``&``."""
    # Outside of strings JSON has none of these characters, so each stands where an escape may stand.
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).translate(_MARKUP)


def island(name: str, value: JSONValue) -> Island:
    """A value as an island of readable JSON."""
    return Island(name, PLAIN, dump(value))


class Details:
    """The details of all files, in parts that a page opens one at a time.

    Parts are packed as soon as all together are larger than :data:`PLAIN_BYTES`: what is held in memory is about a
    tenth of what was added. A thread packs them while the next ones are made, for zlib lets other threads run.
    """

    def __init__(self) -> None:
        self._parts: list[str | Future[bytes]] = []
        self._packer: ThreadPoolExecutor | None = None
        self._open: list[str] = []
        self._open_bytes = self._bytes = 0

    def add(self, document: JSONValue) -> int:
        """Add one file's document; returns the number of the part it lies in."""
        number, text = len(self._parts), dump(document)
        self._open.append(text)
        self._open_bytes += len(text)
        if self._open_bytes >= PART_BYTES or len(self._open) >= PART_FILES:
            self._close()
        return number

    def islands(self) -> Iterator[Island]:
        """All parts, as ``part-0``, ``part-1`` and so on: each a list of documents."""
        if self._open:
            self._close()
        for number, part in enumerate(self._parts):
            if isinstance(part, str):
                yield Island(f"part-{number}", PLAIN, part)
            else:
                yield Island(f"part-{number}", PACKED, base64.b64encode(part.result()).decode("ascii"))
        if self._packer:
            self._packer.shutdown()

    def _close(self) -> None:
        text = "[" + ",".join(self._open) + "]"
        self._bytes += len(text)
        self._open, self._open_bytes = [], 0
        if self._packer is None and self._bytes > PLAIN_BYTES:
            self._packer = ThreadPoolExecutor(1)
            self._parts = [
                part if isinstance(part, Future) else self._packer.submit(_packed, part) for part in self._parts
            ]
        self._parts.append(self._packer.submit(_packed, text) if self._packer else text)


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("ascii"), _LEVEL)


class Texts:
    """A table of texts in which each stands once: the columns of an index hold places in it."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._texts: list[str] = []

    def place(self, text: str) -> int:
        """Where a text stands; it is added when it is new. Lone surrogates are escaped as in ``report.json``."""
        text = escape(text)
        place = self._places.setdefault(text, len(self._texts))
        if place == len(self._texts):
            self._texts.append(text)
        return place

    def text(self, place: int) -> str:
        """What stands at a place."""
        return self._texts[place]

    def all(self) -> list[JSONValue]:
        """The table."""
        return list(self._texts)
