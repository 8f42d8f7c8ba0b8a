"""``deepscan explain``: what a finding code means, what it does not, and what is known to make it wrong."""

from __future__ import annotations

from typing import Annotated

import typer

from deepscan import explain

CodesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="CODE", help="Finding codes, such as DS-META-001; none lists them all.")
]


def explain_command(codes: CodesArgument = None) -> None:
    """Say what a finding means, what it does not mean, and how it is found."""
    if not codes:
        for page in map(explain.page, explain.codes()):
            typer.echo(f"{page.code}  {page.title}")
        return
    # All are looked up before the first is printed: a wrong code among them prints nothing.
    for number, page in enumerate([explain.page(code) for code in codes]):
        typer.echo(("\n" if number else "") + f"{page.code}  {page.title}\n\n{explain.plain(page.body)}")
