"""Whose signatures count as trusted: the list that deepscan ships, or one that the user names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from deepscan.errors import ConfigError

MAX_LIST_BYTES = 8 * 1024**2
"""Bytes of a list of certificates; the largest public one (Mozilla's) has a quarter of a megabyte."""

_DATED = re.compile(r"^# dated: (\d{4}-\d{2}-\d{2})$", re.MULTILINE)
_BEGIN = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class TrustList:
    """Certificates in PEM, with what to call the list in a report."""

    name: str
    pem: str

    @property
    def count(self) -> int:
        """How many certificates it holds."""
        return self.pem.count(_BEGIN)


@cache
def shipped() -> TrustList:
    """The list that deepscan ships; its head says where it comes from and of what date it is."""
    text = files("deepscan.checks").joinpath("trust", "c2pa.pem").read_text(encoding="ascii")
    dated = _DATED.search(text)
    assert dated is not None  # a test reads it
    return TrustList(f"the C2PA trust list of {dated.group(1)}", _certificates(text))


def chosen(path: str | None) -> TrustList:
    """The list at ``path``, or the shipped one for None.

    Raises:
        ConfigError: the file cannot be read, or is no list of certificates in PEM.
    """
    if path is None:
        return shipped()
    return _read(Path(path))


def _read(path: Path) -> TrustList:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_LIST_BYTES + 1)
    except OSError as e:
        raise ConfigError(f"The trust list {path} cannot be read: {e.strerror or e}.", "Check --trust-list.") from e
    pem = _certificates(raw.decode("utf-8", errors="replace"))
    if len(raw) > MAX_LIST_BYTES or _BEGIN not in pem:
        raise ConfigError(f"{path} is no list of certificates in PEM form.", "Check --trust-list.")
    return TrustList(f"the trust list {path.name}", pem)


def _certificates(text: str) -> str:
    """The certificates alone: the validator takes no comments between them."""
    found = re.findall(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", text)
    return "\n".join(found) + "\n" if found else ""
