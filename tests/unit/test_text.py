"""Untrusted text comes out harmless whatever it was, and numbers read as people write them."""

from __future__ import annotations

import contextlib
import math
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deepscan.text import MAX_SHOWN, clean, duration, exact_size, parse_size, plural, size, timecode

UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

unhurried = settings(deadline=None)
"""A busy machine may stall on any example."""

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
"""Any text Python can hold: control codes and lone surrogates too (which is what undecodable names become)."""


@unhurried
@given(ANYTHING)
@example("\x1b]0;title\x07\x1b[2J")
@example("photo\u202egpj.exe")
@example("a\r\nb\tc\x00\x7f\x85\u2028\u2029")
@example("\udcff\udcfe\U000e0041\u200b\ufeff")
def test_nothing_a_terminal_acts_on_comes_out(text: str) -> None:
    shown = clean(text)
    assert not {unicodedata.category(c) for c in shown} & UNSAFE
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")


@unhurried
@given(ANYTHING)
def test_cleaning_again_changes_nothing(text: str) -> None:
    once = clean(text, limit=None)
    assert clean(once, limit=None) == once


@unhurried
@given(ANYTHING, st.integers(0, 80))
def test_its_length_is_bounded(text: str, limit: int) -> None:
    shown = clean(text, limit)
    longest_escape = len("\\U000e0001")
    assert len(shown) <= longest_escape * limit + len(f"… ({len(text)} more characters)")
    assert len(clean("x" * 10**6, limit)) <= limit + len("… (1000000 more characters)")


@unhurried
@given(st.text(st.characters(codec=None, exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), max_size=60))
@example("Zoë's 写真 — [red]50 %[/red] \\x1b.jpg")
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("a\nb", "a\\x0ab"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x7f\x80\x9b", "\\x7f\\x80\\x9b"),
        ("\u202e", "\\u202e"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
        ("soft\xadhyphen", "soft\\xadhyphen"),
        ("no\xa0break", "no\xa0break"),
    ],
)
def test_what_was_there_can_still_be_seen(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_cut_says_how_much_is_missing() -> None:
    assert clean("a" * MAX_SHOWN) == "a" * MAX_SHOWN
    assert clean("abcdef", 2) == "ab… (4 more characters)"
    assert clean("abc\x1bdef", 4) == "abc\\x1b… (3 more characters)"
    assert clean("a" * 1000).endswith(f"… ({1000 - MAX_SHOWN} more characters)")
    assert clean("a" * 1000, limit=None) == "a" * 1000


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1_234_567, "1,234,567 files")]
)
def test_plural(count: int, words: str) -> None:
    assert plural(count, "file") == words


def test_an_irregular_plural() -> None:
    assert plural(1, "entry", "entries") == "1 entry"
    assert plural(3, "entry", "entries") == "3 entries"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2, "1.0 MiB"),
        (8 * 1024**3, "8.0 GiB"),
        (1024**4, "1.0 TiB"),
        (5000 * 1024**4, "5000.0 TiB"),
    ],
)
def test_size(number: int, words: str) -> None:
    assert size(number) == words


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("0", 0),
        ("4096", 4096),
        ("17b", 17),
        ("1k", 1024),
        ("1kB", 1000),
        ("1KB", 1000),
        ("1KiB", 1024),
        ("500MB", 500_000_000),
        ("2 GiB", 2 * 1024**3),
        ("1.5g", 3 * 1024**3 // 2),
        ("  1 tib  ", 1024**4),
        ("0.5", 1),
        ("0.4", 0),
    ],
)
def test_parse_size(words: str, number: int) -> None:
    assert parse_size(words) == number


@pytest.mark.parametrize(
    "words", ["", " ", "-1", "+1", "1e3", ".5", "1.", "MB", "1 EiB", "1ib", "1 2", "1,5", "0x10", "nan"]
)
def test_what_is_no_size_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        parse_size(words)


@unhurried
@given(ANYTHING)
def test_any_text_is_a_size_or_refused(words: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_size(words) >= 0


@unhurried
@given(st.integers(0, 1024**5))
def test_what_size_writes_is_read_back_within_its_rounding(number: int) -> None:
    assert math.isclose(parse_size(size(number)), number, rel_tol=0.05, abs_tol=0.5)


@unhurried
@given(st.integers(0, 1024**5) | st.integers(0, 5000).map(lambda number: number * 1024**3))
def test_what_exact_size_writes_is_read_back_exactly(number: int) -> None:
    assert parse_size(exact_size(number)) == number


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0"), (1000, "1000"), (8 * 2**30, "8GiB"), (1536 * 2**20, "1536MiB")]
)
def test_an_exact_size_is_in_the_largest_whole_unit(number: int, words: str) -> None:
    assert exact_size(number) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (3.21, "3.2 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (75, "1 min 15 s"),
        (119.6, "2 min 0 s"),
        (3599.6, "1 h 0 min"),
        (7384, "2 h 3 min"),
        (100 * 3600, "100 h 0 min"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "00:00:00.000"),
        (3723.4567, "01:02:03.457"),
        (59.9996, "00:01:00.000"),
        (-0.2, "-00:00:00.200"),
        (-0.0001, "00:00:00.000"),
        (360_000.0, "100:00:00.000"),
    ],
)
def test_timecodes_are_to_the_millisecond(seconds: float, shown: str) -> None:
    assert timecode(seconds) == shown
