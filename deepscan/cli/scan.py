"""``deepscan scan``: one honest answer for every file."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from deepscan.cli import options as o
from deepscan.config import ScanOptions, load_settings, with_settings
from deepscan.errors import EXIT_INTERRUPTED

CASE_NAME = "deepscan.case"
"""The case file's name where only an output folder is given."""


def scan(
    paths: o.PathsArgument,
    output: o.OutputOption = None,
    formats: o.FormatsOption = None,
    case: o.CaseOption = None,
    model: o.ModelOption = None,
    fake_label: o.FakeLabelOption = None,
    checks: o.ChecksOption = None,
    skip: o.SkipOption = None,
    fail_on: o.FailOnOption = None,
    include: o.IncludeOption = None,
    exclude: o.ExcludeOption = None,
    kinds: o.KindsOption = None,
    max_size: o.MaxSizeOption = None,
    hidden: o.HiddenOption = False,
    follow_symlinks: o.FollowOption = False,
    frames: o.FramesOption = None,
    every: o.EveryOption = None,
    keyframes: o.KeyframesOption = False,
    all_frames: o.AllFramesOption = False,
    device: o.DeviceOption = None,
    precision: o.PrecisionOption = None,
    batch_size: o.BatchOption = None,
    workers: o.WorkersOption = None,
    file_seconds: o.SecondsOption = None,
    max_memory: o.MemoryOption = None,
    verify_unchanged: o.VerifyOption = False,
    trust_mtime: o.TrustMtimeOption = False,
    exhibits: o.ExhibitsOption = False,
    trust_list: o.TrustOption = None,
    fetch_remote: o.FetchOption = False,
    exiftool: o.ExifToolOption = False,
    redact_location: o.RedactOption = False,
    style: o.StyleOption = None,
    offline: o.OfflineOption = False,
    seal: o.SealOption = False,
    sign: o.SignOption = None,
    quiet: o.QuietOption = False,
    no_colour: o.NoColourOption = False,
    debug: o.DebugOption = False,
) -> None:
    """Examine pictures and videos in files and folders.

    Ends with 0 when nothing at or above --fail-on was found, 1 when something was, 2 when it could not start, and 3
    when nothing was found but some files could not be examined.
    """
    flags = {
        name: value
        for name, value in locals().items()
        if name in ScanOptions.__dataclass_fields__ and value is not None and value is not False and value != []
    }
    options = with_settings(ScanOptions(), load_settings(Path.cwd()) | flags)
    folder, names = o.targets(output, o.words(formats), exhibits=options.exhibits)
    # The engine is loaded only now: --help and usage errors stay quick.
    from deepscan.cli import live
    from deepscan.cli.console import Console
    from deepscan.cli.delivery import Delivery
    from deepscan.engine.scan import exit_code, refuse_inside_evidence
    from deepscan.engine.scan import scan as run
    from deepscan.media.discover import read_list
    from deepscan.reports import base

    places = [Path(word) for word in paths if word != o.STDIO]
    listed = read_list(sys.stdin.buffer.read()) if o.STDIO in paths else ()
    for name in base.file_names(names):
        refuse_inside_evidence((*places, *listed), folder and folder / name, "report")
    delivery = Delivery.chosen(names, folder, o.setting(options.style), seal=seal, sign=sign)
    console = Console(quiet=quiet, colour=not no_colour, stdout_is_data=output == o.STDIO)
    if folder is not None and case is None:
        case = folder / CASE_NAME
    argv = ("deepscan", *sys.argv[1:])
    with console.events() as shown, live.lines(shown, wanted=output == o.STDIO and names[0] == "jsonl") as events:
        report = run(places, options, listed=listed, case=case, output=folder, events=events, argv=argv)
        written = delivery.deliver(report, events)
    console.summary(report, written)
    raise typer.Exit(exit_code(report, options.fail_level) if report.finished else EXIT_INTERRUPTED)
