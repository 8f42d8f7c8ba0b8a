"""``deepscan train``: a labelled data set into a pack with its measured error rates."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from deepscan.config import TrainOptions
from deepscan.text import clean, duration

_D = TrainOptions()


def train(
    dataset: Annotated[Path, typer.Argument(help="A folder with Real and Fake in it, or a CSV with path and label.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the pack to write.")],
    images: Annotated[Path | None, typer.Option(help="Where the paths of a CSV start (default: its folder).")] = None,
    base: Annotated[str | None, typer.Option(help="Start from a pack, a model folder, a hub id, or 'builtin'.")] = None,
    arch: Annotated[str, typer.Option(help="Start from random weights of this architecture.")] = _D.arch,
    name: Annotated[str, typer.Option(help="The pack's name.")] = _D.name,
    size: Annotated[
        int | None, typer.Option(help="Input side in pixels (default: the base's own, or 144).", show_default=False)
    ] = _D.size,
    epochs: Annotated[float, typer.Option(help="Passes over the training part.")] = _D.epochs,
    steps: Annotated[int | None, typer.Option(help="Steps, instead of epochs.")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="End after so many minutes: the schedule follows the clock.")
    ] = _D.minutes,
    batch_size: Annotated[int, typer.Option(help="Pictures a step.")] = _D.batch_size,
    learning_rate: Annotated[float, typer.Option(help="Peak of the cosine schedule.")] = _D.learning_rate,
    layer_decay: Annotated[
        float, typer.Option(help="Each block below the head learns at this part of the rate of the one above it.")
    ] = _D.layer_decay,
    pseudo_fakes: Annotated[
        float, typer.Option(help="Part of the real pictures that also come self-blended.")
    ] = _D.pseudo_fakes,
    evenness: Annotated[
        float, typer.Option(help="Sources are drawn by size to this power: 0 evens them out.")
    ] = _D.evenness,
    degrade: Annotated[
        float, typer.Option(help="How often augmentation destroys detail, 0 to 1 (lower for an easier start).")
    ] = _D.degrade,
    margin: Annotated[float, typer.Option(help="Part of a face box added on each side.")] = _D.margin,
    subject: Annotated[str, typer.Option(help="What the pack looks at: face or frame.")] = _D.subject,
    held_out: Annotated[float, typer.Option(help="Part held out when the data set states none.")] = _D.held_out,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = _D.seed,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = _D.device,
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = _D.precision,
    data_note: Annotated[str, typer.Option(help="What the data is and whose, for the card.")] = _D.data_note,
    licence: Annotated[str, typer.Option(help="Licence of the pack, for the card.")] = _D.licence,
    licence_class: Annotated[str, typer.Option(help="open, non-commercial or unknown.")] = _D.licence_class,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in the output folder.")] = False,
) -> None:
    """Train a model on a labelled data set, measure it on held-out pictures, and pack it."""
    values = {k: v for k, v in locals().items() if k not in ("dataset", "output")}
    options = TrainOptions(**values)
    from deepscan.training.run import train_pack

    begun: list[tuple[int, float]] = []

    def progress(step: int, steps: int, loss: float) -> None:
        begun.append((step, time.monotonic()))
        line = f"step {step}/{steps}  loss {loss:.3f}"
        done, spent = step - begun[0][0], begun[-1][1] - begun[0][1]
        if done and spent:  # since the first report: a resumed run does not begin at step 0
            left = duration(spent / done * (steps - step))
            line += f"  {done * options.batch_size / spent:.0f} pictures/s  {left} left"
        typer.echo(line, err=True)

    card = train_pack(dataset, output, options, progress, ["deepscan", *sys.argv[1:]])
    shown = clean(str(output), limit=None)
    typer.echo(
        f"Packed {clean(card.name)} into {shown}: its error rates are in 'deepscan models info {shown}'.", err=True
    )
