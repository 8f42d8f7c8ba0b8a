"""IPTC-IIM records, alone or inside Photoshop's image resources (IPTC-NAA IIM 4.2; Adobe Photoshop File Formats)."""

from __future__ import annotations

from collections.abc import Iterator

MAX_RECORDS = 2_000

_NAMES = {
    5: "ObjectName",
    25: "Keywords",
    40: "SpecialInstructions",
    55: "DateCreated",
    60: "TimeCreated",
    65: "OriginatingProgram",
    80: "By-line",
    85: "By-lineTitle",
    90: "City",
    92: "Sub-location",
    95: "Province-State",
    101: "Country-PrimaryLocationName",
    105: "Headline",
    110: "Credit",
    115: "Source",
    116: "CopyrightNotice",
    120: "Caption-Abstract",
    122: "Writer-Editor",
}
_IPTC_RESOURCE = 0x0404
_CHARACTER_SET, _UTF8 = (1, 90), b"\x1b%G"


def iptc_of_photoshop(resources: bytes) -> bytes:
    """The IPTC block among Photoshop's image resources; empty when there is none, or they are damaged before it."""
    at = 0
    while resources[at : at + 4] == b"8BIM" and at + 12 <= len(resources):
        kind = int.from_bytes(resources[at + 4 : at + 6], "big")
        name = resources[at + 6] + 1
        size_at = at + 6 + name + name % 2
        size = int.from_bytes(resources[size_at : size_at + 4], "big")
        if kind == _IPTC_RESOURCE:
            return resources[size_at + 4 : size_at + 4 + size]
        at = size_at + 4 + size + size % 2
    return b""


def read_iptc(block: bytes) -> Iterator[tuple[str, str]]:
    """(name, text) of the datasets that say who and what made a picture; stops at what is no dataset."""
    at = 0
    encoding = "latin-1"
    for _ in range(MAX_RECORDS):
        head = block[at : at + 5]
        size = int.from_bytes(head[3:5], "big")
        # A set top bit announces an extended length, which no text here needs.
        if len(head) < 5 or head[0] != 0x1C or size & 0x8000:
            return
        value = block[at + 5 : at + 5 + size]
        at += 5 + size
        if (head[1], head[2]) == _CHARACTER_SET and value == _UTF8:
            encoding = "utf-8"
        elif head[1] == 2 and head[2] in _NAMES and value:
            yield _NAMES[head[2]], value.decode(encoding, errors="replace").strip("\0 \t\r\n")
