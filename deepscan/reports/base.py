"""What a report is, and how it reaches the disk: whole, or not at all.

A new report is a file in this folder and a line in :data:`RENDERERS`; the contract suite picks it up.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Protocol, TextIO, runtime_checkable

from deepscan.errors import OutputError, UsageError
from deepscan.reports.case_report import CaseReport
from deepscan.reports.csv_report import CsvReport
from deepscan.reports.html_report import HtmlReport
from deepscan.reports.json_report import JsonReport
from deepscan.reports.jsonl_report import JsonLinesReport
from deepscan.reports.junit_report import JUnitReport
from deepscan.reports.markdown_report import MarkdownReport
from deepscan.reports.parquet_report import ParquetReport
from deepscan.reports.sarif_report import SarifReport
from deepscan.reports.setting import USUAL, Setting
from deepscan.text import clean
from deepscan.types import Document


class Form(Protocol):
    """What one kind of report is called, and which files it has."""

    @property
    def id(self) -> str:
        """What ``--format`` calls it."""

    @property
    def title(self) -> str:
        """What it is, for people."""

    @property
    def names(self) -> tuple[str, ...]:
        """The files it writes in the output folder, the main one first: that one also goes to standard output."""


class Renderer(Form, Protocol):
    """One kind of report that is text."""

    def render(self, report: Document, name: str, stream: TextIO) -> None:
        """Write the file ``name`` to a text stream that takes any Unicode and translates no line ends."""


@runtime_checkable
class BinaryRenderer(Form, Protocol):
    """One kind of report that is no text."""

    def render_bytes(self, report: Document, name: str, stream: BinaryIO) -> None:
        """Write the file ``name``."""


@runtime_checkable
class Splitting(Protocol):
    """A renderer whose report in a folder may need more files than :attr:`Renderer.names`."""

    def split(self, report: Document) -> Iterator[tuple[str, Iterator[str]]]:
        """The files, the main one first: each one's name and its text, which is to be taken before the next."""

    def is_piece(self, name: str) -> bool:
        """Whether a file of this name is one that :meth:`split` may give, besides the main one."""


@runtime_checkable
class Together(Protocol):
    """A renderer that writes all its files while it goes through the report once."""

    def render_together(self, report: Document, streams: Mapping[str, TextIO]) -> None:
        """Write the files of these names; each file is the same as :meth:`Renderer.render` writes."""


@runtime_checkable
class Adjustable(Protocol):
    """A renderer that a setting makes a difference to."""

    def adjusted(self, setting: Setting) -> Renderer:
        """The same renderer with another setting."""


RENDERERS: Mapping[str, Renderer] = MappingProxyType(
    {
        "csv": CsvReport(),
        "html": HtmlReport(),
        "json": JsonReport(),
        "jsonl": JsonLinesReport(),
        "markdown": MarkdownReport(),
        "junit": JUnitReport(),
        "sarif": SarifReport(),
        "case": CaseReport(),
    }
)
"""Every report that is text, by the word that ``--format`` takes."""

BINARY: Mapping[str, BinaryRenderer] = MappingProxyType({"parquet": ParquetReport()})
"""Every report that is not."""

FORMATS = (*RENDERERS, *BINARY)
"""All words that ``--format`` takes."""

_HINTS = {
    errno.ENOSPC: "Free some space on that disk, or choose another folder.",
    errno.EDQUOT: "Your quota on that disk is used up: free some space, or choose another folder.",
    errno.EACCES: "Choose a folder that you may write to.",
    errno.EPERM: "Choose a folder that you may write to.",
    errno.EROFS: "That disk is read-only: choose another folder.",
    errno.ENAMETOOLONG: "Choose a shorter path.",
    errno.EISDIR: "A folder lies where the file should go: move it, or choose another folder.",
    errno.ENOTDIR: "Part of that path is a file, not a folder: choose another folder.",
    errno.EEXIST: "Part of that path is a file, not a folder: choose another folder.",
    errno.ENOENT: "The folder has gone: make it again, or choose another one.",
}


def output_error(path: Path | str, e: OSError) -> OutputError:
    """The sentence and the hint for a file that could not be written."""
    why = os.strerror(e.errno) if e.errno else str(e)
    hint = _HINTS.get(e.errno or 0, "Check the disk, or choose another folder.")
    return OutputError(f"{clean(str(path))} cannot be written: {clean(why)}.", hint)


@contextmanager
def open_output(path: Path) -> Iterator[TextIO]:
    """Write a text file (UTF-8, line ends as they are given) that appears whole or not at all.

    A new file beside ``path`` is written, brought to the disk, and put in its place; an older ``path`` stays as it was
    until then, and for ever when the block raises. Access rights follow the user's umask.

    Raises:
        OutputError: the disk is full or read-only, the folder may not be written to, or the like.
    """
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        # O_EXCL: a file or link that someone else has laid there is never followed. The kernel applies the umask.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(part, flags, 0o666), "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as e:
        raise output_error(path, e) from e
    finally:
        # After a replace there is nothing left to remove; after an error a half-written file must not stay.
        with contextlib.suppress(OSError):
            part.unlink()
    _sync_folder(path.parent)


