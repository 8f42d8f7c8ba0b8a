"""Time stamps (RFC 3161) over seals: an authority signs that a seal was there at a time. They need an extra.

The authority is sent the SHA-256 of the seal and a random number, nothing else. Its answer is kept as it came, so that
other programs can check it as well::

    openssl ts -verify -in report.seal.tsr -data report.seal.json -CAfile roots.pem
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from deepscan.custody import authority
from deepscan.custody.faults import Fault, Kind
from deepscan.custody.seals import SEAL, TOKEN, contents
from deepscan.errors import InputError, OutputError, UsageError
from deepscan.reports.base import open_output
from deepscan.text import clean

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

_SHA256 = "2.16.840.1.101.3.4.2.1"
_MAX_ROOTS = 8 * 1024**2
_MAX_WORDS = 200


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time stamp that holds: when, by the authority's clock (UTC), and the authority as its certificate names it."""

    time: datetime
    authority: str

    def __str__(self) -> str:
        """In words."""
        return f"{self.time:%Y-%m-%d %H:%M:%S} UTC by {self.authority}"


def require(url: str) -> None:
    """Raise UsageError unless a time stamp can be asked for: before a scan, and without the network."""
    authority.require_url(url)
    _library()


def stamp(folder: Path, url: str) -> Path:
    """Have the seal of a folder stamped; returns the token's file.

    Raises:
        InputError: there is no seal.
        OutputError: there is no answer, or one that is no time stamp of this seal. Nothing is written then.
    """
    library = _library()
    data = contents(folder)
    request = library.TimestampRequestBuilder(data, library.HashAlgorithm.SHA256).build()
    answer = authority.post(url, request.as_bytes())
    shown = clean(url)
    try:
        response = library.decode_timestamp_response(answer)
        if response.status != library.PKIStatus.GRANTED:
            said = clean("; ".join(response.status_string), _MAX_WORDS).rstrip(".") or f"status {response.status}"
            raise OutputError(f"The time stamping authority {shown} gave no time stamp: {said}.", authority.AGAIN)
        same = _is_over(response, data) and response.tst_info.nonce == request.nonce
    except ValueError as e:
        raise OutputError(
            f"What the time stamping authority {shown} answered is no time stamp: {clean(str(e), _MAX_WORDS)}.",
            authority.AGAIN,
        ) from e
    if not same:
        raise OutputError(f"The time stamp of {shown} is over something else than this seal.", authority.AGAIN)
    with open_output(folder / TOKEN) as stream:
        stream.buffer.write(answer)
    return folder / TOKEN


def check_stamp(folder: Path, roots: Path) -> Stamp | Fault:
    """What the time stamp of a folder's seal says, or why it does not hold.

    Checked are the authority's signature, its certificate (for time stamping, valid at the time of the stamp, issued
    under one of ``roots``, which are PEM certificates) and that the stamp is over the seal as it is now. Whether a
    certificate was revoked is not asked: that needs the network.

    Raises:
        InputError: there is no time stamp or no seal, or the roots cannot be read.
        UsageError: the extra ``timestamp`` is not installed.
    """
    library = _library()
    trusted, data = _certificates(roots), contents(folder)
    answer = _bounded(folder / TOKEN, authority.MAX_BYTES, "Write one with --timestamp.")
    try:
        response = library.decode_timestamp_response(answer)
        if not _is_over(response, data):
            return Fault(Kind.CHANGED, TOKEN, f"it is over other bytes than {SEAL} has now")
        library.VerifierBuilder(roots=trusted).build().verify_message(response, data)
        return Stamp(response.tst_info.gen_time.astimezone(UTC), _signer(response))
    except library.VerificationError as e:
        why = clean(str(e), _MAX_WORDS).rstrip(".")
        return Fault(Kind.CHANGED, TOKEN, f"it does not hold with the roots in {clean(str(roots))}: {why}")
    except ValueError as e:
        return Fault(Kind.CHANGED, TOKEN, f"it is no time stamp: {clean(str(e), _MAX_WORDS).rstrip('.')}")


def _is_over(response: TimeStampResponse, data: bytes) -> bool:
    imprint = response.tst_info.message_imprint
    same = imprint.message == hashlib.sha256(data).digest()
    return same and imprint.hash_algorithm.dotted_string == _SHA256


def _signer(response: TimeStampResponse) -> str:
    """The subject of the certificate that signed, which verification has found already."""
    from cryptography.x509 import load_der_x509_certificate

    (signer,) = response.signed_data.signer_infos
    for certificate in map(load_der_x509_certificate, response.signed_data.certificates):
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number):
            return clean(certificate.subject.rfc4514_string(), _MAX_WORDS)
    raise ValueError("its certificate is missing")


def _certificates(path: Path) -> list[Certificate]:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(_bounded(path, _MAX_ROOTS, "Check the path."))
    except ValueError as e:
        raise InputError(
            f"{clean(str(path))} holds no certificates that can be read.",
            "Give the root certificates of the authority, as PEM.",
        ) from e


def _bounded(path: Path, limit: int, hint: str) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as e:
        raise InputError(f"{clean(str(path))} cannot be read: {e.strerror or e}.", hint) from e
    if len(data) > limit:
        raise InputError(f"{clean(str(path))} is larger than {limit // 1024} KiB.", "Check that it is the right file.")
    return data


def _library() -> ModuleType:
    try:
        import rfc3161_client
    except ImportError as e:
        raise UsageError(
            "Time stamps need the library rfc3161-client, which is not installed.", "pip install 'deepscan[timestamp]'"
        ) from e
    return rfc3161_client
