"""The command line: which commands there are, and the one boundary where errors become sentences and exit codes."""

from __future__ import annotations

import errno
import functools
import io
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from deepscan import __version__
from deepscan.cli.baseline import baseline_command
from deepscan.cli.calibrate import calibrate
from deepscan.cli.checks import checks_app
from deepscan.cli.config import config_app
from deepscan.cli.diff import diff_command
from deepscan.cli.evaluate import evaluate
from deepscan.cli.explain import explain_command
from deepscan.cli.models import models_app
from deepscan.cli.options import debug_is_on
from deepscan.cli.replay import replay_command
from deepscan.cli.report import report_command
from deepscan.cli.scan import scan
from deepscan.cli.train import train
from deepscan.cli.verify import verify_command
from deepscan.errors import EXIT_CLEAN, EXIT_INTERRUPTED, EXIT_PIPE, EXIT_USAGE, DeepscanError
from deepscan.text import clean

log = logging.getLogger(__name__)

FAULT = "This is a fault of deepscan: run again with --debug and report it."

app = typer.Typer(
    name="deepscan",
    help="Find AI-generated and manipulated pictures and videos, and say what each finding is worth.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def bounded(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose errors end the program with one sentence, a hint, and the right exit code."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except DeepscanError as e:
            _fail(e.message, e.hint, e.exit_code)
        except KeyboardInterrupt:
            _fail("Interrupted.", "", EXIT_INTERRUPTED)
        except BrokenPipeError:
            # Whoever read our output has closed it (as `head` does): the interpreter must not complain at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(EXIT_PIPE) from None
        except (typer.Exit, typer.Abort):
            raise
        except OSError as e:
            full = e.errno == errno.ENOSPC
            what = "A disk is full: no space is left to write to." if full else f"Unexpected {type(e).__name__}: {e}"
            _fail(what, "Free some space and run it again: what was finished is kept." if full else FAULT, EXIT_USAGE)
        except Exception as e:  # noqa: BLE001 - the one error boundary: no traceback without --debug, never exit code 1
            _fail(f"Unexpected {type(e).__name__}: {e}", FAULT, EXIT_USAGE)

    return run


def _fail(message: str, hint: str, code: int) -> None:
    typer.echo(f"deepscan: {clean(message, limit=None)}", err=True)
    if hint:
        typer.echo(f"          {clean(hint, limit=None)}", err=True)
    if debug_is_on():
        log.debug("Where it happened:", exc_info=True)
    raise typer.Exit(code) from None


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"deepscan {__version__}")
        raise typer.Exit(EXIT_CLEAN)


@app.callback()
def version_option(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Find AI-generated and manipulated pictures and videos, and say what each finding is worth."""


app.command("scan")(bounded(scan))
app.command("train")(bounded(train))
app.command("evaluate")(bounded(evaluate))
app.command("calibrate")(bounded(calibrate))
app.command("report")(bounded(report_command))
app.command("diff")(bounded(diff_command))
app.command("baseline")(bounded(baseline_command))
app.command("replay")(bounded(replay_command))
app.command("verify")(bounded(verify_command))
app.command("explain")(bounded(explain_command))
for _name, _group in (("checks", checks_app), ("models", models_app), ("config", config_app)):
    for _command in _group.registered_commands:
        assert _command.callback is not None
        _command.callback = bounded(_command.callback)
    app.add_typer(_group, name=_name)


def main() -> None:
    """The entry point of the ``deepscan`` command. A polite request to end (SIGTERM) is taken as Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows few letters still gets its summary
    app()
