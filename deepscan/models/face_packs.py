"""Face finders by name, and the weights of the one that has some: fetched when asked for, and checked byte by byte.

The weights are pinned to one file: its SHA-256 is that of the Git LFS object in OpenCV's model zoo.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

from deepscan.errors import CorruptPackError, ModelError, ModelNotFoundError, OutputError
from deepscan.media.faces import FaceFinder, HaarFinder
from deepscan.media.yunet import YuNetFinder
from deepscan.text import clean

YUNET = "yunet"
"""The name of the pack, for ``deepscan models pull`` and ``--faces``."""

YUNET_URL = (
    "https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98/models/face_detection_yunet/"
    "face_detection_yunet_2023mar.onnx"
)
YUNET_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
YUNET_BYTES = 232_589
FILE_NAME = "face_detection_yunet_2023mar.onnx"

TIMEOUT = 60.0
"""Seconds without an answer after which fetching ends."""


@cache
def finder(name: str) -> FaceFinder:
    """The finder of that name, ``haar`` or ``yunet``; loads nothing yet.

    Raises:
        ModelNotFoundError: it is YuNet, and its weights are not on this machine.
        CorruptPackError: its weights are not the ones that are pinned.
    """
    return YuNetFinder(installed()) if name == YUNET else HaarFinder()


def folder() -> Path:
    """Where fetched weights lie: ``$DEEPSCAN_CACHE``, else ``deepscan`` in the user's cache folder."""
    chosen = os.environ.get("DEEPSCAN_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deepscan"


def installed() -> Path:
    """The file of YuNet's weights, its bytes checked. Raises as :func:`finder` does."""
    path = folder() / FILE_NAME
    try:
        content = path.read_bytes() if path.is_file() else None
    except OSError as e:
        raise CorruptPackError(f"{clean(str(path))} cannot be read: {e.strerror}.", "Check its permissions.") from e
    if content is None:
        raise ModelNotFoundError(
            f"The face finder YuNet is not on this machine: there is no {clean(str(path))}.",
            "Fetch it once with: deepscan models pull yunet. Without it, faces are found with --faces haar.",
        )
    _check(content, str(path))
    return path


def pull() -> Path:
    """Fetch YuNet's weights from OpenCV's model zoo, unless they are there already, and return their file.

    Raises:
        ModelError: they cannot be fetched.
        CorruptPackError: what came is not the pinned file.
        OutputError: the file cannot be written.
    """
    try:
        return installed()
    except (ModelNotFoundError, CorruptPackError):
        content = _fetched(YUNET_URL)
    _check(content, YUNET_URL)
    target = folder() / FILE_NAME
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(target)
    except OSError as e:
        raise OutputError(f"{clean(str(target))} cannot be written: {e.strerror}.", "Set DEEPSCAN_CACHE.") from e
    return target


def _fetched(url: str) -> bytes:
    import http.client
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310 - a constant, https
            content: bytes = answer.read(YUNET_BYTES + 1)
    except (OSError, http.client.HTTPException) as e:  # URLError and timeouts are OSErrors
        if isinstance(e, urllib.error.HTTPError):
            e.close()
        raise ModelError(
            f"YuNet cannot be fetched from {clean(url)}: {clean(str(e)) or type(e).__name__}.",
            f"Put the file into {clean(str(folder()))} by hand, as {FILE_NAME}; its SHA-256 is {YUNET_SHA256}.",
        ) from e
    return content


def _check(content: bytes, source: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != YUNET_SHA256:
        raise CorruptPackError(
            f"{clean(source)} is not the pinned file of YuNet: its SHA-256 is {digest[:12]}… and not "
            f"{YUNET_SHA256[:12]}….",
            "Remove it, and fetch it with: deepscan models pull yunet",
        )
