"""How far a training run is: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from types import TracebackType

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deepscan.text import clean, duration
from deepscan.training.options import TrainOptions
from deepscan.training.processes import is_first

_LOOKED_EVERY = 5000


class TrainingProgress:
    """Shows the look at the pictures, then the steps, on the error stream; ``minutes`` end the run at the latest."""

    def __init__(self, minutes: float | None = None) -> None:
        self._seconds = math.inf if minutes is None else minutes * 60
        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal or not is_first(),
        )
        self._looking = self._bars.add_task("pictures", total=None, note="", visible=False)
        self._learning = self._bars.add_task("steps", total=None, note="", visible=False)
        self._begun: tuple[int, float] | None = None

    def __enter__(self) -> TrainingProgress:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bars.stop()

    def looked(self, done: int, total: int) -> None:
        """So many pictures have been looked at."""
        self._bars.update(self._looking, completed=done, total=total, visible=done < total)
        if is_first() and not self._console.is_terminal and done < total and done % _LOOKED_EVERY == 0:
            self._console.print(f"looked at {done:,} of {total:,} pictures", highlight=False)

    def stepped(self, step: int, steps: int, loss: float) -> None:
        """So many steps have been made, with this mean loss since the last report."""
        self._bars.update(self._learning, completed=step, total=steps, note=f"loss {loss:.3f}", visible=True)
        now = time.monotonic()
        if self._begun is None:  # a resumed run does not begin at step 0
            self._begun = (step, now)
        if self._console.is_terminal:
            return
        made, spent = step - self._begun[0], now - self._begun[1]
        line = f"step {step}/{steps}  loss {loss:.3f}"
        if made and spent:
            left = min(spent / made * (steps - step), max(0.0, self._seconds - spent))
            line += f"  {spent / made:.2g} s each  {duration(left)} left"
        self._console.print(line, highlight=False)


def train_shown(dataset: Path, output: Path, options: TrainOptions, repository: str | None) -> None:
    """Train with the progress on the error stream, and push the pack to the Hub where a ``repository`` is named."""
    from deepscan.models import publish
    from deepscan.training.outputs import summary
    from deepscan.training.run import train_pack

    if repository is not None:
        publish.refuse_repository(repository)
    with TrainingProgress(options.minutes) as shown:
        card = train_pack(dataset, output, options, shown.stepped, ["deepscan", *sys.argv[1:]], shown.looked)
    folder = clean(str(output), limit=None)
    if "test" in card.metrics:
        typer.echo(summary(card), err=True)
    typer.echo(
        f"Packed {clean(card.name)} into {folder}: its error rates are in 'deepscan models info {folder}'.", err=True
    )
    if repository is not None:
        typer.echo(f"Pushed it to {clean(publish.push(output, repository), limit=None)}.", err=True)
