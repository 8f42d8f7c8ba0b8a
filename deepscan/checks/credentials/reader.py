"""The one place that calls the C2PA library: a file in, a store or a refusal out, and no word over the network."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from io import RawIOBase
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urlsplit

from deepscan.checks.credentials.store import Store, read_store
from deepscan.checks.credentials.trust import TrustList
from deepscan.errors import ConfigError, LimitError
from deepscan.types import JSONValue

if TYPE_CHECKING:
    from c2pa import Context

MAX_MANIFEST_BYTES = 32 * 1024**2
"""Bytes of a manifest store that are handed to the library. Stores with thumbnails of a dozen ingredients have two."""

READ_SECONDS = 60.0
"""Seconds that hashing one file may take: half of what one file may take in all (FILE_SECONDS)."""

MIME: Mapping[str, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "apng": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "heic": "image/heic",
    "avif": "image/avif",
    "mp4": "video/mp4",
    "3gp": "video/mp4",
    "mov": "video/quicktime",
    "avi": "video/x-msvideo",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the library gave no store: ``missing`` when it found none, and its own words otherwise."""

    missing: bool
    words: str


def read_credentials(file: BinaryIO, container: str, trust: TrustList, *, fetch: str | None = None) -> Store | Refusal:
    """Validate the content credentials of an open file.

    Args:
        file: The file, open for reading.
        container: One of :data:`MIME`.
        trust: Whose signatures count as trusted.
        fetch: The address of a remote manifest that may be fetched; nothing else ever is.

    Raises:
        LimitError: reading took more than :data:`READ_SECONDS`, or the store holds more than is looked at.
        ConfigError: the library does not accept the trust list.
    """
    from c2pa import C2paError, Reader

    try:
        host = urlsplit(fetch).netloc.rpartition("@")[2] if fetch else None
    except ValueError:
        return Refusal(missing=False, words="the address of the manifest is none")
    context = _context(trust, host)
    stream = _Timed(file, READ_SECONDS)
    try:
        with closing(Reader(MIME[container], stream, context=context)) as reader:
            report = cast("JSONValue", json.loads(reader.json()))
            embedded = reader.is_embedded()
            remote = reader.get_remote_url()
    except C2paError as e:
        if stream.late:
            raise LimitError(f"Its content could not be hashed in {READ_SECONDS:.0f} seconds.") from e
        return Refusal(isinstance(e, C2paError.ManifestNotFound), str(e))
    except (ValueError, RecursionError) as e:
        # json.loads and the decoding of the library's answer; both are made of the file's own words.
        return Refusal(missing=False, words=f"the library's answer cannot be read ({type(e).__name__})")
    return replace(read_store(report), embedded=embedded, remote=remote)


@lru_cache(maxsize=8)
def _context(trust: TrustList, host: str | None) -> Context:
    from c2pa import C2paError, Context

    # An empty list of hosts closes the library's only way to the network, whatever asks for it: remote manifests,
    # revocation (OCSP), and the keys of identities (did:web).
    settings = {
        "version": 1,
        "trust": {"trust_anchors": trust.pem} if trust.pem else {},
        "verify": {
            "verify_after_reading": True,
            "verify_trust": True,
            "verify_timestamp_trust": True,
            "ocsp_fetch": False,
            "remote_manifest_fetch": host is not None,
        },
        "core": {"allowed_network_hosts": [host] if host else []},
    }
    try:
        return Context.from_dict(settings)
    except C2paError as e:
        raise ConfigError(
            f"The C2PA library does not accept {trust.name}: {e}.", "Check the certificates of --trust-list."
        ) from e


class _Timed(RawIOBase):
    """A file that stops giving bytes when its time is over: the library hashes what it reads, however large."""

    def __init__(self, file: BinaryIO, seconds: float) -> None:
        super().__init__()
        self._file = file
        self._until = time.monotonic() + seconds
        self.late = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if time.monotonic() > self._until:
            self.late = True
            raise OSError("out of time")
        target = memoryview(buffer).cast("B")
        data = self._file.read(len(target))
        target[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