def require_folder(folder: Path) -> None:
    """Refuse a folder that is not there and could not be made, before any work is done for it; makes nothing.

    Raises:
        OutputError: a part of the path is a file, or may not be written to.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not there.is_dir():
        raise output_error(folder, OSError(errno.ENOTDIR, ""))
    if not os.access(there, os.W_OK | os.X_OK):
        raise output_error(folder, OSError(errno.EACCES, ""))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it where they are missing. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise output_error(folder, e) from e


def choose(formats: Sequence[str]) -> tuple[Renderer | BinaryRenderer, ...]:
    """The renderers for words of ``--format``, each once, in the order given. Raises UsageError."""
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"There is no report format '{clean(name)}'.", "Formats are: " + ", ".join(FORMATS) + ".")
    if not formats:
        raise UsageError("No report format is given.", "Formats are: " + ", ".join(FORMATS) + ".")
    return tuple(RENDERERS.get(name) or BINARY[name] for name in dict.fromkeys(formats))


def file_names(formats: Sequence[str]) -> tuple[str, ...]:
    """The names of the files that these formats write into a folder. Raises UsageError."""
    return tuple(name for renderer in choose(formats) for name in renderer.names) if formats else ()


def _adjusted(renderer: Renderer | BinaryRenderer, setting: Setting) -> Renderer | BinaryRenderer:
    return renderer.adjusted(setting) if isinstance(renderer, Adjustable) else renderer


def write(report: Document, formats: Sequence[str], folder: Path, setting: Setting = USUAL) -> tuple[Path, ...]:
    """Write reports into a folder, which is made where it is missing; returns the files, in the order written.

    Raises:
        UsageError: a format does not exist (nothing is written then).
        OutputError: a file cannot be written; those written before it stay, whole.
    """
    renderers = choose(formats)
    make_folder(folder)
    written: list[Path] = []
    for chosen in renderers:
        renderer = _adjusted(chosen, replace(setting, folder=folder))
        if isinstance(renderer, Splitting):
            written += _write_split(renderer, report, folder)
            continue
        if isinstance(renderer, Together):
            with contextlib.ExitStack() as stack:
                # What is entered last is left first: the main file is put in its place before the others.
                streams = {name: stack.enter_context(open_output(folder / name)) for name in reversed(renderer.names)}
                renderer.render_together(report, streams)
        else:
            for name in renderer.names:
                with open_output(folder / name) as stream:
                    _render(renderer, report, name, stream)
        written += [folder / name for name in renderer.names]
    return tuple(written)


def _render(renderer: Renderer | BinaryRenderer, report: Document, name: str, stream: TextIO) -> None:
    if isinstance(renderer, BinaryRenderer):
        renderer.render_bytes(report, name, stream.buffer)
    else:
        renderer.render(report, name, stream)


def _write_split(renderer: Splitting, report: Document, folder: Path) -> list[Path]:
    written = []
    for name, text in renderer.split(report):
        with open_output(folder / name) as stream:
            stream.writelines(text)
        written.append(folder / name)
    for path in folder.iterdir():
        if renderer.is_piece(path.name) and path not in written:  # of a longer report that lay here before
            _remove(path)
    return written


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as e:
        raise output_error(path, e) from e


def write_stdout(
    report: Document,
    format: str,  # noqa: A002 - the word users know
    stream: TextIO,
    setting: Setting = USUAL,
) -> None:
    """Write the main file of one report to a stream, as the same bytes that the file would have.

    UTF-8 whatever the terminal's encoding is, and line ends as they are: only a program reads this.

    Raises:
        UsageError: the format does not exist.
        OutputError: the stream cannot be written to (a full disk behind ``>``).
        BrokenPipeError: the reader has gone (``| head``), which is no error; the command line ends quietly.
    """
    (renderer,) = choose([format])
    with open_stdout(stream) as plain:
        _render(_adjusted(renderer, setting), report, renderer.names[0], plain)


@contextmanager
def open_stdout(stream: TextIO) -> Iterator[TextIO]:
    """Standard output for data: see :func:`write_stdout`, whose errors it raises."""
    try:
        with unchanged(stream) as plain:
            yield plain
    except BrokenPipeError:
        raise
    except OSError as e:
        raise output_error("Standard output", e) from e


@contextmanager
def unchanged(stream: TextIO) -> Iterator[TextIO]:
    """The same stream, in UTF-8 and without translation of line ends, where it has bytes below it."""
    below = getattr(stream, "buffer", None)
    if below is None:
        yield stream
        return
    stream.flush()
    plain = io.TextIOWrapper(below, encoding="utf-8", newline="")
    try:
        yield plain
        plain.flush()
    finally:
        # Without detach() the wrapper would close standard output when it is collected. It flushes once more, which
        # can only repeat the error that is already on its way.
        with contextlib.suppress(OSError):
            plain.detach()


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk too. Not every system or network disk can; the file itself is safe already."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
