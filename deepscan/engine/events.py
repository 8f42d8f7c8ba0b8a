"""What the engine tells the outside while it runs. Adapters (a progress bar, a log) live in ``cli/`` and ``web/``."""

from __future__ import annotations

from typing import Protocol

from deepscan.types import ItemReport, Skipped


class Events(Protocol):
    """Callbacks of a scan, all from the thread that runs it. Files come in the order in which they are answered."""

    def discovered(self, files: int, *, complete: bool) -> None:
        """``files`` have been found so far; ``complete`` when that is all."""

    def skipped(self, skipped: Skipped) -> None:
        """A file was left out, with its reason."""

    def examined(self, report: ItemReport, *, reused: bool) -> None:
        """A file is answered; ``reused`` when its answer came from the case file."""

    def scored(self, samples: int) -> None:
        """``samples`` faces, frames or pictures more went through the model."""

    def note(self, message: str) -> None:
        """Something the user should know, such as a batch halved for lack of memory."""


class Silent:
    """Events that go nowhere."""

    def discovered(self, files: int, *, complete: bool) -> None:
        """Nothing."""

    def skipped(self, skipped: Skipped) -> None:
        """Nothing."""

    def examined(self, report: ItemReport, *, reused: bool) -> None:
        """Nothing."""

    def scored(self, samples: int) -> None:
        """Nothing."""

    def note(self, message: str) -> None:
        """Nothing."""
