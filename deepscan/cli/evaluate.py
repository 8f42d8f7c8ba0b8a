"""``deepscan evaluate``: what packs are worth on labelled pictures, and under what happens to pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from deepscan.cli import options as o
from deepscan.config import BUILTIN_MODEL, EvaluateOptions
from deepscan.errors import EXIT_CLEAN, EXIT_INCOMPLETE, UsageError

_D = EvaluateOptions()
NAMES = {"json": "evaluation.json", "html": "evaluation.html"}
"""The files that ``-o`` writes, by the words of ``--format``."""


def evaluate(
    dataset: Annotated[Path, typer.Argument(help="A folder with Real and Fake in it, or a list with path and label.")],
    model: Annotated[
        list[str] | None, typer.Option(help="builtin, a folder or a hub id; may be repeated, to compare [builtin].")
    ] = None,
    output: o.OutputOption = None,
    formats: Annotated[
        str | None, typer.Option("--format", metavar="NAMES", help="With commas: json, html [both, with -o].")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Where the paths of a list start (default: its folder).")] = None,
    split: Annotated[str, typer.Option(help="held-out, all, train, val or test.")] = _D.split,
    reals: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="Real pictures for the false-alarm ledger; repeatable.")
    ] = None,
    robustness: Annotated[int, typer.Option(help="Pictures for the robustness table; 0 for none.")] = _D.robustness,
    bootstrap: Annotated[int, typer.Option(help="Draws behind an interval; 0 for no intervals.")] = _D.bootstrap,
    seed: Annotated[int, typer.Option(help="Seed of draws and samples.")] = _D.seed,
    as_crops: Annotated[bool, typer.Option("--as-crops", help="Pictures are faces cut out already.")] = False,
    faces: o.FacesOption = None,
    workers: o.WorkersOption = None,
    fake_label: o.FakeLabelOption = None,
    device: o.DeviceOption = None,
    precision: o.PrecisionOption = None,
    offline: o.OfflineOption = False,
    quiet: o.QuietOption = False,
    no_colour: o.NoColourOption = False,
    debug: o.DebugOption = False,
) -> None:
    """Measure models on labelled pictures, as a scan would see them.

    Ends with 0, or with 3 when some pictures could not be read: they are listed, and left out of every number.
    """
    options = EvaluateOptions(
        images=images,
        split=split,
        reals=tuple(reals or ()),
        robustness=robustness,
        bootstrap=bootstrap,
        seed=seed,
        as_crops=as_crops,
        faces=faces or _D.faces,
        workers=o.whole_number(workers),
        fake_label=fake_label,
        device=device or _D.device,
        precision=precision or _D.precision,
        offline=offline,
    )
    names = o.words(formats) or (("json",) if output == o.STDIO else tuple(NAMES) if output else ())
    if unknown := [name for name in names if name not in NAMES]:
        raise UsageError(f"There is no format {unknown[0]!r} for an evaluation.", "Formats are: json, html.")
    to_stdout = bool(names) and output in (None, o.STDIO)
    if to_stdout and len(names) > 1:
        raise UsageError("Only one format can go to standard output.", "Name a folder with -o, or one format.")
    # What measures is loaded only now: --help and usage errors stay quick.
    from deepscan.cli.evaluation_tables import EvaluationConsole
    from deepscan.evaluation import run
    from deepscan.evaluation.page import render as as_page
    from deepscan.evaluation.result import to_json
    from deepscan.reports import base

    folder = Path(output) if output and not to_stdout else None
    if folder is not None:
        base.require_folder(folder)  # before hours of scoring
    console = EvaluationConsole(quiet=quiet, colour=not no_colour, stdout_is_data=to_stdout)
    with console.progress() as progress:
        found = run.evaluate(dataset, model or [BUILTIN_MODEL], options, progress)
    render = {"json": to_json, "html": as_page}
    files = {name: folder / NAMES[name] for name in names} if folder is not None else {}
    if to_stdout:
        with base.open_stdout(sys.stdout) as stream:
            stream.write(render[names[0]](found))
    for name, file in files.items():
        base.make_folder(file.parent)
        with base.open_output(file) as stream:
            stream.write(render[name](found))
    console.show(found, tuple(files.values()))
    raise typer.Exit(EXIT_INCOMPLETE if found.unreadable else EXIT_CLEAN)
