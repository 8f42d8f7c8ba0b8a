"""The states and statements that follow from what a validator reports, told from made-up reports."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from deepscan.checks.credentials.state import State, failed_identities, state_of
from deepscan.checks.credentials.statements import ai_marks, capture_of, tool_of
from deepscan.checks.credentials.store import MAX_MANIFESTS, MAX_STATEMENTS, Store, read_store, source_types
from deepscan.checks.provenance import Provenance
from deepscan.errors import LimitError
from deepscan.types import JSONValue, Level, PointsTo
from tests import media_factory as media
from tests.credentials_factory import authority, created, sign
from tests.fake_subject import FakeSubject

SIGNED = ("claimSignature.validated", "assertion.dataHash.match")


def report(
    failures: Sequence[str] = (),
    success: Sequence[str] = SIGNED,
    manifests: Mapping[str, JSONValue] | None = None,
) -> Store:
    def listed(codes: Sequence[str]) -> list[JSONValue]:
        return [{"code": code, "url": "self#jumbf=/c2pa/a/c2pa.signature"} for code in codes]

    return read_store(
        {
            "active_manifest": "a",
            "manifests": {"a": {}} if manifests is None else manifests,
            "validation_results": {"activeManifest": {"success": listed(success), "failure": listed(failures)}},
        }
    )


@pytest.mark.parametrize(
    ("failures", "success", "state"),
    [
        ((), (*SIGNED, "signingCredential.trusted"), State.TRUSTED),
        (("signingCredential.untrusted",), SIGNED, State.UNTRUSTED),
        (("signingCredential.expired",), (*SIGNED, "signingCredential.trusted"), State.UNTRUSTED),
        (("signingCredential.ocsp.revoked",), (*SIGNED, "signingCredential.trusted"), State.UNTRUSTED),
        (("claimSignature.outsideValidity",), SIGNED, State.UNTRUSTED),
        (("cawg.ica.signature_mismatch",), SIGNED, State.UNTRUSTED),
        (("cawg.identity.brand.new",), (*SIGNED, "signingCredential.trusted"), State.TRUSTED),
        (("org.example.unheard",), SIGNED, State.UNTRUSTED),
        (("ingredient.manifest.mismatch",), SIGNED, State.UNTRUSTED),
        (("assertion.dataHash.mismatch",), ("claimSignature.validated",), State.INVALID),
        (("assertion.bmffHash.mismatch",), ("claimSignature.validated",), State.INVALID),
        (("claimSignature.mismatch",), (), State.INVALID),
        (("assertion.hashedURI.mismatch", "signingCredential.untrusted"), SIGNED, State.INVALID),
        (("assertion.brand.new",), SIGNED, State.INVALID),
        (("claim.multiple",), SIGNED, State.INVALID),
        (("general.error",), SIGNED, State.UNREADABLE),
        (("algorithm.unsupported",), (), State.UNREADABLE),
        ((), (), State.UNREADABLE),
    ],
)
def test_the_state_follows_from_the_codes(failures: Sequence[str], success: Sequence[str], state: State) -> None:
    assert state_of(report(failures, success)) is state


def test_an_issuer_who_is_unknown_or_out_of_reach_is_no_failed_identity() -> None:
    unknown = ("cawg.ica.did_unavailable", "cawg.x509.credential.untrusted", "cawg.ica.untrusted_issuer")
    assert failed_identities(report(unknown).statuses) == ()
    assert [s.code for s in failed_identities(report((*unknown, "cawg.ica.invalid_alg")).statuses)] == [
        "cawg.ica.invalid_alg"
    ]


def manifest(source: str | None = None, *ingredients: tuple[str, str]) -> JSONValue:
    actions: list[JSONValue] = [{"action": "c2pa.created", "digitalSourceType": source}] if source else []
    return {
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
        "ingredients": [
            {"title": f"{label}.jpg", "relationship": relationship, "active_manifest": label, "label": "i"}
            for label, relationship in ingredients
        ],
    }


def test_ingredients_in_circles_end() -> None:
    ring = {
        "a": manifest(None, ("b", "parentOf"), ("a", "componentOf")),
        "b": manifest(None, ("c", "parentOf"), ("a", "parentOf")),
        "c": manifest("trainedAlgorithmicMedia", ("b", "parentOf")),
    }
    (mark,) = ai_marks(report(manifests=ring))
    assert mark.ingredients == ("b.jpg", "c.jpg")
    assert mark.contained
    assert capture_of(report(manifests=ring)) is None


def test_a_long_chain_of_ingredients_is_followed_as_far_as_the_limit() -> None:
    chain = {chr(97) if n == 0 else f"m{n}": manifest(None, (f"m{n + 1}", "parentOf")) for n in range(100)}
    chain["m100"] = manifest("trainedAlgorithmicMedia")
    assert ai_marks(report(manifests=chain)) == ()


def test_an_input_on_the_way_is_not_contained() -> None:
    way = {
        "a": manifest("digitalCreation", ("b", "parentOf")),
        "b": manifest(None, ("c", "inputTo")),
        "c": manifest("trainedAlgorithmicMedia"),
    }
    (mark,) = ai_marks(report(manifests=way))
    assert not mark.contained


def test_a_capture_in_the_parent_is_found_with_what_was_done_since() -> None:
    way = {"a": manifest(None, ("b", "parentOf")), "b": manifest("http://c/digitalsourcetype/digitalCapture")}
    capture = capture_of(report(manifests=way))
    assert capture is not None
    assert (capture.says, capture.ingredients, capture.edits) == ("digitalCapture", ("b.jpg",), ())


@pytest.mark.parametrize(
    "value",
    [
        {"manifests": {str(n): {} for n in range(MAX_MANIFESTS + 1)}},
        {"manifests": {"a": {"assertions": [{}] * (MAX_STATEMENTS + 1)}}},
    ],
)
def test_too_much_is_refused(value: JSONValue) -> None:
    with pytest.raises(LimitError):
        read_store(value)


@pytest.mark.parametrize("value", [None, 3, "x", [], {"manifests": []}, {"manifests": {"a": 1}, "active_manifest": []}])
def test_a_report_of_another_form_says_nothing(value: JSONValue) -> None:
    store = read_store(value)
    assert store.active is None
    assert state_of(store) is State.UNREADABLE


def test_deep_data_need_no_stack() -> None:
    deep: JSONValue = {"DigitalSourceType": "trainedAlgorithmicMedia"}
    for _ in range(50_000):
        deep = [deep]
    assert list(source_types(deep)) == ["trainedAlgorithmicMedia"]


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("OpenAI-API", "OpenAI"),
        ("DALL·E", "OpenAI"),
        ("GPT-4o", "OpenAI"),
        ("Adobe_Firefly/1.0", "Adobe Firefly"),
        ("Microsoft_Responsible_AI/1.0", "Microsoft"),
        ("Bing Image Creator", "Microsoft"),
        ("Made with Google AI", "Google"),
        ("Midjourney", "Midjourney"),
        ("Google C2PA Core Generator Library", None),
        ("Google Pixel Camera", None),
        ("Adobe Photoshop 26.1", None),
        ("Adobe Lightroom Classic", None),
        ("make_test_images/0.33.1 c2pa-rs/0.33.1", None),
        ("Truepic Lens", None),
        ("Nikon Z6III", None),
        ("Sorata Camera", None),
    ],
)
def test_tools_are_told_by_name(name: str, tool: str | None) -> None:
    found = tool_of(name)
    assert (found.name if found else None) == tool


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    return media.write_jpeg(tmp_path).read_bytes()


@pytest.mark.parametrize(
    ("agent", "generator", "action", "source", "code"),
    [
        ("DALL·E", "OpenAI-API", "c2pa.created", None, "DS-PROV-001"),
        (None, "Adobe_Firefly", "c2pa.created", None, "DS-PROV-001"),
        ("Adobe Firefly", "Adobe_Photoshop", "c2pa.opened", None, "DS-PROV-005"),
        ("Pixel Camera", "Google", "c2pa.created", None, "DS-PROV-005"),
        ("Some App", "Google Gemini", "c2pa.created", "digitalCapture", "DS-PROV-003"),
    ],
)
def test_tools_that_declare_no_source_type(
    agent: str | None, generator: str, action: str, source: str | None, code: str, photo: bytes, tmp_path: Path
) -> None:
    made = {**created(source, action=action), **({"softwareAgent": agent} if agent else {})}
    path = tmp_path / "v1.jpg"
    path.write_bytes(sign(photo, "image/jpeg", actions=[made], generator=generator, version=1))
    assert [f.code for f in Provenance().run(FakeSubject(path)).findings] == [code]


@pytest.mark.slow
def test_a_certificate_that_lapses_does_not_make_a_file_changed(photo: bytes, tmp_path: Path) -> None:
    anchors, path = tmp_path / "anchors.pem", tmp_path / "old.jpg"
    anchors.write_text(authority().pem)
    second = 1 / 86400
    path.write_bytes(sign(photo, "image/jpeg", actions=[created("digitalCapture")], signer="Short", days=3 * second))
    lapsed = time.time() + 4.5
    while time.time() < lapsed:  # by the clock that certificates go by
        time.sleep(0.1)
    (finding,) = Provenance(str(anchors)).run(FakeSubject(path)).findings
    assert (finding.code, finding.level, finding.points_to) == ("DS-PROV-003", Level.INFO, PointsTo.NEITHER)
    assert "lapsed" in finding.summary
