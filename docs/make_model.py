"""Write what is said of the embedded pack from its card, so that the two cannot drift.

That is the README's section on its error rates, and the model card (README.md) in its own folder.

python docs/make_model.py            writes both
python docs/make_model.py --check    ends with 1 when one of them says something else
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from generated import write_or_check

from deepscan.models.card import ModelCard, load
from deepscan.models.hub import README_NAME
from deepscan.training.outputs import readme

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PACK = ROOT / "deepscan" / "models" / "builtin"
BEGIN, END = "<!-- model:begin -->", "<!-- model:end -->"


def render(card: ModelCard) -> str:
    """The section, in Markdown."""
    metrics: Any = card.metrics
    made: Any = card.provenance
    lines = [
        f"The embedded pack `{card.name}` ({card.architecture}, {metrics['trained_on']['parameters']:,} parameters) "
        f"was trained with `deepscan train` on {metrics['trained_on']['pictures']:,} face pictures; its card "
        "(`deepscan models info builtin`) has the command line, the seed and the machine. Thresholds were chosen on "
        "one held-out part and measured on another ([what that part did decide](docs/model.md#how-it-was-made)):",
        "",
        "| level | from probability | false alarms |",
        "|---|---|---|",
    ]
    lines += [f"| {t.level} | {t.probability} | {t.measured_on} |" for t in card.thresholds]
    levels = list(metrics["test"])
    lines += [
        "",
        "The same by source (AUC 0.5 is chance; *trivial* is a classifier that sees only file size, picture size, "
        "sharpness and colour statistics, and a network that does not beat it has proved nothing):",
        "",
        "| source | real / fake | AUC | AUC, JPEG 70 | AUC, half size | trivial AUC | "
        + " | ".join(f"false alarms / found, {level}" for level in levels)
        + " |",
        "|---|---|---|---|---|---|" + "---|" * len(levels),
    ]
    plain = metrics["test"][levels[0]]
    for source, row in plain["as it is"].items():
        cells = [
            source,
            f"{row['real']} / {row['fake']}",
            *(_number(plain[name][source]["auc"]) for name in ("as it is", "JPEG 70", "half size")),
            _number(metrics["trivial_classifier_auc"][source]),
        ]
        for level in levels:
            at = metrics["test"][level]["as it is"][source]
            cells.append(f"{_percent(at['false_alarms'])} / {_percent(at['recall'])}")
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Measured when the pack was made ({made['started'][:10]}, {made['machine']}, torch {made['torch']}).",
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def documents() -> dict[Path, str]:
    """What each document is to hold."""
    card, text = load(PACK), README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return {README: f"{before}{BEGIN}\n{render(card)}\n{END}{after}", PACK / README_NAME: readme(card)}


def main(words: list[str]) -> int:
    """Write the documents, or compare them; returns the exit code."""
    return write_or_check(documents(), words, "make_model.py")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
