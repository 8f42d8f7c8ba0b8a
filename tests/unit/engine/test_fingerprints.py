"""Keys of checks: what touches a check is in its key, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from deepscan.checks import catalogue
from deepscan.config import SAMPLING, SPEED_ONLY, ScanOptions, as_json
from deepscan.engine.fingerprints import COMMON, NEVER, Fingerprints, Wanted
from deepscan.errors import InputError
from deepscan.media.faces import HaarFinder
from deepscan.models.packs import Origin, Pack
from deepscan.types import Family, MediaItem, MediaKind
from tests.fake_pack import make_card

PHOTO = MediaItem(Path("/e"), PurePosixPath("a.jpg"), MediaKind.IMAGE, "jpeg", 1, "0" * 64)
FILM = replace(PHOTO, kind=MediaKind.VIDEO, container="mp4")


UNSAID = {spec.id for spec in catalogue.SPECS if spec.options is None}
"""Checks that do not say what touches them: everything does."""


def keys(item: MediaItem = PHOTO, options: ScanOptions | None = None, **changes: Any) -> Wanted:
    return Fingerprints(replace(options or ScanOptions(), **changes), catalogue.SPECS, None).of(item)


def changed(before: Wanted, after: Wanted) -> set[str]:
    return {check for check, key in before.keys.items() if after.keys[check] != key} - UNSAID


def test_every_option_that_changes_results_is_in_the_key_of_some_check() -> None:
    declared = {name for spec in catalogue.SPECS for name in spec.options or ()}
    assert as_json(ScanOptions()).keys() - SPEED_ONLY == COMMON | NEVER | (declared - NEVER)
    assert set(SAMPLING) <= declared


@pytest.mark.parametrize(
    ("change", "photo", "film"),
    [
        ({"workers": 7, "file_seconds": 1.0, "max_memory": 2**30, "verify_unchanged": True}, set(), set()),
        ({"exiftool": True}, {"metadata"}, {"metadata"}),
        ({"fetch_remote": True}, {"provenance"}, {"provenance"}),
        ({"precision": "bf16"}, {"classifier", "sequence"}, {"classifier", "sequence"}),
        ({"model": "other", "checks": ("ela",)}, set(), set()),
    ],
    ids=str,
)
def test_an_option_is_in_the_keys_of_what_it_touches(change: dict[str, Any], photo: set[str], film: set[str]) -> None:
    assert changed(keys(), keys(**change)) == photo
    assert changed(keys(FILM), keys(FILM, **change)) == film


def test_another_version_of_the_face_finder_touches_what_looks_for_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys()
    monkeypatch.setattr(HaarFinder, "name", "opencv-haar/next")
    touched = changed(before, keys())
    assert "classifier" in touched
    assert touched == {spec.id for spec in catalogue.SPECS if spec.options and "faces" in spec.options}


def test_how_frames_are_chosen_matters_only_where_there_are_several() -> None:
    assert not changed(keys(), keys(frames=3))
    assert {"classifier"} <= changed(keys(FILM), keys(FILM, frames=3)) < {spec.id for spec in catalogue.SPECS}
    assert changed(keys(), keys(redact_location=True)) == {spec.id for spec in catalogue.SPECS} - UNSAID


def test_a_trust_list_counts_by_its_bytes(tmp_path: Path) -> None:
    lists = [tmp_path / name for name in ("a", "b", "c")]
    for path, data in zip(lists, (b"one", b"one", b"two"), strict=True):
        path.write_bytes(data)
    a, b, c = (keys(trust_list=str(path)) for path in lists)
    assert changed(keys(), a) == {"provenance"}
    assert not changed(a, b)
    assert changed(a, c) == {"provenance"}
    with pytest.raises(InputError):
        keys(trust_list=str(tmp_path / "none"))


def test_another_pack_touches_what_its_model_says_and_nothing_else() -> None:
    pack = Pack(Path("/packs/a"), make_card(), Origin("folder", "a"), "a" * 64)
    moved = replace(pack, folder=Path("/packs/b"))
    trained_again = replace(pack, sha256="b" * 64)
    said_otherwise = replace(pack, card=make_card(licence="another"))

    def keyed(pack: Pack) -> Wanted:
        return Fingerprints(ScanOptions(), catalogue.SPECS, pack).of(FILM)

    models = {spec.id for spec in catalogue.SPECS if spec.family in (Family.MODEL, Family.TEMPORAL)}
    assert "classifier" in models
    assert keyed(moved) == keyed(pack)
    for other in (trained_again, said_otherwise):
        assert changed(keyed(pack), keyed(other)) == models - UNSAID


def test_a_version_of_a_check_is_in_its_own_key() -> None:
    newer = tuple(replace(s, version="next") if s.id == "ela" else s for s in catalogue.SPECS)
    other = Fingerprints(ScanOptions(), newer, None).of(PHOTO)
    assert changed(keys(), other) == {"ela"}
    assert other.fingerprint != keys().fingerprint


def test_a_check_that_does_not_say_what_touches_it_is_touched_by_everything() -> None:
    unsaid = tuple(replace(s, options=None) if s.id == "identity" else s for s in catalogue.SPECS)
    before = Fingerprints(ScanOptions(), unsaid, None).of(PHOTO)
    after = Fingerprints(ScanOptions(exiftool=True), unsaid, None).of(PHOTO)
    assert changed(before, after) == {"identity", "metadata"}
