"""The check of content credentials (C2PA): what the file says of its own making, and whether it still is as signed.

Manifests are validated by the C2PA project's own library; what its codes mean is decided in
:mod:`deepscan.checks.credentials.codes`. Nothing is fetched over the network unless it was asked for.
"""

from __future__ import annotations

from typing import BinaryIO

from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Subject
from deepscan.checks.credentials.describe import traces
from deepscan.checks.credentials.findings import CODES, MARKER, REMOTE, REMOVED, judge, unreadable
from deepscan.checks.credentials.places import SEARCHED, Places, find_places
from deepscan.checks.credentials.reader import MAX_MANIFEST_BYTES, Refusal, read_credentials
from deepscan.checks.credentials.state import State, state_of
from deepscan.checks.credentials.store import Store
from deepscan.checks.credentials.trust import chosen
from deepscan.checks.scope import only
from deepscan.errors import LimitError
from deepscan.text import clean, size
from deepscan.types import CheckResult, Evidence, Family, Finding, Level, MediaItem, MediaKind, PointsTo

SPEC = CheckSpec(
    id="provenance",
    title="Content credentials (C2PA): signature, declarations of AI or camera, ingredients",
    family=Family.PROVENANCE,
    version="2",
    kinds=frozenset({MediaKind.IMAGE, MediaKind.VIDEO}),
    codes=CODES,
    cost=Cost.LOW,
    looks_at="JPEG, PNG, WebP, GIF, TIFF, HEIC and AVIF pictures; MP4, MOV, 3GP and AVI videos",
    options=("trust_list", "fetch_remote"),
)

_FRAGMENTS = frozenset({b"mdat", b"moof"})


class Provenance:
    """Reads and judges content credentials.

    Args:
        trust_list: A PEM file of certificates to trust in place of the shipped list.
        fetch_remote: Whether a manifest that the file names by its address may be fetched.

    Raises:
        ConfigError: the trust list cannot be read.
    """

    spec = SPEC

    def __init__(self, trust_list: str | None = None, *, fetch_remote: bool = False) -> None:
        self._trust = chosen(trust_list)
        self._fetch_remote = fetch_remote

    def why_not(self, item: MediaItem) -> str | None:
        """Content credentials are embedded in the containers that the specification names."""
        return only(item, SEARCHED, "content credentials (C2PA) are not read from such files")

    def run(self, subject: Subject) -> CheckResult:
        """Search, validate and judge the content credentials of one file.

        Raises:
            NotApplicableError: the file has none.
            UnreadableError: the disk gives an error.
        """
        with subject.open() as file:
            places = find_places(file, subject.item.container)
            if places.nothing:
                raise NotApplicableError(
                    "The file has no content credentials (C2PA). Most files have none: that is evidence of nothing."
                )
            findings = self._examine(file, subject.item.container, places)
        return SPEC.done(findings)

    def _examine(self, file: BinaryIO, container: str, places: Places) -> tuple[Finding, ...]:
        fetch = places.remote if self._fetch_remote and places.manifest is None else None
        if places.manifest is None and fetch is None:
            return (_without_manifest(places),)
        if places.manifest is not None and places.manifest > MAX_MANIFEST_BYTES:
            length = f"They take {size(places.manifest)}; at most {size(MAX_MANIFEST_BYTES)} are read."
            return (_told(unreadable(length), places, State.UNREADABLE),)
        file.seek(0)
        try:
            store = read_credentials(file, container, self._trust, fetch=fetch)
        except LimitError as e:
            return (_told(unreadable(e.message), places, State.UNREADABLE),)
        if isinstance(store, Refusal):
            return (_refused(store, places),)
        fragment = _is_fragment(store, places)
        state = State.UNREADABLE if fragment else state_of(store)
        return tuple(judge(store, state, self._trust, fragment=fragment))


def _is_fragment(store: Store, places: Places) -> bool:
    return store.active is not None and store.active.fragmented and not places.boxes & _FRAGMENTS


def _told(finding: Finding, places: Places, state: State) -> Finding:
    return Finding(finding.code, finding.level, finding.points_to, finding.summary, traces(places, state))


def _refused(refusal: Refusal, places: Places) -> Finding:
    words = clean(refusal.words.strip().rstrip("."), 200)
    if refusal.missing:
        return _told(_MARKER, places, State.MARKER_ONLY)
    if places.manifest is None:
        return _told(_remote(places, f"It could not be fetched and read: {words}."), places, State.MARKER_ONLY)
    finding = _told(unreadable(f"The C2PA library says: {words}."), places, State.UNREADABLE)
    return Finding(
        finding.code,
        finding.level,
        finding.points_to,
        finding.summary,
        (*finding.evidence, Evidence("library", words)),
    )


def _without_manifest(places: Places) -> Finding:
    if places.remote is not None:
        return _told(
            _remote(places, "Nothing was fetched; --fetch-remote fetches it."),
            places,
            State.MARKER_ONLY,
        )
    if places.stray is not None:
        return _told(_MARKER, places, State.MARKER_ONLY)
    if places.pointer is not None:
        return _told(_REMOVED, places, State.NONE)
    assert places.problem is not None  # otherwise there would be nothing
    return _told(unreadable(places.problem, found=False), places, State.UNREADABLE)


def _remote(places: Places, fetched: str) -> Finding:
    return Finding(
        REMOTE,
        Level.INFO,
        PointsTo.NEITHER,
        f"The file says that its content credentials lie elsewhere: {clean(places.remote or '', 150)}. {fetched} "
        "What they say is unknown.",
    )


_MARKER = Finding(
    MARKER,
    Level.INFO,
    PointsTo.NEITHER,
    "The file holds bytes of content credentials, and no manifest that can be read: they were cut, or stand in a place "
    "where no reader looks. Nothing is known of what they said.",
)

_REMOVED = Finding(
    REMOVED,
    Level.INFO,
    PointsTo.NEITHER,
    "The file names content credentials that are no longer in it. Programs and websites often remove them when they "
    "save a file again; it does not show that the content was changed.",
)
