"""A table of a benchmark, and how it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings. ``target`` says what was to be reached, and ``met`` whether it was (None: no target)."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    target: str = ""
    met: bool | None = None
    note: str = ""

    def render(self) -> str:
        """The table in Markdown."""
        cells = [[_cell(value) for value in row] for row in self.rows]
        lines = [f"### {self.title}", ""]
        if self.target:
            state = "" if self.met is None else " **Met.**" if self.met else " **Not met.**"
            lines += [f"Target: {self.target}.{state}", ""]
        lines += ["| " + " | ".join(self.columns) + " |", "|" + "---|" * len(self.columns)]
        lines += ["| " + " | ".join(row) + " |" for row in cells]
        return "\n".join([*lines, "", self.note] if self.note else lines)


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
