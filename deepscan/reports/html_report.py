"""The report as one HTML page that opens offline: for the analyst who files it, and for whoever must understand it.

The page fetches nothing. Its policy (Content-Security-Policy) allows the one style and the one script that stand in it,
by their hashes, and pictures from inside or beside it: what a file name or metadata could smuggle in would not run.
It cannot get in, either: Jinja escapes what the page itself says, and everything said of single files lies in data
islands (:mod:`deepscan.reports.html.islands`), from which the script builds text nodes, never markup.

The same input gives the same bytes. Files are taken one at a time: what stays in memory is the index, and the details
packed. Without a script, the reader sees the summary and a table of the gravest :data:`PLAIN_ROWS` files.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, TextIO

from deepscan.reports import words
from deepscan.reports.exhibits import exhibits
from deepscan.reports.html.index import CALLS, LEFT_OUT, NOT_EXAMINED, Index
from deepscan.reports.html.islands import Details, Island, island
from deepscan.reports.html.pictures import Pictures
from deepscan.reports.html.templates import PAGE, SCRIPTS, STYLE, Templates
from deepscan.reports.schema import SCHEMA_VERSION, item_to_json
from deepscan.reports.setting import USUAL, Setting, Style
from deepscan.text import plural
from deepscan.types import (
    Basis,
    Call,
    CheckInfo,
    CheckResult,
    Document,
    Family,
    ItemReport,
    JSONValue,
    MediaItem,
    MediaKind,
    Outcome,
    PointsTo,
    RunInfo,
    ScanReport,
    SkipCode,
    Skipped,
    Verdict,
)

NAME = PAGE

PLAIN_ROWS = 500
"""Files in the table that is there without a script."""

_SKIPS = {
    SkipCode.EXCLUDED: "left out as the options say",
    SkipCode.HIDDEN: "hidden, and --hidden was not given",
    SkipCode.SYMLINK: "a symbolic link, and --follow-symlinks was not given",
    SkipCode.NOT_MEDIA: "no picture and no video",
    SkipCode.UNSUPPORTED: "a format that deepscan knows and does not read",
    SkipCode.EMPTY: "no bytes",
    SkipCode.TOO_LARGE: "above the limit of size",
    SkipCode.SPECIAL: "a device, a pipe or the like",
    SkipCode.VANISHED: "gone before it could be read",
    SkipCode.CHANGED: "changed while it was read",
    SkipCode.UNREADABLE: "could not be read as what it claims to be",
}


@dataclass(frozen=True, slots=True)
class HtmlReport:
    """``report.html``: one page, its data and its pictures inside it as far as there is room."""

    id: ClassVar[str] = "html"
    title: ClassVar[str] = "HTML: a page for people, which opens offline"
    names: ClassVar[tuple[str, ...]] = (NAME,)

    setting: Setting = USUAL

    def adjusted(self, setting: Setting) -> HtmlReport:
        """The same report in another voice, or with its pictures from another folder."""
        return replace(self, setting=setting)

    def render(self, report: Document, name: str, stream: TextIO) -> None:
        """Write the page. Raises ValueError for another name."""
        if name not in self.names:
            raise ValueError(f"the HTML report has no file {name!r}")
        templates = Templates.of(self.setting.template)
        context = _context(report, self.setting, templates)
        templates.write(context, context["policy"], stream)

    def rehearse(self) -> None:
        """Write a made-up report to nowhere, so that a template's error is known before a scan. Raises OutputError."""
        self.render(_made_up(), NAME, io.StringIO())


def _hash(text: str) -> str:
    """The source expression of an inline style or script (CSP level 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _context(report: Document, setting: Setting, templates: Templates) -> dict[str, Any]:
    """What the page is made of. What is markup already is marked as such; all else is escaped."""
    index, details, pictures = Index(report.run), Details(), Pictures(setting)
    for item in report.items:
        for exhibit in exhibits(item):
            pictures.take(exhibit)
        index.add(item, details.add(item_to_json(item)))
    for skipped in report.skipped:
        index.skip(skipped)
    css, js = templates.text(STYLE), "\n".join(["'use strict';", *map(templates.text, SCRIPTS)])
    single = len(index.name) == 1
    style = setting.style or (Style.BRIEF if single else Style.FULL)
    return {
        "run": report.run,
        "schema": report.schema,
        "finished": report.finished,
        "style": style.value,
        "policy": _as_it_is(_policy(css, js, linked=pictures.linked)),
        "css": _as_it_is(css),
        "js": _as_it_is(js),
        "title": f"deepscan report: {plural(len(index.name), 'file')}",
        **_summary(index),
        "limits": (*words.terms(report.run), words.ABSENCE),
        "absence": words.ABSENCE,
        "record": list(_record(report.run)),
        "tables": list(_tables(report.run)),
        "islands": (replace(i, text=_as_it_is(i.text)) for i in _islands(index, details, pictures)),
    }


def _as_it_is(text: str) -> str:
    """What is markup already: hashes, our style and scripts, and islands, which cannot be left."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - nothing that a file says gets here but through islands.dump


