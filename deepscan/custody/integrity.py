"""Whether ``report.json`` and ``report.jsonl`` still have the bytes they were written with, and if not, where.

A report carries hashes over itself (:mod:`deepscan.reports.chain`, :class:`deepscan.types.Seal`). They find accidents
and clumsy changes: whoever can write the file can also hash it anew, and only a signature (:mod:`.signing`) or a copy
of the head kept elsewhere shows that. Files are read line by line, so that memory does not grow with them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deepscan.custody.faults import Fault, Kind
from deepscan.errors import InputError, ReportError
from deepscan.reports.chain import FIRST, METHOD, closing, link_after
from deepscan.reports.json_report import END, SEALED
from deepscan.reports.jsonl_report import HEAD, LINK, first_line
from deepscan.reports.schema import from_json, parse, unescape
from deepscan.text import clean

BROKEN = "its link in the chain does not hold: it was changed, or an entry before it was left out, added or moved"

_NAME = re.compile(r'"(?:name|path)": ("(?:[^"\\]|\\.)*")')
_TAIL = re.compile(re.escape(SEALED) + "([0-9a-f]{64})" + re.escape(END))
_LINK_LINE = re.compile(r'      "([0-9a-f]{64})",?\n')
_LINKED = re.compile("(.*)" + re.escape(LINK) + '([0-9a-f]{64})"}\n', re.DOTALL)
_HEADED = re.compile("(.*)" + re.escape(HEAD) + '([0-9a-f]{64})"}\n', re.DOTALL)
_BLOCK = 1 << 20
_TAIL_BYTES = len(SEALED) + 64 + len(END)


def check_report(path: Path) -> Iterator[Fault]:
    """Everything in a ``report.json`` or ``report.jsonl`` that is not as it was written; nothing when all of it is.

    Raises:
        InputError: the file cannot be read.
        ReportError: it carries no seal: it is no report, or one of an earlier version.
    """
    shown = clean(str(path))
    try:
        with path.open("rb") as stream:
            check = _check_lines if path.suffix.lower() == ".jsonl" else _check_json
            yield from check(stream, shown)
    except OSError as e:
        raise InputError(f"{shown} cannot be read: {e.strerror or e}.", "Check the path.") from e


def _check_json(stream: BinaryIO, shown: str) -> Iterator[Fault]:
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _TAIL_BYTES))
    tail = _TAIL.fullmatch(_text(stream.read()))
    if tail is not None and _digest(stream, size - 64 - len(END)) == tail[1]:
        return
    _require_seal(stream, shown)
    placed = list(_entries_that_changed(stream))
    yield from placed
    if not placed:
        yield Fault(Kind.CHANGED, shown, _outside_the_entries(stream))


def _digest(stream: BinaryIO, size: int) -> str:
    """SHA-256 of the first bytes of a file."""
    stream.seek(0)
    digest = hashlib.sha256()
    while size > 0 and (block := stream.read(min(size, _BLOCK))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()


def _require_seal(stream: BinaryIO, shown: str) -> None:
    """Tell a report that was changed from a file that never had a seal. One changed byte leaves one mark of two."""
    stream.seek(0)
    if not any(f'"method": "{METHOD}"' in (text := _text(line)) or '"seal": {' in text for line in stream):
        raise ReportError(
            f"{shown} carries no seal: it is no report.json of this version of deepscan.",
            "Give a report.json or report.jsonl, or a folder that holds a report.seal.json.",
        )


def _entries_that_changed(stream: BinaryIO) -> Iterator[Fault]:
    """Each entry is held against its own link and the one before it, so that a change shows where it is."""
    stream.seek(0)
    links = [found[1] for line in stream if (found := _LINK_LINE.fullmatch(_text(line)))]
    stream.seek(0)
    before, number = FIRST, 0
    for text in _entry_texts(stream):
        if number == len(links):
            yield Fault(Kind.CHANGED, _name(text), "it has no link in the chain: it was added, or a link is damaged")
            return
        if link_after(before, text) != links[number]:
            yield Fault(Kind.CHANGED, _name(text), BROKEN)
        before = links[number]
        number += 1
    if number < len(links):
        yield Fault(Kind.MISSING, f"entry {number + 1}", f"the seal has {len(links):,} entries, the file {number:,}")


def _entry_texts(stream: BinaryIO) -> Iterator[str]:
    """The entries of ``items`` and ``skipped``, each of which has a line of its own."""
    inside = False
    for line in stream:
        text = _text(line)
        if inside and text.startswith("    "):
            yield text[4:].removesuffix("\n").removesuffix(",")
        else:
            inside = text in ('  "items": [\n', '  "skipped": [\n')


def _outside_the_entries(stream: BinaryIO) -> str:
    stream.seek(0)
    try:
        report = from_json(parse(stream.read()))
    except (ValueError, ReportError) as e:
        return f"all entries are as they were, and the rest is damaged: {clean(str(e))}"
    seal = report.seal
    last = seal.links[-1] if seal and seal.links else FIRST
    if seal is not None and link_after(last, closing(report)) == seal.head:
        return "all entries and the record of the run are as they were; the layout or the seal was changed"
    return "all entries are as they were; the record of the run, or what else stands outside of them, was changed"


def _check_lines(stream: BinaryIO, shown: str) -> Iterator[Fault]:
    first = _text(stream.readline())
    if not first.startswith('{"schema": ') and "link" not in _text(stream.readline()):
        raise ReportError(f"{shown} is no report.jsonl of deepscan.", "Give the file that deepscan wrote.")
    stream.seek(len(first.encode("utf-8", "surrogateescape")))
    before: str | None = FIRST
    ended = False
    for number, line in enumerate(stream, 2):
        text = _text(line)
        if ended:
            yield Fault(Kind.CHANGED, f"line {number}", "it stands after the last line")
        elif found := _LINKED.fullmatch(text):
            if before is not None and link_after(before, found[1] + "}") != found[2]:
                yield Fault(Kind.CHANGED, _name(text), BROKEN)
            before = found[2]
        elif found := _HEADED.fullmatch(text):
            ended = True
            yield from _check_last(first, found[1] + "}", found[2], before)
        else:
            yield Fault(Kind.CHANGED, f"line {number}, {_name(text)}", "its link in the chain is damaged")
            before = None  # what follows is held against the next link
    if not ended:
        yield Fault(Kind.MISSING, shown, "the last line is missing or damaged: the report is not whole")


def _check_last(first: str, text: str, head: str, before: str | None) -> Iterator[Fault]:
    if before is not None and link_after(before, text) != head:
        why = "it, the record of the run in it, or an entry before it was changed"
        yield Fault(Kind.CHANGED, "the last line", why)
    try:
        schema = json.loads(text)["schema"]
    except (ValueError, KeyError, TypeError):
        schema = None
    if not isinstance(schema, str) or first != first_line(unescape(schema)):
        yield Fault(Kind.CHANGED, "the first line", "it does not name the schema that the last line names")


def _text(data: bytes) -> str:
    """Bytes as text that gives the same bytes again, UTF-8 or not."""
    return data.decode("utf-8", "surrogateescape")


def _name(text: str) -> str:
    """The name of a file in the text of its entry, damaged or not."""
    found = _NAME.search(text)
    if found is None:
        return f"an entry that begins {clean(text[:60])!r}"
    try:
        return clean(unescape(json.loads(found[1])))
    except ValueError:
        return clean(found[1])
