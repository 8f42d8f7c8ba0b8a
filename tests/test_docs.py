"""The documents say what the program does: commands, options, codes, checks, links and set-up commands are compared."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from deepscan import errors
from deepscan.checks.catalogue import SPECS
from deepscan.engine.verdict import DEFAULT_POLICY
from deepscan.types import Basis, Call, Family, Level, Outcome, PointsTo
from tests.test_layers import MAY_IMPORT

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

PROGRAMS = frozenset(
    {
        "deepscan",
        "python",
        "python3",
        "pip",
        "pytest",
        "ruff",
        "mypy",
        "git",
        "cd",
        "find",
        ".",
        "export",
        "accelerate",
        "torchrun",
    }
)
"""What a command in a document may begin with."""

CI = (".ci/run", "--show")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def readme() -> str:
    return text_of(ROOT / "README.md")


def documents() -> list[Path]:
    """Every Markdown file of the project itself."""
    folders = [DOCS, ROOT / "deepscan", ROOT / "tests"]
    return sorted([*ROOT.glob("*.md"), *(path for folder in folders for path in folder.rglob("*.md"))])


def table(text: str, head: str) -> list[list[str]]:
    """The rows of the tables whose first heading is ``head``, without back quotes."""
    rows: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        if cells[0].lower() == head:
            inside = True
        elif inside and not set(cells[0]) <= set("-: "):
            rows.append(cells)
    return rows


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """The fenced code blocks: the word after the fence, and the text."""
    for found in re.finditer(r"^```([^\n`]*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield found[1].strip(), found[2]


def load_script(path: Path) -> ModuleType:
    """Import a script that lies in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # where dataclasses look up the annotations of their fields
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(path.parent)  # as where a script is run
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make_cli() -> ModuleType:
    return load_script(DOCS / "make_cli.py")


# The command line.


def test_the_page_of_commands_is_what_the_program_says(make_cli: ModuleType) -> None:
    assert text_of(DOCS / "cli.md") == make_cli.render(), "run python docs/make_cli.py"


def test_every_command_and_option_is_on_the_page(make_cli: ModuleType) -> None:
    """Not by comparing with what wrote the page: a command left out by the script is found here."""
    import typer

    from deepscan.cli.app import app

    def walk(words: str, command: Any) -> Iterator[tuple[str, Any]]:
        yield words, command
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(f"{words} {name}", inner)

    sections = dict(
        re.findall(r"^## (deepscan.*?)\n(.*?)(?=^## |\Z)", text_of(DOCS / "cli.md"), re.MULTILINE | re.DOTALL)
    )
    found = dict(walk("deepscan", typer.main.get_command(app)))
    assert sections.keys() == found.keys()
    for words, command in found.items():
        for parameter in command.params:
            for name in [*parameter.opts, *parameter.secondary_opts]:
                if name.startswith("-"):
                    assert f"`{name}`" in sections[words], f"{words} {name}"


def test_the_script_checks_the_page(make_cli: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_cli, "PAGE", tmp_path / "cli.md")
    assert make_cli.main(["--check"]) == 1
    assert make_cli.main([]) == 0
    assert make_cli.main(["--check"]) == 0
    (tmp_path / "cli.md").write_text("another page", encoding="utf-8")
    assert make_cli.main(["--check"]) == 1


# Codes, checks, words.


def test_every_exit_code_is_in_the_readme() -> None:
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    rows = table(readme(), "exit code")
    assert sorted(int(row[0]) for row in rows) == sorted(codes)


def test_what_is_said_of_the_embedded_pack_is_what_its_card_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model = load_script(DOCS / "make_model.py")
    assert make_model.main(["--check"]) == 0, "run python docs/make_model.py"
    stale = tmp_path / "README.md"
    stale.write_text(text_of(make_model.README).replace(make_model.END, f"Never wrong.\n{make_model.END}"))
    monkeypatch.setattr(make_model, "README", stale)
    assert make_model.main(["--check"]) == 1
    assert "Never wrong" not in make_model.documents()[stale]


def test_every_check_is_in_the_readme() -> None:
    assert [row[0] for row in table(readme(), "check")] == [spec.id for spec in SPECS]


def test_the_page_of_findings_is_what_explain_prints() -> None:
    assert text_of(DOCS / "findings.md") == load_script(DOCS / "make_findings.py").render(), (
        "run python docs/make_findings.py"
    )


def test_every_finding_has_its_section() -> None:
    sections = re.findall(r"^### (DS-\S+) ", text_of(DOCS / "findings.md"), re.MULTILINE)
    codes = [code for spec in SPECS for code in spec.codes]
    assert len(set(codes)) == len(codes)
    assert sorted(sections) == sorted(codes)


