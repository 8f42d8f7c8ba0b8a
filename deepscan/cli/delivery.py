"""Where the reports of a scan go: into a folder, sealed, signed and stamped as is wanted, or to standard output."""

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
    authority: str | None = None

    @classmethod
    def chosen(
        cls, names: Sequence[str], folder: Path | None, setting: Setting, options: RunOptions, *, offline: bool
    ) -> Delivery:
        """What the options say; folder, key and templates are tried: nothing is begun that cannot be signed or written.

        Raises DeepscanError where one of these cannot be used, or no authority for time stamps may or can be asked.
        """
        if folder is not None:
            base.require_folder(folder)
        elif options.seal or options.sign or options.timestamp:
            raise UsageError("Only what goes into a folder can be sealed.", "Name a folder with -o.")
        if setting.template is not None and HtmlReport.id in names:
            HtmlReport(setting).rehearse()
        seal, key = options.seal, None
        if options.sign is not None:
            from deepscan.custody import signing

            seal, key = True, signing.private_key(Path(options.sign))
        if options.timestamp is not None:
            from deepscan.custody import timestamps

            if offline:
                raise UsageError("A time stamp needs the network.", "Leave --timestamp out, or --offline.")
            timestamps.require(options.timestamp)
            seal = True
        return cls(names, folder, setting, seal, key, options.timestamp)

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
        if self.authority is not None:
            from deepscan.custody import timestamps

            written = (*written, timestamps.stamp(folder, self.authority))
        return written
