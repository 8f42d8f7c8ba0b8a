"""A page taken apart as a browser would, without running it."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import StringIO
from typing import Any

from deepscan.reports.html_report import NAME, HtmlReport
from deepscan.types import ScanReport


@dataclass
class Element:
    """An element that holds text as it stands: a script or a style."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Taken:
    """What was found in a page."""

    elements: list[Element] = field(default_factory=list)
    attributes: list[tuple[str, str, str | None]] = field(default_factory=list)
    text: str = ""

    @property
    def scripts(self) -> list[Element]:
        """What would run."""
        return [e for e in self.elements if e.tag == "script" and e.attributes.get("type") is None]

    def island(self, name: str) -> Any:
        """The value of a data island, packed or not."""
        (element,) = [e for e in self.elements if e.attributes.get("id") == name]
        if element.attributes["type"] == "application/json":
            return json.loads(element.text)
        return json.loads(zlib.decompress(base64.b64decode(element.text, validate=True)))

    def details(self) -> list[Any]:
        """The documents of all files."""
        names = sorted(
            (str(e.attributes["id"]) for e in self.elements if re.fullmatch(r"part-\d+", str(e.attributes.get("id")))),
            key=lambda name: int(name.partition("-")[2]),
        )
        return [document for name in names for document in self.island(name)]

    @property
    def policy(self) -> str:
        """The content security policy."""
        (policy,) = [
            v for tag, name, v in self.attributes if tag == "meta" and name == "content" and "default" in (v or "")
        ]
        assert policy is not None
        return policy


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.taken = Taken()
        self._open: Element | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.taken.attributes += [(tag, name, value) for name, value in attrs]
        if tag in ("script", "style"):
            self._open = Element(tag, dict(attrs))
            self.taken.elements.append(self._open)

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open.text += data
        else:
            self.taken.text += data


def take_apart(page: str) -> Taken:
    """Parse a page."""
    parser = _Parser()
    parser.feed(page)
    parser.close()
    return parser.taken


def render(report: ScanReport, renderer: HtmlReport | None = None) -> str:
    """The page of a report."""
    stream = StringIO(newline="")
    (renderer or HtmlReport()).render(report, NAME, stream)
    return stream.getvalue()
