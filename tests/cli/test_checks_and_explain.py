"""``deepscan checks list`` and ``deepscan explain``."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from deepscan import explain
from deepscan.checks.catalogue import SPECS
from deepscan.cli.app import app
from deepscan.errors import EXIT_CLEAN, EXIT_USAGE, UsageError


def test_the_list_names_every_check_with_what_it_costs() -> None:
    answer = CliRunner().invoke(app, ["checks", "list"])
    assert answer.exit_code == EXIT_CLEAN
    head, *lines = answer.stdout.splitlines()
    assert head.split()[:4] == ["check", "default", "cost", "family"]
    rows = {line.split()[0]: line.split()[1:4] for line in lines}
    assert rows == {s.id: ["yes" if s.default else "no", s.cost, s.family] for s in SPECS}


def test_the_list_as_json_has_codes_and_kinds() -> None:
    answer = CliRunner().invoke(app, ["checks", "list", "--format", "json"])
    found = {entry["id"]: entry for entry in json.loads(answer.stdout)}
    assert found.keys() == {spec.id for spec in SPECS}
    assert all(found[spec.id]["codes"] == list(spec.codes) for spec in SPECS)


@pytest.mark.parametrize("code", explain.codes())
def test_every_code_is_explained_in_plain_text(code: str) -> None:
    answer = CliRunner().invoke(app, ["explain", code.lower()])
    assert answer.exit_code == EXIT_CLEAN
    assert answer.stdout.startswith(f"{code}  {explain.page(code).title}\n")
    assert "**" not in answer.stdout
    positions = [answer.stdout.index(f"\n{word} ") for word in explain.PARTS]
    assert positions == sorted(positions)


def test_without_a_code_all_are_listed() -> None:
    answer = CliRunner().invoke(app, ["explain"])
    assert [line.split()[0] for line in answer.stdout.splitlines()] == list(explain.codes())


def test_a_wrong_code_prints_nothing_and_says_what_may_be_meant() -> None:
    answer = CliRunner().invoke(app, ["explain", "DS-META-001", "DS-META-991"])
    assert answer.exit_code == EXIT_USAGE
    assert answer.stdout == ""
    assert "DS-META-0" in answer.stderr


@pytest.mark.parametrize("code", ["../card", "", "DS-META-001.md", "\x1b[31m", "DS-META-001/../DS-META-003"])
def test_a_code_never_becomes_a_path(code: str) -> None:
    with pytest.raises(UsageError):
        explain.page(code)
