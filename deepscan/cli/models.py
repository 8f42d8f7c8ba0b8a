"""``deepscan models``: what models there are, what they claim, and whether they are what they claim."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from deepscan.models import describe, hub, packs
from deepscan.text import clean
from deepscan.types import JSONValue

models_app = typer.Typer(
    help="List, show, fetch and check the models that a scan can use.", no_args_is_help=True, rich_markup_mode=None
)


class OutputFormat(StrEnum):
    """How a command writes its answer."""

    TEXT = "text"
    JSON = "json"


ModelArgument = Annotated[
    str, typer.Argument(metavar="MODEL", help="builtin, a folder, or owner/name[@revision] on the Hugging Face Hub.")
]
FormatOption = Annotated[OutputFormat, typer.Option("--format", help="Plain text, or JSON.")]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Use only what is on this machine.")]
LabelOption = Annotated[
    str | None,
    typer.Option("--fake-label", metavar="NAME", help="The label that means fake, where no card says so."),
]


@models_app.command("list")
def list_models(output: FormatOption = OutputFormat.TEXT) -> None:
    """List the embedded model and the image classifiers in the Hugging Face cache."""
    found = packs.list_packs()
    if output is OutputFormat.JSON:
        _echo_json([describe.listed_json(entry) for entry in found])
        return
    for name, about in _aligned([describe.listed(entry) for entry in found]):
        typer.echo(f"{name}  {about}")


@models_app.command()
def info(
    model: ModelArgument,
    *,
    output: FormatOption = OutputFormat.TEXT,
    offline: OfflineOption = False,
    fake_label: LabelOption = None,
) -> None:
    """Show a model's card: what it looks at, what it was measured at, and what it may be used for."""
    pack = packs.find(model, fake_label=fake_label, offline=offline)
    if output is OutputFormat.JSON:
        _echo_json(describe.as_json(pack))
        return
    for name, about in _aligned(describe.lines(pack)):
        typer.echo(f"{name}  {about}")


@models_app.command()
def pull(model: ModelArgument) -> None:
    """Fetch a model from the Hugging Face Hub, or the face finder yunet, so that scans can use it offline."""
    from deepscan.models import face_packs

    if model == face_packs.YUNET:
        typer.echo(f"YuNet is on this machine: {clean(str(face_packs.pull()), None)}. Use it with: --faces yunet")
        return
    snapshot = hub.pull(model)
    typer.echo(f"{model} is on this machine, at commit {snapshot.commit}.")
    typer.echo(f"Use this very state with: --model {model.partition('@')[0]}@{snapshot.commit}")


@models_app.command()
def verify(model: ModelArgument, *, offline: OfflineOption = False, fake_label: LabelOption = None) -> None:
    """Load a model, compare its weights to the hash in its card, and its answers to the card's golden ones."""
    pack = packs.find(model, fake_label=fake_label, offline=offline)
    for sentence in describe.verified(packs.verify(pack)):
        typer.echo(sentence)


def _aligned(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    width = max((len(name) for name, _ in rows), default=0)
    return [(name.ljust(width), about) for name, about in rows]


def _echo_json(value: JSONValue) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
