"""Where the reports of a scan go: into a folder, sealed and signed where that is wanted, or to standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepscan.cli.live import Tee
from deepscan.config import RunOptions
from deepscan.engine.events import Events
from deepscan.errors import UsageError
from deepscan.reports import base, carrying
from deepscan.reports.html_report import HtmlReport
from deepscan.reports.setting import Setting
from deepscan.text import clean, plural
from deepscan.types import Document

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where reports go and how: into ``folder``, sealed and signed where that is wanted, or to standard output."""

    names: Sequence[str]
    folder: Path | None
    setting: Setting
    seal: bool = False
    key: Ed25519PrivateKey | None = None

    @classmethod
    def chosen(cls, names: Sequence[str], folder: Path | None, setting: Setting, options: RunOptions) -> Delivery:
        """What the options say; key and templates are tried here: nothing is begun that cannot be signed or written.

        Raises:
            DeepscanError: there is no folder to seal, or the key or a template cannot be used.
        """
        if setting.template is not None and HtmlReport.id in names:
            HtmlReport(setting).rehearse()
        if folder is None and (options.seal or options.sign):
            raise UsageError("Only what goes into a folder can be sealed.", "Name a folder with -o.")
        if options.sign is None:
            return cls(names, folder, setting, options.seal)
        from deepscan.custody import signing

        return cls(names, folder, setting, seal=True, key=signing.private_key(Path(options.sign)))

    def deliver(self, report: Document, events: Events | None = None) -> tuple[Path, ...]:
        """Write the reports, or the last lines of what was written while the scan ran; returns the files."""
        if self.folder is not None:
            return self._into(self.folder, report)
        if isinstance(events, Tee):
            events.end(report)
        elif self.names:
            base.write_stdout(report, self.names[0], sys.stdout, self.setting)
        return ()

    def carry(self, report: Document, source: Path) -> Iterator[str]:
        """Bring the pictures along that lie under ``source``, and say so: see :mod:`deepscan.reports.carrying`."""
        if self.folder is None:
            return
        copied, missing = carrying.carry(report, self.names, source, self.folder)
        if copied:
            yield f"Copied {plural(copied, 'picture')} into {clean(str(self.folder / 'exhibits'), limit=None)}"
        if missing:
            left = f"{plural(missing, 'picture')} of the scan can no longer be found beside what this was read from"
            yield f"{left}: the report says so in their place."

    def _into(self, folder: Path, report: Document) -> tuple[Path, ...]:
        written = base.write(report, self.names, folder, self.setting)
        if self.seal:
            from deepscan.custody import seals

            written = (*written, seals.write_seal(report, written, folder))
        if self.key is not None:
            from deepscan.custody import signing

            written = (*written, signing.sign(folder, self.key))
        return written
