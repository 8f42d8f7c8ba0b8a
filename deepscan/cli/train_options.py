"""The options of ``deepscan train``, in the order of its help. What is left out is as the recipe says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

Number: TypeAlias = float | None
Count: TypeAlias = int | None


def _said(words: str) -> Any:
    """An option whose default is the recipe's."""
    return typer.Option(help=words, show_default=False)


Dataset = Annotated[
    Path, typer.Argument(help="A folder with Real and Fake in it, or a list (CSV, Parquet) with path and label.")
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="The folder of the pack to write.")]
Images = Annotated[Path | None, typer.Option(help="Where the paths of a list start (default: its folder).")]
Recipe = Annotated[str, typer.Option(help="classic, robust, or a TOML file of your own.")]
Preview = Annotated[
    Path | None, typer.Option(metavar="SHEET.PNG", help="Only write a sheet of what augmentation does to the pictures.")
]
Base = Annotated[str | None, typer.Option(help="Start from a pack, a model folder, a hub id, or 'builtin'.")]
Arch = Annotated[str, typer.Option(help="Without --base: start from random weights of this architecture.")]
FromScratch = Annotated[
    bool, typer.Option("--from-scratch", help="Take only the architecture of --base, with random weights.")
]
Name = Annotated[str, typer.Option(help="The pack's name.")]
Size = Annotated[Count, _said("Input side in pixels (default: the base's own, or 144).")]
Epochs = Annotated[Number, _said("Passes over the training part.")]
Steps = Annotated[Count, _said("Steps, instead of epochs.")]
Minutes = Annotated[Number, _said("End after so many minutes: the schedule follows the clock.")]
BatchSize = Annotated[Count, _said("Pictures in a batch.")]
Accumulate = Annotated[int, typer.Option(help="Batches that make one step.")]
LearningRate = Annotated[Number, _said("Peak of the schedule.")]
LayerDecay = Annotated[Number, _said("Each block below the head learns at this part of the rate of the one above it.")]
WeightDecay = Annotated[Number, _said("L2 regularisation, as AdamW does it.")]
Dropout = Annotated[Number, _said("Dropout inside the network and before its head.")]
Warmup = Annotated[Number, _said("Part of the run in which the rate rises.")]
Schedule = Annotated[str | None, _said("cosine, linear or constant.")]
Ema = Annotated[Number, _said("Decay of the average of the weights; 0 for none.")]
Evaluations = Annotated[Count, _said("Looks at the calibration part during the run; 0 for none.")]
Patience = Annotated[Count, _said("Looks without a better AUC that end the run.")]
Freeze = Annotated[int, typer.Option(help="Blocks, from the input on, that do not learn.")]
Lora = Annotated[Count, _said("Learn low-rank adapters of this rank instead of the layers (needs peft).")]
Probe = Annotated[int, typer.Option(help="Fit the head to so many pictures before the layers below it learn.")]
Oversample = Annotated[bool | None, _said("Repeat the smaller class until both are of one size (--no-together only).")]
Together = Annotated[bool | None, _said("Put a fake into the batch of its original, changed alike.")]
PseudoFakes = Annotated[Number, _said("Part of the real pictures that also come self-blended.")]
Evenness = Annotated[Number, _said("Sources are drawn by size to this power: 0 evens them out.")]
Degrade = Annotated[Number, _said("How often augmentation destroys detail, 0 to 1 (lower for an easier start).")]
Margin = Annotated[float, typer.Option(help="Part of a face box added on each side.")]
Subject = Annotated[str, typer.Option(help="What the pack looks at: face or frame.")]
HeldOut = Annotated[Number, _said("Part held out when the data set states none.")]
Calibration = Annotated[str, typer.Option(help="platt, temperature, isotonic, or auto: the best in cross-validation.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
Precision = Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")]
AcceptShortcut = Annotated[
    bool, typer.Option("--accept-shortcut", help="Train although the label can be read off the files.")
]
Sequence = Annotated[
    bool, typer.Option("--sequence", help="Learn from clips how faces change over time: a head on --base, for films.")
]
DataNote = Annotated[str, typer.Option(help="What the data is and whose, for the card.")]
Licence = Annotated[str, typer.Option(help="Licence of the pack, for the card.")]
LicenceClass = Annotated[str, typer.Option(help="open, non-commercial or unknown.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the run in the output folder.")]
PushToHub = Annotated[
    str | None, typer.Option(metavar="OWNER/NAME", help="Upload the finished pack to the Hugging Face Hub.")
]
