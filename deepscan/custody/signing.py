"""Ed25519 signatures (RFC 8032) over seals. They need the extra ``sign``.

The signature is that of the seal's bytes, as base64 in one line, so that other programs can check it as well::

    base64 -d report.seal.sig > raw.sig
    openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in report.seal.json -sigfile raw.sig
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from deepscan.custody.seals import SIGNATURE, contents
from deepscan.errors import InputError, UsageError
from deepscan.reports.base import open_output
from deepscan.text import clean

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAKE_A_KEY = "Make one with: openssl genpkey -algorithm ed25519 -out key.pem"


def private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key: PEM (PKCS #8) or OpenSSH, without a password.

    Raises:
        InputError: the file cannot be read, or holds no such key.
        UsageError: the extra ``sign`` is not installed.
    """
    serialization = _serialization()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    data, shown = _data(path), clean(str(path))
    load = serialization.load_ssh_private_key if b"OPENSSH" in data else serialization.load_pem_private_key
    try:
        key = load(data, password=None)
    except TypeError as e:
        raise InputError(f"The key {shown} has a password.", "Sign with a key that has none.") from e
    except ValueError as e:
        raise InputError(f"{shown} holds no private key that can be read.", MAKE_A_KEY) from e
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"The key {shown} is not an Ed25519 key.", MAKE_A_KEY)
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key: PEM, or a line of OpenSSH. Raises as :func:`private_key`."""
    serialization = _serialization()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    data, shown = _data(path), clean(str(path))
    load = serialization.load_ssh_public_key if data.startswith(b"ssh-") else serialization.load_pem_public_key
    hint = "Give the public key: openssl pkey -in key.pem -pubout -out public.pem"
    try:
        key = load(data)
    except (ValueError, UnsupportedAlgorithm) as e:
        raise InputError(f"{shown} holds no public key that can be read.", hint) from e
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"The key {shown} is not an Ed25519 key.", hint)
    return key


def sign(folder: Path, key: Ed25519PrivateKey) -> Path:
    """Sign the seal of a folder; returns the signature's file. Raises InputError and OutputError."""
    signature = base64.b64encode(key.sign(contents(folder))).decode()
    with open_output(folder / SIGNATURE) as stream:
        stream.write(signature + "\n")
    return folder / SIGNATURE


def holds(folder: Path, key: Ed25519PublicKey) -> bool:
    """Whether the signature of a folder's seal is by that key and over those bytes. Raises InputError without one."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(base64.b64decode(_data(folder / SIGNATURE).strip(), validate=True), contents(folder))
    except (InvalidSignature, binascii.Error):
        return False
    return True


def _data(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise InputError(f"{clean(str(path))} cannot be read: {e.strerror or e}.", "Check the path.") from e


def _serialization() -> ModuleType:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError as e:
        raise UsageError(
            "Signatures need the library cryptography, which is not installed.", "pip install 'deepscan[sign]'"
        ) from e
    return serialization
