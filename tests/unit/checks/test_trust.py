"""The trust list that deepscan ships: whole, genuine as far as that shows, and without anyone's test certificates."""

from __future__ import annotations

import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from deepscan.checks.credentials.trust import shipped

LIST = x509.load_pem_x509_certificates(shipped().pem.encode())
NAMES = [certificate.subject.rfc4514_string() for certificate in LIST]


def test_it_is_dated_and_holds_what_it_holds() -> None:
    assert re.fullmatch(r"the C2PA trust list of \d{4}-\d{2}-\d{2}", shipped().name)
    assert shipped().count == len(LIST) == 9
    assert len({certificate.fingerprint(hashes.SHA256()) for certificate in LIST}) == len(LIST)


@pytest.mark.parametrize("certificate", LIST, ids=NAMES)
def test_every_certificate_is_an_authority_that_signs_itself(certificate: x509.Certificate) -> None:
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert basic.ca
    key = certificate.public_key()
    stated = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert stated == x509.SubjectKeyIdentifier.from_public_key(key)
    if certificate.issuer == certificate.subject:
        certificate.verify_directly_issued_by(certificate)
    else:
        assert "Adobe" in certificate.subject.rfc4514_string()


def test_no_test_certificate_is_trusted() -> None:
    assert not any("test" in name.lower() or "example" in name.lower() for name in NAMES)
