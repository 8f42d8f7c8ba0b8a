"""The table of validation codes, line for line: what a code means decides whether a file is called changed.

When it changes on purpose: ``pytest tests/gold --refresh-gold``, then read the diff before it is committed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from deepscan.checks.credentials.codes import CODES, Meaning, meaning_of_failure, words_for

GOLD = Path(__file__).parent / "credentials" / "validation_codes.txt"


def test_the_table_is_the_gold_file(request: pytest.FixtureRequest) -> None:
    table = "".join(f"{CODES[code].meaning:<11}{code:<55}{CODES[code].words}\n" for code in sorted(CODES))
    if request.config.getoption("--refresh-gold"):
        GOLD.write_text(table, encoding="utf-8")
    assert table == GOLD.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("cawg.something.new", Meaning.IDENTITY),
        ("signingCredential.something.new", Meaning.TRUST),
        ("timeStamp.something.new", Meaning.NOTE),
        ("ingredient.something.new", Meaning.INGREDIENT),
        ("assertion.something.new", Meaning.RULE),
        ("claimSignature.something.new", Meaning.RULE),
        ("org.example.something", Meaning.NOTE),
    ],
)
def test_an_unknown_code_never_means_changed(code: str, meaning: Meaning) -> None:
    assert meaning_of_failure(code) is meaning
    assert words_for(code)


def test_only_hashes_and_signatures_mean_changed() -> None:
    changed = {code for code, row in CODES.items() if row.meaning is Meaning.CHANGED}
    assert not any(code.startswith(("cawg.", "signingCredential.", "timeStamp.", "ingredient.")) for code in changed)
    assert {"claimSignature.mismatch", "assertion.dataHash.mismatch", "assertion.bmffHash.mismatch"} <= changed
