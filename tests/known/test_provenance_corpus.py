"""Content credentials of files whose answers are known: state and AI answer, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.evidence.provenance import Answer, answers

pytestmark = pytest.mark.corpus


@pytest.fixture
def found(corpus: Path) -> tuple[Answer, ...]:
    return tuple(answers(corpus))


def test_every_sure_row_is_right(found: tuple[Answer, ...]) -> None:
    sure = [answer for answer in found if answer.sure and answer.examined]
    assert len(sure) >= 40
    assert [answer for answer in sure if not answer.right] == []


def test_no_intact_file_is_called_changed(found: tuple[Answer, ...]) -> None:
    intact = [answer for answer in found if answer.expected.startswith("valid") and answer.examined]
    assert intact
    assert [answer for answer in intact if "DS-PROV-004" in answer.codes] == []


def test_nothing_without_a_declaration_of_ai_is_called_generated(found: tuple[Answer, ...]) -> None:
    assert [answer for answer in found if answer.expected_ai != "ai" and answer.generated] == []
