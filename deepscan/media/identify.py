"""One read-only pass over a file: what it is by its bytes, how long, and its SHA-256.

Evidence is never written to: files are opened for reading, without moving their access time where the system allows
it, and without waiting where a pipe was put in a file's place.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepscan.config import ScanOptions
from deepscan.media.containers import (
    CONTAINERS,
    MEDIA_SUFFIXES,
    SUFFIXES,
    TEXT_SUFFIXES,
    TITLES,
    UNSIGNED,
    Container,
    suffixes_for,
)
from deepscan.media.discover import Candidate, reason_of, special
from deepscan.media.opening import open_descriptor
from deepscan.media.signatures import HEAD_BYTES, detect
from deepscan.text import clean, size
from deepscan.types import MediaItem, MediaKind, SkipCode, Skipped

__all__ = ["SUFFIXES", "TITLES", "Container", "detect", "identify", "suffixes_for"]

BLOCK_BYTES = 1024 * 1024
"""Bytes hashed at a time."""

_KIND_WORDS = {MediaKind.IMAGE: "picture", MediaKind.VIDEO: "video"}


def identify(candidate: Candidate, options: ScanOptions) -> MediaItem | Skipped:
    """Read a file once and say what it is, or why it is not examined.

    What is no media, not wanted or too large is answered from its first bytes; only what will be examined is read to
    its end. A file that grows, shrinks, is written to or is replaced meanwhile is ``changed``: its hash would belong to
    bytes that nobody can look at again. Never raises for what the file is or the system says.
    """
    try:
        with _opened(candidate) as descriptor:
            return _read(candidate, descriptor, options)
    except FileNotFoundError:
        return Skipped(candidate.path, SkipCode.VANISHED, "It was gone before it could be read.")
    except (OSError, ValueError) as e:
        if isinstance(e, OSError) and e.errno in (errno.ENXIO, errno.ENODEV):  # what opening a socket answers
            return Skipped(candidate.path, SkipCode.SPECIAL, special(0))
        return Skipped(candidate.path, SkipCode.UNREADABLE, f"It cannot be read: {reason_of(e)}.")


def refusal(candidate: Candidate, container: str, length: int, options: ScanOptions) -> Skipped | None:
    """Why a file that was identified before is not examined with these options; None when it is."""
    known = CONTAINERS.get(container)
    refused = _refuse(known, length, options) if known is not None else None
    return Skipped(candidate.path, *refused) if refused else None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes as they are now, in hexadecimal. Raises OSError."""
    with open(path, "rb", buffering=0, opener=lambda name, _: open_descriptor(name)) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _opened(candidate: Candidate) -> Iterator[int]:
    descriptor = open_descriptor(candidate.path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read(candidate: Candidate, descriptor: int, options: ScanOptions) -> MediaItem | Skipped:
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        return Skipped(candidate.path, SkipCode.SPECIAL, special(before.st_mode))
    head = _read_head(descriptor)
    container = detect(head, before.st_size)
    if container is None or container.kind is None:
        return _not_media(candidate, container, head)
    refusal = _refuse(container, before.st_size, options)
    if refusal:
        return Skipped(candidate.path, *refusal)
    digest = _hash(descriptor, head, before.st_size)
    if digest is None or _changed(candidate, descriptor, before):
        return Skipped(candidate.path, SkipCode.CHANGED, "It was changed by another program while it was read.")
    assert container.kind is not None
    return MediaItem(candidate.root, candidate.name, container.kind, container.name, before.st_size, digest)


def _read_head(descriptor: int) -> bytes:
    parts, missing = [], HEAD_BYTES
    while missing and (part := os.read(descriptor, missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _hash(descriptor: int, head: bytes, expected: int) -> str | None:
    """SHA-256 of the file, or None when it does not end where it should. Stops there: a file may grow without end."""
    digest = hashlib.sha256(head)
    left = expected - len(head)
    while left > 0 and (block := os.read(descriptor, min(BLOCK_BYTES, left))):
        digest.update(block)
        left -= len(block)
    return digest.hexdigest() if left == 0 and not os.read(descriptor, 1) else None


def _changed(candidate: Candidate, descriptor: int, before: os.stat_result) -> bool:
    """Whether the file was written to, or another one now has its name: checks open it by name, later."""
    for after in (os.fstat(descriptor), candidate.path.stat()):
        if (after.st_dev, after.st_ino) != (before.st_dev, before.st_ino):
            return True
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            return True
    return False


def _refuse(container: Container, length: int, options: ScanOptions) -> tuple[SkipCode, str] | None:
    """Why a picture or video is not examined, told from its first bytes; None when it is to be read."""
    what = container.with_article
    if container.kind not in options.kinds:
        assert container.kind is not None
        wanted = " and ".join(f"{_KIND_WORDS[kind]}s" for kind in options.kinds)
        reason = f"It is {what}, a {_KIND_WORDS[container.kind]}, and --kinds asks for {wanted}."
        return SkipCode.EXCLUDED, reason
    if not container.readable:
        return SkipCode.UNSUPPORTED, f"It is {what}: deepscan has no reader for this format."
    if length > options.max_size:
        reason = f"It is {what} of {size(length)}, and --max-size allows {size(options.max_size)}."
        return SkipCode.TOO_LARGE, reason
    return None


def _not_media(candidate: Candidate, container: Container | None, head: bytes) -> Skipped:
    """What is no picture and no video by its bytes; one that is named as such may be a damaged one, and is not passed
    over as harmless.
    """
    suffix = os.path.splitext(candidate.name.name)[1].lower()  # noqa: PTH122 (a PurePath has no suffix for ".jpg")
    shown = clean(suffix)
    is_text = container is not None and container.name == "text"
    if suffix in UNSIGNED and container is None:
        reason = f"It is named {shown}, as {UNSIGNED[suffix]} pictures are: deepscan has no reader for this format."
        return Skipped(candidate.path, SkipCode.UNSUPPORTED, reason)
    promised = suffix in MEDIA_SUFFIXES and not ((is_text or not head) and suffix in TEXT_SUFFIXES)
    if not head and promised:
        return Skipped(candidate.path, SkipCode.EMPTY, "It is empty: zero bytes.")
    if not head:
        return Skipped(candidate.path, SkipCode.NOT_MEDIA, "It is empty, and not named as a picture or video.")
    if container is not None:
        what = container.with_article
        if promised:
            return Skipped(candidate.path, SkipCode.UNREADABLE, f"It is named {shown}, but its bytes are {what}.")
        return Skipped(candidate.path, SkipCode.NOT_MEDIA, f"It is {what}, not a picture or video.")
    if promised:
        reason = f"It is named {shown}, but its bytes are no picture or video deepscan knows."
        return Skipped(candidate.path, SkipCode.UNREADABLE, reason)
    return Skipped(candidate.path, SkipCode.NOT_MEDIA, "Its bytes are no picture or video deepscan knows.")
