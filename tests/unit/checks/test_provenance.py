"""Content credentials: files signed here, in every container, and what is said of them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from deepscan.checks.base import NotApplicableError
from deepscan.checks.credentials import reader
from deepscan.checks.provenance import Provenance
from deepscan.errors import ConfigError
from deepscan.types import Finding, Level, PointsTo
from tests import media_factory as media
from tests.credentials_factory import authority, created, sign
from tests.fake_subject import FakeSubject
from tests.unit.checks.test_layout import AVI, MP4

AI = [created("trainedAlgorithmicMedia", agent="Some Model")]
CAMERA = [created("digitalCapture")]


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return media.write_jpeg(tmp_path_factory.mktemp("photo")).read_bytes()


@pytest.fixture
def anchors(tmp_path: Path) -> str:
    path = tmp_path / "anchors.pem"
    path.write_text("# a comment that the library would not take\n" + authority().pem)
    return str(path)


def examine(folder: Path, data: bytes, trust: str | None = None, name: str = "file.jpg") -> tuple[Finding, ...]:
    path = folder / name
    path.write_bytes(data)
    return Provenance(trust).run(FakeSubject(path)).findings


def state(findings: Sequence[Finding]) -> object:
    return next(e.value for f in findings for e in f.evidence if e.label == "state")


def codes(findings: Sequence[Finding]) -> list[str]:
    return [finding.code for finding in findings]


PICTURES: Mapping[str, Any] = {
    "image/jpeg": media.write_jpeg,
    "image/png": media.write_png,
    "image/webp": media.write_webp,
    "image/gif": media.write_gif,
    "image/tiff": media.write_tiff,
    "image/heic": media.write_heic,
    "image/avif": media.write_avif,
}


@pytest.mark.parametrize("mime", PICTURES)
def test_every_container_is_read_and_every_change_is_seen(mime: str, tmp_path: Path, anchors: str) -> None:
    plain = PICTURES[mime](tmp_path)
    signed = sign(plain.read_bytes(), mime, actions=AI)
    findings = examine(tmp_path, signed, anchors, plain.name)
    assert (codes(findings), state(findings)) == (["DS-PROV-001"], "valid-trusted")
    changed = bytearray(signed)
    # The picture's own data lies far from the manifest: its last byte in the unsigned file is found again.
    tail = plain.read_bytes()[-40:-8]
    changed[signed.rindex(tail) + 4] ^= 1
    findings = examine(tmp_path, bytes(changed), anchors, plain.name)
    assert state(findings) == "invalid"
    assert codes(findings)[0] == "DS-PROV-004"


def test_a_photograph_without_credentials_gives_a_reason(photo: bytes, tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError, match="no content credentials"):
        examine(tmp_path, photo)


def test_a_declaration_of_ai_counts_whoever_signed_it_and_says_who(photo: bytes, tmp_path: Path) -> None:
    (finding,) = examine(tmp_path, sign(photo, "image/jpeg", actions=AI, signer="Nobody known"))
    assert (finding.level, finding.points_to) == (Level.STRONG, PointsTo.GENERATED)
    assert "not on the trust list" in finding.summary
    assert "anyone can sign" in finding.summary
    assert '"Nobody known"' in finding.summary


@pytest.mark.parametrize(
    "source",
    ["algorithmicMedia", "digitalArt", "digitalCreation", "virtualRecording", "humanEdits", "compositeCapture"],
)
def test_what_is_no_ai_is_not_called_so(source: str, photo: bytes, tmp_path: Path) -> None:
    findings = examine(tmp_path, sign(photo, "image/jpeg", actions=[created(source)]))
    assert [(f.code, f.level) for f in findings] == [("DS-PROV-005", Level.INFO)]


@pytest.mark.parametrize(
    "source",
    [
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        " https://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia/",
        "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData",
    ],
)
def test_every_way_to_write_a_source_type_of_ai(source: str, photo: bytes, tmp_path: Path) -> None:
    findings = examine(tmp_path, sign(photo, "image/jpeg", actions=[created(source)]))
    assert codes(findings) == ["DS-PROV-001"]


def test_permission_to_train_is_no_sign_of_ai(photo: bytes, tmp_path: Path) -> None:
    mining = {"label": "cawg.training-mining", "data": {"entries": {"cawg.ai_generative_training": {"use": "allowed"}}}}
    findings = examine(tmp_path, sign(photo, "image/jpeg", actions=CAMERA, assertions=[mining]))
    assert codes(findings) == ["DS-PROV-003"]


def test_a_source_type_in_metadata_counts(photo: bytes, tmp_path: Path) -> None:
    term = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    metadata = {
        "label": "org.example.metadata",
        "data": {"@context": {"Iptc4xmpExt": "http://iptc.org/"}, "Iptc4xmpExt:DigitalSourceType": {"@id": term}},
    }
    findings = examine(tmp_path, sign(photo, "image/jpeg", actions=[created("digitalCreation")], assertions=[metadata]))
    assert codes(findings) == ["DS-PROV-001"]
    assert "org.example.metadata" in findings[0].summary


@pytest.mark.parametrize(
    ("relationship", "level"),
    [("componentOf", Level.STRONG), ("inputTo", Level.WEAK)],
)
def test_ai_in_an_ingredient_names_it(relationship: str, level: Level, photo: bytes, tmp_path: Path) -> None:
    inner = sign(photo, "image/jpeg", actions=AI, title="robot.jpg")
    outer = sign(
        photo,
        "image/jpeg",
        actions=[created("digitalCreation")],
        ingredients=[({"title": "robot.jpg", "relationship": relationship}, "image/jpeg", inner)],
    )
    finding = examine(tmp_path, outer)[0]
    assert (finding.code, finding.level, finding.points_to) == ("DS-PROV-002", level, PointsTo.GENERATED)
    assert '"robot.jpg"' in finding.summary


def test_a_broken_ingredient_is_no_change_of_this_file(photo: bytes, tmp_path: Path) -> None:
    inner = bytearray(sign(photo, "image/jpeg", actions=[created("digitalCreation")]))
    inner[-300] ^= 1
    outer = sign(
        photo,
        "image/jpeg",
        actions=[created("digitalCreation")],
        ingredients=[({"title": "torn.jpg", "relationship": "componentOf"}, "image/jpeg", bytes(inner))],
    )
    findings = examine(tmp_path, outer)
    assert state(findings) == "valid-untrusted"
    assert codes(findings) == ["DS-PROV-005", "DS-PROV-010"]
    assert findings[1].level is Level.INFO
    assert '"torn.jpg"' in findings[1].summary


def test_a_trusted_camera_is_authentic_and_an_unknown_one_is_not(photo: bytes, tmp_path: Path, anchors: str) -> None:
    signed = sign(photo, "image/jpeg", actions=CAMERA)
    (known,) = examine(tmp_path, signed, anchors)
    (unknown,) = examine(tmp_path, signed)
    assert (known.level, known.points_to) == (Level.STRONG, PointsTo.AUTHENTIC)
    assert (unknown.level, unknown.points_to) == (Level.INFO, PointsTo.NEITHER)


def test_a_camera_picture_that_was_edited_since_is_not_called_authentic(
    photo: bytes, tmp_path: Path, anchors: str
) -> None:
    (finding,) = examine(tmp_path, sign(photo, "image/jpeg", actions=[*CAMERA, created(action="c2pa.edited")]), anchors)
    assert (finding.code, finding.level) == ("DS-PROV-003", Level.INFO)
    assert "c2pa.edited" in finding.summary


def test_a_changed_file_is_moderate_and_its_declaration_unverified(photo: bytes, tmp_path: Path) -> None:
    changed = bytearray(sign(photo, "image/jpeg", actions=AI))
    changed[-300] ^= 1
    first, second = examine(tmp_path, bytes(changed))
    assert (first.code, first.level, first.points_to) == ("DS-PROV-004", Level.MODERATE, PointsTo.EDITED)
    assert (second.code, second.level, second.points_to) == ("DS-PROV-011", Level.MODERATE, PointsTo.GENERATED)
    assert "unverified" in second.summary


def test_words_of_the_file_are_cleaned(photo: bytes, tmp_path: Path) -> None:
    agent = "Model \x1b[31m‮ \U000e0041" + "x" * 500
    findings = examine(tmp_path, sign(photo, "image/jpeg", actions=[created("trainedAlgorithmicMedia", agent=agent)]))
    assert findings[0].summary.isprintable()
    assert len(findings[0].summary) < 1000


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{}"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def with_reference(folder: Path, address: str) -> bytes:
    packet = b"http://ns.adobe.com/xap/1.0/\0" + XMP.format(address).encode()
    plain = media.write_jpeg(folder).read_bytes()
    return plain[:2] + b"\xff\xe1" + (len(packet) + 2).to_bytes(2, "big") + packet + plain[2:]


class Listener:
    """A port of this machine that counts who knocks, and answers with ``body`` when there is one."""

    def __init__(self) -> None:
        self.knocks = 0
        self.body = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.knocks += 1
            caller.recv(1000)
            status = b"200 OK" if self.body else b"404 Not Found"
            head = b"HTTP/1.1 %s\r\nContent-Type: application/c2pa\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            caller.sendall(head % (status, len(self.body)) + self.body)
            caller.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    yield listening
    listening.close()


def test_a_remote_manifest_is_reported_and_not_fetched(tmp_path: Path, listener: Listener) -> None:
    address = f"http://localhost:{listener.port}/store.c2pa"
    findings = examine(tmp_path, with_reference(tmp_path, address))
    assert [(f.code, f.level) for f in findings] == [("DS-PROV-007", Level.INFO)]
    assert address in findings[0].summary
    assert listener.knocks == 0


def test_a_remote_manifest_is_fetched_when_asked(tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / "remote.jpg"
    path.write_bytes(with_reference(tmp_path, f"http://localhost:{listener.port}/store.c2pa"))
    findings = Provenance(fetch_remote=True).run(FakeSubject(path)).findings
    assert listener.knocks > 0
    assert codes(findings) == ["DS-PROV-007"]
    assert "could not be fetched" in findings[0].summary


def store_of(signed: bytes) -> bytes:
    """The manifest store of a signed PNG."""
    at = signed.index(b"caBX")
    return signed[at + 4 : at + 4 + int.from_bytes(signed[at - 4 : at], "big")]


def test_a_remote_manifest_that_is_fetched_is_validated(tmp_path: Path, listener: Listener) -> None:
    plain = media.write_png(tmp_path).read_bytes()
    listener.body = store_of(sign(plain, "image/png", actions=AI))
    path = tmp_path / "remote.jpg"
    path.write_bytes(with_reference(tmp_path, f"http://localhost:{listener.port}/store.c2pa"))
    findings = Provenance(fetch_remote=True).run(FakeSubject(path)).findings
    # It is the manifest of another picture, so that its hash cannot match; its declaration is read all the same.
    assert codes(findings)[0] == "DS-PROV-004"
    assert "DS-PROV-011" in codes(findings)
    assert any(e.label == "remote manifest" for e in findings[0].evidence)


def test_hashing_ends_when_its_time_is_over(photo: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "READ_SECONDS", -1.0)
    findings = examine(tmp_path, sign(photo, "image/jpeg", actions=AI))
    assert (codes(findings), state(findings)) == (["DS-PROV-009"], "unreadable")
    assert "could not be hashed" in findings[0].summary


@pytest.mark.parametrize("fetch_remote", [False, True])
def test_revocation_is_never_asked_over_the_network(
    fetch_remote: bool, photo: bytes, tmp_path: Path, listener: Listener, anchors: str
) -> None:
    path = tmp_path / "signed.jpg"
    path.write_bytes(sign(photo, "image/jpeg", actions=AI, ocsp=f"http://localhost:{listener.port}/"))
    findings = Provenance(anchors, fetch_remote=fetch_remote).run(FakeSubject(path)).findings
    assert state(findings) == "valid-trusted"
    assert listener.knocks == 0


def test_a_reference_to_a_removed_manifest(tmp_path: Path) -> None:
    findings = examine(tmp_path, with_reference(tmp_path, "self#jumbf=/c2pa/urn:c2pa:1/c2pa.claim"))
    assert (codes(findings), state(findings)) == (["DS-PROV-014"], "none")


def test_a_manifest_cut_out_and_appended_is_a_marker(photo: bytes, tmp_path: Path) -> None:
    store = b"\0\0\0\x40jumb\0\0\0\x1ejumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71\x03c2pa\0" + b"x" * 20
    findings = examine(tmp_path, photo + store)
    assert (codes(findings), state(findings)) == (["DS-PROV-008"], "marker-only")


def chunk(kind: bytes, body: bytes) -> bytes:
    import zlib

    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def with_store(folder: Path, store: bytes) -> bytes:
    plain = media.write_png(folder).read_bytes()
    return plain[:33] + chunk(b"caBX", store) + plain[33:]


def boxes(depth: int) -> bytes:
    """Superboxes inside superboxes, each with the description of a manifest store."""
    head = b"\0\0\0\x1ejumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71\x03c2pa\0"[:30].ljust(30, b"\0")
    inner = b""
    parts = [(8 + len(head)) * (depth - n) for n in range(depth)]
    for size in reversed(parts):
        inner = size.to_bytes(4, "big") + b"jumb" + head + inner
    return inner


@pytest.mark.parametrize(
    "store",
    [b"", b"\0" * 64, b"\xff" * 5000, boxes(1), boxes(2000), b"\0\0\0\x01jumb" + b"\xff" * 8, b"\0\0\0\0jumb" * 100],
    ids=["empty", "zeros", "ones", "one box", "deep boxes", "a box of 16 EiB", "boxes without length"],
)
def test_a_store_of_nonsense_is_said_to_be_one(store: bytes, tmp_path: Path) -> None:
    findings = examine(tmp_path, with_store(tmp_path, store), name="file.png")
    assert codes(findings) in (["DS-PROV-008"], ["DS-PROV-009"])
    assert state(findings) in ("marker-only", "unreadable")
    assert findings[0].level is Level.INFO


def test_a_store_of_forty_megabytes_is_not_read(tmp_path: Path) -> None:
    findings = examine(tmp_path, with_store(tmp_path, bytes(40 * 1024**2)), name="file.png")
    assert codes(findings) == ["DS-PROV-009"]
    assert "40.0 MiB" in findings[0].summary


@pytest.mark.parametrize("at", range(20, 2000, 97))
def test_a_damaged_manifest_never_counts_as_intact(at: int, photo: bytes, tmp_path: Path) -> None:
    signed = bytearray(sign(photo, "image/jpeg", actions=AI))
    start = signed.index(b"jumdc2ma")
    signed[start + at] ^= 0xFF
    findings = examine(tmp_path, bytes(signed))
    assert state(findings) in ("invalid", "unreadable", "marker-only", "none")
    assert all(f.level is not Level.STRONG for f in findings)


def test_a_trust_list_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.pem"
    with pytest.raises(ConfigError, match=r"list\.pem"):
        Provenance(str(path))
    path.write_text("no certificates here")
    with pytest.raises(ConfigError, match="no list of certificates"):
        Provenance(str(path))


@pytest.mark.parametrize(("name", "data"), [("clip.mp4", MP4), ("clip.avi", AVI)])
def test_videos_without_credentials(name: str, data: bytes, tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError):
        examine(tmp_path, data, name=name)


def test_boxes_too_deep_to_follow(tmp_path: Path) -> None:
    inner = b""
    for _ in range(10_000):
        inner = (len(inner) + 8).to_bytes(4, "big") + b"moov" + inner
    findings = examine(tmp_path, b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + inner, name="deep.mp4")
    assert (codes(findings), state(findings)) == (["DS-PROV-009"], "unreadable")


def test_other_containers_have_a_reason(tmp_path: Path) -> None:
    reason = Provenance().why_not(FakeSubject(media.write_bmp(tmp_path)).item)
    assert reason is not None
    assert "BMP" in reason
