"""XMP as a flat list, and XML made to hurt."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepscan.checks.reading.xmp import MAX_DEPTH, MAX_PROPERTIES, read_xmp
from deepscan.errors import LimitError, UnreadableError

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
PACKET = f"""<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='{RDF}'>
<rdf:Description rdf:about='' xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'
  xmlns:e='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' xmlns:own='http://example.org/ns/own/' xmp:CreatorTool='GIMP'>
<e:DigitalSourceType rdf:resource='http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia'/>
<dc:creator><rdf:Seq><rdf:li>Ana</rdf:li><rdf:li>Béa</rdf:li></rdf:Seq></dc:creator>
<own:thing>1 &lt; 2</own:thing></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""

EXPECTED = (
    ("xmp:CreatorTool", "GIMP"),
    ("Iptc4xmpExt:DigitalSourceType", "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"),
    ("dc:creator", "Ana"),
    ("dc:creator", "Béa"),
    ("own:thing", "1 < 2"),
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-16"])
def test_attributes_elements_lists_and_resources_in_every_encoding(encoding: str) -> None:
    assert read_xmp(PACKET.encode(encoding)) == EXPECTED


def test_padding_around_the_packet_is_left_out() -> None:
    assert read_xmp(b"\0\0 \n" + PACKET.encode() + b" " * 2000 + b"\0") == EXPECTED


def test_a_prefix_of_ones_own_choosing_changes_nothing() -> None:
    packet = PACKET.replace("xmlns:xmp=", "xmlns:q=").replace("xmp:CreatorTool", "q:CreatorTool")
    assert read_xmp(packet.encode())[0] == EXPECTED[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32"])
def test_entities_are_refused_before_they_grow(encoding: str) -> None:
    levels = "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 12))
    bomb = f"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a0 'aaaaaaaaaa'>{levels}]><x>&a11;</x>"
    started = time.process_time()
    with pytest.raises(UnreadableError, match="document type"):
        read_xmp(bomb.encode(encoding))
    assert time.process_time() - started < 1


def test_an_external_entity_is_refused() -> None:
    with pytest.raises(UnreadableError, match="document type"):
        read_xmp(b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>')


def test_depth_and_number_are_limited() -> None:
    with pytest.raises(LimitError, match="deep"):
        read_xmp(b"<a>" * (MAX_DEPTH + 1))
    with pytest.raises(LimitError, match="properties"):
        read_xmp(b"<a>" + b"<b>1</b>" * (MAX_PROPERTIES + 1))


@pytest.mark.parametrize(
    "packet", [b"", b"no xml", b"<a", b"<a><b></a>", b"<a>\x01</a>", b"<a>&undefined;</a>", b"<\0\0\0"]
)
def test_broken_xml_is_unreadable(packet: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_xmp(packet)


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, len(PACKET.encode()) - 1), value=st.binary(min_size=1, max_size=8))
def test_no_change_raises_anything_else(at: int, value: bytes) -> None:
    data = PACKET.encode()
    with contextlib.suppress(UnreadableError, LimitError):
        read_xmp(data[:at] + value + data[at + len(value) :])
