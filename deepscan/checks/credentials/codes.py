"""What each validation code of a C2PA validator means to deepscan: one table.

The codes are those of the C2PA Technical Specification 2.3, section "Returning validation results" (15.2 in 2.x),
with the older ones that readers still give, and those of the CAWG Identity Assertion 1.2 (cawg.*). The validator
sorts codes into success, informational and failure; what a failure is a failure *of* is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Meaning(StrEnum):
    """What a code speaks of."""

    INTACT = "intact"
    """Something was verified."""
    NOTE = "note"
    """Worth knowing; changes no answer."""
    TRUST = "trust"
    """The signer or its certificate: unknown, lapsed, revoked. Nothing about the bytes of the file."""
    IDENTITY = "identity"
    """An identity assertion (CAWG): who says they made it, beside the file's own signature."""
    INGREDIENT = "ingredient"
    """A file that this one was made from."""
    CHANGED = "changed"
    """A hash or a signature does not match: bytes were changed after they were signed."""
    RULE = "rule"
    """The manifest breaks a rule of the specification; no changed byte is shown."""
    UNVERIFIED = "unverified"
    """A part could not be verified at all, for want of a method or of access."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code: its meaning when it is reported as a failure, and what it says in words."""

    meaning: Meaning
    words: str


_I, _N, _T, _D = Meaning.INTACT, Meaning.NOTE, Meaning.TRUST, Meaning.IDENTITY
_G, _C, _R, _U = Meaning.INGREDIENT, Meaning.CHANGED, Meaning.RULE, Meaning.UNVERIFIED

_SUCCESS = {
    "claimSignature.validated": "The signature of the claim is right.",
    "claimSignature.insideValidity": "The claim was signed while the certificate was valid.",
    "signingCredential.trusted": "The signer's certificate leads to one on the trust list.",
    "signingCredential.ocsp.notRevoked": "The signer's certificate was not revoked.",
    "timeStamp.validated": "The time stamp belongs to the signature.",
    "timeStamp.trusted": "The time stamp authority is trusted.",
    "assertion.accessible": "An assertion that lies elsewhere could be read.",
    "assertion.hashedURI.match": "An assertion is as it was signed.",
    "assertion.dataHash.match": "The bytes of the file are as they were signed.",
    "assertion.bmffHash.match": "The boxes of the file are as they were signed.",
    "assertion.boxesHash.match": "The parts of the file are as they were signed.",
    "assertion.collectionHash.match": "The files of the collection are as they were signed.",
    "assertion.multiAssetHash.match": "The parts of the file are as they were signed.",
    "ingredient.manifest.validated": "The manifest of an ingredient is as it was taken over.",
    "ingredient.claimSignature.validated": "The signature of an ingredient is as it was taken over.",
    "cawg.identity.well-formed": "The identity assertion is well-formed.",
    "cawg.identity.trusted": "The identity is vouched for by a trusted issuer.",
    "cawg.x509.credential.trusted": "The certificate of the identity is trusted.",
    "cawg.ica.credential_valid": "The credential of the identity is valid.",
    "cawg.ica.time_stamp.validated": "The time stamp of the identity is right.",
    "cawg.ica.credential.not_revoked": "The credential of the identity was not revoked.",
}

_NOTES = {
    "algorithm.deprecated": "An algorithm that is no longer recommended was used.",
    "assertion.dataHash.additionalExclusionsPresent": "Parts of the file beyond the manifest are not signed.",
    "assertion.bmffHash.additionalExclusionsPresent": "Boxes of the file beyond the usual ones are not signed.",
    "assertion.boxesHash.additionalExclusionsPresent": "Parts of the file beyond the usual ones are not signed.",
    "ingredient.unknownProvenance": "An ingredient has no content credentials.",
    "manifest.unknownProvenance": "A manifest says nothing of where its file comes from.",
    "signingCredential.ocsp.skipped": "Whether the certificate was revoked was not asked over the network.",
    "signingCredential.ocsp.inaccessible": "Whether the certificate was revoked could not be asked.",
    "timeOfSigning.insideValidity": "The time of signing that is claimed lies in the certificate's validity.",
    "timeOfSigning.outsideValidity": "The time of signing that is claimed lies outside the certificate's validity.",
    "timeStamp.malformed": "The time stamp cannot be read.",
    "timeStamp.mismatch": "The time stamp does not belong to the signature.",
    "timeStamp.outsideValidity": "The time stamp was made outside the validity of its certificate.",
    "timeStamp.untrusted": "The time stamp authority is not trusted.",
    "timeStamp.credentialInvalid": "The certificate of the time stamp authority is not valid.",
}

