"""The plots of an evaluation as SVG: curves, reliability, histograms, robustness. Nothing global is touched.

Packs are told apart by colour, line and letter, so that the plots can be read without colours too.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from deepscan.evaluation.result import Evaluation, PackResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0b5fa5", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#be185d")
LINES = ("-", "--", "-.", ":")
SIZE = (5.2, 3.8)
LEAST_RATE = 5e-4
"""Where logarithmic axes begin."""


def letter(index: int) -> str:
    """A, B, C: how plots and tables call the packs."""
    return chr(ord("A") + index % 26) + (str(index // 26) if index >= 26 else "")


def all_plots(found: Evaluation) -> tuple[tuple[str, str], ...]:
    """Every plot that the evaluation has numbers for, as (title, SVG text)."""
    drawn: list[tuple[str, str]] = []
    both = [pack for pack in found.packs if pack.drawing.roc]
    if both:
        drawn.append(("ROC: recall against false alarms", _svg(lambda ax: _roc(ax, found.packs))))
        drawn.append(("DET: misses against false alarms, as normal deviates", _svg(lambda ax: _det(ax, both))))
        drawn.append(("Reliability: how often fake, against how probable", _svg(lambda ax: _reliability(ax, both))))
    for index, pack in enumerate(found.packs):
        title = f"Probabilities given by {letter(index)}"
        drawn.append((title, _svg(lambda ax, pack=pack: _histogram(ax, pack))))
    if any(pack.robustness for pack in found.packs):
        drawn.append(("AUC under each form", _svg(lambda ax: _robustness(ax, found.packs), (7.5, 3.8))))
    return tuple(drawn)


def _svg(draw: Callable[..., None], size: tuple[float, float] = SIZE) -> str:
    """One plot; the same numbers give the same text."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "deepscan", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def _style(packs: Sequence[PackResult], pack: PackResult) -> dict[str, Any]:
    index = packs.index(pack)
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": LINES[index % len(LINES)],
        "label": letter(index),
    }


def _frame(ax: Axes, across: str, up: str) -> None:
    ax.set_xlabel(across)
    ax.set_ylabel(up)
    ax.grid(alpha=0.3)
    if ax.get_legend_handles_labels()[0]:
        ax.legend()


def _roc(ax: Axes, packs: Sequence[PackResult]) -> None:
    for pack in packs:
        if pack.drawing.roc:
            points = [(max(LEAST_RATE, x), y) for x, y in pack.drawing.roc]
            ax.plot(*zip(*points, strict=True), **_style(packs, pack))
    ax.set_xscale("log")
    ax.set_xlim(LEAST_RATE, 1)
    ax.set_ylim(0, 1.01)
    _frame(ax, "false alarms", "recall")


def _det(ax: Axes, packs: Sequence[PackResult]) -> None:
    from scipy.stats import norm

    ticks = [0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95]
    for pack in packs:
        points = [(x, 1 - y) for x, y in pack.drawing.roc if 0 < x < 1 and 0 < y < 1]
        if points:
            across, up = zip(*points, strict=True)
            ax.plot(norm.ppf(across), norm.ppf(up), **_style(packs, pack))
    for ticked in (ax.set_xticks, ax.set_yticks):
        ticked(norm.ppf(ticks), [f"{tick:g}" for tick in ticks])
    _frame(ax, "false alarms", "misses")


def _reliability(ax: Axes, packs: Sequence[PackResult]) -> None:
    ax.plot([0, 1], [0, 1], color="#777777", linewidth=1)
    for pack in packs:
        means, shares, _ = zip(*pack.drawing.reliability, strict=True)
        ax.plot(means, shares, marker="o", markersize=4, **_style(packs, pack))
    _frame(ax, "mean probability of fake", "share of fakes")


def _histogram(ax: Axes, pack: PackResult) -> None:
    drawing = pack.drawing
    for counts, label, colour, hatch in (
        (drawing.histogram_real, "real", "#15803d", ""),
        (drawing.histogram_fake, "fake", "#c2410c", "//"),
    ):
        total = max(1, sum(counts))
        places = [(i + 0.5) / len(counts) for i in range(len(counts))]
        ax.bar(places, [n / total for n in counts], 1 / len(counts), alpha=0.5, color=colour, hatch=hatch, label=label)
    ax.axvline(pack.first_threshold, color="#333333", linewidth=1)
    _frame(ax, "probability of fake (the line is the first threshold)", "share of the class")


def _robustness(ax: Axes, packs: Sequence[PackResult]) -> None:
    forms = [row.form for row in next(pack.robustness for pack in packs if pack.robustness)]
    for pack in packs:
        rows = [(i, row.auc) for i, row in enumerate(pack.robustness) if row.auc is not None]
        if rows:
            ax.plot(*zip(*rows, strict=True), marker="o", markersize=4, **_style(packs, pack))
    ax.set_xticks(range(len(forms)), forms, rotation=40, ha="right")
    _frame(ax, "", "AUC")
