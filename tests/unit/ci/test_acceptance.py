from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePosixPath

import pytest

from deepscan.ci import baseline, suppressions
from deepscan.ci.acceptance import Acceptance, accept
from deepscan.engine.scan import exit_code
from deepscan.errors import EXIT_FOUND, EXIT_INCOMPLETE, ConfigError
from deepscan.types import Basis, Call, ItemReport, Known, Level, PointsTo, Verdict
from tests.gold.sample import CLASSIFIED, DECLARED, NOT_UNICODE, REPORT

TODAY = date(2026, 6, 1)
SHA = CLASSIFIED.item.sha256

ENTRY = f"""
[[suppress]]
sha256 = "{SHA}"
reason = "Ours."
author = "j.doe"
expires = 2026-12-31
"""


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "suppress.toml"
    path.write_text(text, encoding="utf-8")
    return path


def accepted(
    tmp_path: Path, text: str = "", items: Sequence[ItemReport] = REPORT.items, known: baseline.Baseline | None = None
) -> Acceptance:
    return accept(items, known or {}, suppressions.read(file(tmp_path, text)), TODAY)


def baseline_of(items: Sequence[ItemReport], tmp_path: Path) -> baseline.Baseline:
    stream = io.StringIO()
    baseline.write(items, stream)
    (tmp_path / "baseline.json").write_text(stream.getvalue(), encoding="utf-8")
    return baseline.read(tmp_path / "baseline.json")


def test_a_baseline_knows_what_was_flagged_and_ends_the_exit_code(tmp_path: Path) -> None:
    known = baseline_of(REPORT.items, tmp_path)
    assert known.keys() == {DECLARED.item.sha256, SHA}
    found = accepted(tmp_path, known=known)
    assert {entry.sha256: entry.source for entry in found.known} == dict.fromkeys(known, "baseline")
    assert exit_code(REPORT, Level.MODERATE) == EXIT_FOUND
    assert exit_code(replace(REPORT, known=found.known), Level.MODERATE) == EXIT_INCOMPLETE
    assert exit_code(replace(REPORT, known=found.known[:1]), Level.MODERATE) == EXIT_FOUND


def test_the_same_report_gives_the_same_baseline_whatever_its_order() -> None:
    one, other = io.StringIO(), io.StringIO()
    baseline.write(REPORT.items, one)
    baseline.write(REPORT.items[::-1], other)
    assert one.getvalue() == other.getvalue()


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({"item": replace(CLASSIFIED.item, name=PurePosixPath("renamed.jpg"))}, True),
        ({"item": replace(CLASSIFIED.item, sha256="ab" * 32)}, False),
        ({"verdict": replace(CLASSIFIED.verdict, call=Call.WEAK)}, True),
        ({"verdict": replace(CLASSIFIED.verdict, call=Call.STRONG)}, False),
        ({"verdict": replace(CLASSIFIED.verdict, because=("DS-MODEL-001", "DS-META-003"))}, False),
    ],
)
def test_known_means_the_same_bytes_and_no_worse(change: dict[str, object], known: bool, tmp_path: Path) -> None:
    before = baseline_of((CLASSIFIED,), tmp_path)
    found = accepted(tmp_path, items=(replace(CLASSIFIED, **change),), known=before)  # type: ignore[arg-type]
    assert bool(found.known) is known


def test_a_suppression_carries_its_reason_into_the_report(tmp_path: Path) -> None:
    found = accepted(tmp_path, ENTRY)
    assert found == Acceptance((Known(SHA, "suppression", "Ours.", "j.doe", "2026-12-31"),), ())


def test_an_expired_one_covers_nothing_and_is_named(tmp_path: Path) -> None:
    found = accepted(tmp_path, ENTRY.replace("2026-12-31", "2026-05-31"))
    assert found.known == ()
    assert found.notes == (f"Suppression 1 ({SHA}) expired on 2026-05-31: renew it or take it out.",)
    assert accepted(tmp_path, ENTRY.replace("2026-12-31", "2026-06-01")).known  # on its last day it holds


def test_an_unused_one_is_named(tmp_path: Path) -> None:
    found = accepted(tmp_path, ENTRY.replace(SHA, NOT_UNICODE.item.sha256))
    assert found.known == ()
    assert "covers no file that was found" in found.notes[0]


def test_paths_are_patterns_and_codes_are_all_that_may_be_behind_it(tmp_path: Path) -> None:
    by_path = ENTRY.replace(f'sha256 = "{SHA}"', 'path = "b/*.jpg"')
    assert [entry.sha256 for entry in accepted(tmp_path, by_path).known] == [SHA]
    assert accepted(tmp_path, by_path + 'codes = ["DS-MODEL-001", "DS-X-001"]').known
    assert not accepted(tmp_path, by_path + 'codes = ["DS-X-001"]').known


def test_content_that_is_there_twice_is_known_only_if_both_are(tmp_path: Path) -> None:
    copy = replace(CLASSIFIED, item=replace(CLASSIFIED.item, name=PurePosixPath("elsewhere/copy.jpg")))
    by_path = ENTRY.replace(f'sha256 = "{SHA}"', 'path = "b/*.jpg"')
    assert accepted(tmp_path, by_path, (CLASSIFIED, copy)).known == ()


def test_what_is_not_flagged_needs_no_acceptance(tmp_path: Path) -> None:
    quiet = replace(CLASSIFIED, verdict=Verdict(Call.NO_EVIDENCE, PointsTo.NEITHER, Basis.BELOW_THRESHOLD, 0.1, 0.5))
    assert baseline_of((quiet,), tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[suppress]]", "by sha256 or by path"),
        (ENTRY + 'path = "x"', "by one of them only"),
        (ENTRY.replace('reason = "Ours."', ""), "lacks a reason"),
        (ENTRY.replace('reason = "Ours."', "reason = 3"), "no text in reason"),
        (ENTRY.replace("expires = 2026-12-31", ""), "lacks the day"),
        (ENTRY.replace("2026-12-31", "2026-12-31T10:00:00"), "lacks the day"),
        (ENTRY.replace(SHA, "AB"), "64 lower-case"),
        (ENTRY + "surprise = 1", "unknown field 'surprise'"),
        (ENTRY + "codes = [1]", "list of texts"),
        ("suppress = 3", r"more than \[\[suppress\]\]"),
        ("other = 3", r"more than \[\[suppress\]\]"),
        ("[[suppress", "not valid TOML"),
    ],
)
def test_a_wrong_entry_is_a_sentence(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        suppressions.read(file(tmp_path, text))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"method": "x"}', '{"method": "deepscan baseline 1", "files": [{}]}']
)
def test_what_is_no_baseline_is_a_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="is none"):
        baseline.read(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        baseline.read(tmp_path / "nowhere")