def _policy(css: str, js: str, *, linked: bool) -> str:
    # 'self' is the page's folder where a server shows the page; browsers differ in what it means for a file.
    images = "data: 'self' file:" if linked else "data:"
    return (
        f"default-src 'none'; img-src {images}; style-src {_hash(css)}; script-src {_hash(js)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _islands(index: Index, details: Details, pictures: Pictures) -> Iterator[Island]:
    yield island("words", index.words())
    yield island("index", index.as_json())
    yield from details.islands()
    yield island("pictures", pictures.as_json())


def _summary(index: Index) -> dict[str, Any]:
    counts = index.counts()
    examined = sum(number for call, number in counts.items() if call not in (NOT_EXAMINED, LEFT_OUT))
    said = {str(call): text for call, text in words.CALLS.items()} | {
        NOT_EXAMINED: "Not examined, though asked for",
        LEFT_OUT: "Left out, as they should be",
    }
    grave = sum(counts[call] for call in ("strong", "moderate", "weak"))
    headline = f"{plural(grave, 'file')} of {examined:,} with evidence of generation, manipulation or editing"
    kinds = index.kinds()
    partly = sum(index.partial)
    unexamined = counts[NOT_EXAMINED]
    order = index.gravest_first()[:PLAIN_ROWS]
    return {
        "headline": headline if examined else "No file was examined",
        "lede": f"{plural(len(index.name), 'file')} found: {examined:,} examined ({kinds}), "
        f"{unexamined:,} not examined, {counts[LEFT_OUT]:,} left out."
        if examined
        else f"{plural(len(index.name), 'file')} found.",
        "tally": [{"id": call, "number": f"{n:,}", "words": said[call]} for call, n in counts.items() if n],
        "partly": f"{plural(partly, 'file')} could be examined only in part: none of these counts as clean."
        if partly
        else "",
        "skips": [
            {"number": f"{number:,}", "code": str(code), "means": _means(code)}
            for code, number in words.missing_first(index.skips)
        ],
        "plain_note": f"Without scripts this page shows the {PLAIN_ROWS:,} files with the gravest answers at most, and "
        "no details. report.json holds everything.",
        "plain_rows": [
            {
                "call": said[CALLS[index.call[row]]],
                "name": f"{index.text(index.root[row])}/{index.name[row]}",
                "why": index.text(index.why[row]),
                "sha256": index.sha256[row],
            }
            for row in order
        ],
    }


def _means(code: SkipCode) -> str:
    verdict = "not examined: the report is incomplete" if code.incomplete else "no reason to call the report incomplete"
    return f"{_SKIPS[code][0].upper()}{_SKIPS[code][1:]}; {verdict}."


def _record(run: RunInfo) -> Iterator[tuple[str, str]]:
    yield "Program", f"{run.tool} {run.version}"
    yield "Command", " ".join(run.argv)
    yield "Begun, ended", f"{run.started}, {run.finished or 'not ended'}"
    if run.model is not None:
        yield "Model", f"{run.model.get('name')} {run.model.get('version', '')}".strip()
        yield "Trained and measured on", str(run.model.get("coverage", "not stated"))
        yield "Licence of the model", words.licence(run.model)
    yield "Device, precision", f"{run.device or 'none used'}, {run.precision or 'none used'}"
    yield "Host", ", ".join(f"Python {value}" if name == "python" else value for name, value in run.host.items())


def _tables(run: RunInfo) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield "Options", _rows(run.options)
    yield "Libraries", _rows(run.libraries)
    if run.model is not None:
        yield "The model's card", _rows(run.model)


def _rows(values: Mapping[str, JSONValue]) -> list[tuple[str, str]]:
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in values.items()
    ]


def _made_up() -> Document:
    """A scan of two files that there never were: every part of a page has something to show."""
    run = RunInfo(
        tool="deepscan",
        version="0",
        started="2000-01-01T00:00:00Z",
        finished="2000-01-01T00:00:01Z",
        argv=("deepscan", "scan", "pictures"),
        options={"fail_on": "moderate"},
        checks=(CheckInfo("identity", "What the file is", Family.STRUCTURE, "0"),),
        model={"name": "made-up", "version": "0"},
        device="cpu",
        precision="fp32",
        libraries={"jinja2": "0"},
        host={"system": "none"},
    )
    item = MediaItem(Path("pictures"), PurePosixPath("a.png"), MediaKind.IMAGE, "png", 1, "0" * 64)
    failed = CheckResult("identity", "0", Outcome.FAILED, reason="It is made up.")
    verdict = Verdict(Call.UNDETERMINED, PointsTo.NEITHER, Basis.NO_USABLE_CHECK)
    skipped = Skipped(Path("pictures/b.png"), SkipCode.UNREADABLE, "It is made up.")
    return ScanReport(SCHEMA_VERSION, run, (ItemReport(item, (failed,), verdict),), (skipped,), finished=False)
