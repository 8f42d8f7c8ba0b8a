"""``deepscan scan``: one honest answer for every file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from deepscan.cli.options import DebugOption, FormatsOption, NoColourOption, OutputOption, QuietOption, words
from deepscan.config import ScanOptions, load_settings, with_settings
from deepscan.errors import EXIT_INTERRUPTED, UsageError

STDIO = "-"
CASE_NAME = "deepscan.case"
"""The case file's name where only an output folder is given."""


def scan(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Files and folders; - reads a list of them (NUL or newline separated)."),
    ],
    output: OutputOption = None,
    formats: FormatsOption = None,
    case: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The case file (default: deepscan.case in the output folder).")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="builtin, a pack or model folder, or a hub id owner/name[@revision].")
    ] = None,
    fake_label: Annotated[str | None, typer.Option(help="The model's label that means fake.")] = None,
    checks: Annotated[str | None, typer.Option(metavar="IDS", help="Only these checks, with commas.")] = None,
    skip: Annotated[str | None, typer.Option(metavar="IDS", help="Not these checks, with commas.")] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="strong, moderate, weak or never: exit 1 from here on [moderate]."),
    ] = None,
    include: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Only files that match; may be repeated.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="No files or folders that match; may be repeated.")
    ] = None,
    kinds: Annotated[str | None, typer.Option(help="image, video, or both with a comma [image,video].")] = None,
    max_size: Annotated[str | None, typer.Option(metavar="SIZE", help="Skip larger files: 500MB, 2GiB [8GiB].")] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Enter hidden folders and scan hidden files.")] = False,
    follow_symlinks: Annotated[bool, typer.Option("--follow-symlinks", help="Enter symlinked folders.")] = False,
    frames: Annotated[int | None, typer.Option(help="Frames of a video, evenly in time [16].")] = None,
    every: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="A frame every so many seconds, instead of --frames.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps [auto].")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, fp32, bf16 or fp16 [auto].")] = None,
    batch_size: Annotated[str | None, typer.Option(metavar="N", help="Pictures in a batch, or auto [auto].")] = None,
    workers: Annotated[
        str | None, typer.Option(metavar="N", help="Worker processes; 0 works in this process, unprotected [auto].")
    ] = None,
    file_seconds: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Time limit for one file in a worker [120].")
    ] = None,
    exhibits: Annotated[
        bool, typer.Option("--exhibits", help="Write maps as pictures into the output folder.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Never touch the network (hub models: cache only).")
    ] = False,
    quiet: QuietOption = False,
    no_colour: NoColourOption = False,
    debug: DebugOption = False,
) -> None:
    """Examine pictures and videos in files and folders.

    Ends with 0 when nothing at or above --fail-on was found, 1 when something was, 2 when it could not start, and 3
    when nothing was found but some files could not be examined.
    """
    flags = {
        name: value
        for name, value in locals().items()
        if name in ScanOptions.__dataclass_fields__ and value not in (None, False, [])
    }
    options = with_settings(ScanOptions(), load_settings(Path.cwd()) | flags)
    folder, names = _targets(output, words(formats), exhibits=options.exhibits)
    # The engine is loaded only now: --help and usage errors stay quick.
    from deepscan.cli.console import Console
    from deepscan.engine.scan import exit_code
    from deepscan.engine.scan import scan as run
    from deepscan.media.discover import read_list
    from deepscan.reports import base

    base.choose(names)
    places = [p for word in paths for p in (read_list(sys.stdin.buffer.read()) if word == STDIO else (Path(word),))]
    console = Console(quiet=quiet, colour=not no_colour, stdout_is_data=output == STDIO)
    if folder is not None and case is None:
        case = folder / CASE_NAME
    with console.events() as events:
        report = run(places, options, case=case, output=folder, events=events, argv=("deepscan", *sys.argv[1:]))
    written = base.write(report, names, folder) if folder is not None else ()
    if output == STDIO:
        base.write_stdout(report, names[0], sys.stdout)
    console.summary(report, written)
    raise typer.Exit(exit_code(report, options.fail_level) if report.finished else EXIT_INTERRUPTED)


def _targets(
    output: str | None, names: tuple[str, ...] | None, *, exhibits: bool
) -> tuple[Path | None, tuple[str, ...]]:
    """The folder reports go to (None for standard output or nowhere), and which reports."""
    if output is None:
        if names or exhibits:
            raise UsageError("Nothing says where to write to.", "Name a folder with -o, or - for standard output.")
        return None, ()
    if output != STDIO:
        return Path(output), names or ("csv", "json")
    if exhibits:
        raise UsageError("Exhibits cannot go to standard output.", "Name a folder with -o.")
    if names and len(set(names)) > 1:
        raise UsageError("Only one report can go to standard output.", "Choose one with --format.")
    return None, names or ("json",)