_TRUST = {
    "signingCredential.untrusted": "The signer's certificate leads to none on the trust list.",
    "signingCredential.invalid": "The signer's certificate does not meet the rules for signing.",
    "signingCredential.expired": "The signer's certificate has lapsed.",
    "signingCredential.revoked": "The signer's certificate was revoked.",
    "signingCredential.ocsp.revoked": "The signer's certificate was revoked.",
    "signingCredential.ocsp.unknown": "The issuer does not know whether the certificate was revoked.",
    "claimSignature.outsideValidity": "The claim was signed while the certificate was not valid.",
}

_IDENTITY = {
    "cawg.identity.cbor.invalid": "The identity assertion cannot be read.",
    "cawg.identity.assertion.mismatch": "The identity speaks of an assertion that is not in the claim.",
    "cawg.identity.assertion.duplicate": "The identity speaks of the same assertion twice.",
    "cawg.identity.credential_revoked": "The credential of the identity was revoked.",
    "cawg.identity.hard_binding_missing": "The identity is not bound to the content of the file.",
    "cawg.identity.sig_type.unknown": "The identity is signed in an unknown way.",
    "cawg.identity.pad.invalid": "The padding of the identity assertion is not empty.",
    "cawg.identity.expected_partial_claim.mismatch": "The identity was made for another claim.",
    "cawg.identity.expected_claim_generator.mismatch": "The identity was made for another program.",
    "cawg.identity.expected_countersigner.mismatch": "The identity was made for other co-signers.",
    "cawg.identity.expected_countersigner.missing": "A co-signer that the identity expects is missing.",
    "cawg.identity.unexpected_countersigner": "The identity has a co-signer that it does not expect.",
    "cawg.x509.credential.untrusted": "The certificate of the identity leads to none on a trust list.",
    "cawg.x509.signature.mismatch": "The signature of the identity is wrong.",
    "cawg.ica.invalid_cose_sign1": "The signature of the identity cannot be read.",
    "cawg.ica.invalid_alg": "The identity is signed by a missing or unknown algorithm.",
    "cawg.ica.invalid_content_type": "The identity is not marked as a credential.",
    "cawg.ica.invalid_verifiable_credential": "The credential of the identity is not well-formed.",
    "cawg.ica.invalid_issuer": "The issuer of the identity is not named as it must be.",
    "cawg.ica.did_unsupported_method": "The issuer of the identity is named by an unknown method.",
    "cawg.ica.did_unavailable": "The issuer's key is on the network, and was not or could not be fetched.",
    "cawg.ica.invalid_did_document": "The issuer's key cannot be read.",
    "cawg.ica.untrusted_issuer": "The issuer of the identity is not on a trust list.",
    "cawg.ica.signature_mismatch": "The signature of the identity is wrong.",
    "cawg.ica.signer_payload.mismatch": "The credential of the identity was made for another file.",
    "cawg.ica.time_stamp.invalid": "The time stamp of the identity is wrong.",
    "cawg.ica.valid_from.missing": "The credential does not say from when on it is valid.",
    "cawg.ica.valid_from.invalid": "The credential was not yet valid.",
    "cawg.ica.valid_until.invalid": "The credential was no longer valid.",
    "cawg.ica.revocation.unsupported": "Whether the credential was revoked cannot be told.",
    "cawg.ica.revocation.unavailable": "Whether the credential was revoked could not be asked.",
    "cawg.ica.credential.revoked": "The credential of the identity was revoked.",
    "cawg.ica.verified_identities.missing": "The credential names no identity.",
    "cawg.ica.verified_identities.invalid": "The credential names its identities in a wrong way.",
}

