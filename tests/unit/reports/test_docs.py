"""docs/report-schema.md names everything that a report holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import StrEnum
from pathlib import Path

import pytest

from deepscan import types
from deepscan.reports.base import RENDERERS, Renderer
from deepscan.reports.csv_report import FILE_COLUMNS, PART_COLUMNS
from deepscan.reports.schema import MAX_DEPTH, SCHEMA_FILE, SCHEMA_VERSION, escape

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "report-schema.md").read_text(encoding="utf-8")
FORMATS = (DOCS / "formats.md").read_text(encoding="utf-8")


def _words() -> Iterator[str]:
    for kind in vars(types).values():
        if is_dataclass(kind):
            yield from (f.name for f in fields(kind))
        elif isinstance(kind, type) and issubclass(kind, StrEnum):
            yield from map(str, kind)
    yield from (*FILE_COLUMNS, *PART_COLUMNS, SCHEMA_VERSION)


@pytest.mark.parametrize("word", sorted(set(_words())))
def test_every_field_value_column_and_file_is_documented(word: str) -> None:
    assert f"`{word}`" in TEXT


def test_facts_in_the_text_are_those_of_the_code() -> None:
    assert SCHEMA_FILE in TEXT
    assert f"more than {MAX_DEPTH} levels" in TEXT
    assert "`" + escape("caf\udce9.jpg") + "`" in TEXT


@pytest.mark.parametrize("renderer", RENDERERS.values(), ids=list(RENDERERS))
def test_every_format_and_its_files_are_documented(renderer: Renderer) -> None:
    assert f"`{renderer.id}`" in FORMATS
    assert [name for name in renderer.names if f"`{name}`" not in FORMATS] == []
