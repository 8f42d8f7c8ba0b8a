"""``deepscan calibrate``: a pack's probabilities, thresholds and limits, measured anew on other pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from deepscan.cli import options as o
from deepscan.config import BUILTIN_MODEL, EvaluateOptions
from deepscan.text import clean, plural

_D = EvaluateOptions()


def calibrate(
    dataset: Annotated[Path, typer.Argument(help="A folder with Real and Fake in it, or a list with path and label.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the pack to write.")],
    model: o.ModelOption = None,
    images: Annotated[Path | None, typer.Option(help="Where the paths of a list start (default: its folder).")] = None,
    split: Annotated[str, typer.Option(help="held-out, all, train, val or test.")] = _D.split,
    calibration: Annotated[
        str, typer.Option(help="platt, temperature, isotonic, auto (best in cross-validation), or keep the card's.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of the halves.")] = _D.seed,
    as_crops: Annotated[bool, typer.Option("--as-crops", help="Pictures are faces cut out already.")] = False,
    faces: o.FacesOption = None,
    fake_label: o.FakeLabelOption = None,
    offline: o.OfflineOption = False,
    quiet: o.QuietOption = False,
    debug: o.DebugOption = False,
) -> None:
    """Calibrate a model on labelled pictures that it has not learnt from, and write it as a pack.

    Half of the groups fit probabilities, thresholds and likelihood ratios; the other half measures what they are worth.
    """
    options = EvaluateOptions(
        images=images,
        split=split,
        seed=seed,
        as_crops=as_crops,
        faces=faces or _D.faces,
        fake_label=fake_label,
        offline=offline,
    )
    from deepscan.cli.evaluation_tables import EvaluationConsole
    from deepscan.evaluation.calibration import calibrate_pack
    from deepscan.reports.base import require_folder

    require_folder(output)
    console = EvaluationConsole(quiet=quiet, colour=True, stdout_is_data=True)
    with console.progress() as progress:
        command = ["deepscan", *sys.argv[1:]]
        card = calibrate_pack(
            dataset,
            model or BUILTIN_MODEL,
            output,
            options,
            method=calibration,
            command=command,
            progress=progress,
        )
    if not quiet:
        kept = (
            f"{plural(len(card.thresholds), 'threshold')} and ratios for {plural(len(card.strata), 'kind')} of picture"
        )
        shown = clean(str(output), limit=None)
        typer.echo(f"Wrote {clean(card.name)} to {shown}, with {kept}: deepscan models info {shown}", err=True)
