"""The seal of an output folder: ``report.seal.json``, which names every file of a report with its size and SHA-256.

``report.json`` and ``report.jsonl`` carry hashes over themselves; a table, a page or an exhibit cannot. The seal covers
them all, and is what is signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from deepscan.custody.faults import Fault, Kind
from deepscan.custody.measure import measure
from deepscan.errors import InputError, OutputError, ReportError
from deepscan.reports.base import open_output
from deepscan.reports.exhibits import exhibits, is_exhibit
from deepscan.reports.json_text import dump
from deepscan.reports.schema import escape, parse, unescape
from deepscan.text import clean
from deepscan.types import Document, JSONValue

SEAL = "report.seal.json"
SIGNATURE = "report.seal.sig"
TOKEN = "report.seal.tsr"  # noqa: S105 - a file's name
METHOD = "deepscan seal 1"


def write_seal(report: Document, written: Iterable[Path], folder: Path) -> Path:
    """Write the seal of a folder: of the files written there, and of the exhibits that the report shows.

    Raises:
        OutputError: it cannot be written, or a file that it should name cannot be read.
    """
    names = [path.relative_to(folder).as_posix() for path in written]
    names += sorted(set(_exhibits(report, folder)) - set(names))
    entries = [_entry(folder, name) for name in names]
    with open_output(folder / SEAL) as stream:
        stream.write(f'{{\n  "method": {dump(METHOD)},\n  "files": [\n    ')
        stream.write(",\n    ".join(dump(entry) for entry in entries))
        stream.write("\n  ]\n}\n")
    return folder / SEAL


def check_seal(folder: Path) -> Iterator[Fault]:
    """Every file that the seal of a folder names and that is not what it was; nothing when all are.

    Raises:
        InputError: there is no seal, or it cannot be read.
        ReportError: the seal is damaged.
    """
    for name, size, digest in named(folder):
        path, shown = folder / name, clean(str(name))
        try:
            found = measure(path)
        except FileNotFoundError:
            yield Fault(Kind.MISSING, shown, "the seal names it, and it is not there")
        except OSError as e:
            yield Fault(Kind.UNREADABLE, shown, f"it cannot be read: {clean(e.strerror or str(e))}")
        else:
            if found != (size, digest):
                yield Fault(Kind.CHANGED, shown, f"its SHA-256 is {found[1]}, and was {digest}")


def named(folder: Path) -> tuple[tuple[PurePosixPath, int, str], ...]:
    """What the seal of a folder names: file, size in bytes and SHA-256. Raises as :func:`check_seal`."""
    path = folder / SEAL
    shown = clean(str(path))
    try:
        document: Any = parse(path.read_bytes())
        if document["method"] != METHOD:
            raise ValueError(f"its method is {document['method']!r}")
        entries = tuple(_read(entry) for entry in document["files"])
    except OSError as e:
        raise InputError(
            f"There is no seal to check: {shown}: {e.strerror or e}.",
            "Write one with --seal, or name the report.json, which carries hashes of its own.",
        ) from e
    except (ValueError, KeyError, TypeError) as e:
        raise ReportError(f"The seal {shown} is damaged: {clean(str(e))}.", "Take it from a copy.") from e
    return entries


def _read(entry: Any) -> tuple[PurePosixPath, int, str]:
    name = PurePosixPath(unescape(entry["name"]))
    if name.is_absolute() or ".." in name.parts:
        raise ValueError("it names a file outside of its folder")
    return name, int(entry["size"]), str(entry["sha256"])


def _exhibits(report: Document, folder: Path) -> Iterator[str]:
    for item in report.items:
        yield from (path for path in exhibits(item) if is_exhibit(path) and (folder / path).is_file())


def _entry(folder: Path, name: str) -> dict[str, JSONValue]:
    try:
        size, digest = measure(folder / name)
    except OSError as e:
        raise OutputError(f"{clean(name)} cannot be read, to seal it: {e.strerror or e}.", "Write it again.") from e
    return {"name": escape(name), "size": size, "sha256": digest}


def contents(folder: Path) -> bytes:
    """The bytes of a seal, which are what is signed. Raises InputError."""
    try:
        return (folder / SEAL).read_bytes()
    except OSError as e:
        raise InputError(f"{clean(str(folder / SEAL))} cannot be read: {e.strerror or e}.", "Check the path.") from e
