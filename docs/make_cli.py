"""Writes ``cli.md`` from the command line itself.

python docs/make_cli.py            write it
python docs/make_cli.py --check    end with 1 when it is not what would be written
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer
from generated import write_or_check

from deepscan.cli.app import app
from deepscan.cli.config import as_written
from deepscan.config import RunOptions, ScanOptions

PAGE = Path(__file__).resolve().parent / "cli.md"

HEAD = """\
# The command line

<!-- Written by docs/make_cli.py from the program itself: change the program, and run it again. -->

Words go to the error stream, data to standard output. The README says what the exit codes mean.
"""

COMPLETION = """\
## Completion

`deepscan --install-completion` lets the shell that it is run in (bash, zsh, fish, PowerShell) complete commands and
options at a press of the Tab key, from the next session on; `deepscan --show-completion` prints what it would install.
"""

SETTINGS = """\
## Settings

Every option of `scan` in this table can be kept in a file: in `deepscan.toml` in the working folder, or in the table
`[tool.deepscan]` of a `pyproject.toml` there. A setting in `deepscan.toml` goes before one in `pyproject.toml`, an
environment variable before both, and an option on the command line before all. `deepscan config show` says which value
is in force and where it comes from; an option such as `--no-hidden` switches off what a file has switched on.

| setting | environment variable | default |
|---|---|---|
"""

OTHER_VARIABLES = """\
deepscan also heeds `NO_COLOR`, `HF_HUB_OFFLINE`, `HF_HUB_CACHE` and `HF_HOME`. Its tests look for real data in
`DEEPSCAN_DATA`.
"""


def render() -> str:
    """The whole page."""
    parts = [HEAD, *(_section(words, command) for words, command in commands())]
    return "\n".join([*parts, COMPLETION, _settings(), OTHER_VARIABLES])


def commands() -> Iterator[tuple[str, Any]]:
    """Every command and group of commands with the words that call it, ``deepscan`` itself first."""
    # Typer's commands are typed in a package of its own that is not for importing: they are asked by their attributes.
    yield from _walk("deepscan", typer.main.get_command(app))


def options(command: Any) -> tuple[Any, ...]:
    """The options of a command that its help shows."""
    return tuple(p for p in command.params if p.param_type_name == "option" and not p.hidden)


def _walk(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _walk(f"{words} {name}", inner)


def _section(words: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = [words, *(_value(p) for p in arguments), *(["COMMAND"] if getattr(command, "commands", None) else [])]
    lines = [f"## {words}", "", "```", f"{' '.join(usage)} [OPTIONS]", "```", "", command.help]
    if arguments:
        lines += [
            "",
            "| argument | meaning |",
            "|---|---|",
            *(f"| {_code(_value(p))} | {_cell(p.help)} |" for p in arguments),
        ]
    if found := options(command):
        lines += ["", "| option | meaning | default |", "|---|---|---|", *(_row(p) for p in found)]
    return "\n".join(lines) + "\n"


def _row(option: Any) -> str:
    names = ", ".join(_code(name) for name in sorted([*option.opts, *option.secondary_opts], key=len))
    value = "" if option.is_flag else f" {_code(_value(option))}"
    default = "required" if option.required else _default(option)
    return f"| {names}{value} | {_cell(option.help)} | {default} |"


def _value(parameter: Any) -> str:
    """What stands for the value: the name the author gave it, else the longest of the parameter's own in capitals."""
    return str(parameter.metavar or max(parameter.opts, key=len).lstrip("-").replace("-", "_").upper())


def _default(option: Any) -> str:
    if option.is_flag or option.default in (None, ""):
        return ""
    return _code(str(option.default))


def _settings() -> str:
    rows = [
        f"| {_code(f.name.replace('_', '-'))} | {_code('DEEPSCAN_' + f.name.upper())} | {_setting(f.name, f.default)} |"
        for kind in (ScanOptions, RunOptions)
        for f in fields(kind)
    ]
    return SETTINGS + "\n".join(rows) + "\n"


def _setting(name: str, value: object) -> str:
    """A default as it would be written in a variable."""
    words = as_written(name, value)
    return words if value is None or value == () else _code(words)


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main(words: list[str]) -> int:
    """Write the page, or compare it; returns the exit code."""
    return write_or_check({PAGE: render()}, words, "make_cli.py")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
