"""Untrusted text made safe to show, and numbers made readable."""

from __future__ import annotations

import re
import unicodedata

MAX_SHOWN = 300
"""Characters of a file's own words that are quoted in a summary; the rest is cut and counted."""

# Control characters, surrogates, and the format characters that reorder or hide text in a terminal (bidi overrides,
# isolates, zero-width marks): Unicode categories Cc, Cs, Cf, and line and paragraph separators.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SAFE = re.compile(r"[ -~]*")


def clean(untrusted: str, limit: int | None = MAX_SHOWN) -> str:
    r"""Return text from a file as one harmless line.

    Control and format characters become a visible escape such as ``\x1b`` or ``\u202e``, so a reader sees what was
    there and a terminal does not act on it. Text longer than ``limit`` characters is cut, and the cut says how many
    characters are missing. ``limit=None`` cuts nothing.
    """
    dropped = 0
    if limit is not None and len(untrusted) > limit:
        dropped = len(untrusted) - limit
        untrusted = untrusted[:limit]
    if not _SAFE.fullmatch(untrusted):
        unsafe = (c for c in set(untrusted) if unicodedata.category(c) in _UNSAFE_CATEGORIES)
        untrusted = untrusted.translate({ord(c): _visible(c) for c in unsafe})
    return f"{untrusted}… ({dropped} more characters)" if dropped else untrusted


def _visible(character: str) -> str:
    point = ord(character)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def plural(count: int, noun: str, plural_form: str | None = None) -> str:
    """``plural(1, "file") == "1 file"``, ``plural(2000, "file") == "2,000 files"``."""
    return f"{count:,} {noun if count == 1 else plural_form or noun + 's'}"


def size(number: int) -> str:
    """Bytes as people read them: ``size(1536) == "1.5 KiB"``."""
    amount = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def exact_size(number: int) -> str:
    """Bytes so that :func:`parse_size` gives them again, in the largest unit without a fraction: ``"8GiB"``."""
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if number and number % 1024**power == 0:
            return f"{number // 1024**power}{unit}"
    return str(number)


def parse_size(words: str) -> int:
    """The reverse of :func:`size`, for people: ``"500MB"``, ``"2 GiB"``, ``"1.5g"``, ``"4096"``; in bytes.

    kB, MB, GB and TB are powers of 1000; KiB, MiB, GiB, TiB and bare letters powers of 1024. Raises ValueError.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?b)?|b)?\s*", words, re.IGNORECASE)
    if match is None:
        raise ValueError(f"{words!r} is no size")
    number, letter, ending = match.groups()
    base = 1000 if (ending or "").lower() == "b" else 1024
    power = " kmgt".index(letter.lower()) if letter else 0
    return int(float(number) * base**power + 0.5)


def duration(seconds: float) -> str:
    """Seconds as people read them: ``duration(3.21) == "3.2 s"``, ``duration(75) == "1 min 15 s"``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def timecode(seconds: float) -> str:
    """A time in a film, to the millisecond: ``timecode(3723.4567) == "01:02:03.457"``; negative ones get a minus."""
    whole = round(abs(seconds) * 1000)
    minutes, rest = divmod(whole, 60_000)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if seconds < 0 and whole else ""
    return f"{sign}{hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
