"""What checks apply to, told from the item alone: the sentences that several checks answer :meth:`why_not` with."""

from __future__ import annotations

from collections.abc import Collection

from deepscan.media.containers import CONTAINERS
from deepscan.types import MediaItem, MediaKind

NO_METADATA = "deepscan reads no metadata from such files"


def title(container: str) -> str:
    """``"a JPEG picture"``; the name itself where it is in no table."""
    return CONTAINERS[container].with_article if container in CONTAINERS else container


def only_pictures(item: MediaItem, what: str) -> str | None:
    """None for a picture. ``what`` is said of pictures: "Copied parts are looked for in"."""
    return f"{what} pictures, and this is a video." if item.kind is MediaKind.VIDEO else None


def only_jpeg(item: MediaItem, what: str) -> str | None:
    """None for a JPEG. ``what`` is said of these: "Double compression is looked for in"."""
    if item.container == "jpeg":
        return None
    return f"{what} JPEG pictures, and this is {title(item.container)}."


def only(item: MediaItem, containers: Collection[str], what: str) -> str | None:
    """None for one of ``containers``. ``what`` is said of all others: "deepscan reads no metadata from such files"."""
    return None if item.container in containers else f"This is {title(item.container)}, and {what}."
