"""``deepscan train``: a labelled data set into a pack with its measured error rates."""

from __future__ import annotations

import logging

import typer

from deepscan.cli import train_options as o
from deepscan.cli.options import DebugOption, debug_is_on
from deepscan.cli.training_progress import train_shown
from deepscan.errors import UsageError
from deepscan.text import clean
from deepscan.training import processes
from deepscan.training.options import TrainOptions

_D = TrainOptions()
_OWN = frozenset({"dataset", "output", "preview", "push_to_hub", "debug"})


def train(
    dataset: o.Dataset,
    output: o.Output = None,
    images: o.Images = None,
    recipe: o.Recipe = _D.recipe,
    preview: o.Preview = None,
    base: o.Base = None,
    arch: o.Arch = _D.arch,
    from_scratch: o.FromScratch = False,
    name: o.Name = _D.name,
    size: o.Size = None,
    epochs: o.Epochs = None,
    steps: o.Steps = None,
    minutes: o.Minutes = None,
    batch_size: o.BatchSize = None,
    accumulate: o.Accumulate = _D.accumulate,
    learning_rate: o.LearningRate = None,
    layer_decay: o.LayerDecay = None,
    weight_decay: o.WeightDecay = None,
    dropout: o.Dropout = None,
    warmup: o.Warmup = None,
    schedule: o.Schedule = None,
    ema: o.Ema = None,
    evaluations: o.Evaluations = None,
    patience: o.Patience = None,
    freeze: o.Freeze = _D.freeze,
    lora: o.Lora = None,
    probe: o.Probe = _D.probe,
    together: o.Together = None,
    oversample: o.Oversample = None,
    pseudo_fakes: o.PseudoFakes = None,
    evenness: o.Evenness = None,
    degrade: o.Degrade = None,
    margin: o.Margin = _D.margin,
    subject: o.Subject = _D.subject,
    held_out: o.HeldOut = None,
    calibration: o.Calibration = _D.calibration,
    seed: o.Seed = _D.seed,
    device: o.Device = _D.device,
    precision: o.Precision = _D.precision,
    accept_shortcut: o.AcceptShortcut = False,
    sequence: o.Sequence = False,
    data_note: o.DataNote = _D.data_note,
    licence: o.Licence = _D.licence,
    licence_class: o.LicenceClass = _D.licence_class,
    resume: o.Resume = False,
    push_to_hub: o.PushToHub = None,
    debug: DebugOption = False,
) -> None:
    """Train a model on a labelled data set, measure it on held-out pictures, and pack it."""
    options = TrainOptions(**{k: v for k, v in locals().items() if k not in _OWN})
    if not debug_is_on():
        # The counts of each part; of several processes that learn together the first one speaks.
        logging.getLogger("deepscan").setLevel(logging.INFO if processes.is_first() else logging.ERROR)
    if preview is not None:
        from deepscan.training.run import write_preview

        write_preview(dataset, preview, options)
        typer.echo(f"Wrote {clean(str(preview), limit=None)}: pictures as they are, then as they are learnt.", err=True)
    elif output is None:
        raise UsageError("Nothing says where the pack is to be written.", "Name its folder with -o FOLDER.")
    else:
        train_shown(dataset, output, options, push_to_hub)
