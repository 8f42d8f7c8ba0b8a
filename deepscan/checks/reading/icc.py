"""What a colour profile says about itself: its name, its copyright, who made it, and when (ICC.1:2022, 7.2 and 10.15).

Only the header and the two texts are read; no colour is computed.
"""

from __future__ import annotations

from collections.abc import Iterator

from deepscan.errors import UnreadableError

HEADER = 128
MAX_TAGS = 100
MAX_TEXT_BYTES = 4096

_NAMES = {b"desc": "ProfileDescription", b"cprt": "ProfileCopyright"}


def read_icc(profile: bytes) -> Iterator[tuple[str, str]]:
    """(name, text): ``ProfileDescription``, ``ProfileCopyright``, ``ProfileCreator``, ``ProfileDateTime``.

    Raises:
        UnreadableError: it is no colour profile.
    """
    if profile[36:40] != b"acsp" or len(profile) < HEADER + 4:
        raise UnreadableError("The colour profile does not begin as an ICC profile does.")
    creator = profile[80:84].strip(b"\0 ")
    if creator:
        yield "ProfileCreator", creator.decode("latin-1")
    date = [int.from_bytes(profile[at : at + 2], "big") for at in range(24, 36, 2)]
    if any(date):
        yield "ProfileDateTime", "{:04d}:{:02d}:{:02d} {:02d}:{:02d}:{:02d}".format(*date)
    for at in range(
        HEADER + 4, HEADER + 4 + 12 * min(int.from_bytes(profile[HEADER : HEADER + 4], "big"), MAX_TAGS), 12
    ):
        name = _NAMES.get(profile[at : at + 4])
        start, size = (int.from_bytes(profile[at + k : at + k + 4], "big") for k in (4, 8))
        text = _text(profile[start : start + min(size, MAX_TEXT_BYTES)]) if name else ""
        if name and text:
            yield name, text


def _text(value: bytes) -> str:
    match value[:4]:
        case b"text":
            raw = value[8:]
        case b"desc":  # version 2: a length, then ASCII
            raw = value[12 : 12 + int.from_bytes(value[8:12], "big")]
        case b"mluc":  # version 4: records of 12 bytes, language, country, length, offset; the first one is enough
            length, offset = (int.from_bytes(value[at : at + 4], "big") for at in (20, 24))
            return value[offset : offset + length].decode("utf-16-be", errors="replace").strip("\0 \t\r\n")
        case _:
            return ""
    return raw.split(b"\0", 1)[0].decode("latin-1").strip()
