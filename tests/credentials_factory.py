"""Files signed with content credentials, made by the C2PA library with certificates that are made here.

Nothing of it is real: the authority, the signers and the pictures are made anew in every test run.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from c2pa import Builder, C2paSignerInfo, Context, Signer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@dataclass(frozen=True)
class Authority:
    """A root certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def _name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Made up"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _begun(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, days: float) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=30))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


_USAGE = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


@cache
def authority() -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(**{**_USAGE, "key_cert_sign": True, "crl_sign": True})
    certificate = (
        _begun("Root", "Root", key, 3650)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


@cache
def _signing_pair(name: str, ocsp: str | None, days: float) -> tuple[str, str]:
    root, key = authority(), ec.generate_private_key(ec.SECP256R1())
    begun = (
        _begun(name, "Root", key, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{**_USAGE, "digital_signature": True}), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()), critical=False)
    )
    if ocsp:
        asked = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))
        begun = begun.add_extension(x509.AuthorityInformationAccess([asked]), critical=False)
    leaf = begun.sign(root.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return leaf + root.pem, secret.decode()


def created(source: str | None = None, *, agent: str | None = None, action: str = "c2pa.created") -> dict[str, Any]:
    """An action; ``source`` is a bare term of IPTC's or a whole address."""
    made: dict[str, Any] = {"action": action}
    if source:
        made["digitalSourceType"] = source if "/" in source else IPTC + source
    if agent:
        made["softwareAgent"] = {"name": agent}
    return made


def sign(
    data: bytes,
    mime: str,
    *,
    actions: Sequence[Mapping[str, Any]] = (),
    assertions: Sequence[Mapping[str, Any]] = (),
    ingredients: Sequence[tuple[Mapping[str, Any], str, bytes]] = (),
    generator: str = "a test",
    title: str = "made here",
    signer: str = "Signer",
    ocsp: str | None = None,
    days: float = 300,
    version: int = 2,
) -> bytes:
    """The file ``data`` with a signed manifest. An ingredient is (its description, its type, its bytes).

    ``days`` is how long the signer's certificate is valid, ``version`` that of the claim: 1 demands less.
    """
    listed = list(assertions)
    if actions:
        listed.append(
            {"label": "c2pa.actions" if version == 1 else "c2pa.actions.v2", "data": {"actions": list(actions)}}
        )
    manifest = {
        "claim_version": version,
        "claim_generator_info": [{"name": generator, "version": "1"}],
        "title": title,
        "assertions": listed,
    }
    settings = {
        "verify": {"verify_after_sign": False},
        "builder": {"thumbnail": {"enabled": False}, "actions": {"auto_opened_action": {"enabled": False}}},
    }
    chain, key = _signing_pair(signer, ocsp, days)
    with (
        Context.from_dict(settings) as context,
        Builder(json.dumps(manifest), context) as builder,
        Signer.from_info(C2paSignerInfo("es256", chain.encode(), key.encode(), None)) as signs,
    ):
        for description, kind, content in ingredients:
            builder.add_ingredient(json.dumps(description), kind, io.BytesIO(content))
        target = io.BytesIO()
        builder.sign(signs, mime, io.BytesIO(data), target)
        return target.getvalue()
