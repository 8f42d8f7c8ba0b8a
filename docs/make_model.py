"""Write the README's section on the embedded pack's error rates from its card, so that the two cannot drift.

python docs/make_model.py            writes the section
python docs/make_model.py --check    ends with 1 when the README says something else
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from deepscan.models.card import ModelCard, load

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


def main(words: list[str]) -> int:
    """Write or check the section."""
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    new = f"{before}{BEGIN}\n{render(load(PACK))}\n{END}{after}"
    if words == ["--check"]:
        if new != text:
            print("README.md does not say what the embedded pack's card says: run python docs/make_model.py")
        return int(new != text)
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
