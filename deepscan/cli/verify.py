"""``deepscan verify``: whether a report and its evidence are what they were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from deepscan.cli.reading import is_case_file, read_report
from deepscan.custody import evidence
from deepscan.custody.faults import Fault, Kind
from deepscan.custody.seals import TOKEN
from deepscan.custody.verify import check
from deepscan.errors import EXIT_CLEAN, EXIT_FOUND, EXIT_INCOMPLETE, UsageError
from deepscan.text import clean, plural

ReportArgument = Annotated[
    Path,
    typer.Argument(
        metavar="REPORT", help="A report.json or report.jsonl, an output folder with its seal, or a case file."
    ),
]
AgainstOption = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Compare the evidence in this folder with the report as well.")
]
KeyOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The Ed25519 public key that must have signed the report.")
]
TsaOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="PEM root certificates under which the seal's time stamp must have been made."),
]


def verify_command(
    source: ReportArgument, against: AgainstOption = None, key: KeyOption = None, tsa_certs: TsaOption = None
) -> None:
    """Say whether a report, and with --against its evidence, is what it was.

    Ends with 0 when all of it is, 1 when something was changed, 2 when it cannot be told, and 3 when nothing was
    changed but evidence is missing or cannot be read. Without a signature only accidents and clumsy changes are found.
    """
    is_case = not source.is_dir() and is_case_file(source)
    if is_case and (against is None or key is not None or tsa_certs is not None):
        raise UsageError("A case file carries no seal.", "Verify a report.json, or give --against with the evidence.")
    report = _tell(() if is_case else check(source, key, stamped=tsa_certs is not None))
    if not is_case:
        report += _tell(_time(source if source.is_dir() else source.parent, tsa_certs))
    found = _tell(_evidence(source, against))
    if not report and not found:
        what = "The evidence is" if is_case else "The report is" if against is None else "Report and evidence are"
        signed = f", and signed by {clean(str(key))}" if key is not None else ""
        typer.echo(f"{what} as written{signed}.")
        raise typer.Exit(EXIT_CLEAN)
    typer.echo(f"{plural(sum(report.values()) + sum(found.values()), 'difference')}.", err=True)
    raise typer.Exit(EXIT_FOUND if report or found[Kind.CHANGED] else EXIT_INCOMPLETE)


def _time(folder: Path, roots: Path | None) -> Iterator[Fault]:
    """Say when the seal was stamped and by whom, or that this was not checked."""
    if roots is None:
        if (folder / TOKEN).is_file():
            typer.echo(f"The time stamp {TOKEN} was not checked: --tsa-certs names the authority's root certificates.")
        return
    from deepscan.custody import timestamps

    found = timestamps.check_stamp(folder, roots)
    if isinstance(found, Fault):
        yield found
    else:
        typer.echo(f"The seal was stamped on {found}.")


def _evidence(source: Path, against: Path | None) -> Iterator[Fault]:
    if against is not None:
        with read_report(source / "report.json" if source.is_dir() else source) as report:
            yield from evidence.check_evidence(report, against)


def _tell(faults: Iterable[Fault]) -> Counter[Kind]:
    """Print every fault as it is found, and count them."""
    kinds = Counter[Kind]()
    for fault in faults:
        typer.echo(f"{fault.kind.upper()}  {fault.what}: {fault.why}.")
        kinds[fault.kind] += 1
    return kinds
