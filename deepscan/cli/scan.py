"""``deepscan scan``: one honest answer for every file."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from deepscan.cli import options as o
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
    thorough: o.ThoroughOption = None,
    fail_on: o.FailOnOption = None,
    include: o.IncludeOption = None,
    exclude: o.ExcludeOption = None,
    kinds: o.KindsOption = None,
    max_size: o.MaxSizeOption = None,
    hidden: o.HiddenOption = None,
    follow_symlinks: o.FollowOption = None,
    frames: o.FramesOption = None,
    every: o.EveryOption = None,
    keyframes: o.KeyframesOption = None,
    all_frames: o.AllFramesOption = None,
    device: o.DeviceOption = None,
    precision: o.PrecisionOption = None,
    batch_size: o.BatchOption = None,
    workers: o.WorkersOption = None,
    file_seconds: o.SecondsOption = None,
    max_memory: o.MemoryOption = None,
    verify_unchanged: o.VerifyOption = None,
    trust_mtime: o.TrustMtimeOption = None,
    faces: o.FacesOption = None,
    stability: o.StabilityOption = None,
    exhibits: o.ExhibitsOption = None,
    trust_list: o.TrustOption = None,
    fetch_remote: o.FetchOption = None,
    exiftool: o.ExifToolOption = None,
    redact_location: o.RedactOption = None,
    style: o.StyleOption = None,
    template: o.TemplateOption = None,
    offline: o.OfflineChoice = None,
    baseline: o.BaselineOption = None,
    suppressions: o.SuppressionsOption = None,
    changed_since: o.ChangedOption = None,
    seal: o.SealOption = None,
    sign: o.SignOption = None,
    timestamp: o.TimestampOption = None,
    quiet: o.SilentOption = None,
    verbose: o.VerboseOption = None,
    no_color: o.PlainOption = None,
    debug: o.DebugOption = False,
) -> None:
    """Examine pictures and videos in files and folders.

    Ends with 0 when nothing at or above --fail-on was found, 1 when something was, 2 when it could not start, and 3
    when nothing was found but some files could not be examined.
    """
    options, around = o.chosen(locals())
    folder, names = o.targets(around.output, around.format, exhibits=options.exhibits)
    # The engine is loaded only now: --help and usage errors stay quick.
    from deepscan.cli import live
    from deepscan.cli.console import Console
    from deepscan.cli.delivery import Delivery
    from deepscan.cli.triage import Triage, to_scan
    from deepscan.engine.evidence import Target, refuse_evidence
    from deepscan.engine.scan import exit_code
    from deepscan.engine.scan import scan as run
    from deepscan.reports import base

    triage = Triage.chosen(around)
    places, listed = to_scan(paths, around.changed_since)
    named = [Path(path) for path in paths if path != o.STDIO]  # evidence also where only changes in it are scanned
    refuse_evidence((*named, *listed), [Target("report", folder / name) for name in base.file_names(names) if folder])
    setting = o.setting(options.style, around.template)
    delivery = Delivery.chosen(names, folder, setting, around, offline=options.offline)
    to_stdout = around.output == o.STDIO
    console = Console(quiet=around.quiet, colour=not around.no_color, stdout_is_data=to_stdout, verbose=around.verbose)
    kept = Path(around.case) if around.case else folder and folder / CASE_NAME
    argv = ("deepscan", *sys.argv[1:])
    with console.events() as shown, live.lines(shown, wanted=to_stdout and names[0] == "jsonl") as events:
        report = run(places, options, listed=listed, case=kept, output=folder, events=events, argv=argv)
        report = triage.applied(report)
        written = delivery.deliver(report, events)
    console.summary(report, written)
    raise typer.Exit(exit_code(report, options.fail_level) if report.finished else EXIT_INTERRUPTED)
