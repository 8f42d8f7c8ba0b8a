"""Evidence is never written to: not over a file, not into a folder that is scanned, not beside a file named alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepscan.errors import OutputError
from deepscan.text import clean


@dataclass(frozen=True, slots=True)
class Target:
    """Something that is to be written; ``what`` is what people call it. A ``folder`` is one that files go into."""

    what: str
    path: Path
    folder: bool = False

    @property
    def _words(self) -> str:
        return f"The {self.what} {clean(str(self.path))}"

    def refuse(self, why: str, path: Path, hint: str) -> OutputError:
        """What is wrong with it, where ``path`` is to be scanned."""
        return OutputError(f"{self._words} {why} {clean(str(path))}, which is to be scanned.", hint)


def refuse_evidence(paths: Iterable[Path], targets: Sequence[Target], *, beside: bool = True) -> None:
    """Refuse targets that are evidence, lie in a folder of it, or (``beside``) in the folder of a file named alone.

    Raises:
        OutputError: one of ``targets`` does.
    """
    places = [(target, target.path.resolve()) for target in targets]
    written = [(target, place if target.folder else target.path.parent.resolve()) for target, place in places]
    for path in paths:
        whole = path.resolve()
        if path.is_dir():
            for target, place in places:
                if place.is_relative_to(whole):
                    hint = "deepscan never writes into evidence: name a folder outside of it."
                    raise target.refuse("lies inside", path, hint)
            continue
        for target, place in places:
            if place == whole:
                raise target.refuse("is", path, "deepscan never writes to evidence: name another place.")
        # A link lies in one folder, and what it points to in another.
        around = {whole.parent, path.parent.resolve()} if path.is_symlink() else {whole.parent}
        for target, folder in written if beside else ():
            if folder in around:
                hint = "deepscan never writes into a folder of evidence: name another, or a new one inside it."
                raise target.refuse("is the folder of" if target.folder else "would lie beside", path, hint)
