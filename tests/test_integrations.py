"""The GitHub action and the pre-commit hook, each tried in a scratch repository: their own commands are run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deepscan.errors import EXIT_CLEAN, EXIT_FOUND, EXIT_INCOMPLETE
from tests import media_factory

ROOT = Path(__file__).resolve().parents[1]
ACTION = ROOT / ".github" / "actions" / "deepscan" / "action.yml"
SETTINGS = "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Model: x"
QUICK = "--checks\nmarks,identity\n--workers\n0"


@pytest.fixture(scope="module")
def action() -> Any:
    return yaml.safe_load(ACTION.read_text(encoding="utf-8"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clone as a runner has it, with a flagged picture, and a `deepscan` on the path."""
    work = tmp_path / "work"
    (work / "pictures").mkdir(parents=True)
    media_factory.write_png(work / "pictures", "a cat.png", text={"parameters": SETTINGS})
    program = tmp_path / "bin" / "deepscan"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m deepscan "$@"\n')
    program.chmod(0o755)
    return work


def step(action: Any, repository: Path, **inputs: str) -> tuple[int, Path]:
    """Run the step that scans as a runner does, with its inputs; returns its exit code and the folder of the runner."""
    runner = repository.parent / "runner"
    runner.mkdir(exist_ok=True)
    (scan,) = [step for step in action["runs"]["steps"] if step.get("id") == "scan"]
    defaults = {name: str(entry["default"]) for name, entry in action["inputs"].items()}
    values = {**defaults, "output": str(runner / "out"), "arguments": QUICK, **inputs}
    variables = {}
    for name, value in scan["env"].items():
        (wanted,) = re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value).groups()  # type: ignore[union-attr]
        variables[name] = values[wanted]
    files = {"GITHUB_STEP_SUMMARY": str(runner / "summary.md"), "GITHUB_OUTPUT": str(runner / "outputs")}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", scan["run"]],
        cwd=repository,
        env={**environment(repository), **variables, **files},
        timeout=300,
        check=False,
    )
    return done.returncode, runner


def environment(repository: Path) -> dict[str, str]:
    path = f"{repository.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


@pytest.mark.slow
def test_the_action_installs_the_deepscan_of_its_own_checkout(action: Any, tmp_path: Path) -> None:
    """Without the network: what deepscan needs is here already, and everything goes into a folder of its own."""
    checkout, target = tmp_path / "checkout", tmp_path / "installed"
    for name in ("deepscan", ".github"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    install = action["runs"]["steps"][0]
    assert install["env"] == {"ACTION_PATH": "${{ github.action_path }}"}
    # pip takes its options from variables too; --no-build-isolation is stored as its opposite.
    options = {"PIP_TARGET": str(target), "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    there = {"ACTION_PATH": str(checkout / ".github" / "actions" / "deepscan"), "PATH": python}
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", install["run"]],
        cwd=tmp_path,
        env={**os.environ, **options, **there},
        timeout=300,
        check=True,
    )
    words = [str(target / "bin" / "deepscan"), "models", "list"]
    done = subprocess.run(
        words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(target)}, timeout=300, capture_output=True, text=True
    )
    assert done.returncode == EXIT_CLEAN, done.stderr
    assert done.stdout.startswith("builtin")


def test_the_action_fails_where_something_is_found_and_leaves_its_reports(action: Any, repository: Path) -> None:
    code, runner = step(action, repository, paths="pictures")
    assert code == EXIT_FOUND
    assert "`a cat.png`: **strong, generated**" in (runner / "summary.md").read_text(encoding="utf-8")
    assert (runner / "outputs").read_text().splitlines() == ["exit-code=1", f"report={runner / 'out'}"]
    log = json.loads((runner / "out" / "report.sarif").read_text(encoding="utf-8"))
    (result,) = log["runs"][0]["results"]
    where = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert where == {"uri": "pictures/a%20cat.png", "uriBaseId": "%SRCROOT%"}  # as GitHub finds it in the repository
    assert (runner / "out" / "report.junit.xml").is_file()


def test_inputs_are_never_a_piece_of_the_script(action: Any, repository: Path) -> None:
    hostile = '"; touch owned; $(touch owned) `touch owned`'
    (repository / hostile).mkdir()
    media_factory.write_png(repository / hostile, "plain.png")
    code, _ = step(action, repository, paths=f"{hostile}\npictures", **{"fail-on": "never"})
    assert code in (EXIT_CLEAN, EXIT_INCOMPLETE)
    assert not (repository / "owned").exists()


def test_what_could_not_be_examined_fails_or_passes_as_asked(action: Any, repository: Path) -> None:
    media_factory.write_empty(repository / "pictures")
    never = {"paths": "pictures", "fail-on": "never"}
    assert step(action, repository, **never)[0] == EXIT_INCOMPLETE
    assert step(action, repository, **never, incomplete="pass")[0] == EXIT_CLEAN


def test_every_input_of_the_action_is_used(action: Any) -> None:
    text = ACTION.read_text(encoding="utf-8")
    assert [name for name in action["inputs"] if f"inputs.{name} " not in text] == []


def test_the_hook_stops_a_commit_that_adds_a_flagged_picture(repository: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (hook["language"], hook["types_or"]) == ("python", ["image", "video"])
    media_factory.write_png(repository / "pictures", "plain.png")
    quick = QUICK.split()

    def run(*names: str) -> int:
        words = [*hook["entry"].split(), *quick, *names]
        return subprocess.run(words, cwd=repository, env=environment(repository), timeout=300, check=False).returncode

    assert run("pictures/plain.png", "pictures/a cat.png") == EXIT_FOUND
    assert run("pictures/a cat.png", "--fail-on", "never") == EXIT_CLEAN