_INGREDIENT = {
    "ingredient.hashedURI.mismatch": "The manifest of an ingredient is not the one that was taken over.",
    "ingredient.manifest.missing": "The manifest of an ingredient is missing.",
    "ingredient.manifest.mismatch": "The manifest of an ingredient is not the one that was taken over.",
    "ingredient.claimSignature.missing": "The signature of an ingredient is missing.",
    "ingredient.claimSignature.mismatch": "The signature of an ingredient is not the one that was taken over.",
}

_CHANGED = {
    "claimSignature.mismatch": "The claim is not the one that was signed.",
    "assertion.hashedURI.mismatch": "An assertion is not the one that was signed.",
    "hashedURI.mismatch": "A part of the manifest is not the one that was signed.",
    "hashedURI.missing": "A part of the manifest that was signed is missing.",
    "assertion.missing": "An assertion that was signed is missing.",
    "assertion.dataHash.mismatch": "The bytes of the file are not those that were signed.",
    "assertion.bmffHash.mismatch": "The boxes of the file are not those that were signed.",
    "assertion.boxesHash.mismatch": "The parts of the file are not those that were signed.",
    "assertion.boxesHash.unknownBox": "The file has a part that was not there when it was signed.",
    "assertion.collectionHash.mismatch": "A file of the collection is not the one that was signed.",
    "assertion.collectionHash.incorrectFileCount": "The collection has other files than were signed.",
    "assertion.multiAssetHash.mismatch": "A part of the file is not the one that was signed.",
    "assertion.multiAssetHash.missingPart": "A part of the file that was signed is missing.",
    "assertion.undeclared": "The manifest has an assertion that was not signed.",
    "assertion.notRedacted": "An assertion that was declared removed is still there.",
    "assertion.cloud-data.mismatch": "An assertion that lies elsewhere is not the one that was signed.",
    "assertion.external-reference.mismatch": "An assertion that lies elsewhere is not the one that was signed.",
}