def test_every_section_on_a_finding_says_what_it_does_not_mean() -> None:
    for section in re.split(r"^### ", text_of(DOCS / "findings.md"), flags=re.MULTILINE)[1:]:
        for word in ("Means", "Does not mean", "Found by", "Source", "Known errors"):
            assert f"**{word}** " in section, f"{section.splitlines()[0]}: {word}"


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_ceilings_of_families_are_those_of_the_policy(spec: Any) -> None:
    rows = {row[0]: row for row in table(text_of(DOCS / "evidence.md"), "family")}
    family, checks, _, most = rows[spec.family]
    assert spec.id in [check.strip() for check in checks.split(",")], family
    if spec.family is Family.MODEL:
        assert "card" in most  # the pack's card decides
        return
    cap = DEFAULT_POLICY.caps[spec.family]
    expected = {cap.usual, cap.declaration}
    ceiling = most.partition(";")[0]  # what a single check may say stands after it
    assert {level for level in Level if level in ceiling} == expected


@pytest.mark.parametrize("word", [*Outcome, *Call, *Basis, *PointsTo, *Level])
def test_every_word_of_a_verdict_is_explained(word: str) -> None:
    assert f"`{word}`" in text_of(DOCS / "evidence.md")


def test_every_room_is_in_the_plan() -> None:
    rows = table(text_of(DOCS / "architecture.md"), "room")
    named = {name.strip().rstrip("/") for row in rows for name in row[0].split(",")}
    assert named == MAY_IMPORT.keys() - {"", "__main__"}


# Links and commands.


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", text_of(path), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        assert file.is_relative_to(ROOT), f"{target} leads out of the project"
        if anchor:
            assert anchor in set(_anchors(text_of(file))), target


def _anchors(text: str) -> Iterator[str]:
    """Headings as GitHub makes anchors of them."""
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def commands_in(text: str) -> Iterator[list[str]]:
    """The commands in the shell blocks of a document, split into words."""
    for language, block in blocks(text):
        if language not in ("sh", "bash", "shell", "console"):
            continue
        for line in re.sub(r"\\\n", " ", block).splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            command: list[str] = []
            for word in [*words, ";"]:
                if word in ("&&", "||", "|", ";"):
                    if command:
                        yield command
                    command = []
                else:
                    command.append(word)


def test_commands_in_documents_exist(make_cli: ModuleType) -> None:
    known = dict(make_cli.commands())
    seen = 0
    for path in documents():
        for words in commands_in(text_of(path)):
            where = f"{path.name}: {' '.join(words)}"
            while re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words = words[1:]
            assert words[0] in PROGRAMS, where
            if words[0] == "deepscan":
                seen += 1
                _check_call(words, known, where)
    assert seen > 3


def _check_call(words: list[str], known: dict[str, Any], where: str) -> None:
    name, rest = words[0], words[1:]
    while rest and f"{name} {rest[0]}" in known:
        name, rest = f"{name} {rest[0]}", rest[1:]
    command = known[name]
    assert not getattr(command, "commands", {}) or all(word.startswith("-") for word in rest), (
        f"{where}: no such command"
    )
    names = {n for p in command.params for n in [*p.opts, *p.secondary_opts]} | {"-h", "--help"}
    for word in rest:
        if word.startswith("-") and word != "-":
            assert word.partition("=")[0] in names, f"{where}: no option {word}"


def setup_block(name: str) -> str:
    """The one shell block of the README that stands after a marker."""
    found = re.findall(rf"^<!-- setup:{name} -->\n+```sh\n(.*?)^```", readme(), re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"the README needs one ```sh block after <!-- setup:{name} -->"
    return str(found[0])


@pytest.mark.parametrize("name", ["run", "test"])
def test_the_set_up_commands_are_those_that_ci_runs(name: str) -> None:
    done = subprocess.run(["bash", *CI, name], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == setup_block(name)
    joined = re.sub(r"\\\n", " ", setup_block(name))
    assert len(joined.strip().splitlines()) == 1, "one command, which stops where something fails"


def test_the_set_up_commands_pin_what_they_install() -> None:
    assert "-c constraints.txt" in setup_block("run")
    assert "-c constraints.txt" in setup_block("test")
    assert "deepscan scan docs/examples/media" in setup_block("run")
    assert setup_block("test").split()[-1] == "pytest"


def test_ci_is_one_program_that_can_be_run() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert text_of(script).startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text_of(script)


def test_a_command_that_is_not_there_is_seen(make_cli: ModuleType) -> None:
    known = dict(make_cli.commands())
    for line in ("deepscan scam folder", "deepscan scan folder --no-such-option", "deepscan models inform builtin"):
        with pytest.raises(AssertionError):
            _check_call(shlex.split(line), known, line)
    _check_call(["deepscan", "scan", "folder", "-o", "-", "--format=json"], known, "")
