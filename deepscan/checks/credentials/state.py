"""The six states of a file's content credentials, from our own reading of the validator's codes."""

from __future__ import annotations

from enum import StrEnum

from deepscan.checks.credentials.codes import UNPROVED, Meaning, meaning_of_failure
from deepscan.checks.credentials.store import Status, Statuses, Store

SIGNATURE = "claimSignature.validated"
TRUSTED = "signingCredential.trusted"
STAMPED = "timeStamp.validated"


class State(StrEnum):
    """What can be said of a file's content credentials."""

    NONE = "none"
    """It has none, and no reference to any elsewhere."""
    MARKER_ONLY = "marker-only"
    """It has bytes or a reference that belong to a manifest, and no manifest that can be read here."""
    TRUSTED = "valid-trusted"
    """Intact, and signed by someone on the trust list."""
    UNTRUSTED = "valid-untrusted"
    """Intact; the signer is not on the trust list, or the certificate has lapsed."""
    INVALID = "invalid"
    """A hash or signature does not match, or the manifest breaks the rules it must keep."""
    UNREADABLE = "unreadable"
    """There is a manifest, and it cannot be read or verified."""

    @property
    def intact(self) -> bool:
        """Whether what the manifest says is what was signed."""
        return self in (State.TRUSTED, State.UNTRUSTED)


def state_of(store: Store) -> State:
    """The state of a store that the validator could open.

    Only failures of the active manifest count: what is wrong with an ingredient was wrong before this file was made of
    it, and what is wrong with an identity or a certificate changes no byte of the file.
    """
    meanings = {meaning_of_failure(status.code) for status in store.statuses.failures}
    if meanings & {Meaning.CHANGED, Meaning.RULE}:
        return State.INVALID
    verified = {status.code for status in store.statuses.success}
    if Meaning.UNVERIFIED in meanings or SIGNATURE not in verified or store.active is None:
        return State.UNREADABLE
    return State.TRUSTED if TRUSTED in verified and Meaning.TRUST not in meanings else State.UNTRUSTED


def failures_of(statuses: Statuses, *meanings: Meaning) -> tuple[Status, ...]:
    """The failures of these meanings, each code once."""
    found = {s.code: s for s in reversed(statuses.failures) if meaning_of_failure(s.code) in meanings}
    return tuple(reversed(found.values()))


def failed_identities(statuses: Statuses) -> tuple[Status, ...]:
    """The failures of identity assertions that are more than a voucher who is unknown or out of reach here."""
    return tuple(s for s in failures_of(statuses, Meaning.IDENTITY) if s.code not in UNPROVED)


def unproved_identities(statuses: Statuses) -> tuple[Status, ...]:
    """The codes of identities that could not be confirmed here, failures and notes alike."""
    found = {s.code: s for s in (*statuses.failures, *statuses.notes) if s.code in UNPROVED}
    return tuple(found.values())


def broken(failures: tuple[Status, ...]) -> tuple[Status, ...]:
    """Of the failures of an ingredient: those that say that it was changed, or breaks the rules."""
    wanted = (Meaning.CHANGED, Meaning.RULE, Meaning.INGREDIENT)
    return tuple(s for s in failures if meaning_of_failure(s.code) in wanted)
