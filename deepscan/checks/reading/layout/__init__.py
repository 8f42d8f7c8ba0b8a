"""How files are built: one bounded walk per container, which tells where metadata lies and where the picture ends.

Nothing is decoded, nothing large is held, and every length in the file is taken for a lie until it fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO

from deepscan.checks.reading.layout.base import Block, Layout, Pieces
from deepscan.checks.reading.layout.ebml import walk_ebml
from deepscan.checks.reading.layout.gif import walk_gif
from deepscan.checks.reading.layout.isobmff import walk_isobmff
from deepscan.checks.reading.layout.jpeg import walk_jpeg
from deepscan.checks.reading.layout.png import walk_png
from deepscan.checks.reading.layout.riff import walk_avi, walk_webp
from deepscan.errors import LimitError

__all__ = ["WALKED", "Block", "Layout", "Pieces", "layout"]

_WALKS: Mapping[str, Callable[[Pieces], Layout]] = {
    "jpeg": walk_jpeg,
    "png": walk_png,
    "apng": walk_png,
    "webp": walk_webp,
    "gif": walk_gif,
    "avi": walk_avi,
    "heic": walk_isobmff,
    "avif": walk_isobmff,
    "mp4": walk_isobmff,
    "mov": walk_isobmff,
    "3gp": walk_isobmff,
    "mkv": walk_ebml,
    "webm": walk_ebml,
}


WALKED = frozenset(_WALKS)
"""The containers whose structure is known here."""


def layout(file: BinaryIO, container: str) -> Layout:
    """The structure of an open file of a container that :mod:`deepscan.media.identify` names.

    An unknown container gives an empty layout.

    Raises:
        UnreadableError: the disk gives an error.
    """
    walk = _WALKS.get(container)
    if walk is None:
        return Layout()
    try:
        return walk(Pieces(file))
    except LimitError as e:
        return Layout(unfinished=e.message)
