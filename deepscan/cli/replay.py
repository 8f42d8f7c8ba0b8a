"""``deepscan replay``: the scan of a report again, with what it recorded, and what is different now."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from deepscan.cli import options as o
from deepscan.cli.diff import tell
from deepscan.cli.reading import read_report
from deepscan.config import ScanOptions, with_settings
from deepscan.custody.replay import recorded_options, recorded_pack
from deepscan.errors import ModelError
from deepscan.text import clean
from deepscan.types import Document

PackOption = Annotated[
    str | None, typer.Option(metavar="MODEL", help="Where the recorded model lies now, if not where it lay.")
]
FolderOption = Annotated[
    Path | None, typer.Option("--folder", metavar="FOLDER", help="Where the scanned folder lies now, if elsewhere.")
]


def replay_command(
    source: Annotated[Path, typer.Argument(metavar="REPORT", help="A case file or a report.json.")],
    folder: FolderOption = None,
    model: PackOption = None,
    workers: o.WorkersOption = None,
    quiet: o.QuietOption = False,
) -> None:
    """Examine the files of a report again, with the recorded options and model, and state the differences.

    Nothing is kept. Ends with 0 when every answer is the same, 1 when one differs, and 2 when it cannot be done
    again: the model is another one, or the files are not there.
    """
    with read_report(source) as before:
        options = recorded_options(before.run)
        changes = {"model": model, "workers": workers}
        options = with_settings(options, {name: value for name, value in changes.items() if value is not None})
        # The engine is loaded only now: --help and usage errors stay quick.
        from deepscan.cli.console import Console
        from deepscan.engine.scan import scan

        _require_pack(before, options)
        places, listed = _places(before, folder)
        console = Console(quiet=quiet, colour=True, stdout_is_data=True)
        # Some checks say more where they may draw: what they draw is thrown away, and what they say is compared.
        with tempfile.TemporaryDirectory(prefix="deepscan-replay-") as drawn, console.events() as events:
            output = Path(drawn) if options.exhibits else None
            after = scan(places, options, listed=listed, output=output, events=events, argv=("deepscan", *sys.argv[1:]))
        raise typer.Exit(tell(before, after, strict=True))


def _require_pack(report: Document, options: ScanOptions) -> None:
    """Refuse to score with other weights than the report did. Raises ModelError."""
    from deepscan.models import packs

    recorded = recorded_pack(report.run)
    if recorded is None:
        return
    found = packs.find(options.model, fake_label=options.fake_label, offline=True)
    if found.sha256 != recorded:
        raise ModelError(
            f"The model {clean(options.model)} has the weights {found.sha256[:12]}…, "
            f"and the report was made with {clean(recorded)[:12]}….",
            "Name the recorded model with --model.",
        )


def _places(report: Document, folder: Path | None) -> tuple[Sequence[Path], Sequence[Path]]:
    """What to scan: the folder given, else the recorded paths, else (they came from a list) the files themselves."""
    if folder is not None:
        return [folder], ()
    if report.run.paths:
        return [Path(path) for path in report.run.paths], ()
    return (), [item.item.path for item in report.items]