_RULES = {
    "claim.cbor.invalid": "The claim is not well-formed.",
    "claim.malformed": "The claim is not well-formed.",
    "claim.missing": "The claim is missing.",
    "claim.multiple": "The manifest has several claims.",
    "claim.required.missing": "The claim lacks a field that it must have.",
    "claim.hardBindings.missing": "The claim is bound to no content.",
    "claimSignature.missing": "The claim is not signed.",
    "assertion.action.ingredientMismatch": "An action speaks of an ingredient that is not there.",
    "assertion.action.malformed": "The list of actions is not well-formed.",
    "assertion.action.missing": "The list of actions is missing.",
    "assertion.action.redacted": "The list of actions was removed, which is not allowed.",
    "assertion.action.redactionMismatch": "An action speaks of a removal that is not there.",
    "assertion.action.softBindingMissing": "An action speaks of a watermark that is not described.",
    "assertion.bmffHash.malformed": "The hash of the boxes is not well-formed.",
    "assertion.boxesHash.malformed": "The hash of the parts is not well-formed.",
    "assertion.dataHash.malformed": "The hash of the bytes is not well-formed.",
    "assertion.dataHash.redacted": "The hash of the bytes was removed, which is not allowed.",
    "assertion.hardBinding.redacted": "The binding to the content was removed, which is not allowed.",
    "assertion.collectionHash.invalidURI": "The collection names a file in a way that is not allowed.",
    "assertion.collectionHash.malformed": "The hash of the collection is not well-formed.",
    "assertion.multiAssetHash.malformed": "The hash of the parts is not well-formed.",
    "assertion.cbor.invalid": "An assertion is not well-formed.",
    "assertion.json.invalid": "An assertion is not well-formed.",
    "assertion.cloud-data.actions": "A list of actions lies elsewhere, which is not allowed.",
    "assertion.cloud-data.hardBinding": "The binding to the content lies elsewhere, which is not allowed.",
    "assertion.cloud-data.labelMismatch": "An assertion that lies elsewhere has another name.",
    "assertion.cloud-data.malformed": "The reference to an assertion elsewhere is not well-formed.",
    "assertion.external-reference.actions": "A list of actions lies elsewhere, which is not allowed.",
    "assertion.external-reference.created": "An assertion made here lies elsewhere, which is not allowed.",
    "assertion.external-reference.hardBinding": "The binding to the content lies elsewhere, which is not allowed.",
    "assertion.external-reference.malformed": "The reference to an assertion elsewhere is not well-formed.",
    "assertion.ingredient.malformed": "An ingredient is not described as it must be.",
    "assertion.metadata.disallowed": "The metadata have a field that is not allowed.",
    "assertion.multipleHardBindings": "The claim is bound to its content more than once.",
    "assertion.outsideManifest": "An assertion lies in another manifest.",
    "assertion.required.missing": "A part that must be there is missing or cannot be decoded.",
    "assertion.selfRedacted": "The claim removes an assertion of its own.",
    "assertion.timestamp.malformed": "A list of time stamps is not well-formed.",
    "manifest.compressed.invalid": "A packed manifest cannot be unpacked.",
    "manifest.multipleParents": "The manifest has several parents.",
    "manifest.timestamp.invalid": "A manifest for a time stamp holds more than that.",
    "manifest.timestamp.wrongParents": "A manifest for a time stamp has no parent, or several.",
    "manifest.update.invalid": "A manifest for an update holds what it must not hold.",
    "manifest.update.wrongParents": "A manifest for an update has no parent, or several.",
    "com.adobe.prerelease": "The manifest was made by a version before the first specification.",
}

_UNVERIFIED = {
    "algorithm.unsupported": "An algorithm is unknown to this validator.",
    "assertion.inaccessible": "An assertion that lies elsewhere could not be read.",
    "manifest.inaccessible": "A manifest that lies elsewhere could not be read.",
    "general.error": "The validator met an error that it does not name.",
}

CODES: Mapping[str, Code] = MappingProxyType(
    {
        code: Code(meaning, words)
        for meaning, table in (
            (_I, _SUCCESS),
            (_N, _NOTES),
            (_T, _TRUST),
            (_D, _IDENTITY),
            (_G, _INGREDIENT),
            (_C, _CHANGED),
            (_R, _RULES),
            (_U, _UNVERIFIED),
        )
        for code, words in table.items()
    }
)
"""Every code that is known, by its name."""

_PREFIXES = (
    ("cawg.", _D),
    ("timeStamp.", _N),
    ("timeOfSigning.", _N),
    ("signingCredential.", _T),
    ("ingredient.", _G),
    ("claimSignature.", _R),
    ("claim.", _R),
    ("assertion.", _R),
    ("manifest.", _R),
    ("hashedURI.", _R),
)

UNKNOWN_WORDS = "deepscan does not know this code."

UNPROVED = frozenset({"cawg.x509.credential.untrusted", "cawg.ica.untrusted_issuer", "cawg.ica.did_unavailable"})
"""Codes of identities that nobody vouches for here, which is not the same as identities that are wrong."""


def meaning_of_failure(code: str) -> Meaning:
    """What a failure of this code is a failure of.

    A code that is not in the table is judged by its namespace: never as changed bytes, for which only the codes that
    say so stand; a part of the manifest that fails in a way unknown here breaks a rule, and a failure of a namespace
    unknown here is a note.
    """
    known = CODES.get(code)
    if known is not None:
        return known.meaning
    return next((meaning for prefix, meaning in _PREFIXES if code.startswith(prefix)), Meaning.NOTE)


def words_for(code: str) -> str:
    """What the code says, as a sentence."""
    known = CODES.get(code)
    return known.words if known is not None else UNKNOWN_WORDS
