"""--redact-location: that there is a place is said, and which is not."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from deepscan.checks.metadata import Metadata
from deepscan.checks.redaction import REDACTED
from deepscan.types import Evidence, Finding
from tests import media_factory as media
from tests.fake_subject import FakeSubject
from tests.unit.checks.test_layout import box
from tests.unit.checks.test_text_blocks import iptc, movie, png

XMP = (
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<rdf:Description xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:p='http://ns.adobe.com/photoshop/1.0/' "
    "exif:GPSLatitude='48,51.5N' exif:GPSLongitude='2,17.7E' p:City='Villeneuve' p:Country='Utopia'/>"
    "</rdf:RDF></x:xmpmeta>"
)


def written(path: Path, *, redact: bool) -> tuple[dict[str, Finding], str]:
    findings = Metadata(redact_location=redact).run(FakeSubject(path)).findings
    text = json.dumps([[f.summary, [(e.label, e.value) for e in f.evidence]] for f in findings], ensure_ascii=False)
    return {f.code: f for f in findings}, text


def value(evidence: tuple[Evidence, ...], label: str) -> object:
    (found,) = [e.value for e in evidence if e.label == label]
    assert isinstance(found, dict)
    return found["value"]


def located(folder: Path) -> Path:
    exif = media.exif(make="Canon", model="EOS 40D", taken=datetime(2008, 10, 22), gps=(43.4675, 11.8851))
    exif.get_ifd(0x8825)[29] = "2008:10:25"
    exif.get_ifd(0x8825)[7] = (14.0, 27.0, 7.0)
    exif[0x010E] = "At 43.4675 and Villeneuve"
    exif[0x0131] = "GIMP in Villeneuve"
    return media.write_jpeg(folder, exif=exif, xmp=XMP.encode())


def test_places_stand_in_a_report_that_was_not_asked_to_leave_them_out(tmp_path: Path) -> None:
    _, text = written(located(tmp_path), redact=False)
    for word in ("43.4675", "11.885", "14:27:07", "Villeneuve", "Utopia", "48.858"):
        assert word in text


def test_every_word_of_a_place_is_redacted_and_that_there_is_one_is_said(tmp_path: Path) -> None:
    found, text = written(located(tmp_path), redact=True)
    for word in ("43.4675", "11.885", "14:27", "14, 27", "Villeneuve", "Utopia", "48.858", "2.295"):
        assert word not in text
    statements = found["DS-META-001"]
    assert value(statements.evidence, "gps") == REDACTED
    assert value(statements.evidence, "gps_time") == REDACTED
    assert value(statements.evidence, "place") == REDACTED
    assert value(statements.evidence, "make") == "Canon"
    assert f"place {REDACTED}, {REDACTED}" in statements.summary
    assert {"DS-META-003", "DS-META-007", "DS-META-008"} <= found.keys()
    assert "GIMP" in found["DS-META-003"].summary
    assert "2008-10-22" in found["DS-META-007"].summary


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        (
            "a.mov",
            movie(box(b"udta", box(b"\xa9xyz", b"\0\x16\0\0+48.8584+002.2945/" + bytes(4)))),
            ("48.8584", "2.2945"),
        ),
        ("a.png", png((b"tEXt", b"Raw profile type iptc\0\niptc\n 15\n" + iptc((2, 90, b"Villeneuve")).hex().encode())),
         ("Villeneuve",)),
    ],
    ids=["movie", "iptc"],
)  # fmt: skip
def test_places_of_other_containers(name: str, data: bytes, words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    _, plain = written(path, redact=False)
    found, text = written(path, redact=True)
    assert all(word in plain and word not in text for word in words)
    assert "DS-META-001" in found


def test_a_place_that_cannot_be_read_does_not_leak_through_its_reason(tmp_path: Path) -> None:
    exif = media.exif(make="Canon", gps=(43.5, 11.5))
    exif.get_ifd(0x8825)[2] = (143.0, 28.0, 2.0)
    path = media.write_jpeg(tmp_path, exif=exif)
    assert "143" in written(path, redact=False)[1]
    found, text = written(path, redact=True)
    assert "143" not in text
    assert "DS-META-009" in found


def test_places_go_from_what_other_checks_quote(tmp_path: Path) -> None:
    from deepscan.checks.redaction import REDACTED, redact_results
    from deepscan.types import CheckResult, Evidence, Finding, Level, Outcome, PointsTo
    from tests import media_factory as media
    from tests.fake_subject import FakeSubject

    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="Atlantis-on-Sea"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    path = media.write_png(tmp_path, text={"XML:com.adobe.xmp": packet})
    finding = Finding(
        "DS-PROV-005", Level.INFO, PointsTo.NEITHER, "Signed in Atlantis-on-Sea.", (Evidence("x", ["Atlantis-on-Sea"]),)
    )
    result = CheckResult("provenance", "1", Outcome.DONE, (finding,))
    (answer,) = redact_results(FakeSubject(path), [result])
    assert answer.findings[0].summary == f"Signed in {REDACTED}."
    assert answer.findings[0].evidence[0].value == [REDACTED]
