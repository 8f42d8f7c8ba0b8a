"""The one error boundary: what goes wrong becomes a sentence, a hint and an exit code, and nothing else."""

from __future__ import annotations

import builtins
import errno
import inspect
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deepscan import __version__, errors
from deepscan.__main__ import main
from deepscan.cli import report
from deepscan.cli.app import app
from deepscan.errors import DeepscanError
from tests import media_factory

ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, DeepscanError)]
QUICK = ("--checks", "identity", "--workers", "0")
"""Flags for a scan that needs no model and starts no process."""

COMMANDS = [
    "",
    "scan",
    "train",
    "evaluate",
    "calibrate",
    "report",
    "models",
    "models list",
    "models info",
    "models pull",
    "models verify",
]


def invoke(*arguments: str, given: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
    """Run ``deepscan`` in this process, as if it were its first command: with its own logging, on a wide terminal."""
    logger = logging.getLogger("deepscan")
    handlers, level = logger.handlers[:], logger.level
    logger.handlers.clear()
    try:
        result = CliRunner().invoke(app, arguments, input=given, env={"COLUMNS": "200", **(env or {})})
    finally:
        logger.handlers[:], logger.level = handlers, level
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


def refusal(result: Result) -> tuple[str, str]:
    """The sentence and the hint of a command that was refused with exit code 2, and that said nothing else."""
    assert result.exit_code == errors.EXIT_USAGE, result.output
    assert result.stdout == ""
    sentence, *hint = result.stderr.splitlines()
    assert sentence.startswith("deepscan: ")
    assert sentence.endswith(".")
    assert "Unexpected" not in sentence
    assert all(line.startswith(" " * 10) for line in hint)
    return sentence.removeprefix("deepscan: "), "\n".join(hint).strip()


def python(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Run the real program."""
    program = [sys.executable, "-m", "deepscan", *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8", "errors": "replace"}
    return subprocess.run(program, timeout=120, check=False, **{**streams, **settings})


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command that raises what it is given."""

    def run(error: BaseException, *arguments: str) -> Result:
        def read(source: Path) -> Any:
            raise error

        monkeypatch.setattr(report, "read_report", read)
        return invoke("report", "case", "-o", "-", "--format", "json", *arguments)

    return run


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_tree_is_its_sentence_its_hint_and_its_exit_code(
    kind: type[DeepscanError], broken: Any
) -> None:
    result = broken(kind("It broke [here].", "Mend it."))
    assert result.exit_code == kind.exit_code
    assert result.stdout == ""
    assert result.stderr == "deepscan: It broke [here].\n          Mend it.\n"


def test_without_a_hint_there_is_one_line(broken: Any) -> None:
    assert broken(DeepscanError("It broke.")).stderr == "deepscan: It broke.\n"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no such thing"),
        ZeroDivisionError("over"),
        KeyError("name"),
        OSError(errno.EIO, "Input/output error"),
        MemoryError(),
        RecursionError("too deep"),
        AssertionError(),
        UnicodeEncodeError("ascii", "\u2026", 0, 1, "ordinal not in range"),
        ExceptionGroup("several", [ValueError("one")]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_fault_is_a_sentence_and_never_looks_like_a_finding(error: Exception, broken: Any) -> None:
    result = broken(error)
    assert result.exit_code == errors.EXIT_USAGE
    assert result.stdout == ""
    assert result.stderr.startswith(f"deepscan: Unexpected {type(error).__name__}")
    assert "fault of deepscan" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_words_of_a_fault_are_harmless(broken: Any) -> None:
    shown = broken(ValueError("\x1b[2Ja name\nin \u202etwo lines")).stderr
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[2Ja name\\x0ain \\u202etwo lines" in shown


def test_ctrl_c_is_a_word_and_130(broken: Any) -> None:
    result = broken(KeyboardInterrupt())
    assert (result.exit_code, result.stdout) == (errors.EXIT_INTERRUPTED, "")
    assert result.stderr.splitlines() == ["deepscan: Interrupted."]


def test_the_trace_is_shown_under_debug_only(tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere")
    plain = invoke("scan", missing, "--skip", "classifier")
    refusal(plain)
    assert "Traceback" not in plain.stderr
    debug = invoke("scan", missing, "--skip", "classifier", "--debug")
    assert debug.exit_code == plain.exit_code
    assert debug.stdout == ""
    assert debug.stderr.startswith(plain.stderr)
    assert "Traceback (most recent call last)" in debug.stderr
    assert "InputError" in debug.stderr
    again = invoke("scan", missing, "--skip", "classifier")
    assert again.stderr == plain.stderr


def test_no_command_shows_the_help() -> None:
    result = invoke()
    assert result.exit_code == errors.EXIT_USAGE
    assert all(command in result.output for command in ("scan", "train", "evaluate", "calibrate", "report", "models"))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help(command: str, flag: str) -> None:
    result = invoke(*command.split(), flag)
    assert result.exit_code == errors.EXIT_CLEAN
    assert result.stderr == ""
    assert f"Usage: deepscan {command}".rstrip() in result.stdout


def test_the_version_is_data() -> None:
    result = invoke("--version")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"deepscan {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["scan"], "Missing argument 'PATH'"),
        (["scan", "x", "--bogus"], "No such option: --bogus"),
        (["scan", "x", "--frames", "many"], "Option frames is 'many', and must be auto or a whole number."),
        (["scan", "x", "--every", "often"], "Invalid value for '--every'"),
        (["scan", "x", "-o"], "requires an argument"),
        (["--bogus"], "No such option: --bogus"),
        (["models", "bogus"], "No such command 'bogus'"),
        (["models", "info"], "Missing argument 'MODEL'"),
        (["train", "x"], "Nothing says where the pack is to be written"),
        (["report", "x"], "Missing option"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_a_sentence(arguments: list[str], words: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == errors.EXIT_USAGE
    assert result.stdout == ""
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_errors_of_the_commands_of_models_meet_the_boundary_too(tmp_path: Path) -> None:
    sentence, hint = refusal(invoke("models", "info", str(tmp_path / "nowhere")))
    assert "no model folder" in sentence
    assert hint
    sentence, _ = refusal(invoke("models", "verify", str(tmp_path)))
    assert "holds no model" in sentence


@pytest.mark.slow
def test_the_program_is_started_by_python_m_too() -> None:
    done = python("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"deepscan {__version__}\n", "")
    done = python("scan", "/no/such/place", "--skip", "classifier")
    assert (done.returncode, done.stdout) == (errors.EXIT_USAGE, "")
    assert done.stderr.splitlines()[0] == "deepscan: There is no file or folder /no/such/place."


def into_a_closed_pipe(*arguments: str) -> tuple[int, str]:
    """The exit code and the words of the real program whose reader has gone before it writes."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = python(*arguments, stdout=writing)
    finally:
        os.close(writing)
    return done.returncode, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(("-o", "-", "--format", "csv"), id="data"),
        pytest.param(("-o", "-", "--quiet"), id="quiet data"),
        pytest.param(
            (),
            id="summary",
        ),
    ],
)
def test_a_reader_that_has_gone_is_no_finding_and_no_fault(flags: tuple[str, ...], tmp_path: Path) -> None:
    media_factory.write_jpeg(tmp_path, "a.jpg")
    code, words = into_a_closed_pipe("scan", str(tmp_path), *QUICK, *flags)
    assert code == errors.EXIT_PIPE
    for fault in ("Traceback", "Exception ignored", "Unexpected"):
        assert fault not in words


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(("-o", "-"), id="data"),
        pytest.param((), id="summary"),
    ],
)
def test_a_full_disk_behind_standard_output_is_a_sentence(flags: tuple[str, ...], tmp_path: Path) -> None:
    media_factory.write_jpeg(tmp_path, "a.jpg")
    with Path("/dev/full").open("wb") as full:
        done = python("scan", str(tmp_path), *QUICK, *flags, stdout=full)
    assert done.returncode == errors.EXIT_USAGE
    assert "cannot be written: no space " in done.stderr.lower()
    assert "Unexpected" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_knows_few_letters_still_gets_its_summary(encoding: str, tmp_path: Path) -> None:
    media_factory.write_jpeg(tmp_path, "写真 é.jpg")
    media_factory.write_jpeg(tmp_path, "b.jpg")
    done = python("scan", str(tmp_path), *QUICK, encoding=encoding, env={**os.environ, "PYTHONIOENCODING": encoding})
    assert done.returncode == errors.EXIT_CLEAN, done.stderr
    assert "2 examined" in done.stdout
    assert "b.jpg" in done.stdout


def test_ctrl_c_while_the_command_line_is_loaded_is_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def interrupted(name: str, *more: Any, **named: Any) -> Any:
        if name == "deepscan.cli.app":
            raise KeyboardInterrupt
        return really(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == errors.EXIT_INTERRUPTED
