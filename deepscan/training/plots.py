"""The pictures of a run: learning curves, and what the test part's scores look like. scikit-learn draws the curves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepscan.training.metrics import Labels, Scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from deepscan.training.watch import History

CLASSES = ("real", "fake")
BINS = 20
SIZE = (5.2, 4.0)
"""Inches."""


def draw_all(folder: Path, history: History, chances: Scores, fake: Labels, threshold: float) -> tuple[Path, ...]:
    """Draw what there are numbers for, as PNG files into ``folder``.

    Args:
        folder: Where to write; it must be there.
        history: The run's losses and AUCs.
        chances: (n,) probabilities of fake on the test part, none of them NaN.
        fake: (n,) labels.
        threshold: Where the confusion matrix says fake.

    Raises:
        OSError: a picture cannot be written.
    """
    drawn = []
    if history.losses or history.aucs:
        drawn.append(_save(folder / "learning_curves.png", lambda ax: _learning(ax, history)))
    if len(set(fake.tolist())) == len(CLASSES):
        for name, draw in (("roc", _roc), ("det", _det), ("reliability", _reliability)):
            drawn.append(_save(folder / f"{name}.png", partial(draw, chances=chances, fake=fake)))
    if len(fake):
        drawn.append(_save(folder / "confusion_matrix.png", lambda ax: _confusion(ax, chances >= threshold, fake)))
        drawn.append(_save(folder / "histogram.png", lambda ax: _histogram(ax, chances, fake, threshold)))
    return tuple(drawn)


def _save(path: Path, draw: Callable[[Axes], None]) -> Path:
    """One plot, without pyplot's global state; the same numbers give the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    draw(ax)
    figure.savefig(path, metadata={"Software": None})
    return path


def _learning(ax: Axes, history: History) -> None:
    if history.losses:
        ax.plot(*zip(*history.losses, strict=True), color="#0b5fa5", label="loss (training)")
        ax.legend(loc="upper right")
    ax.set_xlabel("step")
    ax.set_ylabel("loss")
    if history.aucs:
        other = ax.twinx()
        other.plot(*zip(*history.aucs, strict=True), color="#c2410c", marker="o", label="AUC (calibration part)")
        other.set_ylabel("AUC")
        if history.best is not None:
            other.axvline(history.best, color="#777777", linestyle=":", label="kept")
        other.legend(loc="lower right")


def _roc(ax: Axes, chances: Scores, fake: Labels) -> None:
    from sklearn.metrics import RocCurveDisplay

    RocCurveDisplay.from_predictions(fake, chances, ax=ax, name="test part", plot_chance_level=True)
    ax.set_xlabel("false alarms")
    ax.set_ylabel("recall")


def _det(ax: Axes, chances: Scores, fake: Labels) -> None:
    from sklearn.metrics import DetCurveDisplay

    DetCurveDisplay.from_predictions(fake, chances, ax=ax, name="test part")
    ax.set_xlabel("false alarms")
    ax.set_ylabel("misses")


def _reliability(ax: Axes, chances: Scores, fake: Labels) -> None:
    from sklearn.calibration import CalibrationDisplay

    CalibrationDisplay.from_predictions(fake, chances, n_bins=10, ax=ax, name="test part")
    ax.set_xlabel("mean probability of fake")
    ax.set_ylabel("share of fakes")


def _confusion(ax: Axes, called: Labels, fake: Labels) -> None:
    from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

    table = confusion_matrix(fake, called, labels=[False, True])
    display: Any = ConfusionMatrixDisplay(table, display_labels=CLASSES)
    display.plot(ax=ax, colorbar=False, cmap="Blues")
    ax.set_xlabel("called")
    ax.set_ylabel("is")


def _histogram(ax: Axes, chances: Scores, fake: Labels, threshold: float) -> None:
    edges = np.linspace(0, 1, BINS + 1)
    for wanted, colour, hatch in ((False, "#15803d", ""), (True, "#c2410c", "//")):
        part = chances[fake == wanted]
        if len(part):
            weights = np.full(len(part), 1 / len(part))
            ax.hist(
                part, edges.tolist(), weights=weights, alpha=0.5, color=colour, hatch=hatch, label=CLASSES[int(wanted)]
            )
    ax.axvline(threshold, color="#333333", linewidth=1)
    ax.set_xlabel("probability of fake (the line is the first threshold)")
    ax.set_ylabel("share of the class")
    ax.legend()
